"""The tests that every codec passes, as a class to inherit; shipped for the codecs of other packages.

    from codecarena.codecs.contract import CodecContract

    class TestMine(CodecContract):
        codec_name = "mine"

Needs pytest and NumPy, and no file outside the package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from . import fresh_process, registry
from .base import Codec, CodecError, Image, Picture
from .instruction_sets import OLDER, InstructionSet, changes_arithmetic, not_tested

SIZES = ((1, 1), (1, 2), (2, 1), (1, 67), (67, 1), (3, 5), (16, 16), (31, 17), (64, 65), (75, 50))
"""Heights and widths that codecs stumble over."""
ODD_SIZES = ((65, 64), (64, 65), (31, 17))
"""Heights and widths at which halved chroma needs a sample that is only half in the picture."""
FLAT_COLOURS = ((220, 30, 40), (0, 255, 0), (20, 90, 200))
FLAT_LEVELS = 3
"""How far a classic codec at its finest setting may leave any pixel of a flat picture."""
EDGE_LEVELS = 2
"""By how much the mean error of an odd-sided picture's row may exceed that of its even-sided twin."""
FLAT_FACTOR = 8
"""How many times a photograph's mean squared error a flat picture may have: a plain quantizer reaches 3."""
SHIFT_LEVELS = 0.35
"""How far the mean of a colour channel may move at the finest setting."""
Decode = Callable[[bytes], Image]


def photograph(height: int = 96, width: int = 136) -> Image:
    """Return a picture with the statistics of a photograph: 1/f spectrum, correlated colours, edges, sky.

    Returns:
        uint8 pixels of shape (height, width, 3); always the same ones for the same size.
    """
    rng = np.random.default_rng(20)
    rows, columns = np.mgrid[:height, :width]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    frequency[0, 0] = np.inf
    noise = rng.normal(size=(3, height, width))
    texture = np.fft.ifft2(np.fft.fft2(noise) / frequency).real
    texture /= texture.std(axis=(1, 2), keepdims=True)
    shared, detail = texture[0], texture[1:]
    light = 120 + 45 * shared + 50 * (columns > width * 0.4) * (rows > height * 0.3)
    sky = np.clip(1 - 3 * rows / height, 0, 1)
    planes = (light + 12 * detail[0] - 60 * sky, light, light - 25 + 12 * detail[1] + 80 * sky)
    return np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8)


def largest_difference(first: Image, second: Image) -> int:
    """Return how far two pictures lie apart at most, in 8-bit levels."""
    return int(np.abs(first.astype(int) - second).max())


def _mean_squared_error(first: Image, second: Image) -> float:
    return float(((first.astype(float) - second) ** 2).mean())


class CodecContract:
    """What every codec promises; inherit it and name the codec."""

    codec_name: ClassVar[str]
    """The registered name."""
    parameters: ClassVar[dict[str, registry.Value]] = {}
    """Constructor keywords, where the defaults are not to be tested."""
    choices: ClassVar[Mapping[str, tuple[registry.Value, ...] | str] | None] = None
    """Of each constructor keyword other values than `parameters` has, or a sentence on why none shows."""

    @pytest.fixture(scope="class")
    @classmethod
    def codec(cls) -> Codec:
        """The codec under test, loaded once."""
        if missing := registry.find(cls.codec_name).missing:
            pytest.skip(f"{cls.codec_name}: {missing}")
        return registry.create(cls.codec_name, cls.parameters)

    @pytest.fixture(scope="class")
    @classmethod
    def ladder(cls, codec: Codec) -> list[bytes]:
        """Bitstreams of the photograph at the codec's default qualities, from worst to best."""
        return [codec.encode(Picture(photograph()), quality) for quality in codec.info.qualities]

    @pytest.fixture(scope="class")
    @classmethod
    def small(cls, codec: Codec) -> dict[tuple[int, int], bytes]:
        """Bitstreams of pictures of all sizes in `SIZES`, at the middle quality."""
        return {size: codec.encode(Picture(_corner(size)), _middle(codec)) for size in SIZES}

    @pytest.fixture(scope="class")
    @classmethod
    def decode(cls, codec: Codec) -> Decode:
        """A function that decodes each bitstream once, for the tests that only look at the pixels."""
        return cache(codec.decode)

    @pytest.fixture
    def decode_elsewhere(self, tmp_path: Path) -> Callable[[Sequence[bytes]], list[Image]]:
        """A function that decodes bitstreams in another process, which never saw the pictures.

        It starts a Python for them. Where that takes long, as with many codecs that import torch, override
        this fixture with a function that asks one process for all: one that only decodes and never encodes.
        """
        return lambda bitstreams: fresh_process.decode(tmp_path, self.codec_name, self.parameters, bitstreams)

    def test_information_is_consistent(self, codec: Codec) -> None:
        """The ladder lies on the scale, from worst to best."""
        info = codec.info
        assert info.name, "the codec has no name"
        assert info.version, "the codec has no version: its results could not be kept apart from another's"
        assert info.qualities, "the default ladder is empty"
        outside = [quality for quality in info.qualities if not info.scale.contains(quality)]
        assert not outside, f"the default ladder leaves the scale {info.scale}: {outside}"
        ordered = sorted(set(info.qualities), reverse=info.scale.best < info.scale.worst)
        assert list(info.qualities) == ordered, (
            f"the ladder does not run from worst to best: {info.qualities}"
        )
        assert 0 <= info.tolerance_levels < 256

    def test_description_and_identity_are_stable(self, codec: Codec) -> None:
        """A second object of the same parameters describes itself in the same words."""
        again = registry.create(self.codec_name, self.parameters)
        complete = registry.parameters(self.codec_name, self.parameters)
        assert again.info == codec.info
        assert registry.codec_id(again.info, complete) == registry.codec_id(codec.info, complete)

    def test_every_parameter_changes_something_or_says_why_not(self) -> None:
        """Each choice of a parameter writes other bytes than any other, or decodes to other pixels."""
        known = registry.parameters(self.codec_name, self.parameters)
        if self.choices is None and known:
            pytest.skip("name other values of each parameter in `choices`, or say there why none shows")
        choices = self.choices or {}
        assert set(choices) == set(known), "`choices` names every constructor keyword and no other"
        for name, values in choices.items():
            if not isinstance(values, str):
                assert_each_shows(self.codec_name, self.parameters, name, values)

    @pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
    def test_any_size_survives(
        self, decode: Decode, small: dict[tuple[int, int], bytes], size: tuple[int, int]
    ) -> None:
        """A picture comes back as an `Image` of its own size."""
        decoded = decode(small[size])
        assert decoded.shape == (*size, 3)
        assert decoded.dtype == np.uint8
        assert decoded.flags.c_contiguous, "the decoded pixels are not C-contiguous"

    def test_picture_comes_back_the_right_way_up(self, decode: Decode, ladder: list[bytes]) -> None:
        """The best setting comes nearer the original than the original turned or with colours swapped."""
        original = photograph()
        error = _mean_squared_error(decode(ladder[-1]), original)
        for wrong in (original[::-1], original[:, ::-1], original[..., ::-1]):
            assert error < _mean_squared_error(wrong, original)

    def test_flat_colours_come_back_at_odd_sides(self, codec: Codec) -> None:
        """At the finest setting of a classic codec, also the last row and column have their colour."""
        for size, colour in product(ODD_SIZES, FLAT_COLOURS):
            flat = np.full((*size, 3), colour, np.uint8)
            difference = largest_difference(_at_its_finest(codec, flat), flat)
            assert difference <= FLAT_LEVELS, f"{colour} at {size[0]}x{size[1]} is {difference} levels off"

    @pytest.mark.parametrize("size", [(75, 90), (74, 91)], ids=lambda size: f"{size[0]}x{size[1]}")
    def test_odd_sides_cost_no_row_or_column(self, codec: Codec, size: tuple[int, int]) -> None:
        """At the finest setting, no row or column errs much more than in the twin that repeats the last."""
        odd = _corner(size)
        twin = np.pad(odd, ((0, size[0] % 2), (0, size[1] % 2), (0, 0)), mode="edge")
        of_odd, of_twin = (
            np.abs(_at_its_finest(codec, pixels)[: size[0], : size[1]].astype(float) - odd).mean(axis=2)
            for pixels in (odd, twin)
        )
        for axis, name in ((1, "row"), (0, "column")):
            excess = of_odd.mean(axis=axis) - of_twin.mean(axis=axis)
            assert excess.max() <= EDGE_LEVELS, (
                f"{name} {excess.argmax()} errs {excess.max():.1f} levels more than in the even-sided twin"
            )

    def test_colours_do_not_shift(self, codec: Codec) -> None:
        """At the finest setting of a classic codec, each channel keeps its mean."""
        error = _at_its_finest(codec, photograph()).astype(float) - photograph()
        shift = error.reshape(-1, 3).mean(axis=0)
        assert np.abs(shift).max() <= SHIFT_LEVELS, f"red, green and blue move by {shift.round(2)} levels"

    def test_simple_pictures_come_back_no_worse_than_a_photograph(
        self, codec: Codec, ladder: list[bytes], decode: Decode
    ) -> None:
        """At a coarse and a middle quality of a classic codec: who names a target must reach it."""
        if codec.info.family != "classic":
            pytest.skip("by design: of classic codecs only")
        half = photograph(33, 47)
        half[:, :24] = 0
        black, white = (np.full((33, 47, 3), level, np.uint8) for level in (0, 255))
        for index in {0, len(ladder) // 2}:
            quality = codec.info.qualities[index]
            limit = FLAT_FACTOR * _mean_squared_error(decode(ladder[index]), photograph()) + 1
            for name, pixels in (("black", black), ("white", white), ("half black", half)):
                error = _mean_squared_error(codec.decode(codec.encode(Picture(pixels), quality)), pixels)
                assert error <= limit, (
                    f"{name} at {quality:g}: mean squared error {error:.0f} over {limit:.0f}"
                )

    def test_inputs_stay_untouched(self, codec: Codec) -> None:
        """Neither the picture nor the bitstream changes; a read-only picture is as good as another."""
        pixels = photograph()
        pixels.flags.writeable = False
        bitstream = codec.encode(Picture(pixels), _middle(codec))
        kept = bytes(bytearray(bitstream))
        codec.decode(bitstream)
        assert bitstream == kept
        assert np.array_equal(pixels, photograph())

    def test_encoding_again_gives_the_same_bytes(self, codec: Codec, ladder: list[bytes]) -> None:
        """The bytes depend on picture, quality and parameters alone, not on what was coded before."""
        again = registry.create(self.codec_name, self.parameters)
        for index in {0, len(ladder) // 2, len(ladder) - 1}:
            quality = codec.info.qualities[index]
            assert again.encode(Picture(photograph()), quality) == ladder[index], f"at quality {quality:g}"

    def test_fresh_process_decodes_the_same_pixels(
        self,
        codec: Codec,
        ladder: list[bytes],
        small: dict[tuple[int, int], bytes],
        decode: Decode,
        decode_elsewhere: Callable[[Sequence[bytes]], list[Image]],
    ) -> None:
        """Another process, which never saw the pictures, gets the same pixels from the bytes alone."""
        bitstreams = [*ladder, *small.values()]
        for bitstream, elsewhere in zip(bitstreams, decode_elsewhere(bitstreams), strict=True):
            assert largest_difference(elsewhere, decode(bitstream)) <= codec.info.tolerance_levels

    @pytest.mark.parametrize("older", OLDER, ids=lambda older: older.name)
    def test_older_instruction_sets_decode_the_same_pixels(
        self, codec: Codec, ladder: list[bytes], decode: Decode, tmp_path: Path, older: InstructionSet
    ) -> None:
        """A processor with shorter vectors, which adds in another order, gets the same pixels.

        Of learned and generative codecs, whose tables of probabilities a network may choose.
        """
        if codec.info.family == "classic":
            pytest.skip("by design: of learned and generative codecs only")
        if not changes_arithmetic(older):
            pytest.skip(f"by design: {not_tested(older)}")
        elsewhere = fresh_process.decode(tmp_path, self.codec_name, self.parameters, ladder, older)
        for bitstream, pixels in zip(ladder, elsewhere, strict=True):
            assert largest_difference(pixels, decode(bitstream)) <= codec.info.tolerance_levels

    def test_seed_matters_to_stochastic_decoders_only(self, codec: Codec, ladder: list[bytes]) -> None:
        """The same seed gives the same pixels; other seeds give others only where the codec says so."""
        decoded = [codec.decode(ladder[0], seed=seed) for seed in (1, 1, 2)]
        tolerance = codec.info.tolerance_levels
        assert largest_difference(decoded[0], decoded[1]) <= tolerance
        if codec.info.stochastic:
            assert largest_difference(decoded[0], decoded[2]) > 0
        else:
            assert largest_difference(decoded[0], decoded[2]) <= tolerance

    def test_rate_rises_along_the_ladder(self, ladder: list[bytes]) -> None:
        """No better setting spends fewer bytes, and the best spends more than the worst."""
        sizes = [len(bitstream) for bitstream in ladder]
        assert sizes == sorted(sizes)
        assert len(sizes) == 1 or sizes[0] < sizes[-1]

    def test_breakdown_adds_up(
        self, codec: Codec, ladder: list[bytes], small: dict[tuple[int, int], bytes]
    ) -> None:
        """Header, payload and side bytes are counts whose sum is the length."""
        for bitstream in [*ladder, *small.values()]:
            parts = codec.breakdown(bitstream)
            assert min(parts.header_bytes, parts.payload_bytes, parts.side_bytes) >= 0
            assert parts.total_bytes == len(bitstream)

    def test_quality_outside_the_scale_is_refused(self, codec: Codec) -> None:
        """A setting beyond either end, or between two steps, raises `CodecError`."""
        scale = codec.info.scale
        low, high = sorted((scale.worst, scale.best))
        for quality in (low - scale.step, high + scale.step, low + scale.step / 3, float("nan")):
            with pytest.raises(CodecError):
                codec.encode(Picture(photograph()), quality)

    @pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (8, 8, 1), (0, 8, 3)], ids=str)
    def test_what_is_no_picture_is_refused(self, codec: Codec, shape: tuple[int, ...]) -> None:
        """Arrays that are no `Image` raise `CodecError`."""
        with pytest.raises(CodecError):
            codec.encode(Picture(np.zeros(shape, np.uint8)), _middle(codec))

    def test_samples_that_are_no_bytes_are_refused(self, codec: Codec) -> None:
        """Pixels of another type raise `CodecError`."""
        deep: Image = photograph().astype(np.uint16)  # pyright: ignore[reportAssignmentType]
        with pytest.raises(CodecError):
            codec.encode(Picture(deep), _middle(codec))

    def test_junk_is_refused(self, codec: Codec) -> None:
        """Bytes that no encoder wrote raise `CodecError` and nothing else."""
        rng = np.random.default_rng(0)
        zeros = (b"", b"\0", b"\0" * 500)
        for junk in (*zeros, b"\xff" * 500, b"GIF89a" + b"\1" * 64, rng.bytes(9), rng.bytes(999)):
            with pytest.raises(CodecError):
                codec.decode(junk)

    def test_cut_off_bitstream_is_refused(self, codec: Codec, ladder: list[bytes]) -> None:
        """Part of a bitstream raises `CodecError`, unless the codec is scalable."""
        if codec.info.scalable:
            pytest.skip("by design: a prefix of a scalable bitstream is a picture")
        whole = ladder[-1]
        for length in (1, len(whole) // 20, len(whole) // 2, len(whole) * 19 // 20, len(whole) - 1):
            with pytest.raises(CodecError):
                codec.decode(whole[:length])

    def test_damage_is_an_error_or_a_picture(self, codec: Codec, ladder: list[bytes]) -> None:
        """Whatever byte is changed, the decoder returns an `Image` or raises `CodecError`."""
        rng = np.random.default_rng(1)
        whole = ladder[0]
        reach = [min(64, len(whole)), min(700, len(whole)), len(whole)]
        for trial in range(24):
            damaged = bytearray(whole)
            damaged[rng.integers(reach[trial % 3])] ^= int(rng.integers(1, 256))
            _decodes_or_refuses(codec, bytes(damaged))

    def test_using_it_prints_nothing(self, codec: Codec, capfd: pytest.CaptureFixture[str]) -> None:
        """Encoding and decoding leave standard output and standard error silent."""
        codec.decode(codec.encode(Picture(photograph()), _middle(codec)))
        assert capfd.readouterr() == ("", "")


def assert_each_shows(
    name: str, parameters: Mapping[str, registry.Value], changed: str, values: Sequence[registry.Value]
) -> None:
    """Raise unless a codec codes with each value of a parameter, and no two give the same bytes and pixels.

    Args:
        name: The codec.
        parameters: Its constructor keywords; what they have, or the default, is one of the values.
        changed: A keyword.
        values: Others of it.
    """
    complete = registry.parameters(name, parameters)
    chosen = [complete[changed], *values]
    codecs = [registry.create(name, complete | {changed: value}) for value in chosen]
    for value, codec in zip(chosen, codecs, strict=True):
        decoded = codec.decode(codec.encode(Picture(photograph(31, 17)), _middle(codec)))
        assert decoded.shape == (31, 17, 3), f"{name}: {changed} = {value!r} returns {decoded.shape}"
    for first, second in combinations(range(len(chosen)), 2):
        assert _tells_apart(codecs[first], codecs[second]), (
            f"{name}: neither bytes nor pixels tell {changed} = {chosen[first]!r} from {chosen[second]!r}"
        )


def _tells_apart(first: Codec, second: Codec) -> bool:
    picture = Picture(photograph())
    for quality in (_middle(first), first.info.qualities[-1]):
        streams = first.encode(picture, quality), second.encode(picture, quality)
        if streams[0] != streams[1]:
            return True
        difference = largest_difference(first.decode(streams[0]), second.decode(streams[1]))
        if difference > max(first.info.tolerance_levels, second.info.tolerance_levels):
            return True
    return False


def _corner(size: tuple[int, int]) -> Image:
    return np.ascontiguousarray(photograph()[20 : 20 + size[0], 40 : 40 + size[1]])


def _at_its_finest(codec: Codec, pixels: Image) -> Image:
    """Return pixels as a classic codec returns them at its finest setting; skip for others, which invent."""
    if codec.info.family != "classic":
        pytest.skip("by design: of classic codecs only")
    return codec.decode(codec.encode(Picture(pixels), codec.info.scale.best))


def _middle(codec: Codec) -> float:
    return codec.info.qualities[len(codec.info.qualities) // 2]


def _decodes_or_refuses(codec: Codec, bitstream: bytes) -> None:
    try:
        decoded = codec.decode(bitstream)
    except CodecError:
        return
    assert decoded.dtype == np.uint8
    assert decoded.ndim == 3

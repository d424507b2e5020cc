"""A layered stream carries its decoder's settings and negative prompt: whoever decodes it paints the same."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer.testing
from canvas import small_canvas
from fresh_process import FreshProcess

from codecarena.codecs import pretrained
from codecarena.codecs.base import CodecError, Picture
from codecarena.codecs.bitstream import Kind, seal
from codecarena.codecs.contract import largest_difference, photograph
from codecarena.codecs.generative.layered import chunks, commands, editing
from codecarena.codecs.generative.layered.chunks import Layer
from codecarena.codecs.generative.layered.codec import Layered
from codecarena.codecs.generative.layered.coding.regions import Rectangle
from codecarena.codecs.generative.layered.coding.settings import GUIDANCE, SAMPLING, STEPS, pack, unpack

PICTURE = Picture(photograph(50, 75), caption="a red barn")
BOX = Rectangle(0.25, 0.25, 0.75, 0.75)


def with_settings(stream: bytes, settings: bytes) -> bytes:
    """The stream with other settings, as somebody forges it who knows the format."""
    return chunks.join(replace(chunks.split(stream), settings=settings))


def test_values_come_back_rounded_to_a_byte() -> None:
    for setting in SAMPLING:
        for value in np.linspace(setting.lowest, setting.highest, 333).tolist():
            (back,) = unpack([setting], pack([setting], {setting.name: value})).values()
            assert abs(back - value) <= 0.5001 / setting.units
            assert pack([setting], {setting.name: back}) == pack([setting], {setting.name: value})
    assert unpack(SAMPLING, pack(SAMPLING, {"steps": 50, "guidance": 7.5})) == {"steps": 50, "guidance": 7.5}


@pytest.mark.parametrize(
    "values", [{"steps": 101, "guidance": 1}, {"steps": 0, "guidance": 1}, {"steps": 1, "guidance": np.nan}]
)
def test_values_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(CodecError, match="must lie between"):
        pack(SAMPLING, values)


@pytest.mark.parametrize("packed", [b"", b"\0", b"\0\0\0", b"\x64\0", b"\0\xf1", b"\xff\xff"], ids=bytes.hex)
def test_bytes_that_are_no_settings_are_refused(packed: bytes) -> None:
    with pytest.raises(CodecError, match="layered stream"):
        unpack((STEPS, GUIDANCE), packed)


@pytest.fixture(scope="module")
def sketched() -> bytes:
    """A stream with settings, which a sketch does not look at."""
    stream = Layered(decoder="sketch").encode(PICTURE, 3)
    assert stream[Kind.LAYERED.header_bytes] == 0
    return with_settings(stream, b"\x0b\x05")


def test_settings_lie_behind_the_header_and_count_as_header(sketched: bytes) -> None:
    start = Kind.LAYERED.header_bytes
    assert sketched[start : start + 3] == b"\x02\x0b\x05"
    assert chunks.split(sketched).settings == b"\x0b\x05"
    framing = 6 * 3 + sum(len(chunk.data) > 127 for chunk in chunks.split(sketched).chunks)
    assert chunks.parts(sketched).header_bytes == start + 3 + framing


def test_streams_cut_in_header_or_settings_are_refused(sketched: bytes) -> None:
    bounds = {len(editing.keep(sketched, level)) for level in (1, 2, 3)}
    assert len(sketched) in bounds
    for length in range(len(sketched) + 1):
        if length in bounds:
            assert chunks.split(sketched[:length]).settings == b"\x0b\x05"
        else:
            with pytest.raises(CodecError):
                chunks.split(sketched[:length])


def test_settings_are_sealed(sketched: bytes) -> None:
    for place in range(Kind.LAYERED.header_bytes, Kind.LAYERED.header_bytes + 3):
        damaged = bytearray(sketched)
        damaged[place] ^= 1
        with pytest.raises(CodecError, match="CRC-32"):
            chunks.split(bytes(damaged))


@pytest.mark.parametrize("sealed", [b"", b"\x05\0"], ids=bytes.hex)
def test_sealed_lengths_that_do_not_fit_are_refused(sketched: bytes, sealed: bytes) -> None:
    with pytest.raises(CodecError, match="cut short"):
        chunks.split(seal(chunks.split(sketched).header, sealed))


def test_settings_survive_every_edit(sketched: bytes) -> None:
    edited = [
        editing.replace_caption(sketched, "two hills"),
        editing.replace_structure(sketched, np.ones((8, 8), np.bool_)),
        editing.replace_skeletons(sketched, []),
        editing.recolour(sketched, BOX, (200, 30, 30)),
        editing.erase(sketched, BOX),
        editing.drop_layer(sketched, Layer.EDGES),
        editing.keep(sketched, 1),
    ]
    head = Kind.LAYERED.header_bytes + 3
    assert {changed[:head] for changed in edited} == {sketched[:head]}
    assert len(set(edited)) == len(edited)


def test_command_shows_them(tmp_path: Path, sketched: bytes) -> None:
    (tmp_path / "in.cal").write_bytes(sketched)
    shown = typer.testing.CliRunner().invoke(commands.app, ["show", str(tmp_path / "in.cal")])
    assert shown.exit_code == 0
    assert "settings     2 bytes  steps 12, guidance 1.5" in shown.output


@pytest.fixture(scope="module")
def avoiding(sketched: bytes) -> bytes:
    """The stream with a negative prompt."""
    return editing.replace_negative_prompt(sketched, "fog, Nebel \N{FOGGY}")


def test_negative_prompt_stands_before_the_layers_and_leaves_them_alone(
    sketched: bytes, avoiding: bytes
) -> None:
    assert editing.inspect(sketched).negative_prompt == ""
    assert editing.inspect(avoiding).negative_prompt == "fog, Nebel \N{FOGGY}"
    first, *others = chunks.split(avoiding).chunks
    assert first.layer is Layer.NEGATIVE
    assert tuple(others) == chunks.split(sketched).chunks
    assert editing.replace_negative_prompt(avoiding, "") == sketched
    parts, without = chunks.parts(avoiding), chunks.parts(sketched)
    assert parts.side_bytes == without.side_bytes + len(first.data)
    assert parts.payload_bytes == without.payload_bytes
    assert parts.total_bytes == len(avoiding)


def test_negative_prompt_survives_every_edit_and_every_cut(avoiding: bytes) -> None:
    edited = [
        editing.replace_caption(avoiding, "two hills"),
        editing.replace_structure(avoiding, np.ones((8, 8), np.bool_)),
        editing.replace_skeletons(avoiding, []),
        editing.recolour(avoiding, BOX, (200, 30, 30)),
        editing.erase(avoiding, BOX),
        editing.drop_layer(avoiding, Layer.TEXT),
        *(editing.keep(avoiding, level) for level in (1, 2, 3)),
    ]
    assert {editing.inspect(changed).negative_prompt for changed in edited} == {"fog, Nebel \N{FOGGY}"}
    for level in (1, 2, 3):
        assert avoiding.startswith(editing.keep(avoiding, level))
    head = len(avoiding) - sum(len(chunk.pack()) for chunk in chunks.split(avoiding).chunks[1:])
    with pytest.raises(CodecError, match="holds no layer"):
        chunks.split(avoiding[:head])


def test_command_replaces_and_shows_the_negative_prompt(tmp_path: Path, sketched: bytes) -> None:
    source, out = tmp_path / "in.cal", tmp_path / "out.cal"
    source.write_bytes(sketched)
    runner = typer.testing.CliRunner()
    assert runner.invoke(commands.app, ["negative-prompt", str(source), str(out), "fog"]).exit_code == 0
    assert out.read_bytes() == editing.replace_negative_prompt(sketched, "fog")
    assert "bytes  fog" in runner.invoke(commands.app, ["show", str(out)]).output


def test_decoder_without_a_negative_prompt_refuses_one() -> None:
    with pytest.raises(CodecError, match="'sketch' has no parameter 'negative_prompt'"):
        Layered(decoder="sketch", negative_prompt="fog")


SAME = ({"steps": 3}, {"guidance": 4.0})


@pytest.fixture(scope="module")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the embedded decoder's networks with random weights."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from codecarena.codecs.generative.autoencoder import LatentAutoencoder
    from codecarena.codecs.generative.latent_flow import LatentFlow

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(3)
    networks = {"latent_autoencoder": LatentAutoencoder(16, 16), "latent_flow": LatentFlow()}
    for name, network in networks.items():
        for parameter in network.parameters():  # a new network's last layer is zero
            parameter.data.add_(torch.randn_like(parameter) * 0.02)
        metadata = {pretrained.METADATA_KEY: json.dumps({"narrow": "16", "wide": "16"})}
        save_file(network.state_dict(), folder / f"{name}.safetensors", metadata=metadata)
    return folder


@pytest.fixture
def canvas() -> Iterator[None]:
    with small_canvas(64 * 64):
        yield


@pytest.mark.usefixtures("canvas")
def test_embedded_decoder_paints_by_the_stream(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "EMBEDDED", tiny_weights)
    codec = Layered(steps=2, guidance=2.04)
    stream = codec.encode(PICTURE, 3)
    assert chunks.split(stream).settings == bytes([1, 10])
    painted = codec.decode(stream)
    for changed in SAME:
        other = Layered(**({"steps": 2, "guidance": 2.0} | changed))
        np.testing.assert_array_equal(other.decode(stream), painted)
        assert (other.decode(other.encode(PICTURE, 3)) != painted).any(), changed
    for forged in (b"", b"\x01", b"\x01\x0a\x00", b"\x32\x0a", b"\x01\xff"):
        with pytest.raises(CodecError, match="layered stream"):
            codec.decode(with_settings(stream, forged))
    with pytest.raises(CodecError, match="steps"):
        Layered(steps=51)


if importlib.util.find_spec("diffusers") is not None:
    from tiny_diffusion import SMALL, save_models

needs_diffusers = pytest.mark.skipif(
    importlib.util.find_spec("diffusers") is None, reason="diffusers is not installed"
)
FACES = {
    "t2i-adapter": ("base", "sketch_adapter", "pose_adapter", "colour_adapter"),
    "controlnet": ("base", "edge_controlnet", "pose_controlnet"),
}
LAST = {"t2i-adapter": "colour_scale", "controlnet": "strength"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_models(tmp_path_factory.mktemp("models"))


@needs_diffusers
@pytest.mark.parametrize("face", FACES)
def test_stable_diffusion_paints_by_the_stream(models: Path, face: str) -> None:
    options = {name: str(models / name) for name in FACES[face]}
    options |= SMALL | {"steps": 4, "edge_rows": 32, LAST[face]: 0.8}
    codec = Layered(decoder=face, **options)
    stream = codec.encode(PICTURE, 3)
    painted = codec.decode(stream)
    changes = (
        *SAME,
        {"scheduler": "ddim"},
        {"canvas_area": 128 * 128},
        {"structure_scale": 0.5},
        {LAST[face]: 0.5},
    )
    for changed in changes:
        other = Layered(decoder=face, **(options | changed))
        np.testing.assert_array_equal(other.decode(stream), painted)
        assert (other.decode(other.encode(PICTURE, 3)) != painted).any(), changed


@needs_diffusers
@pytest.mark.parametrize("face", FACES)
def test_negative_prompt_travels_to_a_fresh_process(
    models: Path, face: str, fresh_process: FreshProcess
) -> None:
    options = {name: str(models / name) for name in FACES[face]} | SMALL | {"decoder": face, "edge_rows": 32}
    plain, avoiding = Layered(**options), Layered(**options, negative_prompt="fog and rain")
    stream = avoiding.encode(PICTURE, 3)
    painted = plain.decode(stream)
    np.testing.assert_array_equal(avoiding.decode(stream), painted)
    # One without it keeps its bytes, and shows another picture.
    without = plain.encode(PICTURE, 3)
    assert editing.replace_negative_prompt(stream, "") == without
    tolerance = plain.info.tolerance_levels
    assert largest_difference(plain.decode(without), painted) > tolerance
    (fresh,) = fresh_process.decode("layered", {"decoder": face, **options}, [stream])
    assert largest_difference(fresh, painted) <= tolerance  # another process may sum in another order


@needs_diffusers
def test_negative_prompt_that_no_stream_could_carry_is_refused_at_once(models: Path) -> None:
    options = {name: str(models / name) for name in FACES["t2i-adapter"]} | SMALL
    with pytest.raises(CodecError, match="at most 2000 bytes"):
        Layered(decoder="t2i-adapter", **options, negative_prompt="x" * 2001)


@needs_diffusers
@pytest.mark.parametrize("face", FACES)
def test_settings_forged_for_stable_diffusion_are_refused(models: Path, face: str) -> None:
    options = {name: str(models / name) for name in FACES[face]} | SMALL | {"edge_rows": 32}
    codec = Layered(decoder=face, **options)
    stream = codec.encode(PICTURE, 3)
    settings = chunks.split(stream).settings
    assert len(settings) == 6
    for place, first_wrong in enumerate((100, 241, 3, None, 201, 201 if face == "t2i-adapter" else 101)):
        for wrong in () if first_wrong is None else (first_wrong, 255):
            forged = settings[:place] + bytes([wrong]) + settings[place + 1 :]
            with pytest.raises(CodecError, match="in the layered stream"):
                codec.decode(with_settings(stream, forged))
    for forged in (settings[:-1], settings + b"\0", b""):
        with pytest.raises(CodecError, match="expected 6 bytes of settings"):
            codec.decode(with_settings(stream, forged))
    if face == "controlnet":
        with pytest.raises(CodecError, match="strength"):
            codec.decode(with_settings(stream, settings[:-1] + b"\0"))

"""The coders of the layered codec's layers: what goes in comes out, in fewer bytes than others need."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from codecarena.codecs.base import CodecError
from codecarena.codecs.contract import photograph
from codecarena.codecs.generative.layered.coding import colours, edges, skeleton, text
from codecarena.codecs.generative.layered.coding.arithmetic import ONE, Decoder, Encoder
from codecarena.codecs.generative.layered.coding.grids import cell_means, grid_shape
from codecarena.codecs.generative.layered.coding.layers import WIDEST, canvas_size
from codecarena.codecs.generative.layered.coding.mixing import Model
from codecarena.codecs.generative.layered.coding.vocabulary import VOCABULARY
from codecarena.codecs.generative.layered.detectors import canny, from_lines, on_grid

RNG = np.random.default_rng(7)
PNG_FRAMING_BYTES = 57
"""Signature, IHDR, IEND and the frame of one IDAT."""
SHAPES = [(1, 1), (1, 9), (9, 1), (5, 3), (33, 20)]


@pytest.fixture(scope="module")
def crops(kodak: list[Path]) -> list[np.ndarray]:
    pictures = [np.asarray(Pillow.open(path).convert("RGB")) for path in kodak[::3]]
    return [
        picture[:512, :512] if picture.shape[0] > picture.shape[1] else picture[:512, 128:640]
        for picture in pictures
    ]


@pytest.mark.parametrize("probability", [1, 300, ONE // 2, ONE - 300, ONE - 1])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_bits_come_back_under_any_probability(probability: int, share: float) -> None:
    bits = (RNG.random(3000) < share).astype(int).tolist()
    encoder = Encoder()
    for bit in bits:
        encoder.code(probability, bit)
    written = encoder.finish()
    decoder = Decoder(written)
    assert [decoder.code(probability) for _ in bits] == bits
    decoder.finish()
    chance = probability / ONE
    ideal = -sum(np.log2(chance if bit else 1 - chance) for bit in bits) / 8
    assert ideal - 1 <= len(written) <= ideal * 1.01 + 5


def test_bits_that_are_not_there_are_refused() -> None:
    encoder = Encoder()
    for bit in RNG.integers(2, size=800).tolist():
        encoder.code(ONE // 2, bit)
    written = encoder.finish()
    with pytest.raises(CodecError, match="left over"):
        Decoder(written).finish()
    decoder = Decoder(written)
    with pytest.raises(CodecError, match="cut short"):
        [decoder.code(ONE // 2) for _ in range(2000)]


def test_model_learns_and_copies_apart() -> None:
    model = Model(2)
    encoder = Encoder()
    for index in range(4000):
        model.code(encoder, (index % 2, 0), index % 2)
    assert len(encoder.finish()) < 20
    learned, fresh = Encoder(), Encoder()
    for index in range(200):
        model.copy().code(learned, (index % 2, 0), index % 2)
        Model(2).code(fresh, (index % 2, 0), index % 2)
    assert len(learned.finish()) < 3
    assert len(fresh.finish()) == 25


def test_bytes_are_those_of_the_first_streams_that_were_made() -> None:
    """Written down before the coder was made faster: a stream that is kept must be read for ever."""
    down, across = np.indices((24, 37))
    drawn = (down * down + 3 * across) % 11 < 2
    shades = np.stack([5 * down + across, 255 - 6 * across, down * across % 256], -1).astype(np.uint8)
    assert text.encode("a red barn by the sea").hex() == "15a48ba3ce07b8dbb9"
    assert edges.encode(drawn).hex() == (
        "18257e7ae500902a312e6cac2dfb3f3e0b90120e934508c254dbf9f1d98a6447aaef28d573d003f8cc"
    )
    in_colours = hashlib.sha256(colours.encode(colours.quantise(shades))).hexdigest()
    assert in_colours == "4e0f6af2589ada7a42b432cde0efd538e56d9a5402e0ccd67d2a8cd00600797a"


@pytest.mark.parametrize(
    "caption",
    ["", "a", "a photo of a cat", "ĄĘ ß 漢字 🦊\u200d🦊", "\0\n\t\x7f", "A" * 2000, "e\u0301 is not é"],
)
def test_any_caption_comes_back(caption: str) -> None:
    assert text.decode(text.encode(caption)) == caption


def test_captions_that_cannot_be_coded_are_refused() -> None:
    for caption in ("é" * 1001, "\ud800"):
        with pytest.raises(CodecError):
            text.encode(caption)


def test_prompts_take_fewer_bytes_than_deflate_and_huffman(test_data: Path) -> None:
    with (test_data / "aigc" / "index.csv").open(newline="") as opened:
        prompts = [row["prompt"] for row in csv.DictReader(opened) if row["prompt"]]
    coded_bytes = sum(len(text.encode(prompt)) for prompt in prompts)
    assert coded_bytes < 0.56 * sum(_deflated(prompt.encode()) for prompt in prompts)
    assert coded_bytes < 0.75 * sum(_deflated(prompt.encode(), VOCABULARY.encode()) for prompt in prompts)
    assert coded_bytes < 0.39 * sum(len(prompt.encode()) for prompt in prompts)


def _deflated(letters: bytes, dictionary: bytes = b"") -> int:
    extra = {"zdict": dictionary} if dictionary else {}
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, **extra)
    return len(coder.compress(letters) + coder.flush())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_edge_maps_come_back(shape: tuple[int, int], share: float) -> None:
    random_edges = RNG.random(shape) < share
    assert np.array_equal(edges.decode(edges.encode(random_edges)), random_edges)


def test_edge_maps_take_fewer_bytes_than_fax_png_and_zlib(crops: list[np.ndarray]) -> None:
    maps = [canny(crop, 128, 128) for crop in crops]
    coded_bytes = np.mean([len(edges.encode(map_)) for map_ in maps])
    packed = [zlib.compress(np.packbits(map_).tobytes(), 9) for map_ in maps]
    assert coded_bytes < 450
    assert coded_bytes < 0.65 * np.mean([_fax_bytes(map_) for map_ in maps])
    assert coded_bytes < 0.7 * np.mean([len(data) for data in packed])
    png = [
        cv2.imencode(".png", map_.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])[1] for map_ in maps
    ]
    assert coded_bytes < 0.7 * np.mean([len(data) - PNG_FRAMING_BYTES for data in png])


def _fax_bytes(edge_map: np.ndarray) -> int:
    """Length of CCITT group 4 data, without the TIFF file around them."""
    file = io.BytesIO()
    Pillow.fromarray(edge_map).save(file, "TIFF", compression="group4")
    with Pillow.open(io.BytesIO(file.getvalue())) as opened:
        return sum(opened.tag_v2[279])  # StripByteCounts


@pytest.mark.parametrize("shape", SHAPES)
def test_colour_maps_come_back_quantised(shape: tuple[int, int]) -> None:
    random_colours = RNG.integers(0, 256, (*shape, 3)).astype(np.uint8)
    levels = colours.decode(colours.encode(colours.quantise(random_colours)))
    assert np.array_equal(levels, colours.quantise(random_colours))
    assert np.abs(colours.restore(levels).astype(int) - random_colours).max() <= 12


def test_colour_maps_are_as_near_as_five_bits_in_fewer_bytes(crops: list[np.ndarray]) -> None:
    maps = [cell_means(crop, 8, 8) for crop in crops]
    levels = [colours.quantise(map_) for map_ in maps]
    error = [
        np.square(colours.restore(levels_of_map) - colour_map.astype(float)).mean()
        for levels_of_map, colour_map in zip(levels, maps, strict=True)
    ]
    five_bits = [np.square((map_ >> 3 << 3) + 4.0 - map_).mean() for map_ in maps]
    assert np.mean(error) < 1.05 * np.mean(five_bits)
    assert np.mean([len(colours.encode(level)) for level in levels]) < 0.7 * 120


def person(visible: float = 1.0) -> skeleton.Skeleton:
    shown = RNG.random(18) < visible
    return skeleton.Skeleton(np.where(shown[:, None], RNG.random((18, 2)), 0.0), shown)


@pytest.mark.parametrize("people", [[], [person()], [person(0.5), person(0), person(0.8)]], ids=len)
def test_skeletons_come_back_to_a_thousandth(people: list[skeleton.Skeleton]) -> None:
    data = skeleton.encode(people)
    visible = sum(int(person.visible.sum()) for person in people)
    assert len(data) == 1 + -(-(18 * len(people) + 20 * visible) // 8)
    decoded = skeleton.decode(data)
    assert len(decoded) == len(people)
    for decoded_person, person in zip(decoded, people, strict=True):
        assert np.array_equal(decoded_person.visible, person.visible)
        np.testing.assert_allclose(decoded_person.points, person.points, atol=0.5 / 1023 + 1e-9)


@pytest.mark.parametrize("count", [18, 25])
def test_openpose_files_are_read(tmp_path: Path, count: int) -> None:
    numbers = np.stack([np.arange(count) * 4, np.arange(count) * 2, np.ones(count)], axis=1)
    numbers[3, 2] = 0
    file = tmp_path / "pose.json"
    file.write_text(json.dumps({"people": [{"pose_keypoints_2d": numbers.ravel().tolist()}]}))
    (person,) = skeleton.from_openpose(file, 200, 100)
    assert person.visible.tolist() == [index != 3 for index in range(18)]
    # The right hip: point 8 of 18, and point 9 of 25, where the middle of the hips is before it.
    np.testing.assert_allclose(person.points[8] * (200, 100), numbers[8 if count == 18 else 9, :2])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"people": [{}]}',
        '{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}',
        "\udcff",
        "[" * 100_000,
        f'{{"people": [{{"pose_keypoints_2d": {[10**400] * 54}}}]}}',
        f'{{"canvas_width": NaN, "people": [{{"pose_keypoints_2d": {[1.0] * 54}}}]}}',
        f'{{"canvas_height": NaN, "people": [{{"pose_keypoints_2d": {[1.0] * 54}}}]}}',
        f'{{"canvas_height": {10**400}, "people": []}}',
    ],
    ids=len,
)
def test_files_that_are_not_openposes_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "pose.json"
    file.write_text(content, errors="surrogateescape")
    with pytest.raises(CodecError, match=r"pose\.json"):
        skeleton.from_openpose(file, 200, 100)


def test_skeleton_is_drawn_where_it_is() -> None:
    points: list[tuple[float, float] | None] = [None] * 18
    points[2], points[3] = (0.25, 0.5), (0.75, 0.5)  # right shoulder and elbow
    drawn = skeleton.render([skeleton.made(points)], 200, 100)
    limb = drawn[49, 100]
    assert drawn.shape == (100, 200, 3)
    assert limb[0] > limb[1] > limb[2] == 0  # the third limb is orange
    assert not drawn[:40].any()
    assert not drawn[:, :40].any()


@pytest.mark.parametrize("coder", [text.decode, edges.decode, colours.decode, skeleton.decode])
def test_forged_data_are_refused_or_decoded(coder: Callable[[bytes], object]) -> None:
    rng = np.random.default_rng(3)
    valid = {
        text.decode: text.encode("a photo of a cat on a chair"),
        edges.decode: edges.encode(canny(photograph(), 32, 48)),
        colours.decode: colours.encode(colours.quantise(cell_means(photograph(), 5, 8))),
        skeleton.decode: skeleton.encode([person(0.7)]),
    }[coder]
    refused = 0
    for trial in range(150):
        data = bytearray(valid if trial % 3 else rng.bytes(rng.integers(40)))
        if trial % 3 == 1 and data:
            data[rng.integers(len(data))] ^= int(rng.integers(1, 256))
        elif trial % 3 == 2:
            del data[rng.integers(len(data)) :]
        try:
            coder(bytes(data))
        except CodecError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("decode", [edges.decode, colours.decode])
def test_large_claims_are_refused(decode: Callable[[bytes], object]) -> None:
    for claim in (b"\xff\xff\xff\xff\x07\x01", b"\x80\x80\x10\x80\x80\x10", b"\0\1", b"\x81\0\x01"):
        with pytest.raises(CodecError):
            decode(claim + b"\0" * 9)


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (512, 512), (768, 512), (1, 9000), (4000, 3), (300, 200)]
)
def test_canvas_and_grids_fit_the_picture(width: int, height: int) -> None:
    across, down = canvas_size(width, height)
    assert across % 64 == down % 64 == 0
    assert 0.7 < across * down / 512**2 < 1.3
    aspect = min(max(width / height, 1 / WIDEST), WIDEST)
    assert 0.65 < across / down / aspect < 1.5
    assert grid_shape(width, height, 128) == (down // 4, across // 4)
    assert grid_shape(width, height, 8) == (down // 64, across // 64)


def test_lines_of_a_drawing_stay_on_a_coarse_grid() -> None:
    drawing = np.full((400, 400, 3), 255, np.uint8)
    drawing[100] = 0
    for lines in (drawing, 255 - drawing):
        detected = from_lines(lines, 40, 40)
        assert detected[10].all()
        assert detected.sum() == 40
    assert on_grid(detected, 80, 80).sum() == 160

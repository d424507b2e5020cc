"""Editing a layered stream: what is asked for changes, everything else stays, byte for byte where it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer.testing
from PIL import Image as Pillow

from codecarena.codecs.base import CodecError, Picture
from codecarena.codecs.contract import photograph
from codecarena.codecs.generative.layered import chunks, commands, editing
from codecarena.codecs.generative.layered.chunks import Layer
from codecarena.codecs.generative.layered.codec import Layered
from codecarena.codecs.generative.layered.coding.regions import Rectangle, cells, parse
from codecarena.codecs.generative.layered.coding.skeleton import made
from codecarena.codecs.generative.layered.detectors import canny

PIXELS = photograph(256, 256)
BOX = Rectangle(0.25, 0.25, 0.75, 0.75)


@pytest.fixture(scope="module")
def codec() -> Layered:
    return Layered(decoder="sketch")


@pytest.fixture(scope="module")
def stream(codec: Layered) -> bytes:
    return codec.encode(Picture(PIXELS, caption="clouds"), 3)


def data(stream: bytes) -> dict[Layer, bytes]:
    return {chunk.layer: chunk.data for chunk in chunks.split(stream).chunks}


def changed(before: bytes, after: bytes) -> set[Layer]:
    old_data, new_data = data(before), data(after)
    return {layer for layer in {*old_data, *new_data} if old_data.get(layer) != new_data.get(layer)}


def edge_f1(detected: np.ndarray, wanted: np.ndarray) -> float:
    """F1 of edges that may lie one cell off."""
    grow = np.ones((3, 3), np.uint8)
    near_wanted, near_found = (
        cv2.dilate(edge_map.astype(np.uint8), grow) > 0 for edge_map in (wanted, detected)
    )
    precision = (detected & near_wanted).sum() / max(1, detected.sum())
    recall = (wanted & near_found).sum() / max(1, wanted.sum())
    return float(2 * precision * recall / max(1e-9, precision + recall))


def test_caption_alone_changes(stream: bytes) -> None:
    edited = editing.replace_caption(stream, "Gewitter über dem Meer")
    assert editing.inspect(edited).caption == "Gewitter über dem Meer"
    assert changed(stream, edited) == {Layer.TEXT}
    assert edited[: chunks.Kind.LAYERED.header_bytes] == stream[: chunks.Kind.LAYERED.header_bytes]
    assert editing.replace_caption(edited, "clouds") == stream


def test_structure_changes_inside_the_region_alone(stream: bytes) -> None:
    before = editing.inspect(stream).edges
    assert before is not None
    drawing = np.zeros((512, 512), np.uint8)
    cv2.circle(drawing, (256, 256), 100, 1, 1)
    edited = editing.replace_structure(stream, drawing > 0, BOX)
    after = editing.inspect(edited).edges
    assert after is not None
    inside = cells(BOX, *before.shape)
    wanted = editing.inspect(editing.replace_structure(stream, drawing > 0)).edges
    assert wanted is not None
    assert edge_f1(after & inside, wanted & inside) == 1
    assert edge_f1(before & inside, wanted & inside) < 0.7
    assert np.array_equal(after & ~inside, before & ~inside)
    assert changed(stream, edited) == {Layer.EDGES}


def test_structure_edit_shows_in_the_picture(codec: Layered, stream: bytes) -> None:
    other = canny(photograph(200, 200)[::-1].copy(), *editing.structure_grid(stream))
    edited = editing.replace_structure(stream, other, BOX)
    seen = [canny(codec.decode(stream_bytes), 128, 128, sigma=0) for stream_bytes in (stream, edited)]
    inside = cells(BOX, 128, 128)
    assert edge_f1(seen[1] & inside, other & inside) > edge_f1(seen[0] & inside, other & inside) + 0.1


def test_people_take_the_place_of_edges(stream: bytes) -> None:
    someone = made([(0.5, index / 18) for index in range(18)])
    edited = editing.replace_skeletons(stream, [someone])
    assert changed(stream, edited) == {Layer.EDGES, Layer.POSES}
    erased = editing.inspect(editing.erase(edited, Rectangle(0, 0, 1, 0.52))).skeletons
    assert erased is not None
    assert erased[0].visible.tolist() == [index > 9 for index in range(18)]
    assert editing.inspect(editing.erase(edited, Rectangle(0, 0, 1, 1))).skeletons == ()
    back = editing.replace_structure(edited, np.zeros((8, 8), np.bool_))
    assert set(data(back)) == {Layer.TEXT, Layer.EDGES, Layer.COLOURS}
    with pytest.raises(CodecError, match="no layer of edges; it has text, poses, colours"):
        editing.replace_structure(edited, np.zeros((8, 8), np.bool_), BOX)


def test_recolouring_moves_the_region_and_nothing_else(codec: Layered, stream: bytes) -> None:
    red = np.array([220, 30, 40])
    edited = editing.recolour(stream, BOX, (220, 30, 40))
    assert changed(stream, edited) == {Layer.COLOURS}
    before, after = (editing.inspect(stream_bytes).colours for stream_bytes in (stream, edited))
    assert before is not None
    assert after is not None
    inside = cells(BOX, *before.shape[:2])
    assert np.abs(after[inside].astype(int) - red).max() <= 10
    assert np.array_equal(after[~inside], before[~inside])
    painted = [codec.decode(stream_bytes).astype(float) for stream_bytes in (stream, edited)]
    asked = red - painted[0][100:156, 100:156]
    moved = (painted[1] - painted[0])[100:156, 100:156]
    assert (moved * asked).sum() / (asked * asked).sum() > 0.5
    leaked = np.abs(painted[1] - painted[0])[:32].mean()
    assert leaked < 0.25 * np.abs(moved).mean()


def test_erasing_empties_the_mask_in_both_layers_alone(stream: bytes) -> None:
    mask = np.zeros((256, 256), np.bool_)
    mask[64:192, 64:192] = True
    edited = editing.erase(stream, mask)
    assert changed(stream, edited) == {Layer.EDGES, Layer.COLOURS}
    before, after = editing.inspect(stream), editing.inspect(edited)
    assert before.edges is not None
    assert after.edges is not None
    inside = cells(mask, *before.edges.shape)
    assert before.edges[inside].any()
    assert not after.edges[inside].any()
    assert np.array_equal(after.edges[~inside], before.edges[~inside])
    assert before.colours is not None
    assert after.colours is not None
    hole = cells(mask, *before.colours.shape[:2])
    assert np.array_equal(after.colours[~hole], before.colours[~hole])
    rim = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > hole
    low, high = before.colours[rim].min(axis=0), before.colours[rim].max(axis=0)
    assert (after.colours[hole] >= low - 10.0).all()
    assert (after.colours[hole] <= high + 10.0).all()


def test_erasing_everything_leaves_the_mean_colour(stream: bytes) -> None:
    layers_left = editing.inspect(editing.erase(stream, Rectangle(0, 0, 1, 1)))
    assert layers_left.colours is not None
    assert len(np.unique(layers_left.colours.reshape(-1, 3), axis=0)) == 1
    assert np.abs(layers_left.colours[0, 0] - PIXELS.mean(axis=(0, 1))).max() < 12


def test_kept_levels_are_the_streams_of_lower_qualities(codec: Layered, stream: bytes) -> None:
    for level in (1, 2, 3):
        assert editing.keep(stream, level) == codec.encode(Picture(PIXELS, caption="clouds"), level)
    assert changed(stream, editing.drop_layer(stream, Layer.EDGES)) == {Layer.EDGES}
    with pytest.raises(CodecError, match="no layer"):
        editing.drop_layer(editing.keep(stream, 1), Layer.TEXT)


def test_edits_without_their_layer_are_refused(stream: bytes) -> None:
    caption = editing.keep(stream, 1)
    with pytest.raises(CodecError, match="holds no layer of colours; it has text"):
        editing.recolour(caption, BOX, (0, 0, 0))
    with pytest.raises(CodecError, match="nothing to erase"):
        editing.erase(caption, BOX)
    with pytest.raises(CodecError, match="mask of the region is empty"):
        editing.erase(stream, np.zeros((9, 9), np.bool_))
    assert editing.inspect(editing.replace_structure(caption, np.ones((4, 4), np.bool_))).edges is not None


def test_a_region_smaller_than_a_cell_still_chooses_one() -> None:
    assert cells(Rectangle(0.30, 0.30, 0.31, 0.31), 8, 8).sum() == 1
    assert cells(parse("10, 20,30,60", 100, 100), 10, 10)[2:6, 1:3].all()
    assert cells(parse("10%,20%,30%,60%", 7, 7), 10, 10).sum() == 8
    for wrong in ("1,2,3", "a,b,c,d", "10%,0,20,20", "5,5,5,9", "0,0,101,5"):
        with pytest.raises(CodecError):
            parse(wrong, 100, 100)


def test_editing_needs_no_torch() -> None:
    program = (
        "import sys; from codecarena.codecs.generative.layered import codec, commands, editing;"
        "print([name for name in ('torch', 'transformers', 'diffusers') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def run(*words: object) -> str:
    result = typer.testing.CliRunner().invoke(commands.app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_commands_edit_files(tmp_path: Path, stream: bytes) -> None:
    source, out = tmp_path / "in.cal", tmp_path / "out.cal"
    source.write_bytes(stream)
    run("caption", source, out, "two hills")
    assert out.read_bytes() == editing.replace_caption(stream, "two hills")
    run("recolour", source, out, "#dc1e28", "--region", "25%,25%,75%,75%")
    assert out.read_bytes() == editing.recolour(stream, BOX, (220, 30, 40))
    run("erase", source, out, "--region", "64,64,192,192")
    assert out.read_bytes() == editing.erase(stream, BOX)
    run("keep", source, out, 2)
    assert out.read_bytes() == editing.keep(stream, 2)
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    Pillow.fromarray(mask).save(tmp_path / "mask.png")
    run("erase", source, out, "--mask", tmp_path / "mask.png")
    assert out.read_bytes() == editing.erase(stream, BOX)
    Pillow.fromarray(PIXELS[::-1].copy()).save(tmp_path / "other.png")
    run("structure", source, out, "--picture", tmp_path / "other.png", "--region", "25%,25%,75%,75%")
    upside_down = canny(PIXELS[::-1].copy(), 128, 128)
    assert out.read_bytes() == editing.replace_structure(stream, upside_down, BOX)
    assert "128 x 128 cells" in run("show", source)


def test_commands_say_what_is_wrong(tmp_path: Path, stream: bytes) -> None:
    source, out = tmp_path / "in.cal", tmp_path / "out.cal"
    with pytest.raises(CodecError, match="cannot read"):
        run("show", source)
    source.write_bytes(stream)
    deep = tmp_path / "deep.png"
    Pillow.fromarray(PIXELS[..., 0].astype(np.uint16) * 257).save(deep)
    for words in (
        ("erase", source, out),
        ("recolour", source, out, "blurple", "--region", "0,0,9,9"),
        ("structure", source, out),
        ("structure", source, out, "--drawing", source),
        ("structure", source, out, "--keypoints", source, "--region", "0,0,9,9"),
        ("caption", source, tmp_path / "none" / "out.cal", "a"),
        ("encode", deep, out, "--decoder", "sketch"),
        ("encode", deep, out, "--decoder", "sketch", "--set", "structure=openpose", "--set", "keypoints=5"),
    ):
        with pytest.raises(CodecError):
            run(*words)
    assert not out.exists()


def test_pictures_are_made_into_streams_and_painted_from_them(tmp_path: Path) -> None:
    picture, coded, painted = tmp_path / "in.png", tmp_path / "coded.cal", tmp_path / "out.png"
    Pillow.fromarray(PIXELS).save(picture)
    sketch = ("--decoder", "sketch")
    run("encode", picture, coded, "-q", 3, "--text", "some clouds", *sketch, "--set", "edge_rows=64")
    layers = editing.inspect(coded.read_bytes())
    assert layers.caption == "some clouds"
    assert layers.edges is not None
    assert layers.edges.shape == (64, 64)
    run("decode", coded, painted, *sketch)
    with Pillow.open(painted) as opened:
        assert np.array_equal(np.asarray(opened), Layered(decoder="sketch").decode(coded.read_bytes()))
    with pytest.raises(CodecError, match="did you mean 'edge_rows'"):
        run("encode", picture, coded, *sketch, "--set", "edge_row=64")

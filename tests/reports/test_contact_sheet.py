"""The contact sheet: which settings stand beside each other, and what is drawn."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arena import call
from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.run.redecode import pictures
from codecarena.bench.store.store import Store
from codecarena.reports.files import contact_sheet, sheet_drawing
from codecarena.reports.files.contact_sheet import plan
from codecarena.reports.files.sheet_drawing import CROP, GAP, LINE, MARGIN, captions, draw, window


@pytest.fixture(scope="module")
def sheet_of_a_run(seeded_store: Path) -> tuple[Store, contact_sheet.Sheet]:
    store = Store(str(seeded_store))
    return store, plan(store, at="bpp=1")


def corners(sheet: contact_sheet.Sheet, columns: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Return where the picture of each row and box begins."""
    boxes = 1 + len(sheet.bands[0].picks)
    lines = -(-boxes // columns)
    columns = -(-boxes // lines)
    box_height = CROP + LINE * (1 + len(sheet.metrics)) + GAP
    band_height = 2 * LINE + lines * box_height + GAP
    first = MARGIN + 2 * LINE + int(1.5 * LINE)
    return {
        (row, box): (
            MARGIN + box % columns * (CROP + GAP),
            first + row * band_height + box // columns * box_height,
        )
        for row in range(len(sheet.bands))
        for box in range(boxes)
    }


def test_each_codec_stands_at_its_setting_nearest_the_rate(arena_cells, make_store) -> None:
    sheet = plan(make_store(arena_cells), at="bpp=0.6")
    assert [band.picture for band in sheet.bands] == ["astronaut", "coffee"]
    for band in sheet.bands:
        assert [pick.codec for pick in band.picks] == ["jpeg", "jpeg(subsampling=444)", "webp"]
        for pick in band.picks:
            own = [cell for cell in arena_cells if (cell.picture, cell.codec) == (band.picture, pick.codec)]
            nearest = min(own, key=lambda cell: abs(np.log(cell.bits_per_pixel / 0.6)))
            assert pick.cell == nearest


def test_a_codec_further_off_than_a_factor_of_two_has_no_picture(arena_cells, make_store) -> None:
    dear = [replace(cell, bitstream_bytes=50 * cell.bitstream_bytes) for cell in arena_cells
            if cell.codec == "webp"]  # fmt: skip
    rest = [cell for cell in arena_cells if cell.codec != "webp"]
    sheet = plan(make_store([*rest, *dear]), at="bpp=0.6")
    assert {pick.codec for band in sheet.bands for pick in band.picks if pick.cell is None} == {"webp"}
    lowest = min(cell.bits_per_pixel for cell in dear if cell.picture == "coffee")
    assert sheet.bands[1].picks[2].nearest_rate == lowest
    drawn = np.asarray(draw(sheet, {}, {}))
    left, top = corners(sheet, 6)[0, 3]
    assert {tuple(colour) for colour in drawn[top : top + 40, left : left + CROP].reshape(-1, 3)} == {
        (0xF1, 0xF3, 0xF5)
    }


def test_a_codec_of_one_setting_is_shown_within_the_same_factor(arena_cells, make_store) -> None:
    single = [cell for cell in arena_cells if cell.codec != "jpeg" or cell.quality == 10]
    rates = {cell.picture: cell.bits_per_pixel for cell in single if cell.codec == "jpeg"}
    far = plan(make_store(single), at=f"bpp={2.1 * max(rates.values()):.4f}")
    assert [band.picks[0].cell for band in far.bands] == [None, None]
    near = plan(make_store(single), at=f"bpp={1.9 * min(rates.values()):.4f}")
    assert near.bands[0].picks[0].cell


def test_a_rate_that_nothing_comes_near_is_a_mistake_that_says_what_is_stored(
    arena_cells, make_store
) -> None:
    stored = sorted(cell.bits_per_pixel for cell in arena_cells)
    said = rf"no setting .* within a factor of 2 of it; stored rates: {stored[0]:.2f}…{stored[-1]:.2f} bits"
    for rate in (0.4 * stored[0], 2.1 * stored[-1]):
        with pytest.raises(AnalysisError, match=said):
            plan(make_store(arena_cells), at=f"bpp={rate:.4f}")
    one_setting = [cell for cell in arena_cells if cell.quality == 10]
    with pytest.raises(AnalysisError, match="no setting of these codecs"):
        plan(make_store(one_setting), at="bpp=9")


def test_learned_codecs_choose_the_rate_and_stand_last(arena_cells, make_store) -> None:
    changed = [
        replace(cell, family="generative", toy=True) if cell.codec == "jpeg" else cell for cell in arena_cells
    ]
    sheet = plan(make_store(changed))
    assert all(band.picks[-1].cell for band in sheet.bands)
    assert [(pick.codec, pick.toy) for pick in sheet.bands[0].picks][-1] == ("jpeg", True)


def test_without_learned_codecs_the_rate_is_one_that_most_come_near(arena_cells, make_store) -> None:
    sheet = plan(make_store(arena_cells))
    assert all(pick.cell for band in sheet.bands for pick in band.picks)


def test_pictures_and_codecs_can_be_chosen(arena_cells, make_store) -> None:
    sheet = plan(make_store(arena_cells), pictures=["coffee"], codecs=["jpeg"])
    assert [band.picture for band in sheet.bands] == ["coffee"]
    assert [pick.codec for pick in sheet.bands[0].picks] == ["jpeg", "jpeg(subsampling=444)"]
    sheet = plan(make_store(arena_cells), codecs=["webp", "jpeg(subsampling=444)"])
    assert [pick.codec for pick in sheet.bands[0].picks] == ["jpeg(subsampling=444)", "webp"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"at": "psnr=30"}, "matched by rate"),
        ({"at": "bpp=0"}, "matched by rate"),
        ({"at": "bpp=-1"}, "matched by rate"),
        ({"pictures": ["cofee"]}, "did you mean 'coffee'"),
        ({"codecs": ["wepb"]}, "did you mean 'webp'"),
        ({"image_set": "kodak"}, "stored: photos"),
    ],
)
def test_a_mistake_names_what_there_is(arena_cells, make_store, wanted, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        plan(make_store(arena_cells), **wanted)


def test_an_empty_store_says_what_to_run(make_store) -> None:
    with pytest.raises(AnalysisError, match="codecarena run quick"):
        plan(make_store())


def test_captions_have_rate_and_scores(arena_cells, make_store) -> None:
    store = make_store(arena_cells)
    cell = next(cell for cell in arena_cells if cell.codec == "jpeg" and cell.quality == 50)
    lines = captions(cell, plan(store).metrics)
    psnr = cell.scores[store.metrics()[1].metric_id].value
    assert lines[0] == f"{cell.bits_per_pixel:.3f} bpp · PSNR {psnr:.2f} dB"
    assert lines[1].startswith("mean-difference ")


@pytest.mark.parametrize("size", [(300, 400), (256, 256), (90, 500), (31, 17), (1, 1)])
def test_the_window_lies_in_the_picture(size: tuple[int, int]) -> None:
    left, top, right, bottom = window(np.zeros((*size, 3), np.uint8))
    assert 0 <= top < bottom <= size[0]
    assert 0 <= left < right <= size[1]
    assert (bottom - top, right - left) == (min(size[0], CROP), min(size[1], CROP))


def test_the_window_finds_the_detail() -> None:
    pixels = np.full((700, 900, 3), 90, np.uint8)
    pixels[400:650, 600:850] = np.random.default_rng(1).integers(80, 100, (250, 250, 1))
    left, top, right, bottom = window(pixels)
    assert left <= 600
    assert top <= 400
    assert right >= 850
    assert bottom >= 650


def test_the_sheet_shows_the_very_pixels_that_were_scored(sheet_of_a_run) -> None:
    store, sheet = sheet_of_a_run
    remade = pictures(store, [band.picture_sha256 for band in sheet.bands], sheet.cells)
    assert not remade.missing
    drawn = np.asarray(draw(sheet, remade.pixels, remade.missing, columns=2))
    for (row, box), (left, top) in corners(sheet, 2).items():
        band = sheet.bands[row]
        cell = band.picks[box - 1].cell if box else None
        if box and cell is None:
            continue
        crop = window(remade.pixels[band.picture_sha256])
        whole = remade.pixels[cell.decoded_sha256 if cell else band.picture_sha256]
        expected = whole[crop[1] : crop[3], crop[0] : crop[2]]
        assert np.array_equal(drawn[top : top + expected.shape[0], left : left + expected.shape[1]], expected)


def test_remade_pictures_are_kept_and_have_the_stored_hash(sheet_of_a_run) -> None:
    store, sheet = sheet_of_a_run
    remade = pictures(store, [band.picture_sha256 for band in sheet.bands], sheet.cells)
    for cell in sheet.cells:
        height, width = remade.pixels[cell.decoded_sha256].shape[:2]
        head = f"{height}x{width}x3\n".encode()
        digest = hashlib.sha256(head + remade.pixels[cell.decoded_sha256].tobytes()).hexdigest()
        assert digest == cell.decoded_sha256
        assert store.blobs.decoded_path(cell.decoded_sha256).exists()


def test_what_cannot_be_remade_says_why(sheet_of_a_run) -> None:
    store, sheet = sheet_of_a_run
    cell = replace(sheet.cells[0], decoded_sha256="0" * 64)
    remade = pictures(store, [cell.picture_sha256], [cell])
    assert "the decoder changed" in remade.missing["0" * 64]
    band = replace(sheet.bands[0], picks=(replace(sheet.bands[0].picks[0], cell=cell),))
    drawn = draw(replace(sheet, bands=(band,)), remade.pixels, remade.missing)
    assert drawn.size[0] == 2 * MARGIN + 2 * CROP + GAP


def test_the_command_writes_a_png_and_refuses_what_it_cannot(seeded_store: Path, tmp_path: Path) -> None:
    words = ("--store", seeded_store, "--at", "bpp=1", "--codec", "webp", "--columns", "3")
    ended = call("sheet", "out.png", *words, folder=tmp_path)
    assert ended.stdout == "contact sheet written to out.png\n", ended.stderr
    with Image.open(tmp_path / "out.png") as written:
        assert written.format == "PNG"
        assert written.size[0] == 2 * MARGIN + 2 * CROP + GAP
    for out, said in (("out.jpg", "ends with .png"), ("no/such/out.png", "no folder")):
        ended = call("sheet", out, *words, folder=tmp_path)
        assert ended.returncode == 2
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr


def test_long_labels_are_cut_and_toys_are_named(arena_cells, make_store) -> None:
    label = "latent(backend=stable-diffusion, faithful=True, steps=32)"
    named = [replace(cell, codec=label) if cell.codec == "webp" else cell for cell in arena_cells]
    plain = draw(plan(make_store(named), at="bpp=1"), {}, {})
    toys = [replace(cell, toy=True) if cell.codec == label else cell for cell in named]
    marked = draw(plan(make_store(toys), at="bpp=1"), {}, {})
    assert marked.size[1] == plain.size[1] + LINE  # the note on toys
    orange = tuple(int(sheet_drawing.TOY[place : place + 2], 16) for place in (1, 3, 5))
    assert not (np.asarray(plain) == orange).all(2).any()
    assert (np.asarray(marked) == orange).all(2).any()

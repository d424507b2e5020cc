"""Where the words and pictures of a contact sheet stand, pixel by pixel, and where its words break."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from report_rows import BUTTERAUGLI, CELL, PSNR

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.reports.files import sheet_drawing
from codecarena.reports.files.contact_sheet import Band, Pick, Sheet
from codecarena.reports.files.page_pictures import page_sheet
from codecarena.reports.files.sheet_drawing import FAINT, INK, TOY, save, window
from codecarena.reports.tables.digits import TOY_NOTE

FONTS = Path(mpl.get_data_path(), "fonts", "ttf")
ORIGINAL, DECODED = "original's hash", CELL.decoded_sha256
DETAIL = (310, 300, 566, 556)
"""Left, top, right and bottom of all that is drawn on the pictures."""


def detailed(seed: int) -> np.ndarray:
    pixels = np.full((600, 640, 3), 90, np.uint8)
    pixels[300:556, 310:566] = np.random.default_rng(seed).integers(0, 256, (256, 256, 3))
    return pixels


PIXELS = {ORIGINAL: detailed(3), DECODED: detailed(4)}
PICKS = (Pick("zip", True, CELL, 2.0), Pick("gone", False, None, None), Pick("hyper", False, CELL, 2.0))
SHEET = Sheet(
    "zoo", 0.5, (Band("bee.png", ORIGINAL, PICKS), Band("ant.png", "lost", ())), (PSNR, BUTTERAUGLI)
)
"""Four boxes, two on a line where three may stand; a caption has three lines."""
NEAREST_NOTE = "Each codec at its stored setting nearest the rate, if within a factor of 2."


def drawing(sheet: Sheet = SHEET, columns: int = 3) -> Any:
    return sheet_drawing._Drawing(sheet, PIXELS, {"lost": "the file is gone"}, columns)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Every line of a sheet: left, top, text, font, width, colour; each comes out 100 pixels wide."""
    lines: list[tuple[Any, ...]] = []

    def text(_: Any, left: int, top: int, text: str, font: str, width: int, ink: str = INK) -> int:
        lines.append((left, top, text, font, width, ink))
        return 100

    monkeypatch.setattr(sheet_drawing._Drawing, "text", text)
    return lines


def test_every_line_of_a_sheet_has_its_place(written: list[tuple[Any, ...]]) -> None:
    sheet = drawing()
    image = sheet.sheet()
    # A box is 256 + 3 * 18 + 14 = 324 high, a picture's two lines of boxes 2 * 18 + 2 * 324 + 14 = 698.
    assert image.size == (20 + 256 + 14 + 256 + 20, 56 + 2 * 698 + 3 * 18 + 20)
    room = 256 - int(ImageFont.truetype(str(FONTS / "DejaVuSans-Bold.ttf"), 13).getlength("  toy"))
    scores = ("2.00 bpp · PSNR 31.25 dB", "Butteraugli 2.50")
    heading = "bee.png, 640 × 600 pixels; shown: 256 × 256 from column 310, row 300"
    assert written == [
        (20, 16, "zoo at 0.50 bits per pixel", "title", 526, INK),
        (20, 56, heading, "picture", 526, INK),
        (20, 342, "original", "label", 256, INK),
        (290, 342, "zip", "label", room, INK),
        (390, 342, "  toy", "label", 256, TOY),
        (290, 360, scores[0], "text", 256, FAINT),
        (290, 378, scores[1], "text", 256, FAINT),
        (20, 666, "gone", "label", 256, INK),
        (120, 666, "", "label", 256, TOY),
        (34, 492, "no result for this picture", "text", 228, FAINT),
        (290, 666, "hyper", "label", 256, INK),
        (390, 666, "", "label", 256, TOY),
        (290, 684, scores[0], "text", 256, FAINT),
        (290, 702, scores[1], "text", 256, FAINT),
        (20, 754, "ant.png; shown: 256 × 256 from column 0, row 0", "picture", 526, INK),
        (34, 866, "the file is gone", "text", 228, FAINT),
        (20, 1040, "original", "label", 256, INK),
        (20, 1452, NEAREST_NOTE, "text", 526, FAINT),
        (20, 1470, "Crops are not scaled. The scores are of whole pictures.", "text", 526, FAINT),
        (20, 1488, TOY_NOTE, "text", 526, FAINT),
    ]  # fmt: skip
    drawn = np.asarray(image)
    for (x, y), name in {(20, 83): ORIGINAL, (290, 83): DECODED, (290, 407): DECODED}.items():
        assert np.array_equal(drawn[y : y + 256, x : x + 256], PIXELS[name][300:556, 310:566])
    grey = np.all(drawn == (0xF1, 0xF3, 0xF5), axis=2)
    rows, columns = np.nonzero(grey[:700])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (407, 407 + 255, 20, 20 + 255)


@pytest.mark.usefixtures("written")
def test_a_sheet_without_metrics_keeps_a_line_for_the_rate() -> None:
    alone = Sheet("zoo", 0.5, (Band("bee.png", ORIGINAL, PICKS[2:]),), ())
    # One line of two boxes of 256 + 2 * 18 + 14 = 306; two notes.
    assert drawing(alone).sheet().size == (566, 56 + 36 + 306 + 14 + 2 * 18 + 20)


def test_a_picture_without_its_original_is_cropped_by_what_a_codec_made_of_it() -> None:
    lost = Band("bee.png", "lost", (PICKS[1], PICKS[2]))
    assert drawing().crop(lost) == DETAIL
    assert drawing().crop(Band("ant.png", "lost", PICKS[1:2])) == (0, 0, 256, 256)


def test_a_page_says_which_part_of_a_picture_it_shows() -> None:
    (strip,) = page_sheet(SHEET, PIXELS, {}).strips
    assert (strip.width, strip.height) == (256, 256)
    assert strip.place == "256 × 256 pixels from column 310, row 300, of 640 × 600"


def wide(pixels_per_sign: int) -> Any:
    """Return a font whose signs are all as wide."""
    return SimpleNamespace(
        getlength=lambda text: pixels_per_sign * len(text), path=str(FONTS / "DejaVuSans.ttf")
    )


@pytest.mark.parametrize(
    ("reason", "lines"),
    [
        (f"{9 * 'a'} {9 * 'b'}", [f"{9 * 'a'} {9 * 'b'}"]),  # 19 signs of 12 pixels: 228
        (f"{9 * 'a'} {10 * 'b'}", [9 * "a", 10 * "b"]),
        (f"{19 * 'a'} {19 * 'b'} c d", [19 * "a", 19 * "b", "c d"]),
        (f"{25 * 'a'} b", [25 * "a", "b"]),  # no empty line before a long word
        (" ".join(12 * letter for letter in "abcdefghi"), [12 * letter for letter in "abcdefgh"]),
    ],
)
def test_a_reason_is_broken_into_at_most_8_lines(
    written: list[tuple[Any, ...]], reason: str, lines: list[str]
) -> None:
    sheet = drawing()
    sheet.fonts["text"] = wide(12)
    sheet.empty(100, 200, reason)
    assert written == [
        (114, 200 + 85 + 18 * place, line, "text", 228, FAINT) for place, line in enumerate(lines)
    ]


@pytest.mark.parametrize(
    ("width", "text"), [(72, "abcdef"), (71, "abcd…"), (60, "abcd…"), (59, "abc…"), (12, "…"), (0, "…")]
)
def test_a_line_too_long_is_cut_with_an_ellipsis(width: int, text: str) -> None:
    sheet, drawn = drawing(), []
    sheet.fonts["text"] = wide(12)
    sheet.canvas = SimpleNamespace(text=lambda place, shown, **_: drawn.append((place, shown)))
    assert sheet.text(3, 5, "abcdef", "text", width) == 12 * len(text)
    assert drawn == [((3, 5), text)]


@pytest.mark.parametrize(
    ("name", "file", "size", "ink"),
    [
        ("title", "DejaVuSans-Bold.ttf", 20, "#22262c"),
        ("picture", "DejaVuSans-Bold.ttf", 15, "#22262c"),
        ("label", "DejaVuSans-Bold.ttf", 13, "#b34a00"),
        ("text", "DejaVuSans.ttf", 12, "#5f6670"),
    ],
)
def test_lines_are_written_in_their_font_and_colour(name: str, file: str, size: int, ink: str) -> None:
    sheet = drawing()
    sheet.text(7, 9, "Quality", name, 200, ink)
    expected = Image.new("RGB", sheet.image.size, "#ffffff")
    ImageDraw.Draw(expected).text((7, 9), "Quality", font=ImageFont.truetype(FONTS / file, size), fill=ink)
    assert np.array_equal(sheet.image, expected)


@pytest.mark.parametrize(
    ("levels", "place"),
    [
        ([0, 0, 0, 1, 1, 1, 1, 1], 3),
        ([0, 0, 0, 23, 23, 47, 47, 47], 5),
        ([0, 0, 0, 24, 24, 49, 49, 49], 3),  # a step of 25 counts as one of 24
        ([90, 90, 90, 66, 66, 66, 66, 66], 3),  # downwards as much as upwards
    ],
)
def test_a_step_counts_as_24_at_most_in_both_directions(levels: list[int], place: int) -> None:
    row = np.repeat(np.array(levels, np.uint8)[None, :, None], 3, axis=2)
    assert window(row, 1) == (place, 0, place + 1, 1)
    assert window(row.transpose(1, 0, 2), 1) == (0, place, 1, place + 1)


def test_a_sheet_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    with pytest.raises(AnalysisError, match=r"cannot write .*out\.png: "):
        save(Image.new("RGB", (1, 1)), tmp_path / "out.png")
    with pytest.raises(AnalysisError, match=r"out\.PNGS: a contact sheet is a PNG"):
        sheet_drawing.check_name(tmp_path / "out.PNGS")
    sheet_drawing.check_name(tmp_path / "out.PNG")

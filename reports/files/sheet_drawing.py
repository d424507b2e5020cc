"""Draw a contact sheet: crops of originals and of every codec's pictures, not scaled, with captions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ...bench.analysis.coverage import AnalysisError
from ...bench.records.rows import MetricRow, ScoredCell
from ..charts.lettering import writable
from ..tables import digits
from .contact_sheet import FACTOR, Band, Pick, Sheet

Pixels = NDArray[np.uint8]
"""(height, width, 3), uint8, sRGB."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

CROP = 256
"""Side of a crop, in pixels; smaller where the picture is."""
COLUMNS = 6
MARGIN, GAP, LINE = 20, 14, 18
BACKGROUND, INK, FAINT, TOY, EMPTY = "#ffffff", "#22262c", "#5f6670", "#b34a00", "#f1f3f5"
SIZES = {"title": 20, "picture": 15, "label": 13, "text": 12}


def draw(
    sheet: Sheet, pixels: Mapping[str, Pixels], missing: Mapping[str, str], columns: int = COLUMNS
) -> Image.Image:
    """Return the sheet as a picture.

    Args:
        sheet: From `contact_sheet.plan`.
        pixels: Originals and decoded pictures by the hash of their pixels.
        missing: Why there are no pixels, by the same hash.
        columns: Most boxes in a row, the original's among them.
    """
    return _Drawing(sheet, pixels, missing, columns).sheet()


def window(original: Pixels, side: int = CROP) -> Box:
    """Return the square of a picture with most detail.

    Detail is the mean difference of neighbouring samples, large ones clipped, so that texture counts for more
    than one hard edge.
    """
    height, width = original.shape[:2]
    tall, wide = min(side, height), min(side, width)
    grey = original.astype(np.float64).mean(2)
    detail = np.zeros_like(grey)
    detail[1:] += np.abs(np.diff(grey, axis=0)).clip(0, 24)
    detail[:, 1:] += np.abs(np.diff(grey, axis=1)).clip(0, 24)
    sums = np.zeros((height + 1, width + 1))
    sums[1:, 1:] = detail.cumsum(0).cumsum(1)
    inside = sums[tall:, wide:] - sums[:-tall, wide:] - sums[tall:, :-wide] + sums[:-tall, :-wide]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(left), int(top), int(left) + wide, int(top) + tall


def captions(cell: ScoredCell, metrics: Iterable[MetricRow]) -> list[str]:
    """Return what stands under a crop: rate and first score, then a line for each further score."""
    scores = [_score(cell, metric) for metric in metrics]
    rate = f"{digits.significant(cell.bits_per_pixel, 3)} bpp"
    return [" · ".join([rate, *scores[:1]]), *scores[1:]]


def _score(cell: ScoredCell, metric: MetricRow) -> str:
    name = digits.metric_title(metric, [metric])
    score = cell.scores.get(metric.metric_id)
    if score is None:
        return f"{name} {digits.EMPTY}"
    if score.value is None:
        return f"{name} lossless"
    return f"{name} {digits.score(metric, score.value)} {digits.unit_of(metric)}".rstrip()


def check_name(out: Path) -> None:
    """Raise `AnalysisError` unless a sheet can go there, before any work is done for it."""
    if out.suffix.lower() != ".png":
        raise AnalysisError(f"{out}: a contact sheet is a PNG; expected a name that ends with .png")
    if not out.absolute().parent.is_dir():
        raise AnalysisError(f"cannot write {out}: there is no folder {out.absolute().parent}")


def save(drawn: Image.Image, out: Path) -> None:
    """Write a sheet as PNG.

    Raises:
        AnalysisError: It cannot be written.
    """
    try:
        drawn.save(out, "PNG", optimize=True)
    except OSError as error:
        raise AnalysisError(f"cannot write {out}: {error}") from error


class _Drawing:
    """One sheet as it is drawn."""

    def __init__(
        self, sheet: Sheet, pixels: Mapping[str, Pixels], missing: Mapping[str, str], columns: int
    ) -> None:
        self.plan, self.pixels, self.missing = sheet, pixels, missing
        boxes = 1 + max(len(band.picks) for band in sheet.bands)
        lines = -(-boxes // columns)
        self.columns = -(-boxes // lines)  # the lines about equally long
        self.box_height = CROP + LINE * (1 + max(1, len(sheet.metrics))) + GAP
        self.band_height = 2 * LINE + lines * self.box_height + GAP
        self.head_height = MARGIN + 2 * LINE
        self.notes = _notes(sheet)
        self.width = self.columns * (CROP + GAP) - GAP
        height = self.head_height + len(sheet.bands) * self.band_height + LINE * len(self.notes) + MARGIN
        self.image = Image.new("RGB", (self.width + 2 * MARGIN, height), BACKGROUND)
        self.canvas = ImageDraw.Draw(self.image)
        self.fonts = {name: _font(size, bold=name != "text") for name, size in SIZES.items()}

    def sheet(self) -> Image.Image:
        """Return the finished picture."""
        rate = digits.significant(self.plan.bits_per_pixel, 2)
        title = f"{self.plan.image_set} at {rate} bits per pixel"
        self.text(MARGIN, MARGIN - 4, title, "title", self.width)
        for place, band in enumerate(self.plan.bands):
            self.band(band, self.head_height + place * self.band_height)
        below = self.image.height - MARGIN - LINE * len(self.notes)
        for place, note in enumerate(self.notes):
            self.text(MARGIN, below + LINE * place, note, "text", self.width, FAINT)
        return self.image

    def band(self, band: Band, top: int) -> None:
        """Draw one picture's boxes."""
        crop = self.crop(band)
        self.text(MARGIN, top, self.heading(band, crop), "picture", self.width)
        for place in range(1 + len(band.picks)):
            row, column = divmod(place, self.columns)
            left, box_top = MARGIN + column * (CROP + GAP), top + int(1.5 * LINE) + row * self.box_height
            if place:
                self.pick(left, box_top, band.picks[place - 1], crop)
            else:
                self.picture(left, box_top, band.picture_sha256, crop)
                self.text(left, box_top + CROP + 3, "original", "label", CROP)

    def crop(self, band: Band) -> Box:
        """Return which part of a picture is shown."""
        decoded = [pick.cell.decoded_sha256 for pick in band.picks if pick.cell]
        known = (self.pixels[sha256] for sha256 in (band.picture_sha256, *decoded) if sha256 in self.pixels)
        first = next(known, None)
        return (0, 0, CROP, CROP) if first is None else window(first)

    def heading(self, band: Band, crop: Box) -> str:
        """Return what stands above a picture's boxes."""
        original = self.pixels.get(band.picture_sha256)
        size = "" if original is None else f", {original.shape[1]} × {original.shape[0]} pixels"
        left, top, right, bottom = crop
        return f"{band.picture}{size}; shown: {right - left} × {bottom - top} from column {left}, row {top}"

    def pick(self, left: int, top: int, pick: Pick, crop: Box) -> None:
        """Draw one codec's box and its captions."""
        below = top + CROP + 3
        tag = "  toy" if pick.toy else ""
        room = CROP - int(self.fonts["label"].getlength(tag))
        end = self.text(left, below, pick.codec, "label", room)
        self.text(left + end, below, tag, "label", CROP, TOY)
        if pick.cell is None:
            self.empty(left, top, why_empty(pick, self.plan.bits_per_pixel))
            return
        self.picture(left, top, pick.cell.decoded_sha256, crop)
        for place, line in enumerate(captions(pick.cell, self.plan.metrics)):
            self.text(left, below + (1 + place) * LINE, line, "text", CROP, FAINT)

    def picture(self, left: int, top: int, sha256: str, crop: Box) -> None:
        """Paste a crop, or say why there is none."""
        if sha256 in self.pixels:
            self.image.paste(Image.fromarray(self.pixels[sha256]).crop(crop), (left, top))
        else:
            self.empty(left, top, self.missing.get(sha256, "the picture is not here"))

    def empty(self, left: int, top: int, reason: str) -> None:
        """Draw an empty box with its reason."""
        self.canvas.rectangle((left, top, left + CROP - 1, top + CROP - 1), fill=EMPTY)
        lines = [""]
        for word in reason.split():
            longer = f"{lines[-1]} {word}".strip()
            fits = self.fonts["text"].getlength(longer) <= CROP - 2 * GAP or not lines[-1]
            lines = [*lines[:-1], longer] if fits else [*lines, word]
        for place, line in enumerate(lines[:8]):
            self.text(left + GAP, top + CROP // 3 + place * LINE, line, "text", CROP - 2 * GAP, FAINT)

    def text(self, left: int, top: int, text: str, font: str, width: int, ink: str = INK) -> int:
        """Write a line, cut to a width with an ellipsis, and return how wide it came out."""
        shown = writable(text, str(self.fonts[font].path))
        while self.fonts[font].getlength(shown) > width and len(shown) > 1:
            shown = shown.rstrip("…")[:-1] + "…"
        self.canvas.text((left, top), shown, font=self.fonts[font], fill=ink)
        return round(self.fonts[font].getlength(shown))


def _font(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path  # it brings the fonts

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", name)), size)


def why_empty(pick: Pick, bits_per_pixel: float) -> str:
    """Return why a codec shows no picture at a rate."""
    if pick.nearest_rate is None:
        return "no result for this picture"
    asked, nearest = (digits.significant(rate, 2) for rate in (bits_per_pixel, pick.nearest_rate))
    return f"no setting within a factor of {FACTOR:g} of {asked} bpp; the nearest has {nearest} bpp"


def _notes(sheet: Sheet) -> list[str]:
    notes = [
        f"Each codec at its stored setting nearest the rate, if within a factor of {FACTOR:g}.",
        "Crops are not scaled. The scores are of whole pictures.",
    ]
    toys = any(pick.toy for band in sheet.bands for pick in band.picks)
    return notes + [digits.TOY_NOTE] * toys

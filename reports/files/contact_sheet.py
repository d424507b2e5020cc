"""Plan a contact sheet: its pictures, and each codec's setting nearest to a rate."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ...bench.analysis.codec_grids import MeasuredCodec, grids
from ...bench.analysis.coverage import AnalysisError
from ...bench.analysis.leaderboard import COMMON_RATES
from ...bench.records.rows import MetricRow, ScoredCell
from ...bench.store.store import Store
from ..tables import digits
from ..tables.leaderboard_tables import parse_operating_point
from ..tables.selection import Selection, StoredColumns, choose_metrics, choose_sets

FACTOR = 2.0
"""A setting whose rate is further off than this factor does not stand for the asked rate."""
MOST_ROWS = 4
"""Pictures of a sheet for which none are named."""
FAMILIES = ("classic", "learned", "generative")


@dataclass(frozen=True, slots=True)
class Pick:
    """What stands for one codec in one row."""

    codec: str
    """Label."""
    toy: bool
    cell: ScoredCell | None
    """The setting nearest the rate, if within `FACTOR` of it."""
    nearest_rate: float | None
    """Bits per pixel of the nearest setting; None where the codec has no result for the picture."""


@dataclass(frozen=True, slots=True)
class Band:
    """One picture and what each codec made of it."""

    picture: str
    picture_sha256: str
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a contact sheet shows, before any pixel is read."""

    image_set: str
    bits_per_pixel: float
    bands: tuple[Band, ...]
    metrics: tuple[MetricRow, ...]
    """In the captions: PSNR and the one that agrees best with people, as far as they are stored."""

    @property
    def cells(self) -> list[ScoredCell]:
        """The cells whose pictures are shown."""
        return [pick.cell for band in self.bands for pick in band.picks if pick.cell]


def plan(
    store: Store,
    *,
    at: str | None = None,
    image_set: str | None = None,
    pictures: Sequence[str] = (),
    codecs: Sequence[str] = (),
) -> Sheet:
    """Return what a sheet shows.

    Args:
        store: Where they are.
        at: ``bpp=0.15``; None takes the median rate of the learned and generative results, or where there are
            none the rate that most codecs come near.
        image_set: None for the first with a result.
        pictures: Names, with or without suffix; the first ones of the set if empty.
        codecs: Labels, or names for all labels of a name; all if empty.

    Raises:
        AnalysisError: Something of it is not in the store.
    """
    selection = _selection(store, image_set)
    asked = parse_operating_point(at) if at else None
    if asked and (asked.target != "bpp" or not 0 < asked.value < math.inf):
        raise AnalysisError(f"--at {at!r}: a contact sheet is matched by rate; expected bpp=NUMBER")
    chosen = _codecs([grid.codec for grid in grids(selection.columns, probes=True)], codecs)
    known = {picture.name: picture.sha256 for picture in selection.columns.pictures}
    names = _pictures(list(known), pictures)
    ids = {codec.codec_id for codec in chosen}
    by_picture = {
        name: [
            cell
            for cell in store.cells(selection.image_set, known[name])
            if cell.codec_id in ids and cell.picture == name
        ]
        for name in names
    }
    cells = [cell for own in by_picture.values() for cell in own]
    if not cells:
        raise AnalysisError(f"none of the codecs has a result for {', '.join(names)}")
    rate = asked.value if asked else usual_rate([cell for cell in cells if not cell.probe] or cells)
    bands = [_band(picture, own, chosen, rate) for picture, own in by_picture.items() if own]
    if asked and not any(pick.cell for band in bands for pick in band.picks):
        stored = [digits.rate(end(cell.bits_per_pixel for cell in cells)) for end in (min, max)]
        raise AnalysisError(
            f"--at {at!r}: no setting of these codecs and pictures lies within a factor of {FACTOR:g} of it; "
            f"stored rates: {digits.between(*stored)} bits per pixel"
        )
    return Sheet(selection.image_set, rate, tuple(bands), tuple(_metrics(store, cells)))


def _selection(store: Store, image_set: str | None) -> Selection:
    for name in choose_sets(store, image_set):
        selection = Selection(StoredColumns(store, name))
        if len(selection.columns.measurement):
            return selection
    raise AnalysisError("the store holds no results yet; run a suite first: codecarena run quick")


def _codecs(stored: list[MeasuredCodec], wanted: Sequence[str]) -> list[MeasuredCodec]:
    stored = sorted(stored, key=lambda codec: (FAMILIES.index(codec.family), codec.label))
    for name in wanted:
        if not any(name in _names(codec.label) for codec in stored):
            raise AnalysisError(_unknown("codec", name, [codec.label for codec in stored]))
    return [codec for codec in stored if not wanted or _names(codec.label) & set(wanted)]


def _names(label: str) -> set[str]:
    return {label, label.split("(")[0]}


def _pictures(stored: list[str], wanted: Sequence[str]) -> list[str]:
    known = {Path(name).stem: name for name in stored} | {name: name for name in stored}
    for name in wanted:
        if name not in known:
            raise AnalysisError(_unknown("picture", name, stored))
    return [known[name] for name in wanted] if wanted else stored[:MOST_ROWS]


def _unknown(what: str, name: str, stored: list[str]) -> str:
    near = difflib.get_close_matches(name, stored, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"stored: {', '.join(stored)}"
    return f"the store has no {what} {name!r} here; {hint}"


def usual_rate(cells: Sequence[ScoredCell]) -> float:
    """Return the rate of a sheet where nobody chose one, in bits per pixel.

    Most learned codecs come near it, then most codecs; of such rates it is the one nearest the middle of the
    learned codecs' rates, or the lowest where there are none.
    """
    learned = [cell for cell in cells if cell.toy or cell.family != "classic"]
    rates = [cell.bits_per_pixel for cell in learned]
    middle = median(rates) if rates else min(COMMON_RATES)

    def fitness(rate: float) -> tuple[int, int, float]:
        return _near(learned, rate), _near(cells, rate), -abs(math.log(rate / middle))

    return max({*COMMON_RATES, *rates, middle}, key=fitness)


def _near(cells: Sequence[ScoredCell], bits_per_pixel: float) -> int:
    """Return how many codecs come near a rate, each counted for every picture."""
    return len({(cell.codec_id, cell.picture) for cell in cells if _matches(cell, bits_per_pixel)})


def _matches(cell: ScoredCell, bits_per_pixel: float) -> bool:
    return _distance(cell, bits_per_pixel) <= math.log(FACTOR) + 1e-9


def _distance(cell: ScoredCell, bits_per_pixel: float) -> float:
    return abs(math.log(cell.bits_per_pixel / bits_per_pixel))


def _band(
    picture: str, cells: Sequence[ScoredCell], codecs: Sequence[MeasuredCodec], bits_per_pixel: float
) -> Band:
    picks: list[Pick] = []
    for codec in codecs:
        own = [cell for cell in cells if cell.codec_id == codec.codec_id]
        nearest = min(own, key=lambda cell: _distance(cell, bits_per_pixel), default=None)
        matched = nearest if nearest and _matches(nearest, bits_per_pixel) else None
        label = " ".join([codec.label, *digits.origin_marks(codec.marks)])
        picks.append(Pick(label, codec.toy, matched, nearest.bits_per_pixel if nearest else None))
    return Band(picture, cells[0].picture_sha256, tuple(picks))


def _metrics(store: Store, cells: Sequence[ScoredCell]) -> list[MetricRow]:
    scored = {metric_id for cell in cells for metric_id in cell.scores}
    stored = choose_metrics([metric for metric in store.metrics() if metric.metric_id in scored])
    psnr = [metric for metric in stored if metric.name == "psnr"][:1]
    return psnr + [metric for metric in stored if metric.name != "psnr"][:1]

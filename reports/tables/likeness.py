"""What pictures of two kinds are like besides their kind: the table of it, and pairs that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isinf

from ...bench.analysis.affinity import pictures_by_kind
from ...bench.analysis.balance import FEWEST_PAIRS, NOTABLE, Balance, Matching, balance, match
from ...bench.analysis.curves import Method
from ...bench.analysis.kind_effect import KindSplit
from ...bench.store.pictures import DESCRIPTOR_TITLES, MATCHED_ON, descriptors, with_formats_apart
from . import digits
from .evidence import AnswerCache, kind_split
from .selection import Selection
from .table import Column, Entry, Row, Table


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the pictures of the two kinds are like besides their kind."""

    balance: Balance | None
    """None where fewer than two pictures of a kind are described."""
    on: tuple[str, ...] = ()
    """In what pictures were asked to be alike, of `MATCHED_ON`."""
    matching: Matching | None = None
    matched: KindSplit | None = None
    """Of the matched pictures alone; None where there are too few."""

    @property
    def confounded(self) -> str:
        """What cannot be told apart from the kind, as a list in words."""
        return _listed([_title(name) for name in self.balance.confounded]) if self.balance else ""


def likeness(
    selection: Selection,
    split: KindSplit,
    method: Method = "pchip",
    derived: AnswerCache | None = None,
    match_on: Sequence[str] = (),
) -> Likeness:
    """Return what the pictures of a test are like besides their kind, and the test of those that are alike.

    Args:
        selection: The pictures and codecs that were compared.
        split: Their comparison.
        method: How curves are interpolated over log rate.
        derived: Keeps the test of the matched pictures.
        match_on: Of `MATCHED_ON`; nothing is matched where it is empty.
    """
    comparison = selection.comparison(split.metric)
    pictures = pictures_by_kind(selection.origins(), comparison, split.anchor_id)
    known = descriptors(selection.source.store)
    natural, generated = pictures.natural, pictures.unrelated
    described = {picture: known[picture] for picture in sorted(natural | generated) if picture in known}
    balanced = balance(with_formats_apart(described), natural, generated)
    if not match_on:
        return Likeness(balanced)
    alike = [name for group in match_on if group != "content" for name in MATCHED_ON[group]]
    near = MATCHED_ON["content"] if "content" in match_on else ()
    matching = match(described, natural, generated, alike, near)
    among = {picture for pair in matching.pairs for picture in pair}
    matched = (
        kind_split(selection, split.metric, split.anchor, method, derived, frozenset(among))
        if among
        else None
    )
    return Likeness(balanced, tuple(match_on), matching, matched)


def balance_table(selection: Selection, split: KindSplit, balanced: Balance) -> Table:
    """Return what the pictures of a test are like besides their kind, most different first."""
    columns = (
        Column("Descriptor", numeric=False),
        Column("Natural", help="Mean of the natural pictures."),
        Column("AI-generated", help="Mean of the AI-generated pictures."),
        Column("Difference", "SD", help="Of the means, in standard deviations within a kind."),
        Column("p", help="Of no difference, for all descriptors at once."),
        Column("Overlap", "%", help="Pictures whose value lies in the other kind's range."),
        Column("Told apart", numeric=False, help="Whether kind and descriptor can be told apart here."),
    )
    rows = tuple(
        Row(
            (
                Entry(_title(row.name)),
                Entry(f"{row.natural:.3g}", row.natural),
                Entry(f"{row.generated:.3g}", row.generated),
                Entry(_deviations(row.difference), row.difference),
                Entry(digits.p_value(row.p_value), row.p_value),
                Entry(f"{100 * row.overlap:.0f}", 100 * row.overlap),
                Entry("no" if row.confounded else "yes"),
            ),
            {
                "metric": split.metric.name,
                "descriptor": row.name,
                **asdict(row),
                # JSON knows no infinity.
                "difference": None if isinf(row.difference) else row.difference,
            },
        )
        for row in balanced.rows
    )
    notes = [
        f"Of {balanced.natural} natural and {balanced.generated} AI-generated pictures. Not told apart: a "
        f"difference beyond {NOTABLE} that fewer than 5 % of random divisions of these pictures reach in any "
        "descriptor, or ranges that do not meet."
    ]
    if balanced.undescribed:
        notes.append(f"{digits.counted(balanced.undescribed, 'picture')} without descriptors left out.")
    title = f"What pictures of the two kinds are like besides · {selection.image_set}"
    return Table(title, columns, rows, tuple(notes))


def _title(name: str) -> str:
    return DESCRIPTOR_TITLES.get(name, name)


def likeness_notes(besides: Likeness) -> list[str]:
    """Return what there is to say of the pictures beside the table of the kinds."""
    if besides.balance is None:
        return [
            "What else tells the pictures apart is not measured: `codecarena leaderboard --split kind` does."
        ]
    if besides.matching is None:
        return []
    on, matching = _listed(besides.on), besides.matching
    if besides.matched is None:
        return [f"No matched answer: fewer than {FEWEST_PAIRS} pairs of pictures are alike in {on}."]
    pairs = digits.counted(len(matching.pairs), "pair")
    left_out = digits.counted(matching.left_out, "picture")
    return [f"Matched: {pairs} of a natural and an AI-generated picture alike in {on}; {left_out} left out."]


def _deviations(difference: float) -> str:
    """Return a difference in standard deviations with its sign."""
    sign = "−" if difference < 0 else "+" * (difference > 0)
    return sign + ("∞" if isinf(difference) else f"{abs(difference):.2f}")


def _listed(names: Sequence[str]) -> str:
    """Return names as a list in words."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

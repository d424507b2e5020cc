"""Select from the store the stimuli and pairs that a plan compares; nothing is coded again.

Pixels are not looked at here: which part of a picture is shown, and the hashes of the parts, come from the
benchmark (see `Preparer`), which a study does not import.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from ...bench.records.rows import ScoredCell
from ...bench.store.study_pictures import Crop, Prepared
from ..records.records import Condition, Content, Pair, Stimulus, StudyMaterial
from .plan import REFERENCE, ConditionsTable, PlanError, StudyPlan


class Preparer(Protocol):
    """The benchmark's side: decodes again what was not kept, cuts, and stores what is shown."""

    def __call__(self, store: str, cells: Sequence[ScoredCell], crop: Crop) -> Prepared:
        """Return the parts of these cells' originals and decoded pictures, stored as blobs."""
        ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """A stored cell as a stimulus."""

    condition: Condition
    cell: ScoredCell


@dataclass(frozen=True, slots=True)
class PlanSelection:
    """What of the store a plan means."""

    conditions: tuple[Condition, ...]
    pictures: tuple[tuple[str, str], ...]
    """(name in the study, hash of the original)."""
    chosen: tuple[Chosen, ...]
    warnings: tuple[str, ...]


def select(plan: StudyPlan, cells: Iterable[ScoredCell]) -> PlanSelection:
    """Return the stored cells that a plan means.

    Raises:
        PlanError: A set, picture, codec or setting is not in the store, or no picture has every condition.
    """
    listed = _of_pictures(plan, list(cells))
    cells_of: dict[Condition, dict[str, ScoredCell]] = {}
    for place, table in enumerate(plan.conditions):
        for condition, by_picture in _conditions(table, f"conditions.{place}", listed):
            if condition in cells_of:
                raise PlanError(f"conditions.{place}: {condition.name!r} stands twice; leave one out")
            cells_of[condition] = by_picture
    names = {cell.picture_sha256: f"{cell.image_set}/{cell.picture}" for cell in reversed(listed)}
    whole = [sha256 for sha256 in reversed(names) if all(sha256 in by_hash for by_hash in cells_of.values())]
    lacking = [sha256 for sha256 in reversed(names) if sha256 not in whole]
    if not whole:
        raise PlanError(_nothing_left(cells_of, names))
    warnings = tuple(
        f"{names[sha256]} is left out: no stored result for "
        + ", ".join(condition.name for condition, by in cells_of.items() if sha256 not in by)
        for sha256 in lacking
    )
    chosen = tuple(
        Chosen(condition, by_picture[sha256])
        for sha256 in whole
        for condition, by_picture in cells_of.items()
    )
    return PlanSelection(
        tuple(cells_of), tuple((names[sha256], sha256) for sha256 in whole), chosen, warnings
    )


def _of_pictures(plan: StudyPlan, cells: list[ScoredCell]) -> list[ScoredCell]:
    known = sorted({cell.image_set for cell in cells})
    if strange := set(plan.pictures.sets) - set(known):
        here = ", ".join(known) or "none; run a suite first: codecarena run quick"
        raise PlanError(f"pictures.sets: no results of {sorted(strange)[0]!r} in this store; it has {here}")
    listed = [cell for cell in cells if cell.image_set in plan.pictures.sets]
    if not plan.pictures.names:
        return listed
    names = sorted({cell.picture for cell in listed})
    if strange := set(plan.pictures.names) - set(names):
        raise PlanError(f"pictures.names: no {sorted(strange)[0]!r}; there are {', '.join(names)}")
    return [cell for cell in listed if cell.picture in plan.pictures.names]


def _conditions(
    table: ConditionsTable, place: str, cells: list[ScoredCell]
) -> Iterator[tuple[Condition, dict[str, ScoredCell]]]:
    """Yield each condition of a table with its cell for each picture that has one."""
    of_codec = [cell for cell in cells if table.codec == cell.codec] or _by_name(table.codec, cells)
    ids = sorted({cell.codec_id for cell in of_codec})
    if not of_codec:
        known = ", ".join(sorted({cell.codec for cell in cells}))
        raise PlanError(f"{place}.codec: no results of {table.codec!r} on these pictures; there are {known}")
    if len(ids) > 1:
        labels = sorted({f"{cell.codec} [{cell.codec_id[:6]}]" for cell in of_codec})
        raise PlanError(f"{place}.codec: {table.codec!r} means {len(ids)} codecs ({', '.join(labels)})")
    label = of_codec[0].codec
    settings = sorted({cell.quality for cell in of_codec})
    for quality in table.qualities:
        if quality not in settings:
            stored = ", ".join(f"{setting:g}" for setting in settings)
            raise PlanError(f"{place}.qualities: {label} has no results at {quality:g}; stored: {stored}")
        at_quality = {cell.picture_sha256: cell for cell in of_codec if cell.quality == quality}
        yield Condition(f"{label} q={quality:g}", ids[0], label, f"q={quality:g}"), at_quality
    for rate in table.bits_per_pixel:
        yield (
            Condition(f"{label} {rate:g} bpp", ids[0], label, f"{rate:g} bpp"),
            _nearest(table, of_codec, rate),
        )


def _by_name(codec: str, cells: list[ScoredCell]) -> list[ScoredCell]:
    return [cell for cell in cells if cell.codec.partition("(")[0] == codec]


def _nearest(table: ConditionsTable, cells: list[ScoredCell], rate: float) -> dict[str, ScoredCell]:
    """Return each picture's cell nearest to a rate, where one is within the tolerance."""
    by_picture: dict[str, list[ScoredCell]] = defaultdict(list)
    for cell in cells:
        if abs(cell.bits_per_pixel - rate) <= table.tolerance * rate:
            by_picture[cell.picture_sha256].append(cell)
    return {
        picture: min(near, key=lambda cell: abs(cell.bits_per_pixel - rate))
        for picture, near in by_picture.items()
    }


def _nothing_left(cells_of: Mapping[Condition, Mapping[str, ScoredCell]], names: Mapping[str, str]) -> str:
    counts = ", ".join(f"{condition.name} on {len(by)} of {len(names)}" for condition, by in cells_of.items())
    return (
        f"conditions: no picture has a stored result for every one of them ({counts}); widen tolerance, "
        "choose other settings, or make matched ones: codecarena run SUITE --match"
    )


def material(plan: StudyPlan, selection: PlanSelection, prepared: Prepared) -> StudyMaterial:
    """Return what a study compares, hashes and pairs included.

    Args:
        plan: Which conditions, repeats and golden pairs.
        selection: What of the store the plan means.
        prepared: The parts that were cut, by hash.

    Raises:
        PlanError: A picture could not be made ready.
    """
    for sha256, reason in prepared.missing.items():
        raise PlanError(f"picture {sha256[:12]} cannot be shown: {reason}")
    cells = {chosen.cell.picture_sha256: chosen.cell for chosen in selection.chosen}
    contents = [
        Content(
            name,
            cells[sha256].image_set,
            cells[sha256].kind,
            sha256,
            prepared.parts[sha256].reference_sha256,
            prepared.parts[sha256].left,
            prepared.parts[sha256].top,
            prepared.parts[sha256].width,
            prepared.parts[sha256].height,
        )
        for name, sha256 in selection.pictures
    ]
    conditions = (*selection.conditions, Condition(REFERENCE, None, None, None, is_reference=True))
    content_place = {sha256: index for index, (_, sha256) in enumerate(selection.pictures)}
    condition_place = {condition: index for index, condition in enumerate(conditions)}
    stimuli = [
        Stimulus(
            content_place[chosen.cell.picture_sha256],
            condition_place[chosen.condition],
            chosen.cell.quality,
            chosen.cell.bits_per_pixel,
            chosen.cell.decoded_sha256,
            prepared.shown[chosen.cell.decoded_sha256],
        )
        for chosen in selection.chosen
    ]
    stimuli += [
        Stimulus(index, len(conditions) - 1, None, None, content.picture_sha256, content.reference_sha256)
        for index, content in enumerate(contents)
    ]
    return StudyMaterial(conditions, tuple(contents), tuple(stimuli), pairs_of(plan, conditions, stimuli))


def pairs_of(
    plan: StudyPlan, conditions: Sequence[Condition], stimuli: Sequence[Stimulus]
) -> tuple[Pair, ...]:
    """Return the pairs of a plan, of all kinds; each picture's original is the last of its stimuli.

    Args:
        plan: Its design, anchor, practice and golden pairs.
        conditions: In the study's order.
        stimuli: Of every picture, in the conditions' order.
    """
    return tuple(_pairs(plan, conditions, stimuli))


def _pairs(plan: StudyPlan, conditions: Sequence[Condition], stimuli: Sequence[Stimulus]) -> Iterator[Pair]:
    contents: dict[int, list[int]] = defaultdict(list)
    for index, stimulus in enumerate(stimuli):
        contents[stimulus.content].append(index)
    for indices in contents.values():
        for first, second in combinations(indices, 2):
            if compared(plan, conditions, stimuli[first].condition, stimuli[second].condition):
                yield Pair("main", first, second)
    for kind, count in (("training", plan.trials.training), ("golden", plan.trials.golden)):
        for place in range(count):
            # Golden trials begin at the other end, so that training does not give them away.
            turn = place if kind == "training" else -1 - place
            yield _known_pair(
                kind, list(contents.values())[turn % len(contents)], place // len(contents), stimuli
            )
    for place in range(plan.trials.identical):
        indices = list(contents.values())[place % len(contents)]
        middle = sorted(indices[:-1], key=lambda index: stimuli[index].bits_per_pixel or 0)[
            len(indices) // 2 - 1
        ]
        yield Pair("identical", middle, middle)


def _known_pair(kind: str, indices: Sequence[int], rank: int, stimuli: Sequence[Stimulus]) -> Pair:
    """Return the original of a picture against its coarsest coding, or the next coarsest."""
    original = indices[-1]
    by_rate = sorted(indices[:-1], key=lambda index: stimuli[index].bits_per_pixel or 0)
    return Pair("training" if kind == "training" else "golden", original, by_rate[rank % len(by_rate)])


def compared(plan: StudyPlan, conditions: Sequence[Condition], first: int, second: int) -> bool:
    """Whether a plan compares two conditions, given by their places.

    Args:
        plan: Whose rule of pairs decides.
        conditions: In the study's order.
        first: Place of a condition.
        second: Place of another.
    """
    first_condition, second_condition = conditions[first], conditions[second]
    if first_condition.is_reference or second_condition.is_reference:
        return plan.hidden_reference
    if plan.design.pairs == "all" or first_condition.rate == second_condition.rate:
        return True
    same_codec = first_condition.codec == second_condition.codec
    return (
        plan.design.link_rates and same_codec and _next_rates(conditions, first_condition, second_condition)
    )


def _next_rates(conditions: Sequence[Condition], first: Condition, second: Condition) -> bool:
    rates = sorted(_rate(same) for same in conditions if same.codec == first.codec and same.rate)
    return abs(rates.index(_rate(first)) - rates.index(_rate(second))) == 1


def _rate(condition: Condition) -> float:
    return float((condition.rate or "0").removeprefix("q=").split()[0])


def unlinked(plan: StudyPlan, conditions: Sequence[Condition]) -> list[list[str]]:
    """Return the groups of conditions that no chain of pairs joins; one group is as it should be."""
    used = [
        place
        for place, condition in enumerate(conditions)
        if not condition.is_reference or plan.hidden_reference
    ]
    group = {place: place for place in used}

    def root(place: int) -> int:
        while group[place] != place:
            place = group[place]
        return place

    for first, second in combinations(used, 2):
        if compared(plan, conditions, first, second):
            group[root(first)] = root(second)
    groups: dict[int, list[str]] = defaultdict(list)
    for place in used:
        groups[root(place)].append(conditions[place].name)
    return list(groups.values())


def link_warning(plan: StudyPlan, conditions: Sequence[Condition]) -> str | None:
    """Return a sentence on conditions that no scale can join, with the pairs that would, or None."""
    groups = unlinked(plan, conditions)
    if len(groups) < 2:
        return None
    apart = "; ".join(", ".join(names) for names in groups)
    start = (
        f"{len(groups)} groups of conditions are never compared with each other ({apart}): each gets a scale"
    )
    linked = plan.model_copy(update={"design": plan.design.model_copy(update={"link_rates": True})})
    if len(unlinked(linked, conditions)) == 1:
        extra = [
            f"{conditions[first].name} - {conditions[second].name}"
            for first, second in combinations(range(len(conditions)), 2)
            if compared(linked, conditions, first, second) and not compared(plan, conditions, first, second)
        ]
        return (
            f"{start} of its own. design.link_rates = true joins them by {', '.join(extra)} on every picture"
        )
    return f'{start} of its own. hidden_reference = true, or design.pairs = "all", joins them'

"""Schedule a rater's next trials from a design's choices: mix in the other kinds, set sides and order.

Main trials come in an order in which no picture follows itself; golden trials, identical pairs and repeats
are put between them where that stays so. A repeat is the same pair with its sides swapped, some way behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..design.design import Choice, IntArray, Pairs, apart, left_first
from ..design.plan import StudyPlan
from ..records.records import StoredStudy, TrialKind

FAR_ENOUGH = 8
"""Trials between a pair and its repeat, where the session is long enough."""


@dataclass(frozen=True, slots=True)
class Item:
    """One trial of a rater's session."""

    kind: TrialKind
    pair: int
    """Index into the study's pairs, of all kinds."""
    first_left: bool
    """Whether the pair's first stimulus is shown left, or before."""
    probability: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SessionPlan:
    """What a study's sessions are made of."""

    plan: StudyPlan
    known: StoredStudy
    main: tuple[int, ...]
    """Indices of the design's pairs; `Pairs` has a row for each."""
    pairs: Pairs
    training: tuple[int, ...]
    golden: tuple[int, ...]
    identical: tuple[int, ...]
    pair_place: Mapping[int, int]
    """Row id -> index into the study's pairs, of all kinds."""
    stimulus_place: Mapping[int, int]

    @property
    def main_trials(self) -> int:
        """How many of the design's pairs one rater compares."""
        return min(self.plan.design.pairs_per_rater or len(self.main), len(self.main))

    @property
    def repeats(self) -> int:
        """How many trials come again."""
        return round(self.plan.trials.repeats * self.main_trials)

    @property
    def length(self) -> int:
        """How many trials a whole session has, of all kinds."""
        others = len(self.training) + len(self.golden) + len(self.identical)
        return self.main_trials + self.repeats + others

    def content(self, pair: int) -> int:
        """Return the picture of a pair."""
        return self.known.material.stimuli[self.known.material.pairs[pair].first].content


def build_session_plan(plan: StudyPlan, known: StoredStudy) -> SessionPlan:
    """Return what the sessions of a study are made of."""
    material = known.material
    kinds = {
        kind: tuple(index for index, pair in enumerate(material.pairs) if pair.kind == kind)
        for kind in ("main", "training", "golden", "identical")
    }
    main = [material.pairs[index] for index in kinds["main"]]
    columns = [
        (
            material.stimuli[pair.first].content,
            *(material.stimuli[stimulus].condition for stimulus in (pair.first, pair.second)),
        )
        for pair in main
    ]
    content, first, second = np.array(columns, np.int64).reshape(-1, 3).T
    return SessionPlan(
        plan,
        known,
        kinds["main"],
        Pairs(content, first, second),
        kinds["training"],
        kinds["golden"],
        kinds["identical"],
        {row_id: index for index, row_id in enumerate(known.pair_ids)},
        {row_id: index for index, row_id in enumerate(known.stimulus_ids)},
    )


def next_items(
    session_plan: SessionPlan,
    past: Sequence[Item],
    choices: Sequence[Choice],
    balance: IntArray,
    generator: np.random.Generator,
) -> list[Item]:
    """Return a rater's next trials.

    Args:
        session_plan: Of the study.
        past: The rater's trials so far, in order; training comes first where there are none.
        choices: Which of the design's pairs come next.
        balance: Of each of the design's pairs over all raters, see `left_first`.
        generator: The session's randomness.
    """
    items = [] if past else _training(session_plan, generator)
    before = _last_content(session_plan, [*past, *items])
    mains = _mains(session_plan, choices, balance, before, generator)
    done = sum(item.kind == "main" for item in past)
    due = range(done, done + len(mains))
    hidden: tuple[tuple[TrialKind, tuple[int, ...]], ...]
    hidden = ("golden", session_plan.golden), ("identical", session_plan.identical)
    for kind, pairs in hidden:
        for place, pair in enumerate(pairs):
            if _when(place, len(pairs), session_plan.main_trials) in due:
                item = Item(kind, pair, bool(generator.random() < 0.5))
                _insert(session_plan, mains, item, before, 0, generator)
    for place in range(session_plan.repeats):
        # The last ones go to the end, so that every repeat has its original far enough before it.
        if _when(place, session_plan.repeats, session_plan.main_trials) in due:
            _repeat(session_plan, past, mains, before, generator)
    return [*items, *mains]


def _when(place: int, count: int, trials: int) -> int:
    """Return before which main trial the one at this place of several is due: they are spread evenly."""
    return int((place + 0.5) * trials / count)


def _last_content(session_plan: SessionPlan, items: Sequence[Item]) -> int | None:
    return session_plan.content(items[-1].pair) if items else None


def _training(session_plan: SessionPlan, generator: np.random.Generator) -> list[Item]:
    contents = np.array([session_plan.content(pair) for pair in session_plan.training], np.int64)
    order = apart(contents, None, generator)
    return [Item("training", session_plan.training[row], bool(generator.random() < 0.5)) for row in order]


def _mains(
    session_plan: SessionPlan,
    choices: Sequence[Choice],
    balance: IntArray,
    before: int | None,
    generator: np.random.Generator,
) -> list[Item]:
    # Sorted, so that raters with the same pairs have the same walks and sides even out exactly.
    chosen = sorted(choices, key=lambda choice: choice.pair)
    rows = np.array([choice.pair for choice in chosen], np.int64)
    pairs = session_plan.pairs
    left = left_first(pairs.first[rows], pairs.second[rows], balance[rows], generator)
    order = apart(pairs.content[rows], before, generator)
    return [Item("main", session_plan.main[rows[at]], bool(left[at]), chosen[at].probability) for at in order]


def _repeat(
    session_plan: SessionPlan,
    past: Sequence[Item],
    mains: list[Item],
    before: int | None,
    generator: np.random.Generator,
) -> None:
    """Put the swapped repeat of some main trial between the others."""
    everything = [*past, *mains]
    had = {item.pair for item in everything if item.kind == "repeat"}
    originals = [at for at, item in enumerate(everything) if item.kind == "main" and item.pair not in had]
    early = [at for at in originals if at + FAR_ENOUGH < len(everything)]
    if not originals:
        return
    at = int(generator.choice(early)) if early else originals[0]
    original = everything[at]
    item = Item("repeat", original.pair, not original.first_left)
    earliest = max(0, min(at + FAR_ENOUGH, len(everything)) - len(past))
    _insert(session_plan, mains, item, before, earliest, generator)


def _insert(
    session_plan: SessionPlan,
    mains: list[Item],
    item: Item,
    before: int | None,
    earliest: int,
    generator: np.random.Generator,
) -> None:
    """Put a trial at a random place, from the earliest on, where its picture has no like neighbour."""
    contents = [before, *(session_plan.content(main.pair) for main in mains), None]
    own = session_plan.content(item.pair)
    places = range(min(earliest, len(mains)), len(mains) + 1)
    free = [at for at in places if own not in (contents[at], contents[at + 1])]
    # Where every place has a like neighbour, behind it is as good as any.
    at = int(generator.choice(free)) if free else int(generator.choice(list(places)))
    mains.insert(at, item)

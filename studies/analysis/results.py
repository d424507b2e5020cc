"""Compute a study's results once, cache them, and return the cached ones until something changes.

Results take from seconds to a minute; they are kept in the store's table of derived answers under the hash of
everything they come from: plan, votes, and the scores of what was shown. Pages read them by `stored_results`,
which computes nothing: where a vote has come since, there are none until `codecarena study report` is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from statistics import fmean

from ...bench.store.derived_cache import AnswerKind, Derived
from ...bench.store.store import Store
from ..design.plan import REFERENCE
from ..ledger.erasure import results_question
from ..ledger.ledger import Ledger
from ..ledger.votes import vote_rows
from ..records.records import StoredStudy, StudyRow
from ..scale.scale_results import Interval, ScaleError
from .analysis import StudyAnalysis, analyse_study
from .benchmark_facts import join, shown_scores
from .choices import Outcome, choices_of, counted, intact, plan_of, scale_of, settings_of
from .fool_rate import FoolRate, fool_rates
from .screening import Exclusion


@dataclass(frozen=True, slots=True)
class HumanValue:
    """What people think of one codec at one rate or setting."""

    condition: str
    codec_id: str | None
    """None of the original and in imports; so ``codec``."""
    codec: str | None
    """Label."""
    bits_per_pixel: float | None
    """Mean over the pictures of the study."""
    value: float
    """In the scale's unit, against the anchor or the mean of the component."""
    interval: Interval | None
    """By rater x picture, or by rater where there is one picture."""
    component: int
    """Values of two components cannot be compared."""


@dataclass(frozen=True, slots=True)
class StudyResults:
    """Everything that a study's votes say."""

    study: str
    label: str
    """The name as tables show it; of a simulated study it says so."""
    simulated: bool
    question: str
    """What raters were asked; empty in imports."""
    presentation: str
    """How, such as ``flip``; empty in imports."""
    sealed: bool
    """Whether plan and stimuli still are what was sealed."""
    votes: int
    """Of all kinds."""
    pictures: tuple[str, ...]
    """SHA-256 of the whole originals; empty in imports."""
    analysis: StudyAnalysis
    """Of all raters."""
    stricter: tuple[Outcome, ...]
    """The scale of stricter choices of votes, where they differ from all."""
    excluded: tuple[Exclusion, ...]
    """Raters whom the plan's rules leave out of a stricter scale."""
    values: tuple[HumanValue, ...]
    """Of all raters, in the order of the scale."""
    fool_rates: tuple[FoolRate, ...]
    """How often each condition was preferred to the hidden original."""
    notes: tuple[str, ...]
    """On what is missing beside the votes."""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every scale, that of all raters first."""
        return Outcome("all raters", self.analysis.scale), *self.stricter


def results_of(ledger: Ledger, name: str, resamples: int | None = None) -> StudyResults:
    """Return a study's results, computing them only if they are not kept.

    Args:
        ledger: Where the study is.
        name: Of the study.
        resamples: For a quick look, which is not kept; the plan's where not given.

    Raises:
        ScaleError: The votes make no scale.
        StoreError: No such study, or no votes yet.
    """
    study = ledger.study(name)
    known = ledger.known(study)
    if resamples is not None:
        return _compute(ledger, known, resamples)
    return Derived(ledger.store).answer(
        RESULTS, results_question(study.study_id), rows_behind(ledger, known), lambda: _compute(ledger, known)
    )


def stored_results(store: Store) -> tuple[StudyResults, ...]:
    """Return the results of every study that are kept and still hold; quick, for pages that are looked at.

    A study is missing here until `codecarena study report` has been called since its last vote.
    """
    with closing(Ledger(store.location.store_option, read_only=True)) as ledger:
        recalled = [_recall(store, ledger, study) for study in ledger.studies() if study.state != "planned"]
    return tuple(results for results in recalled if results is not None)


def _recall(store: Store, ledger: Ledger, study: StudyRow) -> StudyResults | None:
    rows = rows_behind(ledger, ledger.known(study))
    return Derived(store).recall(RESULTS, results_question(study.study_id), rows)


def rows_behind(ledger: Ledger, known: StoredStudy) -> Iterator[bytes]:
    """Yield everything that results of votes are made of."""
    study = known.study
    yield repr((study.name, study.state == "imported", study.sha256, study.plan)).encode()
    yield "\n".join(known.material.lines()).encode()
    # The seal does not cover these: they say nothing of what raters see.
    yield repr([(condition.codec_id, condition.codec) for condition in known.material.conditions]).encode()
    yield repr(
        [(content.name, content.kind, content.picture_sha256) for content in known.material.contents]
    ).encode()
    yield repr([stimulus.bits_per_pixel for stimulus in known.material.stimuli]).encode()
    for pair, scores in sorted(shown_scores(ledger.store, known).items()):
        yield repr(
            (pair, sorted((key, score.value, score.lossless) for key, score in scores.items()))
        ).encode()
    yield from vote_rows(ledger, study)


def _compute(ledger: Ledger, known: StoredStudy, resamples: int | None = None) -> StudyResults:
    study = known.study
    plan = plan_of(study)
    ((_, votes), *stricter), left_out = choices_of(ledger, study, plan)
    settings = settings_of(study, plan, votes, resamples)
    joined = join(ledger.store, known, settings.anchor)
    analysis = analyse_study(votes, joined.beside, **asdict(settings))
    notes = list(joined.notes)
    if joined.beside.scores and analysis.metrics is None:
        notes.append("no decided vote lies between two stimuli that every metric scored")
    scales: list[Outcome] = []
    for title, chosen in stricter:
        try:
            scales.append(Outcome(title, scale_of(study, plan, chosen, resamples)))
        except ScaleError as error:
            notes.append(f"{title}: no scale ({error})")
    if analysis.without_flagged:
        title = f"without {counted(analysis.flagged)} whom the review labels"
        scales.append(Outcome(title, analysis.without_flagged))
    return StudyResults(
        study.name,
        study.label,
        study.simulated,
        plan.trials.question if plan else "",
        plan.trials.presentation if plan else "",
        plan is None or intact(known),
        len(votes),
        tuple(content.picture_sha256 for content in known.material.contents if content.picture_sha256),
        analysis,
        tuple(scales),
        left_out,
        _values(known, analysis),
        fool_rates(votes, REFERENCE) if REFERENCE in votes.conditions else (),
        tuple(notes),
    )


def _values(known: StoredStudy, analysis: StudyAnalysis) -> tuple[HumanValue, ...]:
    material = known.material
    by_name = {condition.name: (place, condition) for place, condition in enumerate(material.conditions)}
    rates: dict[int, list[float]] = {}
    for stimulus in material.stimuli:
        if stimulus.bits_per_pixel is not None:
            rates.setdefault(stimulus.condition, []).append(stimulus.bits_per_pixel)
    values: list[HumanValue] = []
    for scaled in analysis.scale.conditions:
        place, condition = by_name[scaled.condition]
        rate = fmean(rates[place]) if place in rates else None
        interval = scaled.by_rater_and_picture or scaled.by_rater
        facts = condition.codec_id, condition.codec, rate, scaled.value, interval, scaled.component
        values.append(HumanValue(scaled.condition, *facts))
    return tuple(values)


RESULTS = AnswerKind(StudyResults, (_compute,))
"""As they are kept."""

"""Lead a study through its life: planned, opened, its raters invited, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...bench.records.rows import ScoredCell
from ...bench.store.study_pictures import Crop, Prepared, StimulusScores
from ...counts import counted
from ...text_file import TextFileError, read_lines
from ..analysis.choices import intact
from ..design.plan import PlanError, StudyPlan, load, parse, seal
from ..design.selection import link_warning, material, select
from ..ledger import identity
from ..ledger.ledger import Ledger, digest
from ..ledger.votes import status
from ..records.messages import Panel
from ..records.records import StoredStudy, StudyRow
from ..session.schedule import build_session_plan


class Bench(Protocol):
    """What a study asks of the benchmark, which it does not import: the command line hands it in."""

    def prepare(self, store: str, cells: Sequence[ScoredCell], crop: Crop) -> Prepared:
        """Return the parts of these cells' originals and decoded pictures, stored as blobs.

        Args:
            store: Folder, file or PostgreSQL address.
            cells: What is shown.
            crop: Which part of each picture.
        """
        ...

    def score(
        self, store: str, pairs: Sequence[tuple[str, str]], metrics: Sequence[str]
    ) -> Mapping[str, StimulusScores]:
        """Score stored pictures against their originals; return what each metric has of them then.

        Args:
            store: Folder, file or PostgreSQL address.
            pairs: (original, decoded) by the hash of their pixels.
            metrics: Names.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What `plan_study` stored and what the organiser should know of it."""

    study: StudyRow
    conditions: int
    pictures: int
    pairs: int
    trials_per_rater: int
    replaced: bool
    warnings: tuple[str, ...]


def plan_study(store: str, path: Path, bench: Bench) -> PlanReport:
    """Select, cut and store what a plan compares; a plan of the name that is not open yet is replaced.

    Args:
        store: Folder, file or PostgreSQL address.
        path: A ``study.toml``.
        bench: Cuts and scores the pictures.

    Raises:
        PlanError: The plan does not fit the store.
        StoreError: The store does not open, or the study is sealed.
    """
    return plan_text(store, load(path)[1], path, bench)


def plan_text(store: str, text: str, source: Path, bench: Bench) -> PlanReport:
    """Do what `plan_study` does with the text of a plan; messages name the source.

    Args:
        store: Folder, file or PostgreSQL address.
        text: Of the plan, TOML.
        source: Name of the plan in messages.
        bench: Cuts and scores the pictures.

    Raises:
        PlanError: The plan does not fit the store.
        StoreError: The store does not open, or the study is sealed.
    """
    plan = parse(text, source)
    ledger = Ledger(store, make=False)
    try:
        before = ledger.find(plan.name)
        selection = select(plan, ledger.store.cells())
        cells = [chosen.cell for chosen in selection.chosen]
        crop = plan.pictures.crop
        prepared = bench.prepare(store, cells, Crop(crop.rule, crop.width, crop.height))
        compared = material(plan, selection, prepared)
        if plan.analysis.anchor not in (None, *(condition.name for condition in compared.conditions)):
            names = ", ".join(condition.name for condition in compared.conditions)
            raise PlanError(
                f"{source}: analysis.anchor: expected one of {names}, got {plan.analysis.anchor!r}"
            )
        sealed = seal(text, compared.lines())
        ledger.keep(plan.name, text, sealed, "planned", compared)
        study = ledger.study(plan.name)
        session_plan = build_session_plan(plan, ledger.known(study))
        link = link_warning(plan, compared.conditions)
        return PlanReport(
            study,
            len(compared.conditions) if plan.hidden_reference else len(compared.conditions) - 1,
            len(compared.contents),
            len(session_plan.main),
            session_plan.length,
            before is not None,
            (*selection.warnings, *([link] if link else []), *_cautions(plan, session_plan.known)),
        )
    finally:
        ledger.close()


def _cautions(plan: StudyPlan, known: StoredStudy) -> list[str]:
    cautions: list[str] = []
    if len(known.material.contents) == 1:
        cautions.append("one picture only: every trial follows one of the same picture")
    equal = sum(
        pair.kind == "main"
        and known.material.stimuli[pair.first].shown_sha256
        == known.material.stimuli[pair.second].shown_sha256
        for pair in known.material.pairs
    )
    if equal:
        cautions.append(f"{counted(equal, 'pair')} of identical pixels: nobody can tell them apart")
    if not plan.trials.shown_as.shows_original and plan.hidden_reference is False:
        cautions.append(
            "without a reference, hidden_reference = true would tell how often coding fools people"
        )
    cautions += [
        f"trials.{key} is a parameter of {other}; {plan.trials.presentation} does not use it"
        for key, other in plan.trials.unused_parameters().items()
    ]
    return cautions


def open_study(ledger: Ledger, name: str) -> StudyRow:
    """Seal a study and let raters in.

    Raises:
        PlanError: It is open, imported, or its rows are not what was planned.
    """
    study = ledger.study(name)
    if study.state in ("open", "imported"):
        raise PlanError(f"study {name!r} is {study.state} already")
    if not intact(ledger.known(study)):
        raise PlanError(f"study {name!r} is not what was planned; plan it again: codecarena study plan")
    ledger.set_state(study, "open")
    return ledger.study(name)


def close_study(ledger: Ledger, name: str) -> StudyRow:
    """Let nobody vote any more.

    Raises:
        PlanError: It is not open.
    """
    study = ledger.study(name)
    if study.state != "open":
        raise PlanError(f"study {name!r} is {study.state}, not open")
    ledger.set_state(study, "closed")
    return ledger.study(name)


def invite(ledger: Ledger, name: str, count: int) -> list[str]:
    """Return new invitations; they are shown once, as only their hashes are stored.

    Args:
        ledger: Where the study is.
        name: Of the study.
        count: How many raters; each invitation is for one.

    Raises:
        PlanError: The study takes no raters any more.
    """
    study = _inviting(ledger, name)
    tokens = [identity.new_token() for _ in range(count)]
    ledger.add_raters({**identity.new_rater(study), "invitation_sha256": digest(token)} for token in tokens)
    ledger.log(study, "invited", {"count": count})
    return tokens


def invite_participants(ledger: Ledger, name: str, file: Path) -> int:
    """Remember which of a panel's participants may take part; return how many were not known before.

    Args:
        ledger: Where the study is.
        name: Of the study.
        file: Their ids, one a line, as the panel writes them into its links; only salted hashes are kept.

    Raises:
        PlanError: The study takes no raters any more, its plan admits everybody, or there is no such file.
    """
    study = _inviting(ledger, name)
    if parse(study.plan, Path(name)).raters.participants != "invited":
        raise PlanError(
            f"the plan of study {name!r} admits every participant of its panel; a list needs "
            'raters.participants = "invited"'
        )
    try:
        ids = {line.strip() for line in read_lines(file)} - {""}
    except TextFileError as error:
        raise PlanError(str(error)) from error
    keys = {identity.participant_hash(study, Panel(participant)) for participant in ids}
    new = [key for key in sorted(keys) if ledger.rater_by_participant(study.study_id, key) is None]
    ledger.add_raters({**identity.new_rater(study), "participant_hash": key} for key in new)
    ledger.log(study, "invited", {"count": len(new)})
    return len(new)


def _inviting(ledger: Ledger, name: str) -> StudyRow:
    """Return a study that people can be invited to."""
    study = ledger.study(name)
    if study.state not in ("planned", "open"):
        raise PlanError(f"study {name!r} is {study.state}; it takes no raters")
    if study.simulated:
        raise PlanError(f"study {name!r} is simulated: programs answer, nobody is invited")
    return study


def finished(ledger: Ledger, study: StudyRow, plan: StudyPlan) -> str | None:
    """Return by which rule of its plan a study has reached its end, or None.

    Args:
        ledger: Where the votes are.
        study: The study, as stored.
        plan: Whose stopping rules count.
    """
    progress = status(ledger, study)
    done = sum(rater.stage == "done" for rater in progress.raters)
    rules = plan.stopping
    if rules.raters and done >= rules.raters:
        return f"{counted(done, 'rater')} finished, as many as stopping.raters asks for"
    if rules.votes_per_pair and progress.fewest_votes >= rules.votes_per_pair:
        return (
            f"every pair has {counted(rules.votes_per_pair, 'vote')} or more, as "
            "stopping.votes_per_pair asks for"
        )
    return None

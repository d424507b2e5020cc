"""Read and validate a ``study.toml``: what is compared, how it is shown, how it is analysed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...bench.store.database import StoreError
from ...datasets.validation import explain_validation
from ...text_file import TextFileError, parse_toml, read_text
from ..presentations.presentation import Presentation
from ..presentations.registry import PRESENTATIONS, AllParameters, find_presentation, unused_parameters
from ..scale.models import ModelName
from .design import find_design

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
REFERENCE = "original"
"""Name of the condition that is the original itself."""


class PlanError(StoreError):
    """A study's plan cannot be used; the message names the place and what is expected there."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CropTable(_Strict):
    """Which part of each picture is shown; the same for the original and every condition."""

    rule: Literal["whole", "centre", "detail"] = "whole"
    """``detail``: where the original's luma changes most from pixel to pixel."""
    width: int = Field(default=512, ge=32, le=8192)
    """Of the crop, in pixels; a smaller picture is shown whole."""
    height: int = Field(default=512, ge=32, le=8192)


class PicturesTable(_Strict):
    """Which stored pictures."""

    sets: Annotated[tuple[str, ...], Field(min_length=1)]
    names: tuple[str, ...] = ()
    """Only these; all of the sets where empty."""
    crop: CropTable = CropTable()


class ConditionsTable(_Strict):
    """One codec, at settings of its own or at rates that codecs share."""

    codec: str
    """Name or label, as the leaderboard shows it."""
    qualities: tuple[float, ...] = ()
    bits_per_pixel: tuple[float, ...] = ()
    """For each picture the stored setting nearest to this rate."""
    tolerance: float = Field(default=0.1, gt=0, le=1)
    """How far the nearest may be off, as a part of the rate."""

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> ConditionsTable:
        if bool(self.qualities) == bool(self.bits_per_pixel):
            raise ValueError("expected either qualities or bits_per_pixel, one of the two")
        if any(rate <= 0 for rate in self.bits_per_pixel):
            raise ValueError("expected rates above 0 in bits_per_pixel")
        return self


def _known_design(name: str) -> str:
    find_design(name)
    return name


class DesignTable(_Strict):
    """Which pairs are compared and who compares which."""

    name: Annotated[str, AfterValidator(_known_design)] = "full"
    pairs: Literal["all", "same-rate"] = "all"
    """``same-rate``: only codecs at one rate with each other, and each with the hidden original."""
    link_rates: bool = False
    """With ``same-rate``: also each codec with itself at the next rate."""
    pairs_per_rater: int | None = Field(default=None, ge=1)
    """All of them where absent, which only ``full`` can mean."""
    random_share: float = Field(default=0.2, ge=0, le=1)
    """Part of an adaptive design's trials that is drawn at random."""
    block: int = Field(default=10, ge=2)
    """How many trials an adaptive design gives a rater at a time."""
    lease_minutes: float = Field(default=30, gt=0)
    """How long a pair counts as given to a rater who does not answer."""

    @model_validator(mode="after")
    def _how_many(self) -> DesignTable:
        if self.name != "full" and self.pairs_per_rater is None:
            raise ValueError(f"design {self.name!r} needs pairs_per_rater")
        return self


def _known_presentation(name: str) -> str:
    return find_presentation(name).name


class TrialsTable(_Strict, AllParameters):
    """What one comparison looks like and which trials are mixed in.

    Parameters of the presentations are keys of this table too.
    """

    presentation: Annotated[str, AfterValidator(_known_presentation)] = PRESENTATIONS[0].name
    question: str = "Which picture is closer to the original?"
    asks: Literal["better", "worse"] = "better"
    """``worse`` where the question asks for the one that differs more."""
    allow_no_preference: bool = True
    training: int = Field(default=2, ge=0)
    """Practice trials with feedback: the original against the coarsest coding."""
    golden: int = Field(default=3, ge=0)
    """Trials with a known answer, likewise made, hidden among the others."""
    repeats: float = Field(default=0.1, ge=0, le=0.5)
    """Part of the trials that comes again with sides swapped."""
    identical: int = Field(default=1, ge=0)
    """Trials of one picture with itself: what side bias and the use of 'no preference' are seen from."""
    minimum_view_ms: int = Field(default=300, ge=0)
    gap_ms: int = Field(default=500, ge=0, le=5000)
    time_limit_ms: int | None = Field(default=None, ge=1000)
    break_every: int = Field(default=40, ge=0)
    """Trials between breaks; 0: none."""
    break_seconds: int = Field(default=60, ge=0)
    zoom: int = Field(default=1, ge=1, le=8)
    magnify: bool = True
    """Whether raters may magnify further, by whole numbers, and move what is magnified."""

    @property
    def shown_as(self) -> Presentation:
        """The presentation that is named."""
        return find_presentation(self.presentation)

    # Any: numbers, texts or flags, as the parameters' types say.
    @property
    def parameters(self) -> dict[str, Any]:
        """The values of that presentation's own parameters."""
        return self.shown_as.values_in(self)

    def unused_parameters(self) -> dict[str, str]:
        """Return the keys given that say nothing about this presentation, and whose parameters they are."""
        return unused_parameters(self.shown_as, self.model_fields_set)

    @model_validator(mode="after")
    def _question_fits(self) -> TrialsTable:
        if self.shown_as.compares_differences and self.asks == "better" and "differ" in self.question:
            raise ValueError('the question asks for the one that differs: write asks = "worse"')
        return self


class ConsentTable(_Strict):
    """What raters agree to."""

    version: str
    text: str
    minimum_age: int = Field(default=18, ge=0, le=120)


class QuestionTable(_Strict):
    """A question with fixed answers."""

    key: str
    question: str
    answers: Annotated[tuple[str, ...], Field(min_length=2)]
    accepted: tuple[str, ...] = ()
    """Answers that admit a rater; all where empty."""

    @model_validator(mode="after")
    def _accepted_are_answers(self) -> QuestionTable:
        if strange := set(self.accepted) - set(self.answers):
            raise ValueError(f"accepted names {sorted(strange)[0]!r}, which is none of the answers")
        return self


class RatersTable(_Strict):
    """Who may take part and how they come."""

    panel: Literal["none", "prolific"] = "none"
    participants: Literal["anybody", "invited"] = "anybody"
    """``invited``: of the panel only those whose ids ``study invite --participants`` was given."""
    completion_code: str | None = None
    """One code for all, as the panel gave it; a code of its own for each rater where absent."""
    screened_out_code: str | None = None
    failed_checks_code: str | None = None
    """Told instead where the golden trials say that a rater did not look."""
    completion_url: str | None = None
    """Address to return to; ``{code}`` stands for the code."""
    card_calibration: bool = True
    colour_plates: bool = True
    screening: tuple[QuestionTable, ...] = ()
    environment: tuple[QuestionTable, ...] = ()

    @model_validator(mode="after")
    def _listed_of_a_panel(self) -> RatersTable:
        if self.participants == "invited" and self.panel == "none":
            raise ValueError(
                'participants = "invited" is about a panel; without one every invitation is a link'
            )
        return self


class ExclusionTable(_Strict):
    """Which raters are left out of the second, stricter result; nobody's votes are deleted."""

    golden_pass_rate: float = Field(default=0.66, ge=0, le=1)
    consistency: float = Field(default=0.0, ge=0, le=1)
    """Smallest share of repeats answered alike."""
    minimum_median_ms: float = Field(default=500, ge=0)


class StoppingTable(_Strict):
    """When the study is over; fixed before the first vote."""

    raters: int | None = Field(default=None, ge=1)
    """No new rater is admitted once so many have finished."""
    votes_per_pair: int | None = Field(default=None, ge=1)
    """A pair with so many, running leases counted, is asked no more; once all have, nobody is admitted."""


class AnalysisTable(_Strict):
    """How the scale is made; fixed before the first vote."""

    unit: Literal["JOD", "log-worth"] = "JOD"
    model: ModelName | None = None
    """What suits unit and answers where absent: a model with ties if any were answered."""
    anchor: str | None = None
    """Condition whose value is 0; the original where it is compared, else the mean of all."""
    resamples: int = Field(default=1000, ge=100)
    ridge: float | None = Field(default=None, ge=0)
    """Penalty; where absent one is taken only if the votes have no maximum likelihood, and told."""


class StudyPlan(_Strict):
    """A whole ``study.toml``."""

    name: str
    title: str
    introduction: str = ""
    contact: str = ""
    seed: int = 1
    """Of every random choice of the design."""
    hidden_reference: bool = False
    """Whether the original is one of the conditions."""
    simulated: bool = False
    """Whether programs answer in place of people; then every vote and every table says so."""
    pictures: PicturesTable
    conditions: Annotated[tuple[ConditionsTable, ...], Field(min_length=1)]
    design: DesignTable = DesignTable()
    trials: TrialsTable = TrialsTable()
    consent: ConsentTable
    raters: RatersTable = RatersTable()
    exclusion: ExclusionTable = ExclusionTable()
    stopping: StoppingTable = StoppingTable()
    analysis: AnalysisTable = AnalysisTable()

    @model_validator(mode="after")
    def _fits_together(self) -> StudyPlan:
        if not NAME.fullmatch(self.name):
            raise ValueError("name: expected lower-case letters, digits and dashes, at most 40")
        rates = [condition for condition in self.conditions if condition.bits_per_pixel]
        if self.design.pairs == "same-rate" and len(rates) < len(self.conditions):
            raise ValueError('design.pairs = "same-rate" needs bits_per_pixel in every [[conditions]]')
        if self.trials.allow_no_preference and self.analysis.model in ("bradley-terry", "thurstone"):
            raise ValueError(
                f'analysis.model = "{self.analysis.model}" leaves out "no preference" answers, which '
                'trials.allow_no_preference asks for; use "davidson" or "threshold-probit", or allow none'
            )
        return self


def parse(text: str, source: Path) -> StudyPlan:
    """Return a plan from the text of a ``study.toml``.

    Raises:
        PlanError: Not TOML, or a key is unknown, missing or of the wrong type; all are named.
    """
    try:
        return StudyPlan.model_validate(parse_toml(text, source))
    except TextFileError as error:
        raise PlanError(str(error)) from error
    except ValidationError as error:
        raise PlanError(explain_validation(source, StudyPlan, error)) from error


def load(path: Path) -> tuple[StudyPlan, str]:
    """Return a plan and the text it was read from.

    Raises:
        PlanError: The file cannot be read, or see `parse`.
    """
    try:
        text = read_text(path)
    except TextFileError as error:
        raise PlanError(f"{error}; make one: codecarena study init") from error
    return parse(text, path), text


def seal(plan: str, rows: list[str]) -> str:
    """Return the SHA-256 over a plan's text and one line for each stimulus and pair, in hex."""
    return hashlib.sha256("\n".join([plan, *rows]).encode()).hexdigest()

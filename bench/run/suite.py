"""Read and check suite files: the image sets, codecs and metrics of a benchmark."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ...codecs.registry import Value
from ...datasets.validation import explain_validation
from ...home_folder import expanded
from ...text_file import TextFileError, parse_toml, read_text
from ..records.messages import CodecSpec, Limits

SUITES = Path(__file__).parents[1] / "suites"


class SuiteError(Exception):
    """A suite file cannot be used; the message names the place and what is expected there."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitsTable(_Strict):
    """What one cell may use."""

    seconds: float = Field(default=600, gt=0)
    memory_mib: int = Field(default=8192, gt=0)


class Ladder(_Strict):
    """Evenly spaced qualities: ``{start = 5, stop = 95, step = 5}``, both ends included."""

    start: float
    stop: float
    step: float

    @model_validator(mode="after")
    def _moves_towards_stop(self) -> Ladder:
        if self.step == 0 or (self.stop - self.start) / self.step < 0:
            raise ValueError(f"step {self.step:g} does not lead from {self.start:g} to {self.stop:g}")
        return self

    def values(self) -> tuple[float, ...]:
        """Return the qualities from start to stop."""
        count = int((self.stop - self.start) / self.step + 1e-9) + 1
        return tuple(round(self.start + index * self.step, 9) for index in range(count))


class CodecTable(_Strict):
    """One ``[[codecs]]`` table."""

    name: str
    params: dict[str, Value] = Field(default_factory=dict)
    qualities: tuple[float, ...] | Ladder | None = None
    """On the codec's native scale; the codec's own ladder where absent."""
    optional: bool = False
    """Left out with a note, not counted as missing, where its library, program or weights are not here."""

    @property
    def title(self) -> str:
        """Name and parameters, of paths their last part."""
        shown = ", ".join(f"{key}={str(value).split('/')[-1]}" for key, value in sorted(self.params.items()))
        return f"{self.name}({shown})" if shown else self.name

    @property
    def spec(self) -> CodecSpec:
        """The codec's name and parameters, as workers load it."""
        return CodecSpec(self.name, tuple(sorted(self.params.items())))

    def ladder(self, default: tuple[float, ...]) -> tuple[float, ...]:
        """Return the qualities to run, without repeats."""
        chosen = self.qualities.values() if isinstance(self.qualities, Ladder) else self.qualities
        return tuple(dict.fromkeys(chosen or default))


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class TimingTable(_Strict):
    """What to time, one cell at a time, after everything else has run."""

    repeats: int = Field(default=5, ge=1)
    """Timed encodes and decodes of each cell."""
    warm_up: int = Field(default=1, ge=0)
    """Calls to drop directly before each timed one quicker than 0.1 s; the first is always dropped."""
    threads: int = Field(default=1, ge=1)
    """Threads and cores that a codec gets."""
    pictures: int | None = Field(default=None, ge=1)
    """At most this many of each set, evenly spread."""
    settings: int | None = Field(default=3, ge=1)
    """At most this many of each codec's qualities, evenly spread."""
    seconds: float = Field(default=600, gt=0)
    """Once a codec's calls took this long together, its cells are repeated no more; each is timed once."""


class Suite(_Strict):
    """What to run: every picture through every codec at every quality, scored by every metric."""

    name: str
    summary: str = ""
    sets: Annotated[tuple[str, ...], BeforeValidator(_one_or_many), Field(min_length=1)]
    """Names of known sets, folders of pictures, or manifest files."""
    optional_sets: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    """Likewise; left out with a note where they are not here."""
    metrics: tuple[str, ...] = ("psnr", "ms-ssim")
    codecs: Annotated[tuple[CodecTable, ...], Field(min_length=1)]
    repeats: int = Field(default=1, ge=1)
    seeds: tuple[int, ...] = ()
    """Decodes of one bitstream by stochastic codecs; the stream's own seed where empty."""
    keep_decoded: bool = False
    limits: LimitsTable = LimitsTable()
    timing: TimingTable | None = None
    """Whether and how to time; not at all where absent."""

    @property
    def cell_limits(self) -> Limits:
        """The limits as a worker's supervisor takes them."""
        return Limits(self.limits.seconds, self.limits.memory_mib)

    @model_validator(mode="after")
    def _no_codec_twice(self) -> Suite:
        seen: set[CodecSpec] = set()
        for codec in self.codecs:
            if codec.spec in seen:
                raise ValueError(
                    f"codec {codec.name!r} with the same params stands twice; join their qualities"
                )
            seen.add(codec.spec)
        return self


def shipped() -> dict[str, Path]:
    """Return the suites that come with codecarena, by name."""
    return {path.stem: path for path in sorted(SUITES.glob("*.toml"))}


def find(reference: str) -> Path:
    """Return the file of a shipped suite's name or of a path.

    Raises:
        SuiteError: It is neither.
    """
    if reference in shipped():
        return shipped()[reference]
    path = expanded(reference)
    if path.is_file():
        return path
    raise SuiteError(f"no suite {reference!r}: expected a .toml file or one of {', '.join(shipped())}")


def load(path: Path) -> tuple[Suite, str]:
    """Return a suite and the text it was read from.

    Relative paths in ``sets`` and of ``command`` recipes are taken from the suite's own folder; ``$NAME`` in
    them stands for an environment variable.

    Raises:
        SuiteError: The file is not TOML, or a key is unknown, missing or of the wrong type; all are named.
    """
    try:
        content = read_text(path)
        raw = parse_toml(content, path)
    except TextFileError as error:
        raise SuiteError(str(error)) from error
    try:
        suite = Suite.model_validate(raw)
    except ValidationError as error:
        raise SuiteError(explain_validation(path, Suite, error)) from error
    folder = path.absolute().parent
    codecs = tuple(_with_recipe_path(codec, folder) for codec in suite.codecs)
    sets, optional = (
        tuple(_set_path(name, folder) for name in names) for names in (suite.sets, suite.optional_sets)
    )
    return suite.model_copy(update={"codecs": codecs, "sets": sets, "optional_sets": optional}), content


def _with_recipe_path(codec: CodecTable, folder: Path) -> CodecTable:
    recipe = codec.params.get("recipe")
    if codec.name != "command" or not isinstance(recipe, str):
        return codec
    path = os.path.expandvars(recipe)
    # Where the variable is not set, the name itself says most.
    path = path if unset_variable(path) else str(folder / path)
    return codec.model_copy(update={"params": {**codec.params, "recipe": path}})


def unset_variable(reference: str) -> str | None:
    """Return a sentence on the environment variable that a path names and nobody set, if there is one."""
    variable = re.search(r"\$\{?(\w+)", reference)
    return f"the environment variable {variable[1]} is not set; see docs/suites.md" if variable else None


def _set_path(reference: str, folder: Path) -> str:
    reference = os.path.expandvars(reference)
    beside = folder / expanded(reference)
    looks_like_path = "/" in reference or reference.endswith(".toml")
    return str(beside) if looks_like_path and beside.exists() else reference

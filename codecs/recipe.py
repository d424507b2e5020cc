"""Read a TOML recipe: how to call an encoder and a decoder on the command line."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..text_file import TextFileError, decode_text, parse_toml
from .base import CodecError, Family, MissingBackendError, QualityScale

Words = Annotated[list[str], Field(min_length=1)]
"""A program and its arguments."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_ENCODE = {"input", "output", "quality", "width", "height", "recipe_dir"}
_DECODE = {"input", "output", "seed", "recipe_dir"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Quality(_Strict):
    """The table ``[quality]``: the program's own quality setting."""

    name: str
    """As the program's manual calls it."""
    worst: float
    best: float
    step: float = Field(default=1.0, gt=0)
    continuous: bool = False
    """Whether the program takes any number between the ends."""
    ladder: list[float] = Field(min_length=1)
    """The default settings, from worst to best."""

    @property
    def scale(self) -> QualityScale:
        """The scale that the codec shows."""
        return QualityScale(self.name, self.worst, self.best, self.step, self.continuous)

    @model_validator(mode="after")
    def _ladder_is_on_the_scale(self) -> Self:
        outside = [setting for setting in self.ladder if not self.scale.contains(setting)]
        if outside:
            raise ValueError(f"ladder: {outside[0]:g} is no step between {self.worst:g} and {self.best:g}")
        if self.ladder != sorted(set(self.ladder), reverse=self.best < self.worst):
            raise ValueError("ladder: expected settings from worst to best, each once")
        return self

    def text(self, quality: float) -> str:
        """Return the setting as the command line wants it: without a point where every setting is whole."""
        whole = self.step.is_integer() and self.worst.is_integer()
        return str(round(quality)) if whole else format(quality, ".10g")


class Recipe(_Strict):
    """A whole recipe."""

    name: str
    """The codec's name in tables."""
    version: str | None = None
    """The programs' version, or:"""
    version_command: Words | None = None
    """A command whose first line of output is the version."""
    family: Family = "classic"
    encode: Words
    """Reads ``{input}``, a picture, at ``{quality}`` and writes ``{output}``, the bitstream."""
    decode: Words
    """Reads ``{input}``, the bitstream, and writes ``{output}``, a picture."""
    picture: Literal["png", "ppm", "y4m"] = "png"
    """What the encoder reads."""
    bitstream: str = Field(default="bin", pattern=r"^[A-Za-z0-9]+$")
    """Suffix of the bitstream's file name."""
    decoded: Literal["png", "ppm", "y4m"] = "png"
    """What the decoder writes."""
    environment: dict[str, str] = {}
    """Added to the environment of every command."""
    stochastic: bool = False
    """Whether the decoder draws from ``{seed}``."""
    default_seed: int = 0
    """The seed of a stochastic decoder when none is asked for."""
    tolerance_levels: int = Field(default=0, ge=0, le=255)
    generator: str | None = None
    """The image generator whose weights the decoder holds: ``Stable Diffusion 2.1``."""
    quality: Quality

    @model_validator(mode="after")
    def _commands_are_complete(self) -> Self:
        _check_placeholders("encode", self.encode, {"input", "output", "quality"}, _ENCODE)
        needed = {"input", "output"} | ({"seed"} if self.stochastic else set[str]())
        _check_placeholders("decode", self.decode, needed, _DECODE)
        if (self.version is None) == (self.version_command is None):
            raise ValueError("expected either version or version_command")
        return self


def _check_placeholders(key: str, words: list[str], needed: set[str], known: set[str]) -> None:
    used = {name for word in words for name in _PLACEHOLDER.findall(word)}
    for name in sorted(used - known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {{{near[0]}}}?" if near else f"known: {', '.join(sorted(known))}"
        raise ValueError(f"{key}: unknown placeholder {{{name}}}; {hint}")
    if missing := sorted(needed - used):
        raise ValueError(f"{key}: the placeholder {{{missing[0]}}} is missing")


def fill(words: list[str], values: Mapping[str, object]) -> list[str]:
    """Return the words with the values in place of their placeholders."""
    return [_PLACEHOLDER.sub(lambda match: str(values[match[1]]), word) for word in words]


def load(path: Path) -> tuple[Recipe, str]:
    """Return a recipe and the SHA-256 of its file.

    Raises:
        MissingBackendError: There is no such file.
        CodecError: The file cannot be read or breaks the rules; the message names file and key.
    """
    try:
        content = path.read_bytes()
        table = parse_toml(decode_text(content, path), path)
        return Recipe.model_validate(table), hashlib.sha256(content).hexdigest()
    except FileNotFoundError as error:
        raise MissingBackendError(f"no recipe {_without_variable(path)}") from error
    except OSError as error:
        raise CodecError(f"cannot read the recipe {path}: {error.strerror}") from error
    except TextFileError as error:
        raise CodecError(f"cannot read the recipe {error}") from error
    except ValidationError as error:
        reasons = "; ".join(
            _reason(tuple(error["loc"]), error["type"], error["msg"]) for error in error.errors()
        )
        raise CodecError(f"recipe {path}: {reasons}") from error


def _without_variable(path: Path) -> str:
    """Return a path, from the variable on and with a word on it where nobody set one that it names."""
    match = re.search(r"\$\{?(\w+).*", str(path))
    return f"{match[0]}: the environment variable {match[1]} is not set" if match else str(path)


def _reason(place: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(map(str, place))
    if kind == "extra_forbidden":
        model = Quality if place[0] == "quality" else Recipe
        near = difflib.get_close_matches(str(place[-1]), model.model_fields, n=1)
        message = f"unknown key; did you mean {near[0]!r}?" if near else "unknown key"
    message = message.removeprefix("Value error, ")
    return f"{where}: {message}" if where else message

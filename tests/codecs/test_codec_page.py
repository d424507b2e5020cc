"""docs/codecs.md speaks of every codec, its parameters with their defaults, and the bytes of its weights."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from codecarena.codecs import pretrained, recipe_install, registry
from codecarena.codecs.base import MissingBackendError

PAGE = (Path(__file__).parents[2] / "docs" / "codecs.md").read_text()
BUILT_IN = {name: entry for name, entry in registry.entries().items() if entry.origin == "built-in"}
CLASSIC = [name for name, entry in BUILT_IN.items() if entry.family == "classic"]
NETWORKS = [name for name, entry in BUILT_IN.items() if entry.family != "classic"]


@pytest.mark.parametrize("name", [*BUILT_IN, *recipe_install.summaries()])
def test_every_codec_and_every_ready_recipe_has_its_place(name: str) -> None:
    assert re.search(rf"^(\| |### )`{re.escape(name)}`", PAGE, re.M), f"docs/codecs.md has no row for {name}"


@pytest.mark.parametrize("name", CLASSIC)
def test_every_parameter_of_a_classic_codec_is_in_its_row(name: str) -> None:
    try:
        taken = set(registry.parameters(name, {"recipe": ""} if name == "command" else {}))
    except MissingBackendError as error:
        pytest.skip(str(error))
    assert set(re.findall(r"`(\w+)`", _row(name).split("|")[-2])) == taken


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_and_their_defaults_are_in_the_codecs_section(name: str) -> None:
    section = PAGE.partition(f"### `{name}`")[2].partition("\n#")[0]
    said = " ".join(bullet for bullet in re.split(r"\n(?=- |\n)", section) if "**Parameters**" in bullet)
    given = {key: default.strip() for key, default in re.findall(r"`(\w+)`\s+\(([^:;)]*)", said)}
    try:
        signature = inspect.signature(registry.codec_class(name)).parameters
    except MissingBackendError as error:
        pytest.skip(str(error))
    assert given == {key: _written(parameter.default) for key, parameter in signature.items()}


@pytest.mark.parametrize("name", ["hyperprior", "hfd", "latent", "layered"])
def test_bytes_of_embedded_weights_are_those_that_the_decoder_opens(name: str) -> None:
    try:
        info = registry.create(name).info
    except MissingBackendError as error:
        pytest.skip(str(error))
    (row,) = re.findall(rf"^\| `{name}` \| embedded.*$", PAGE, re.M)
    assert re.split(r"[ ;|]|, ", row.split(" | ")[2])[0] == f"{info.weights_bytes:,}"


def test_embedded_weights_are_counted_and_fit() -> None:
    total = sum(path.stat().st_size for path in pretrained.EMBEDDED.glob("*.safetensors"))
    assert f"together are {total:,} bytes" in PAGE
    assert total <= 15_000_000


def _row(name: str) -> str:
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))


def _written(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return "none" if default in (None, "") else f"{default:g}" if isinstance(default, float) else str(default)

"""docs/codecs.md speaks of every codec, and of every parameter of the classic ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codecarena.codecs import neighbours, registry
from codecarena.codecs.base import MissingBackendError

PAGE = (Path(__file__).parents[2] / "docs" / "codecs.md").read_text()
BUILT_IN = {name: one for name, one in registry.entries().items() if one.origin == "built-in"}


@pytest.mark.parametrize("name", [*BUILT_IN, *neighbours.summaries()])
def test_every_codec_and_every_ready_recipe_has_its_place(name: str) -> None:
    assert re.search(rf"^(\| |### )`{re.escape(name)}`", PAGE, re.M), f"docs/codecs.md has no row for {name}"


@pytest.mark.parametrize("name", [name for name, one in BUILT_IN.items() if one.family == "classic"])
def test_every_parameter_of_a_classic_codec_is_in_its_row(name: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
    try:
        taken = set(registry.parameters(name, {"recipe": ""} if name == "command" else {}))
    except MissingBackendError as error:
        pytest.skip(str(error))
    assert set(re.findall(r"`(\w+)`", row.split("|")[-2])) == taken

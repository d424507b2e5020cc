"""Put the ready recipe of somebody else's codec into a checkout of its repository."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from ..home_folder import expanded
from ..system_errors import reason
from .base import CodecError

RECIPES = Path(__file__).parent / "recipes"
SHARED = ("codec_checkout.py", "bottlenecks.py")
"""What all wrappers import."""
PYTHON = "./.venv/bin/python"
"""The interpreter that the recipes name; it lies beside them."""


def summaries() -> dict[str, str]:
    """Return every ready recipe's name and what it is, in a line."""
    return {path.stem: _summary(path) for path in sorted(RECIPES.glob("*.toml"))}


def _summary(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def install(name: str, checkout: Path, python: Path | None = None) -> Path:
    """Copy a recipe and its wrapper into a checkout and return where the recipe is.

    Args:
        name: One of `summaries`.
        checkout: Folder of the repository.
        python: Interpreter of the environment in which the repository runs; None for the one in
            ``.venv`` of the checkout.

    Raises:
        CodecError: The name is unknown, or a file of the same name with another content is there.
    """
    if name not in summaries():
        near = difflib.get_close_matches(name, summaries(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"ready ones: {', '.join(summaries())}"
        raise CodecError(f"no ready recipe is named {name!r}; {hint}")
    if not checkout.is_dir():
        raise CodecError(f"{checkout} is no folder: clone the repository first; docs/recipes.md says which")
    recipe = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    if python:
        # Not resolved: a virtual environment is found by the place of its link to the interpreter.
        recipe = recipe.replace(json.dumps(PYTHON), json.dumps(str(expanded(python).absolute())))
    files = {f"{name}.toml": recipe}
    for wrapper in (f"{name}_codec.py", *SHARED):
        files[wrapper] = (RECIPES / wrapper).read_text(encoding="utf-8")
    for file, content in files.items():
        _place(checkout / file, content)
    return checkout / f"{name}.toml"


def _place(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") != content:
        raise CodecError(f"{path} is there and differs from the ready one; move it away to replace it")
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise CodecError(f"cannot write {path}: {reason(error)}") from error

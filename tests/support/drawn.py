"""Stands in for Streamlit and remembers what a page draws, for tests of single parts of pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any


class Drawn:
    """Remembers what a page draws, in place of Streamlit."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        self.context = SimpleNamespace(theme=SimpleNamespace(type="light"))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def draw(*words: Any, **_: Any) -> Any:
            self.said.append((name, words))
            return nullcontext()

        return draw

    def columns(self, count: int, **_: Any) -> list[Drawn]:
        return [self] * count

    def of(self, name: str) -> list[Any]:
        """Return what was drawn by a function of this name."""
        return [words[0] if len(words) == 1 else words for drawn, words in self.said if drawn == name]

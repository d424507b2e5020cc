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
        self.placed: list[tuple[str, int | None, dict[str, Any]]] = []
        """In which column each was drawn, if in one, and with which named words."""
        self.column: int | None = None
        self.context = SimpleNamespace(theme=SimpleNamespace(type="light"))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def draw(*words: Any, **named: Any) -> Any:
            self.remember(name, words, named)
            return nullcontext()

        return draw

    def remember(self, name: str, words: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.said.append((name, words))
        self.placed.append((name, self.column, named))

    def columns(self, spec: Any, **_: Any) -> list[Any]:
        places: list[Any] = [
            object.__new__(type(self)) for _ in range(spec if isinstance(spec, int) else len(spec))
        ]
        for column, place in enumerate(places):
            place.__dict__ = {**self.__dict__, "column": column}
        return places

    def of(self, name: str) -> list[Any]:
        """Return what was drawn by a function of this name."""
        return [words[0] if len(words) == 1 else words for drawn, words in self.said if drawn == name]

    def columns_of(self, name: str) -> list[int | None]:
        """Return in which column each was drawn."""
        return [column for drawn, column, _ in self.placed if drawn == name]

    def named(self, name: str, word: str) -> list[Any]:
        """Return one of the named words of each, None where it was not said."""
        return [named.get(word) for drawn, _, named in self.placed if drawn == name]


class Answered(Drawn):
    """Remembers what a page draws; widgets answer by their label, or what they begin with."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.answers = answers
        self.query_params: dict[str, Any] = {}
        self.session_state: dict[str, Any] = {}

    def __enter__(self) -> Answered:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in FIRST_ANSWERS:
            return super().__getattr__(name)

        def draw(label: str, *words: Any, **named: Any) -> Any:
            self.remember(name, (label, *words), named)
            return self.answers[label] if label in self.answers else FIRST_ANSWERS[name](*words)

        return draw


FIRST_ANSWERS: dict[str, Callable[..., Any]] = {
    "button": lambda *_: False,
    "download_button": lambda *_: False,
    "form_submit_button": lambda *_: False,
    "number_input": lambda _low, _high, value, *_: value,
    "radio": lambda options, *_: options[0],
    "selectbox": lambda options, *_: options[0],
    "slider": lambda _low, _high, value, *_: value,
    "text_area": lambda text="", *_: text,
    "text_input": lambda text="", *_: text,
}
"""What a widget answers that nobody has touched, from the words after its label."""


class Address(dict[str, Any]):
    """The words after the question mark, and how many entries of the browser's history they made."""

    entries = 0

    def get_all(self, name: str) -> list[str]:
        value = self.get(name, [])
        return [value] if isinstance(value, str) else list(value)

    def from_dict(self, words: dict[str, Any]) -> None:
        self.entries += 1
        self.clear()
        self.update(words)


class Pickers(Drawn):
    """Streamlit with an address and a session, whose pickers answer what the session holds."""

    def __init__(self) -> None:
        super().__init__()
        self.query_params = Address()
        self.session_state: dict[str, Any] = {"page": "Look"}
        self.asked: list[tuple[Any, ...]] = []

    def pick(self, kind: str) -> Any:
        def picker(label: str, *words: Any, key: str, format_func: Any = None, **named: Any) -> Any:
            named.pop("required", None)
            texts = [format_func(option) for option in words[0]] if format_func else list(words)
            self.asked.append((kind, label, texts, key, named))
            return self.session_state[key]

        return picker

    def __getattr__(self, name: str) -> Any:
        if name in ("selectbox", "segmented_control", "multiselect", "number_input", "text_input"):
            return self.pick(name)
        return super().__getattr__(name)

"""What takes long is computed beside the pages, once, and is there when a page asks again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from codecarena.bench.store.derived_cache import AnswerKind
from codecarena.bench.store.store import Store
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.server.background import Background
from codecarena.reports.tables.evidence import Pending

KIND = AnswerKind(int, (Background,))


@pytest.fixture
def background(tmp_path: Path) -> Background:
    StoreWriter(str(tmp_path / "arena")).close()
    return Background(Store(str(tmp_path / "arena")))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is quick be there at once however busy the machine is."""
    monkeypatch.setattr("codecarena.reports.server.background.PATIENCE_SECONDS", 60.0)


def finish(background: Background) -> None:
    """Wait until nothing is being computed."""
    while background.waiting:
        time.sleep(0.01)


@pytest.mark.usefixtures("patient")
def test_what_is_quick_is_there_at_once(background: Background) -> None:
    assert background.answer(KIND, "question", [b"row"], lambda: 7) == 7


def test_what_takes_long_is_pending_and_computed_once(background: Background) -> None:
    may_end, calls = threading.Event(), [0]

    def compute() -> int:
        calls[0] += 1
        assert may_end.wait(30)
        return 7

    ask: Callable[[], int] = lambda: background.answer(KIND, "question", [b"row"], compute)  # noqa: E731
    for _ in range(2):
        with pytest.raises(Pending):
            ask()
    assert background.waiting
    assert not background.done(lambda: None, "work that comes after it")
    may_end.set()
    finish(background)
    assert (ask(), calls[0]) == (7, 1)
    assert background.done(lambda: None, "work that comes after it")


def test_what_failed_says_so_and_is_tried_again(background: Background) -> None:
    for work, error in ((lambda: 1 // 0, pytest.raises(ZeroDivisionError)), (lambda: None, nullcontext())):
        with error:
            background.done(work, "work")
            finish(background)
            assert background.done(work, "work")


@pytest.mark.usefixtures("patient")
def test_what_was_computed_is_found_by_the_next_server(background: Background, tmp_path: Path) -> None:
    background.answer(KIND, "question", [b"row"], lambda: 7)
    again = Background(Store(str(tmp_path / "arena")))
    assert again.answer(KIND, "question", [b"row"], lambda: 8) == 7
    assert again.answer(KIND, "question", [b"another row"], lambda: 8) == 8


@pytest.mark.parametrize(("pages", "rests"), [(0, 0), (1, 1), (2, 2), (99, 10)])
def test_what_no_page_waits_for_gives_way_to_pages(
    background: Background, monkeypatch: pytest.MonkeyPatch, pages: int, rests: int
) -> None:
    """It begins a second after the last page was drawn, and after ten seconds at the latest."""
    clock = Clock(background, pages)
    monkeypatch.setattr("codecarena.reports.server.background.time", clock)
    clock.draw()
    began: list[float] = []
    background.done(lambda: began.append(clock.monotonic()), "work")
    finish(background)
    assert began == [100.0 + rests]


class Clock:
    """Time that passes while somebody sleeps; then the next page is drawn."""

    def __init__(self, background: Background, pages: int) -> None:
        self.background, self.pages, self.seconds = background, pages, 100.0

    def draw(self) -> None:
        if self.pages:
            self.pages -= 1
            self.background.yield_to_pages()

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.draw()


def test_512_answers_stay_in_memory(background: Background) -> None:
    calls: list[int] = []
    for names in (range(513), (1, 0)):
        for name in names:
            background.done(lambda name=name: calls.append(name), str(name))
        finish(background)
    assert calls == [*range(513), 0]


def test_a_page_waits_for_a_moment_for_what_comes_next(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[int, float]] = []
    may_end = threading.Event()
    monkeypatch.setattr(
        "codecarena.reports.server.background.wait",
        lambda asked, seconds: waits.append((len(asked), seconds)),
    )
    for question in ("first", "behind it"):
        with pytest.raises(Pending):
            background.answer(KIND, question, [b"row"], lambda: int(may_end.wait(30)))
    assert waits == [(1, 0.15)]
    may_end.set()
    finish(background)
    background.done(lambda: None, "beside the pages")
    finish(background)
    assert len(waits) == 1


@pytest.mark.usefixtures("patient")
def test_the_answers_that_were_kept_first_are_forgotten_first(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecarena.reports.server.background.MOST_KEPT", 2)
    calls: list[str] = []
    for name in ("a", "b", "a", "c", "b", "c", "a"):
        background.done(lambda name=name: calls.append(name), name)
        finish(background)
    assert calls == ["a", "b", "c", "a"]

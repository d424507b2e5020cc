"""Whatever computes a kept answer is in its key: what ran is compared with what is hashed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from synthetic_store import fill

from codecarena.bench.store import method_source
from codecarena.bench.store.derived_cache import AnswerKind
from codecarena.bench.store.store import Store
from codecarena.reports.tables import evidence
from codecarena.reports.tables.selection import Selection, StoredColumns


class Watched:
    """Computes answers and notes the methods' files that ran and the files that are in their key."""

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self.hashed: set[str] = set()

    # Any: answers of every type.
    def answer(
        self, kind: AnswerKind[Any], question: str, rows: Iterable[bytes], compute: Callable[[], Any]
    ) -> Any:
        del question, rows
        modules = frozenset(method.__module__ for method in kind.methods)
        self.hashed = set(method_source._texts(modules, method_source.ROOT))
        sys.setprofile(self._note)
        try:
            return compute()
        finally:
            sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(method_source.ROOT):
            name = path.relative_to(method_source.ROOT).as_posix()
            if name.startswith((*method_source.FOLDERS, "reports/column")):
                self.ran.add(name)


@pytest.fixture(scope="module")
def selection(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    folder = tmp_path_factory.mktemp("store")
    fill(folder, pictures=8, codecs=3, settings=4, metrics=("psnr",), odd=True)
    return Selection(StoredColumns(Store(str(folder)), "synthetic"))


@pytest.mark.parametrize("asked", ["against anchor", "ranks", "points", "own rates", "duels", "kinds"])
def test_all_that_computes_an_answer_is_in_its_key(selection: Selection, asked: str) -> None:
    metric, watched = selection.metrics[0], Watched()
    board = selection.board(metric, "codec0")
    ask: dict[str, Callable[[], object]] = {
        "against anchor": lambda: evidence.board_evidence(selection, board, watched),
        "ranks": lambda: evidence.board_ranks(selection, board, watched),
        "points": lambda: evidence.curve_points(selection, metric, watched),
        "own rates": lambda: evidence.own_rates(selection, metric, [board.rows[0].codec.codec_id], watched),
        "duels": lambda: evidence.all_head_to_heads(
            selection, selection.comparison(metric), metric, "pchip", watched
        ),
        "kinds": lambda: evidence.kind_split(selection, metric, "codec0", "pchip", watched),
    }
    assert ask[asked]()
    assert watched.ran
    assert watched.ran - watched.hashed == set()

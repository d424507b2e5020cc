"""What a user reads when the system, the database or codecarena itself fails."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from arena import call, command
from codecarena.bench.cli.error_sentences import error_sentence
from codecarena.bench.store.database import StoreError
from codecarena.bench.worker.measure import explain


def refused(number: int, *names: str) -> OSError:
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreError("no store here"), "no store here"),
        (refused(errno.ENOENT, "/a/b.png"), "/a/b.png: no such file or directory"),
        (refused(errno.EACCES, "b.png"), "b.png: permission denied"),
        (
            refused(errno.ENOSPC, "/a/b"),
            "/a/b: the disk is full; make room, then give the same command again: what had finished is "
            "stored",
        ),
        (
            refused(errno.EDQUOT),
            "the disk is full; make room, then give the same command again: what had finished is stored",
        ),
        (MemoryError(), "memory is used up; fewer workers (-j 1) or smaller pictures need less"),
        (
            OperationalError("SELECT 1", {}, sqlite3.OperationalError("database or disk is full")),
            "the store's database cannot be used: database or disk is full; make room; what had finished is "
            "stored",
        ),
        (KeyError("x"), "KeyError: 'x' (this is a defect; CODECARENA_DEBUG=1 shows where)"),
    ],
)
def test_an_error_is_one_sentence_without_numbers_or_sql(error: Exception, words: str) -> None:
    assert error_sentence(error) == words


def test_a_worker_says_what_the_system_refused_without_its_number() -> None:
    assert explain(refused(errno.ENOENT, "a.png")) == "a.png: no such file or directory"
    assert explain(refused(errno.ENOSPC)).startswith("the disk is full; make room")
    assert explain(ZeroDivisionError("division by zero")) == "ZeroDivisionError: division by zero"


def test_a_full_disk_is_no_defect() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command("list", "suites"), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 2
    assert "codecarena: the disk is full; make room" in ended.stderr
    assert "defect" not in ended.stderr
    assert "Errno" not in ended.stderr


@pytest.mark.parametrize("content", [b"not a database" * 99, b""], ids=["text", "empty"])
def test_a_store_that_is_broken_says_so_without_sql(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "arena.db").write_bytes(content)
    ended = call("leaderboard", "--store", tmp_path, folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert str(tmp_path / "arena.db") in ended.stderr
    assert "SQL:" not in ended.stderr
    assert "sqlalche.me" not in ended.stderr

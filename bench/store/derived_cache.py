"""Keep answers that took long to compute; give them back only for the rows and the method they came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import DatabaseError

from ..records.columns import Columns, ScoreColumn, fingerprint
from ..records.rows import Failure
from .database import StoreError
from .method_source import source_sha256
from .store import Store
from .tables.schema import DerivedTable
from .writer import StoreWriter, now

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class AnswerKind(Generic[Answer]):
    """What is kept, and what computes it: a change of that source makes kept answers stale."""

    form: type[Answer]
    """A type that pydantic can turn into JSON and back."""
    methods: tuple[Callable[..., object], ...]
    """Functions or classes; the files they lie in count, and the methods' files that those import."""


class Derived:
    """The table ``derived`` of a store; dropping its rows loses nothing but time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(
        self, kind: AnswerKind[Answer], question: str, rows: Iterable[bytes], compute: Callable[[], Answer]
    ) -> Answer:
        """Return what was computed from these rows, computing it only if it is not kept.

        Args:
            kind: The form of the answer and its method.
            question: What is asked, with everything that decides on the answer beside the rows.
            rows: Everything that the answer is computed from, as bytes; other bytes mean a new answer.
            compute: Called where nothing is kept, or what is kept is of other rows or another method.
        """
        key = _key(kind, question, rows)
        kept = self._recall(kind.form, key)
        if kept is not None:
            return kept
        answer = compute()
        # Any: pydantic does not know which type this is either.
        adapter: TypeAdapter[Any] = TypeAdapter(kind.form)
        # As text: an answer may hold NaN, which PostgreSQL does not take for JSON.
        self._keep(key, _hash(question), {"answer": json.dumps(adapter.dump_python(answer, mode="json"))})
        return answer

    def recall(self, kind: AnswerKind[Answer], question: str, rows: Iterable[bytes]) -> Answer | None:
        """Return what is kept of these very rows, or None; arguments as in `answer`."""
        return self._recall(kind.form, _key(kind, question, rows))

    def _recall(self, form: type[Answer], key: str) -> Answer | None:
        with self._store.reading() as connection:
            kept = connection.scalar(select(DerivedTable.value).where(DerivedTable.key == key))
        if kept is None:
            return None
        adapter: TypeAdapter[Any] = TypeAdapter(form)
        try:
            return adapter.validate_python(json.loads(kept["answer"]))
        except (ValidationError, KeyError, TypeError):  # written by an older form of the same type
            return None

    def _keep(self, key: str, question: str, value: dict[str, Any]) -> None:
        row = {"key": key, "question": question, "value": value, "created_at": now()}

        def replace(connection: Connection) -> None:
            connection.execute(delete(DerivedTable).where(DerivedTable.question == question))
            connection.execute(insert(DerivedTable), row)

        try:
            writer = StoreWriter(self._store.location.store_option)
        except (StoreError, OSError):
            return  # a store that may only be read: the answer is computed again next time
        try:
            writer.write(replace)
        except (StoreError, DatabaseError):
            pass
        finally:
            writer.close()


def forget(connection: Connection, question: str) -> None:
    """Delete the kept answer to a question at once, as when a rater withdrew votes that it counts."""
    connection.execute(delete(DerivedTable).where(DerivedTable.question == _hash(question)))


def rows_of(columns: Columns, column: ScoreColumn, failures: Iterable[Failure]) -> Iterator[bytes]:
    """Yield all that an answer about one metric depends on: measurements, their scores, failures.

    Args:
        columns: The measurements.
        column: The metric's scores of them.
        failures: Attempts on the same pictures; only codec, picture and whether they are settled count.
    """
    yield from fingerprint(columns, column)
    settled = {
        (failure.codec_id, failure.codec, failure.picture_sha256, failure.settled) for failure in failures
    }
    for row in sorted(settled):
        yield repr(row).encode()


def _key(kind: AnswerKind[Any], question: str, rows: Iterable[bytes]) -> str:
    digest = hashlib.sha256(f"{source_sha256(kind.methods)}\n{question}\n".encode())
    for row in rows:
        digest.update(len(row).to_bytes(8, "big"))
        digest.update(row)
    return digest.hexdigest()


def _hash(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()

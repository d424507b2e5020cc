"""All tables of the store, under one Alembic history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEAD = "0001"
"""The newest migration; a store at another one is migrated or refused when it is opened."""


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # JSON columns hold whatever a suite file or a machine description holds.
    type_annotation_map = {dict[str, Any]: JSON}  # noqa: RUF012 - SQLAlchemy reads this plain dictionary


class PictureTable(Base):
    """An original, known by its pixels."""

    __tablename__ = "pictures"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    height: Mapped[int]
    width: Mapped[int]


class MemberTable(Base):
    """A picture's place in an image set and where it came from."""

    __tablename__ = "set_pictures"

    image_set: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    picture_sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"), index=True)
    kind: Mapped[str]
    path: Mapped[str]
    """Where it last lay on this machine; scores made later read the original from there."""
    caption: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    generator: Mapped[str | None]
    licence: Mapped[str | None]
    source: Mapped[str | None]


class FileTable(Base):
    """What a file held when it was last read, so that a repeated run need not decode it."""

    __tablename__ = "files"

    path: Mapped[str] = mapped_column(primary_key=True)
    file_bytes: Mapped[int] = mapped_column(BigInteger)
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    picture_sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))


class CodecTable(Base):
    """Name, parameters and version of one codec."""

    __tablename__ = "codecs"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    label: Mapped[str]
    version: Mapped[str]
    family: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    stochastic: Mapped[bool]
    toy: Mapped[bool]
    tolerance_levels: Mapped[int]
    weights_sha256: Mapped[str | None]
    weights_bytes: Mapped[int] = mapped_column(BigInteger)
    trained_on: Mapped[str | None]


class MetricTable(Base):
    """One metric identity."""

    __tablename__ = "metrics"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    implementation: Mapped[str]
    version: Mapped[str]
    colour_space: Mapped[str]
    weights_sha256: Mapped[str | None]
    better: Mapped[str]
    perfect: Mapped[float | None]


class MachineTable(Base):
    """A machine that measured something."""

    __tablename__ = "machines"

    id: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[dict[str, Any]]


class RunTable(Base):
    """One call of ``codecarena run`` or ``score``."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    suite: Mapped[str]
    suite_text: Mapped[str] = mapped_column(Text)
    machine_id: Mapped[str] = mapped_column(ForeignKey("machines.id"))
    workers: Mapped[int]
    process_id: Mapped[int]
    planned_cells: Mapped[int]
    status: Mapped[str]
    """``running``, ``finished``, ``interrupted``, or ``killed`` where its process is gone."""
    started_at: Mapped[str]
    finished_at: Mapped[str | None]


class MeasurementTable(Base):
    """One picture x codec x quality x seed: bytes, times and the hashes of what came out."""

    __tablename__ = "measurements"
    __table_args__ = (
        # One current row a cell; rows that --force replaced stay as history.
        Index(
            "uq_measurements_cell",
            "picture_sha256",
            "codec_id",
            "quality",
            "seed",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
        Index("ix_measurements_decoded", "decoded_sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    picture_sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))
    codec_id: Mapped[str] = mapped_column(ForeignKey("codecs.id"), index=True)
    quality: Mapped[float]
    seed: Mapped[int] = mapped_column(BigInteger)
    """`NO_SEED` for the stream's own: NULL would slip past the unique index."""
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    bitstream_sha256: Mapped[str]
    bitstream_bytes: Mapped[int] = mapped_column(BigInteger)
    header_bytes: Mapped[int] = mapped_column(BigInteger)
    payload_bytes: Mapped[int] = mapped_column(BigInteger)
    side_bytes: Mapped[int] = mapped_column(BigInteger)
    decoded_sha256: Mapped[str]
    encode_seconds: Mapped[list[float]] = mapped_column(JSON)
    decode_seconds: Mapped[list[float]] = mapped_column(JSON)
    load_seconds: Mapped[float]
    """Time of the constructor in the worker that measured: imports and weights."""
    contended: Mapped[bool]
    created_at: Mapped[str]
    superseded_at: Mapped[str | None]


NO_SEED = -1


class AttemptTable(Base):
    """A cell, or one metric of a cell, that ended without a result."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_cell", "picture_sha256", "codec_id", "quality", "seed"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    picture_sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))
    codec_id: Mapped[str] = mapped_column(ForeignKey("codecs.id"))
    quality: Mapped[float]
    seed: Mapped[int] = mapped_column(BigInteger)
    metric: Mapped[str | None]
    outcome: Mapped[str]
    stage: Mapped[str]
    exit_code: Mapped[int | None]
    message: Mapped[str] = mapped_column(Text)
    stderr_tail: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str]


class ScoreTable(Base):
    """One metric's value for one pair of pictures, whichever codec made it."""

    __tablename__ = "scores"
    original_sha256: Mapped[str] = mapped_column(primary_key=True)
    decoded_sha256: Mapped[str] = mapped_column(primary_key=True)
    metric_id: Mapped[str] = mapped_column(ForeignKey("metrics.id"), primary_key=True)
    value: Mapped[float | None]
    lossless: Mapped[bool]
    seconds: Mapped[float]
    """Time of the scoring call: contended, for estimates only."""

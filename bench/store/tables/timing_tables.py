"""The tables of the timing pass: what calls cost, and what decoders open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .schema import Base

CURRENT = "superseded_at IS NULL"
TIMING = "timing"
"""Stands in an attempt's column ``metric`` where the timing pass failed."""


class TimingTable(Base):
    """One picture x codec x quality on one machine with one thread count, timed with nothing else running.

    Lists hold one number a repeat, in the order of the calls. What a machine or codec does not have is NULL.
    """

    __tablename__ = "timings"
    __table_args__ = (
        Index(
            "uq_timings_cell",
            "picture_sha256",
            "codec_id",
            "quality",
            "machine_id",
            "threads",
            unique=True,
            sqlite_where=text(CURRENT),
            postgresql_where=text(CURRENT),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    picture_sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))
    codec_id: Mapped[str] = mapped_column(ForeignKey("codecs.id"), index=True)
    quality: Mapped[float]
    machine_id: Mapped[str] = mapped_column(ForeignKey("machines.id"))
    threads: Mapped[int]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    bitstream_bytes: Mapped[int] = mapped_column(BigInteger)
    encode_seconds: Mapped[list[float]] = mapped_column(JSON)
    decode_seconds: Mapped[list[float]] = mapped_column(JSON)
    encode_cpu_seconds: Mapped[list[float]] = mapped_column(JSON)
    decode_cpu_seconds: Mapped[list[float]] = mapped_column(JSON)
    encode_device_span_seconds: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    decode_device_span_seconds: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    encode_energy_joules: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    decode_energy_joules: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    other_shares: Mapped[list[float]] = mapped_column(JSON)
    """Share of the cores that other processes used during each repeat."""
    encode_gpu_busy_seconds: Mapped[float | None]
    decode_gpu_busy_seconds: Mapped[float | None]
    empty_mib: Mapped[float]
    """Resident memory of the worker before it loaded the codec."""
    encode_peak_mib: Mapped[float | None]
    decode_peak_mib: Mapped[float | None]
    encode_peak_gpu_mib: Mapped[float | None]
    decode_peak_gpu_mib: Mapped[float | None]
    encode_macs: Mapped[int | None] = mapped_column(BigInteger)
    decode_macs: Mapped[int | None] = mapped_column(BigInteger)
    load_seconds: Mapped[float]
    load_before: Mapped[float]
    """The machine's load average over a minute before the first repeat."""
    load_after: Mapped[float]
    loaded: Mapped[bool]
    """Whether others used the machine during half of the repeats or more."""
    created_at: Mapped[str]
    superseded_at: Mapped[str | None]


class FootprintTable(Base):
    """What files a codec's decoder opens on one machine, seen by the kernel in a process of its own."""

    __tablename__ = "footprints"

    codec_id: Mapped[str] = mapped_column(ForeignKey("codecs.id"), primary_key=True)
    machine_id: Mapped[str] = mapped_column(ForeignKey("machines.id"), primary_key=True)
    weights_bytes: Mapped[int] = mapped_column(BigInteger)
    library_bytes: Mapped[int] = mapped_column(BigInteger)
    """Shared libraries and programs beside the interpreter's and the runtime's."""
    runtime: Mapped[str]
    """Names and versions of the frameworks that it ran on, which are not counted; empty for none."""
    files: Mapped[dict[str, Any]] = mapped_column(JSON)
    """``weights`` and ``libraries``: bytes by file name."""
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    created_at: Mapped[str]

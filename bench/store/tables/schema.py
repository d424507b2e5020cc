"""All tables of the store, under one Alembic history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, MetaData, Text, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEAD = "r0003"
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
    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy reads this plain dictionary


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
    imported: Mapped[bool] = mapped_column(server_default=false())
    """Whether its rows come from a file: it has no encoder and no decoder here."""
    provenance: Mapped[str | None] = mapped_column(Text)
    """Where imported rows come from, in the importer's words and with the file's hash."""
    generator: Mapped[str | None]
    """The image generator whose weights its decoder holds."""


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
    """The value of identical pixels; NULL where it is infinite or depends on the picture."""
    lowest: Mapped[float | None]
    """The lowest value that the definition allows; NULL where there is none."""
    highest: Mapped[float | None]
    title: Mapped[str] = mapped_column(server_default="")
    """As tables call it; empty for the name. This and what follows is no part of the identity."""
    unit: Mapped[str] = mapped_column(server_default="")
    decimals: Mapped[int | None]
    curve_scale: Mapped[str] = mapped_column(server_default="linear")
    """``linear``, or ``decibel`` for similarities that crowd against 1."""
    default_order: Mapped[int | None]


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
    call: Mapped[list[str] | None]
    """The command and its options, but for the suite, the store and the workers."""
    machine_id: Mapped[str] = mapped_column(ForeignKey("machines.id"))
    workers: Mapped[int]
    planned_cells: Mapped[int]
    status: Mapped[str]
    """``running``, ``finished``, ``interrupted``, or ``killed`` where it ended without a word."""
    started_at: Mapped[str]
    finished_at: Mapped[str | None]
    seen_at: Mapped[str | None]
    """When it was last known to run."""


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
    rate_kind: Mapped[str] = mapped_column(server_default="bytes")
    """``bytes`` of a bitstream that was written, or ``estimated`` by whoever made the imported picture."""
    decoded_sha256: Mapped[str]
    encode_seconds: Mapped[list[float]] = mapped_column(JSON)
    decode_seconds: Mapped[list[float]] = mapped_column(JSON)
    load_seconds: Mapped[float]
    """Time of the constructor in the worker that measured: imports and weights."""
    contended: Mapped[bool]
    probe: Mapped[bool] = mapped_column(server_default=false())
    """Whether a search for a rate or score asked for it and no suite has; such rows are on no mean curve."""
    created_at: Mapped[str]
    superseded_at: Mapped[str | None]


class MatchTable(Base):
    """Where a search for a rate or score ended: one picture's setting, or one for all pictures of a set."""

    __tablename__ = "matches"
    __table_args__ = (Index("ix_matches_codec", "codec_id", "target_kind", "target"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]
    """``picture`` or ``set``."""
    image_set: Mapped[str] = mapped_column(index=True)
    """The set that the search ran over; a picture's match holds in every set it is in."""
    picture_sha256: Mapped[str | None] = mapped_column(ForeignKey("pictures.sha256"), index=True)
    """None where the scope is the set."""
    pictures: Mapped[int]
    """How many pictures share the setting: 1, or those of the set that were searched."""
    codec_id: Mapped[str] = mapped_column(ForeignKey("codecs.id"))
    target_kind: Mapped[str]
    """``bpp``, ``total-bpp``, ``bytes``, or a metric's name."""
    metric_id: Mapped[str | None] = mapped_column(ForeignKey("metrics.id"))
    target: Mapped[float]
    quality: Mapped[float]
    """The setting that comes nearest, on the codec's scale."""
    achieved: Mapped[float | None]
    """None where coding was lossless and the metric is unbounded."""
    probes: Mapped[int]
    """Settings that the search knew in the end."""
    encodes: Mapped[int]
    """Those of them that it had to ask for; settings stored before cost nothing."""
    ended: Mapped[str]
    """``exact``, ``close``, ``nearest`` or ``out of range``."""
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    created_at: Mapped[str]


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
    """``timing`` for the timing pass; NULL where encoding or decoding failed."""
    outcome: Mapped[str]
    stage: Mapped[str]
    exit_code: Mapped[int | None]
    message: Mapped[str] = mapped_column(Text)
    stderr_tail: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str]


class SetMetricTable(Base):
    """One identity of a metric of sets: what was cut into what, described by what."""

    __tablename__ = "set_metrics"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[str]
    extractor: Mapped[str] = mapped_column(Text)
    weights_sha256: Mapped[str | None]
    tile_pixels: Mapped[int | None]
    """NULL where whole pictures are compared."""
    shift_pixels: Mapped[int | None]


class SetScoreTable(Base):
    """A distance between originals and the pictures that one codec made of them at one setting."""

    __tablename__ = "set_scores"
    __table_args__ = (Index("ix_set_scores_codec", "codec_id", "quality"),)

    metric_id: Mapped[str] = mapped_column(ForeignKey("set_metrics.id"), primary_key=True)
    codec_id: Mapped[str] = mapped_column(ForeignKey("codecs.id"), primary_key=True)
    quality: Mapped[float] = mapped_column(primary_key=True)
    seed: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    pool_sha256: Mapped[str] = mapped_column(primary_key=True)
    """Of the pictures' hashes, originals and decoded: a value is shown only while both are current."""
    image_set: Mapped[str] = mapped_column(index=True)
    pictures: Mapped[int]
    views: Mapped[int]
    """Tiles of either side, or whole pictures."""
    value: Mapped[float]
    seconds: Mapped[float]
    created_at: Mapped[str]


class VerificationTable(Base):
    """What became of one stored bitstream when it was decoded again, with nothing else in reach."""

    __tablename__ = "verifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    measurement_id: Mapped[int] = mapped_column(ForeignKey("measurements.id"), index=True)
    outcome: Mapped[str]
    """``identical``, ``within tolerance``, ``differs`` or ``failed``."""
    largest_difference: Mapped[int | None]
    """In 8-bit levels; NULL where the pixels of the measurement could not be had."""
    isolation: Mapped[str]
    """``bubblewrap``, ``unshare`` or ``none``."""
    encoder_repeats: Mapped[bool | None]
    """Whether the encoder wrote the same bytes again; NULL where it was not asked to."""
    message: Mapped[str] = mapped_column(Text)
    machine_id: Mapped[str] = mapped_column(ForeignKey("machines.id"))
    created_at: Mapped[str]


class PublishedTable(Base):
    """One setting of a codec as somebody published it: means over a set, computed by other code."""

    __tablename__ = "published"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_set: Mapped[str] = mapped_column(index=True)
    codec: Mapped[str]
    bits_per_pixel: Mapped[float]
    rate_kind: Mapped[str] = mapped_column(server_default="bytes")
    """``bytes`` of bitstreams, or ``estimated`` from the likelihoods of an entropy model."""
    scores: Mapped[dict[str, float]] = mapped_column(JSON)
    quality: Mapped[float | None]
    encode_seconds: Mapped[float | None]
    decode_seconds: Mapped[float | None]
    provenance: Mapped[str] = mapped_column(Text)
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


class DerivedTable(Base):
    """A computed answer that took long; may be dropped at any time."""

    __tablename__ = "derived"

    key: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the question, the rows it was answered from and the version of the method."""
    question: Mapped[str] = mapped_column(index=True)
    """SHA-256 of the question alone: a new answer replaces the old one."""
    value: Mapped[dict[str, Any]]
    created_at: Mapped[str]

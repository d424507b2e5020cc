"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

# Alembic runs this file by path, outside the package: no relative import reaches the other tables.
from codecarena.bench.store.migrations import first_release_pictures as pictures  # pyright: ignore[reportMissingImports]
from codecarena.bench.store.migrations import first_release_studies as studies  # pyright: ignore[reportMissingImports]

revision = "r0001"
"""Not ``0001``: stores that were made before the first release bear that, with other tables."""
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; nothing was there before them."""
    pictures.create()
    _create_results()
    _create_evidence()
    studies.create()


def _create_results() -> None:
    op.create_table(
        "codecs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("stochastic", sa.Boolean(), nullable=False),
        sa.Column("toy", sa.Boolean(), nullable=False),
        sa.Column("tolerance_levels", sa.Integer(), nullable=False),
        sa.Column("weights_sha256", sa.String(), nullable=True),
        sa.Column("weights_bytes", sa.BigInteger(), nullable=False),
        sa.Column("trained_on", sa.String(), nullable=True),
        sa.Column("imported", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=True),
        sa.Column("generator", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codecs")),
    )
    op.create_table(
        "metrics",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("implementation", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("colour_space", sa.String(), nullable=False),
        sa.Column("weights_sha256", sa.String(), nullable=True),
        sa.Column("better", sa.String(), nullable=False),
        sa.Column("perfect", sa.Double(), nullable=True),
        sa.Column("lowest", sa.Double(), nullable=True),
        sa.Column("highest", sa.Double(), nullable=True),
        sa.Column("title", sa.String(), server_default="", nullable=False),
        sa.Column("unit", sa.String(), server_default="", nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=True),
        sa.Column("curve_scale", sa.String(), server_default="linear", nullable=False),
        sa.Column("default_order", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metrics")),
    )
    op.create_table(
        "machines",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("description", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machines")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("suite", sa.String(), nullable=False),
        sa.Column("suite_text", sa.Text(), nullable=False),
        sa.Column("call", sa.JSON(), nullable=True),
        sa.Column("machine_id", sa.String(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("process_id", sa.Integer(), nullable=False),
        sa.Column("planned_cells", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=False),
        sa.Column("finished_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["machine_id"], ["machines.id"], name=op.f("fk_runs_machine_id_machines")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_table(
        "measurements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("picture_sha256", sa.String(), nullable=False),
        sa.Column("codec_id", sa.String(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("bitstream_sha256", sa.String(), nullable=False),
        sa.Column("bitstream_bytes", sa.BigInteger(), nullable=False),
        sa.Column("header_bytes", sa.BigInteger(), nullable=False),
        sa.Column("payload_bytes", sa.BigInteger(), nullable=False),
        sa.Column("side_bytes", sa.BigInteger(), nullable=False),
        sa.Column("decoded_sha256", sa.String(), nullable=False),
        sa.Column("encode_seconds", sa.JSON(), nullable=False),
        sa.Column("decode_seconds", sa.JSON(), nullable=False),
        sa.Column("load_seconds", sa.Double(), nullable=False),
        sa.Column("contended", sa.Boolean(), nullable=False),
        sa.Column("probe", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("superseded_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["codec_id"], ["codecs.id"], name=op.f("fk_measurements_codec_id_codecs")),
        sa.ForeignKeyConstraint(
            ["picture_sha256"], ["pictures.sha256"], name=op.f("fk_measurements_picture_sha256_pictures")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_measurements_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurements")),
    )
    op.create_index(op.f("ix_measurements_codec_id"), "measurements", ["codec_id"], unique=False)
    op.create_index("ix_measurements_decoded", "measurements", ["decoded_sha256"], unique=False)
    op.create_index(
        "uq_measurements_cell",
        "measurements",
        ["picture_sha256", "codec_id", "quality", "seed"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("picture_sha256", sa.String(), nullable=False),
        sa.Column("codec_id", sa.String(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("metric", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("stderr_tail", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["codec_id"], ["codecs.id"], name=op.f("fk_attempts_codec_id_codecs")),
        sa.ForeignKeyConstraint(
            ["picture_sha256"], ["pictures.sha256"], name=op.f("fk_attempts_picture_sha256_pictures")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_attempts_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(
        "ix_attempts_cell", "attempts", ["picture_sha256", "codec_id", "quality", "seed"], unique=False
    )
    op.create_table(
        "scores",
        sa.Column("original_sha256", sa.String(), nullable=False),
        sa.Column("decoded_sha256", sa.String(), nullable=False),
        sa.Column("metric_id", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("lossless", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["metric_id"], ["metrics.id"], name=op.f("fk_scores_metric_id_metrics")),
        sa.PrimaryKeyConstraint("original_sha256", "decoded_sha256", "metric_id", name=op.f("pk_scores")),
    )
    op.create_table(
        "matches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("image_set", sa.String(), nullable=False),
        sa.Column("picture_sha256", sa.String(), nullable=True),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("codec_id", sa.String(), nullable=False),
        sa.Column("target_kind", sa.String(), nullable=False),
        sa.Column("metric_id", sa.String(), nullable=True),
        sa.Column("target", sa.Double(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("achieved", sa.Double(), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("encodes", sa.Integer(), nullable=False),
        sa.Column("ended", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["codec_id"], ["codecs.id"], name=op.f("fk_matches_codec_id_codecs")),
        sa.ForeignKeyConstraint(["metric_id"], ["metrics.id"], name=op.f("fk_matches_metric_id_metrics")),
        sa.ForeignKeyConstraint(
            ["picture_sha256"], ["pictures.sha256"], name=op.f("fk_matches_picture_sha256_pictures")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_matches_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matches")),
    )
    op.create_index("ix_matches_codec", "matches", ["codec_id", "target_kind", "target"], unique=False)
    op.create_index(op.f("ix_matches_image_set"), "matches", ["image_set"], unique=False)
    op.create_index(op.f("ix_matches_picture_sha256"), "matches", ["picture_sha256"], unique=False)


def _create_evidence() -> None:
    op.create_table(
        "verifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("measurement_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("largest_difference", sa.Integer(), nullable=True),
        sa.Column("isolation", sa.String(), nullable=False),
        sa.Column("encoder_repeats", sa.Boolean(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_verifications_machine_id_machines")
        ),
        sa.ForeignKeyConstraint(
            ["measurement_id"], ["measurements.id"], name=op.f("fk_verifications_measurement_id_measurements")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifications")),
    )
    op.create_index(
        op.f("ix_verifications_measurement_id"), "verifications", ["measurement_id"], unique=False
    )
    op.create_table(
        "timings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("picture_sha256", sa.String(), nullable=False),
        sa.Column("codec_id", sa.String(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("machine_id", sa.String(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("bitstream_bytes", sa.BigInteger(), nullable=False),
        sa.Column("encode_seconds", sa.JSON(), nullable=False),
        sa.Column("decode_seconds", sa.JSON(), nullable=False),
        sa.Column("encode_cpu_seconds", sa.JSON(), nullable=False),
        sa.Column("decode_cpu_seconds", sa.JSON(), nullable=False),
        sa.Column("encode_device_span_seconds", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("decode_device_span_seconds", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("encode_energy_joules", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("decode_energy_joules", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("other_shares", sa.JSON(), nullable=False),
        sa.Column("encode_gpu_busy_seconds", sa.Double(), nullable=True),
        sa.Column("decode_gpu_busy_seconds", sa.Double(), nullable=True),
        sa.Column("empty_mib", sa.Double(), nullable=False),
        sa.Column("encode_peak_mib", sa.Double(), nullable=True),
        sa.Column("decode_peak_mib", sa.Double(), nullable=True),
        sa.Column("encode_peak_gpu_mib", sa.Double(), nullable=True),
        sa.Column("decode_peak_gpu_mib", sa.Double(), nullable=True),
        sa.Column("encode_macs", sa.BigInteger(), nullable=True),
        sa.Column("decode_macs", sa.BigInteger(), nullable=True),
        sa.Column("load_seconds", sa.Double(), nullable=False),
        sa.Column("load_before", sa.Double(), nullable=False),
        sa.Column("load_after", sa.Double(), nullable=False),
        sa.Column("loaded", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("superseded_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["codec_id"], ["codecs.id"], name=op.f("fk_timings_codec_id_codecs")),
        sa.ForeignKeyConstraint(["machine_id"], ["machines.id"], name=op.f("fk_timings_machine_id_machines")),
        sa.ForeignKeyConstraint(
            ["picture_sha256"], ["pictures.sha256"], name=op.f("fk_timings_picture_sha256_pictures")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_timings_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timings")),
    )
    op.create_index(op.f("ix_timings_codec_id"), "timings", ["codec_id"], unique=False)
    op.create_index(
        "uq_timings_cell",
        "timings",
        ["picture_sha256", "codec_id", "quality", "machine_id", "threads"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "footprints",
        sa.Column("codec_id", sa.String(), nullable=False),
        sa.Column("machine_id", sa.String(), nullable=False),
        sa.Column("weights_bytes", sa.BigInteger(), nullable=False),
        sa.Column("library_bytes", sa.BigInteger(), nullable=False),
        sa.Column("runtime", sa.String(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["codec_id"], ["codecs.id"], name=op.f("fk_footprints_codec_id_codecs")),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name=op.f("fk_footprints_machine_id_machines")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_footprints_run_id_runs")),
        sa.PrimaryKeyConstraint("codec_id", "machine_id", name=op.f("pk_footprints")),
    )
    op.create_table(
        "set_metrics",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("extractor", sa.Text(), nullable=False),
        sa.Column("weights_sha256", sa.String(), nullable=True),
        sa.Column("tile_pixels", sa.Integer(), nullable=True),
        sa.Column("shift_pixels", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_metrics")),
    )
    op.create_table(
        "set_scores",
        sa.Column("metric_id", sa.String(), nullable=False),
        sa.Column("codec_id", sa.String(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("pool_sha256", sa.String(), nullable=False),
        sa.Column("image_set", sa.String(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["codec_id"], ["codecs.id"], name=op.f("fk_set_scores_codec_id_codecs")),
        sa.ForeignKeyConstraint(
            ["metric_id"], ["set_metrics.id"], name=op.f("fk_set_scores_metric_id_set_metrics")
        ),
        sa.PrimaryKeyConstraint(
            "metric_id", "codec_id", "quality", "seed", "pool_sha256", name=op.f("pk_set_scores")
        ),
    )
    op.create_index("ix_set_scores_codec", "set_scores", ["codec_id", "quality"], unique=False)
    op.create_index(op.f("ix_set_scores_image_set"), "set_scores", ["image_set"], unique=False)
    op.create_table(
        "published",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_set", sa.String(), nullable=False),
        sa.Column("codec", sa.String(), nullable=False),
        sa.Column("bits_per_pixel", sa.Double(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=True),
        sa.Column("encode_seconds", sa.Double(), nullable=True),
        sa.Column("decode_seconds", sa.Double(), nullable=True),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published")),
    )
    op.create_index(op.f("ix_published_image_set"), "published", ["image_set"], unique=False)
    op.create_table(
        "derived",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_derived")),
    )
    op.create_index(op.f("ix_derived_question"), "derived", ["question"], unique=False)

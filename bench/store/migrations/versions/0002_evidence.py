"""Evidence: timings, verification, searches, set metrics, derived numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    _create_verifications()
    _create_published()
    with op.batch_alter_table("codecs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("imported", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("provenance", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("generator", sa.String(), nullable=True))
    _create_matches()
    _create_set_scores()
    _create_timings()
    _create_derived()
    with op.batch_alter_table("measurements", schema=None) as batch_op:
        batch_op.add_column(sa.Column("probe", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("derived")
    op.drop_table("footprints")
    op.drop_table("timings")
    op.drop_table("verifications")
    op.drop_table("published")
    with op.batch_alter_table("codecs", schema=None) as batch_op:
        batch_op.drop_column("generator")
        batch_op.drop_column("provenance")
        batch_op.drop_column("imported")
    with op.batch_alter_table("measurements", schema=None) as batch_op:
        batch_op.drop_column("probe")
    op.drop_table("matches")
    op.drop_table("set_scores")
    op.drop_table("set_metrics")


def _create_derived() -> None:
    op.create_table(
        "derived",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_derived")),
    )
    with op.batch_alter_table("derived", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_derived_question"), ["question"], unique=False)


def _create_matches() -> None:
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
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.create_index("ix_matches_codec", ["codec_id", "target_kind", "target"], unique=False)
        batch_op.create_index(batch_op.f("ix_matches_image_set"), ["image_set"], unique=False)
        batch_op.create_index(batch_op.f("ix_matches_picture_sha256"), ["picture_sha256"], unique=False)


def _create_set_scores() -> None:
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
    with op.batch_alter_table("set_scores", schema=None) as batch_op:
        batch_op.create_index("ix_set_scores_codec", ["codec_id", "quality"], unique=False)
        batch_op.create_index(batch_op.f("ix_set_scores_image_set"), ["image_set"], unique=False)


def _create_verifications() -> None:
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
    with op.batch_alter_table("verifications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verifications_measurement_id"), ["measurement_id"], unique=False)


def _create_timings() -> None:
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
        sa.Column("encode_device_span_seconds", sa.JSON(), nullable=True),
        sa.Column("decode_device_span_seconds", sa.JSON(), nullable=True),
        sa.Column("encode_energy_joules", sa.JSON(), nullable=True),
        sa.Column("decode_energy_joules", sa.JSON(), nullable=True),
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


def _create_published() -> None:
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
    with op.batch_alter_table("published", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_published_image_set"), ["image_set"], unique=False)

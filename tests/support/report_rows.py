"""Made-up measurements in which no two numbers are alike, and a part of a store that holds answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metric_rows import metric_row

from codecarena.bench.analysis.at_target import AtRateRow, AtScoreRow
from codecarena.bench.analysis.coverage import CodecSummary
from codecarena.bench.records.rows import Failure, MatchRow, MetricRow, Score, ScoredCell, Verdict
from codecarena.bench.store.timings import Side, Timing, TimingRow
from codecarena.reports.tables import digits
from codecarena.reports.tables.table import Column, Entry, Row, Table

PSNR = metric_row("psnr-id-0", "psnr", "codecarena", "0.1", "RGB", "higher", None)
MS_SSIM = metric_row("ms-ssim-id", "ms-ssim", "codecarena", "0.2", "RGB", "higher", 1.0)
BUTTERAUGLI = metric_row("butter-id", "butteraugli", "libjxl", "0.11", "XYB", "lower", 0.0)

CELL = ScoredCell(
    image_set="drawn", picture="otter.png", picture_sha256="original", kind="ai-generated", pixel_count=484,
    codec_id="latent-id", codec="latent(steps=4)", family="generative", toy=True, quality=0.75, seed=5,
    bitstream_bytes=121, bitstream_sha256="bits", decoded_sha256="decoded",
    encode_seconds=(0.5, 0.2, 0.3), decode_seconds=(1.7, 1.1, 1.3), contended=True,
    scores={PSNR.metric_id: Score(31.25), BUTTERAUGLI.metric_id: Score(2.5)}, probe=False,
    picture_generator="SDXL Turbo", codec_generator="CompVis/stable-diffusion-v1-4",
    header_bytes=7, payload_bytes=101, side_bytes=13, verdict=Verdict("differs", "unshare", False),
)  # fmt: skip
"""2 bits per pixel; medians 0.3 s and 1.3 s."""

TIMING = Timing(
    bitstream_bytes=50_000,
    encode=Side((0.3, 0.1, 0.9), (0.5, 0.6, 1.9), gpu_busy_seconds=0.02, peak_mib=310.0, peak_gpu_mib=1100.0,
                macs=34_080_000),
    decode=Side((0.08, 0.05, 0.4), (0.09, 0.11, 0.2), gpu_busy_seconds=0.03, peak_mib=270.0,
                peak_gpu_mib=1300.0, macs=26_060_000),
    other_shares=(0.0, 0.01, 0.02), empty_mib=41.0, load_seconds=1.7, load_before=0.1, load_after=0.2,
    loaded=False,
)  # fmt: skip
TIMED = TimingRow(
    image_set="photos", picture="a.png", picture_sha256="a", pixel_count=200_000, codec_id="latent-id",
    codec="latent", family="generative", toy=False, quality=3.0, machine_id="desk", threads=2, run_id=1,
    timing=TIMING,
)  # fmt: skip
"""2 bits per pixel; a fifth of a megapixel, so that a second is 5,000 ms a megapixel."""


def summary(label: str, **changes: Any) -> CodecSummary:
    """Return what stands beside a codec's numbers; its id is ``<label>-id``."""
    known: dict[str, Any] = {
        "codec_id": f"{label}-id", "label": label, "family": "classic", "toy": False, "pictures": 7,
        "of_pictures": 9, "lowest_rate": 0.05, "highest_rate": 2.5,
    }  # fmt: skip
    return CodecSummary(**{**known, **changes})


@dataclass
class Answers:
    """A part of a store that gives the answers that it was made with."""

    boards: Mapping[str, Any] = field(default_factory=dict)
    """By metric id."""
    rate_rows: Sequence[AtRateRow] = ()
    score_rows: Sequence[AtScoreRow] = ()
    comparisons: Mapping[str, Any] = field(default_factory=dict)
    near: Mapping[tuple[str, Any], int] = field(default_factory=dict)
    image_set: str = "photos"
    all_metrics: list[MetricRow] = field(default_factory=lambda: [PSNR, MS_SSIM, BUTTERAUGLI])
    cells: Sequence[ScoredCell] = ()
    failures: Sequence[Failure] = ()
    matches: Sequence[MatchRow] = ()
    scope: str = "photos | every kind"
    picture_names: Mapping[str, str] = field(default_factory=dict)

    def title(self, metric: MetricRow) -> str:
        return digits.metric_title(metric, self.all_metrics)

    def comparison(self, metric: MetricRow) -> Any:
        return self.comparisons[metric.metric_id]

    def board(self, metric: MetricRow, anchor: str, method: str = "pchip") -> Any:
        return self.boards[metric.metric_id]

    def at_rate(self, metrics: Sequence[MetricRow], bits_per_pixel: float) -> list[AtRateRow]:
        return list(self.rate_rows)

    def at_score(self, metric: MetricRow, score: float) -> list[AtScoreRow]:
        return list(self.score_rows)

    def rows(self, metric: MetricRow) -> Any:
        return iter([metric.metric_id.encode()])

    def affinities(self) -> Mapping[tuple[str, Any], int]:
        return self.near

    def split(self, metric: MetricRow, anchor: str, method: str = "pchip") -> Any:
        raise NotImplementedError


class Kept:
    """Somebody who remembers the answers to questions, by how a question begins."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.questions: list[str] = []

    def answer(self, kind: type, question: str, rows: Any, compute: Callable[[], Any]) -> Any:
        self.questions.append(question)
        known = [
            value for start, value in self.answers.items() if question.startswith(start.replace("_", " "))
        ]
        return known[0] if known else compute()


def texts(table: Table) -> list[list[str]]:
    """Return what every row shows."""
    return [[entry.text for entry in row.entries] for row in table.rows]


def values(table: Table) -> list[list[float | None]]:
    """Return what every row sorts by."""
    return [[entry.value for entry in row.entries] for row in table.rows]


def text_columns(table: Table) -> list[str]:
    """Return the headings of the columns that hold no numbers."""
    return [column.heading for column in table.columns if not column.numeric]


WIDE = Table(
    "Title",
    (Column("Codec", numeric=False), Column("Rate", "bits/pixel", help="of <it>"),
     Column("Range", "dB", numeric=False)),
    (Row((Entry("jpeg"), Entry("0.25 (0.10…0.50)", 0.25, "better", 'a "hint"'), Entry("20.00…45.00")),
         {"codec": "jpeg", "rate": 0.25}),
     Row((Entry("zip"), Entry("–"), Entry(41 * "m")), {"codec": "zip"})),
    ("first note", "second note"),
)  # fmt: skip

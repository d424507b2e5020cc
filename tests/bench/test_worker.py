"""What a worker says of a job, codec and clock made up: whose time is whose, what is kept, what fails."""

from __future__ import annotations

import gc
import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measuring import INFO, SPEC, Clock, MadeUpCodec, MadeUpMetric, original_of
from numpy.typing import NDArray

from codecarena.bench.metrics.base import InapplicableError, MetricError
from codecarena.bench.records.messages import (
    Began,
    Cell,
    CodecSpec,
    DecodeAgain,
    DecodedAgain,
    DecodedSize,
    Describe,
    EncodeAgain,
    EncodedAgain,
    Failed,
    Identified,
    Identify,
    Measured,
    Peek,
    Peeked,
    Scored,
    Stored,
)
from codecarena.bench.store.blobs import Blobs
from codecarena.bench.worker import measure
from codecarena.bench.worker.measure import Worker, timed
from codecarena.codecs.base import CodecError, Picture, RateParts
from codecarena.datasets.pixels import pixels_sha256

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 8, 3), dtype=np.uint8)
SHA256 = pixels_sha256(PIXELS)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(measure, "perf_counter", clock)
    return clock


@pytest.fixture
def codec(clock: Clock) -> MadeUpCodec:
    return MadeUpCodec(clock)


@pytest.fixture
def metric(clock: Clock) -> MadeUpMetric:
    return MadeUpMetric(clock)


@pytest.fixture
def worker(codec: MadeUpCodec, metric: MadeUpMetric) -> Worker:
    worker = Worker()
    worker.codecs[SPEC], worker.load_seconds[SPEC] = codec, 0.75
    worker.metrics["mean"] = metric
    return worker


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    original = original_of(tmp_path / "a.png", PIXELS)
    return Cell(original, SPEC, "id", 4.0, None, ("mean",), str(tmp_path / "blobs"), repeats=2)


def stream(count: int = 1, quality: int = 4) -> bytes:
    return bytes((5, 8, quality, count)) + PIXELS.tobytes() + b"side."


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_encoding_decoding_and_scoring_are_told_apart_and_every_repeat_is_kept(
    worker: Worker, cell: Cell, codec: MadeUpCodec
) -> None:
    decoded = PIXELS // 2
    assert list(worker.run(cell)) == [
        Began("encode"),
        Began("decode"),
        Measured(
            bitstream_sha256=sha(stream()),
            parts=RateParts(header_bytes=4, payload_bytes=120, side_bytes=5),
            bitstream_bytes=129,
            decoded_sha256=pixels_sha256(decoded),
            encode_seconds=(2.0, 3.0),
            decode_seconds=(7.0, 11.0),
            load_seconds=0.75,
        ),
        Began("score", "mean"),
        Scored("mean", pytest.approx(decoded.mean() - PIXELS.mean()), lossless=False, seconds=0.25),
    ]
    assert Blobs(Path(cell.blobs)).bitstream(sha(stream())) == stream()
    assert [(caption, quality) for _, caption, quality in codec.encoded] == [("a caption", 4.0)] * 2
    assert codec.decoded == [(stream(), None)] * 2, "the first bitstream is the one that is stored"


def test_another_seed_decodes_the_stored_bitstream_and_encodes_nothing(
    worker: Worker, cell: Cell, codec: MadeUpCodec
) -> None:
    Blobs(Path(cell.blobs)).put_bitstream(stream(9))
    messages = list(worker.run(replace(cell, seed=3, bitstream_sha256=sha(stream(9)))))
    measured = next(message for message in messages if isinstance(message, Measured))
    assert (measured.bitstream_sha256, measured.encode_seconds) == (sha(stream(9)), ())
    assert measured.decode_seconds == (7.0, 11.0)
    assert measured.decoded_sha256 == pixels_sha256(PIXELS // 2 + 3)
    assert (codec.encoded, codec.decoded) == ([], [(stream(9), 3)] * 2)


@pytest.mark.parametrize("kept", [True, False])
def test_a_stored_cell_is_scored_without_encoding(
    worker: Worker, cell: Cell, codec: MadeUpCodec, kept: bool
) -> None:
    blobs, decoded = Blobs(Path(cell.blobs)), PIXELS // 2 + 3
    stored = Stored(blobs.put_bitstream(stream()), pixels_sha256(decoded))
    if kept:
        blobs.put_decoded(stored.decoded_sha256, decoded)
    messages = list(worker.run(replace(cell, seed=3, stored=stored)))
    assert messages[:2] == [Began("decode"), Began("score", "mean")]
    assert messages[2:] == [Scored("mean", pytest.approx(decoded.mean() - PIXELS.mean()), False, 0.25)]
    assert codec.encoded == []
    assert codec.decoded == ([] if kept else [(stream(), 3)])
    assert blobs.decoded_path(stored.decoded_sha256).exists(), "the next metric need not decode again"


def test_a_damaged_picture_of_decoded_pixels_is_decoded_anew(
    worker: Worker, cell: Cell, codec: MadeUpCodec
) -> None:
    blobs, decoded = Blobs(Path(cell.blobs)), PIXELS // 2 + 3
    stored = Stored(blobs.put_bitstream(stream()), pixels_sha256(decoded))
    for content in (b"half a PN", blobs.put_decoded("other", PIXELS).read_bytes()):
        kept = blobs.put_decoded(stored.decoded_sha256, decoded)
        kept.write_bytes(content)
        *_, scored = worker.run(replace(cell, seed=3, stored=stored))
        assert scored == Scored("mean", pytest.approx(decoded.mean() - PIXELS.mean()), False, 0.25)
    assert codec.decoded == [(stream(), 3)] * 2
    assert codec.encoded == []


def test_a_stored_bitstream_that_gives_other_pixels_now_is_a_failure_of_the_decoder(
    worker: Worker, cell: Cell
) -> None:
    stored = Stored(Blobs(Path(cell.blobs)).put_bitstream(stream()), "0" * 64)
    began, failed = worker.run(replace(cell, stored=stored))
    assert began == Began("decode")
    assert isinstance(failed, Failed)
    assert (failed.outcome, failed.stage, failed.metric) == ("error", "decode", None)
    assert f"hash {pixels_sha256(PIXELS // 2)[:12]}" in failed.message
    assert "use --force made-up" in failed.message


@pytest.mark.parametrize(
    ("keep_decoded", "stochastic", "decode_costs", "kept"),
    [
        (False, False, (7.0, 1.0), False),
        (False, False, (7.0, 1.001), True),
        (False, False, (0.1, 7.0), False),
        (True, False, (0.1, 0.1), True),
        (False, True, (0.1, 0.1), True),
    ],
)
def test_decoded_pictures_are_kept_where_asked_for_or_where_decoding_again_is_slow_or_at_random(
    worker: Worker,
    cell: Cell,
    codec: MadeUpCodec,
    keep_decoded: bool,
    stochastic: bool,
    decode_costs: tuple[float, float],
    kept: bool,
) -> None:
    codec.decode_costs, codec.info = decode_costs, replace(INFO, stochastic=stochastic)
    list(worker.run(replace(cell, keep_decoded=keep_decoded)))
    assert Blobs(Path(cell.blobs)).decoded_path(pixels_sha256(PIXELS // 2)).exists() is kept


class Faulty(MadeUpCodec):
    """Has one method replaced."""

    def __init__(self, clock: Clock, method: str, answer: object) -> None:
        super().__init__(clock)

        def replaced(*_: object) -> object:
            if isinstance(answer, Exception):
                raise answer
            return answer

        setattr(self, method, replaced)


@pytest.mark.parametrize(
    ("method", "answer", "stage", "message"),
    [
        ("encode", CodecError("no such colour"), "encode", "no such colour"),
        ("encode", ValueError("bad"), "encode", "ValueError: bad"),
        ("encode", b"", "encode", "the encoder returned no bytes"),
        ("decode", CodecError("cut off"), "decode", "cut off"),
        ("decode", PIXELS[:4], "decode", "decoded to 8x4, the original is 8x5"),
        ("decode", PIXELS[:, :7], "decode", "decoded to 7x5, the original is 8x5"),
        ("decode", PIXELS.astype(float), "decode", "expected uint8 pixels"),
        ("breakdown", RateParts(1, 2, 3), "decode", "the breakdown counts 6 bytes of a bitstream of 129"),
    ],
)
def test_a_failure_names_the_stage_that_failed(
    worker: Worker, cell: Cell, clock: Clock, method: str, answer: object, stage: str, message: str
) -> None:
    worker.codecs[SPEC] = Faulty(clock, method, answer)
    *_, failed = worker.run(cell)
    assert isinstance(failed, Failed)
    assert (failed.outcome, failed.stage, failed.metric) == ("error", stage, None)
    assert message in failed.message


def test_a_picture_that_is_not_the_planned_one_fails_at_loading(worker: Worker, cell: Cell) -> None:
    original = replace(cell.original, sha256="f" * 64)
    (failed,) = worker.run(replace(cell, original=original))
    assert isinstance(failed, Failed)
    assert failed.stage == "load"
    assert (
        f"expected pixels of hash ffffffffffff, by its manifest or as they were first read, got {SHA256[:12]}"
        in (failed.message)
    )


def test_a_codec_that_does_not_load_fails_at_loading(worker: Worker, cell: Cell) -> None:
    (failed,) = worker.run(replace(cell, codec=CodecSpec("jpeg", (("subsampling", "5:5:5"),))))
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.outcome) == ("load", "error")


def test_an_original_is_prepared_once_for_all_its_cells_and_anew_for_the_next_one(
    worker: Worker, cell: Cell, metric: MadeUpMetric, tmp_path: Path
) -> None:
    other = replace(cell, original=original_of(tmp_path / "b.png", PIXELS[:, ::-1]))
    for entry, prepared in ((cell, 1), (replace(cell, quality=6.0), 1), (other, 2), (cell, 3)):
        list(worker.run(entry))
        assert metric.prepared == prepared


def refused(message: str) -> Failed:
    return Failed("error", "score", message, "mean")


@pytest.mark.parametrize(
    ("perfect", "answer", "lossless", "expected"),
    [
        (100.0, 71.5, False, Scored("mean", 71.5, False, 0.25)),
        (100.0, 100.0, True, Scored("mean", 100.0, True, 0.25)),
        (math.inf, 41.5, False, Scored("mean", 41.5, False, 0.25)),
        # Equal pixels are not looked at by a metric without an upper end.
        (math.inf, 41.5, True, Scored("mean", None, True, 0.0)),
        (math.inf, math.inf, False, Scored("mean", None, False, 0.25)),
        (
            math.inf,
            -math.inf,
            False,
            refused("mean: -inf is no score of differing pictures"),
        ),
        (100.0, math.inf, False, refused("mean: inf is no score of differing pictures")),
        (
            None,
            math.nan,
            False,
            refused("mean: nan is no score of differing pictures"),
        ),
        (1.0, InapplicableError("no face"), False, Scored("mean", None, False, 0.0, applicable=False)),
        (1.0, MetricError("too small"), False, refused("too small")),
        (1.0, KeyError("x"), False, refused("KeyError: 'x'")),
    ],
)
def test_a_score_is_a_number_or_says_why_it_is_none(
    worker: Worker,
    metric: MadeUpMetric,
    perfect: float | None,
    answer: float | Exception,
    lossless: bool,
    expected: Scored | Failed,
) -> None:
    metric.perfect, metric.answer = perfect, answer
    assert worker.score("mean", Picture(PIXELS), PIXELS, lossless) == expected


def test_a_cell_is_lossless_when_its_decoded_pixels_are_the_originals(
    worker: Worker, cell: Cell, codec: MadeUpCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "decode", lambda *_: PIXELS.copy())
    *_, scored = worker.run(cell)
    assert scored == Scored("mean", 0.0, lossless=True, seconds=0.25)


def test_one_failed_metric_leaves_the_others_alone(worker: Worker, cell: Cell, clock: Clock) -> None:
    worker.metrics["broken"] = MadeUpMetric(clock, answer=MetricError("broken"))
    *_, failed, began, scored = worker.run(replace(cell, metrics=("broken", "mean")))
    assert failed == Failed("error", "score", "broken", "broken")
    assert (began, isinstance(scored, Scored)) == (Began("score", "mean"), True)


def test_the_garbage_collector_rests_while_a_call_is_timed_and_not_after_it() -> None:
    results, seconds = timed(gc.isenabled, 3)
    assert results == [False] * 3
    assert len(seconds) == 3
    assert gc.isenabled()

    def fails() -> None:
        raise CodecError("no")

    with pytest.raises(CodecError):
        timed(fails, 1)
    assert gc.isenabled()


def test_a_picture_is_identified_by_its_pixels_or_by_what_its_manifest_promises(tmp_path: Path) -> None:
    path = original_of(tmp_path / "a.png", PIXELS).path
    file_sha256 = sha(Path(path).read_bytes())
    assert list(Worker().run(Identify(path, None, None))) == [Identified(path, SHA256, height=5, width=8)]
    promised = ("c" * 64, 3, 7)
    (stated,) = Worker().run(Identify(path, file_sha256, promised))
    assert stated == Identified(path, "c" * 64, height=3, width=7)
    for pixels in (None, promised):
        (other,) = Worker().run(Identify(path, "0" * 64, pixels))
        assert isinstance(other, Identified)
        assert "not the file of the manifest" in str(other.error)


def test_what_loads_is_described_and_what_does_not_says_whose_mistake_it_is() -> None:
    made, wrong, unknown = (
        CodecSpec("jpeg", (("subsampling", "4:4:4"),)),
        CodecSpec("jpeg", (("sampling", "4:4:4"),)),
        CodecSpec("jpeg", (("subsampling", "5:5:5"),)),
    )
    described = list(Worker().run(Describe((made, wrong, unknown), ("psnr", "pnsr"))))
    assert [entry.what for entry in described] == [made, wrong, unknown, "psnr", "pnsr"]
    jpeg, mistaken, refused, psnr, misspelt = described
    assert (jpeg.info.name, jpeg.label, jpeg.error) == ("jpeg", "jpeg(subsampling=4:4:4)", None)
    assert dict(jpeg.parameters)["subsampling"] == "4:4:4"
    assert (mistaken.mistaken, mistaken.absent) == (True, False)
    assert "no parameter 'sampling'" in mistaken.error
    assert (refused.mistaken, refused.absent) == (False, False)
    assert (psnr.identity.name, psnr.facts.better, psnr.facts.perfect) == ("psnr", "higher", math.inf)
    assert (misspelt.identity, "did you mean 'psnr'" in misspelt.error) == (None, True)


def test_a_worker_loads_a_codec_once_and_says_how_long_that_took(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def create(name: str, parameters: object) -> MadeUpCodec:
        made.append(name)
        clock.spend(5.5)
        return MadeUpCodec(clock)

    monkeypatch.setattr(measure.codec_registry, "create", create)
    worker = Worker()
    assert worker.codec(SPEC) is worker.codec(SPEC)
    assert (made, worker.load_seconds) == (["made-up"], {SPEC: 5.5})


def test_what_was_measured_is_done_again(worker: Worker, cell: Cell, tmp_path: Path) -> None:
    decoded: NDArray[np.uint8] = PIXELS // 2 + 3
    height, width = PIXELS.shape[:2]
    again = DecodeAgain(SPEC, stream(), 3, height * width)
    began, same = worker.run(again)
    assert isinstance(same, DecodedAgain)
    assert began == Began("decode")
    assert np.array_equal(same.pixels, decoded)
    # Pixels of another count are not worth sending.
    assert list(worker.run(replace(again, pixel_count=1))) == [Began("decode"), DecodedSize(height, width)]
    encoded = list(worker.run(EncodeAgain(cell.original, SPEC, 4.0)))
    assert encoded == [Began("encode"), EncodedAgain(sha(stream()))]
    (tmp_path / "empty").touch()
    paths = (cell.original.path, str(tmp_path / "empty"), str(tmp_path / "absent"))
    assert list(worker.run(Peek(paths))) == [Peeked((cell.original.path,))]


def test_what_fails_again_names_the_side_that_failed(worker: Worker, cell: Cell) -> None:
    wrong = CodecSpec("nothing", ())
    for job, stage in (
        (DecodeAgain(wrong, b"", None, 1), "decode"),
        (EncodeAgain(cell.original, wrong, 1), "encode"),
    ):
        *_, failed = worker.run(job)
        assert isinstance(failed, Failed)
        assert (failed.outcome, failed.stage) == ("error", stage)

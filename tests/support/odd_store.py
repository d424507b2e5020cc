"""Fill a store with codecs that are each odd in a way of their own: where two readings of it could differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, insert, select, update
from synthetic_store import NOW, PIXELS, fill, sha

from codecarena.bench.store.tables.schema import (
    AttemptTable,
    CodecTable,
    MatchTable,
    MeasurementTable,
    MemberTable,
    PictureTable,
    ScoreTable,
    VerificationTable,
)
from codecarena.bench.store.writer import StoreWriter

PICTURES = 18
"""How many were tried: on the last of them everything failed."""
METRICS = ("psnr", "ms-ssim", "butteraugli")


@dataclass(frozen=True, slots=True)
class OddCodec:
    """A codec on some of the pictures: rates and PSNR rise from setting to setting unless told otherwise."""

    name: str
    gain: float = 1.0
    """Multiple of the usual rate."""
    pictures: tuple[int, ...] = tuple(range(PICTURES - 1))
    points: tuple[tuple[float, float], ...] = ((0.1, 28.0), (0.25, 31.5), (0.6, 35.0), (1.4, 38.5))
    """Bits per pixel and PSNR at settings 10, 20 ..."""
    label: str = ""
    metrics: tuple[str, ...] = METRICS
    last_on: tuple[int, ...] = ()
    """Pictures that have the last setting; empty for all."""
    lossless: tuple[float, ...] = ()
    """Settings that give the original back."""
    # object: any column of the table.
    about: dict[str, object] = field(default_factory=dict)
    cell: dict[str, object] = field(default_factory=dict)


EVEN, ODD = tuple(range(0, PICTURES - 1, 2)), tuple(range(1, PICTURES - 1, 2))
CODECS = (
    OddCodec("a bit less than half", 0.5, EVEN[1:]),
    OddCodec("z just half", 0.6, EVEN),
    OddCodec("natural only", 0.7, ODD),
    OddCodec("half a setting", 0.88, tuple(range(16)), last_on=tuple(range(4, 12))),
    OddCodec("one setting", points=((0.5, 33.0),)),
    OddCodec("falling", 0.9, points=((0.2, 36.0), (0.4, 33.0), (0.8, 30.0))),
    OddCodec(
        "dipping",
        1.3,
        about={"generator": "FLUX.1-schnell"},
        points=((0.1, 28.0), (0.25, 32.0), (0.5, 31.0), (1.4, 38.0)),
    ),
    OddCodec("equal rates", 1.1, points=((0.1, 28.0), (0.3, 31.0), (0.3, 33.0), (1.4, 38.0))),
    OddCodec("far below", 0.1, points=((0.02, 5.0), (0.04, 8.0))),
    OddCodec("unscored", metrics=()),
    OddCodec("psnr alone", 0.8, metrics=("psnr",)),
    OddCodec("lossless", lossless=(10.0,), points=((6.0, 99.0),)),
    OddCodec("lossless at its best", 0.95, lossless=(40.0,)),
    OddCodec(
        "imported", 1.2, about={"imported": True, "provenance": "theirs.csv"}, cell={"encode_seconds": []}
    ),
    OddCodec("toy", 2.0, about={"toy": True, "family": "learned", "generator": "FLUX.1-dev"}),
    OddCodec("twin one", 0.85, label="twin"),
    OddCodec("twin two", 1.15, label="twin"),
    OddCodec("verified twice", 1.05, cell={"encode_seconds": [0.07]}),
    OddCodec("quiet", 1.07, cell={"contended": False, "encode_seconds": [0.9, 0.2, 0.4]}),
    OddCodec("only probes", 0.4, cell={"probe": True}),
    # One cell of each was timed on a busy machine: see `_busy`.
    OddCodec("busy once", 1.12, cell={"contended": False}),
    OddCodec("busy without a score", 1.14, cell={"contended": False}),
    OddCodec("busy out of reach", 1.16, cell={"contended": False}),
    OddCodec("seeds", 0.75, cell={"contended": False}),
    OddCodec("failing"),
)


class Rows:
    """Measurements and scores on their way to the store."""

    def __init__(self) -> None:
        # object: any column of a table.
        self.measurements: list[dict[str, object]] = []
        self.scores: dict[tuple[str, str, str], dict[str, object]] = {}

    # object: any column of the table.
    def measure(
        self, name: str, picture: int, quality: float, rate: float, decoded: str, **changes: object
    ) -> None:
        """Add a measurement; no two of its sizes and times are alike."""
        usual = {
            "picture_sha256": original(picture), "codec_id": codec_id(name), "quality": quality, "seed": -1,
            "run_id": 1, "bitstream_sha256": sha("bits", name, picture, quality),
            "bitstream_bytes": int(rate * PIXELS / 8), "header_bytes": 13 + picture % 5,
            "payload_bytes": 1700 + int(7 * rate), "side_bytes": 5 + int(quality), "decoded_sha256": decoded,
            "encode_seconds": [0.03 * quality, 0.01 * quality, 0.05 * quality],
            "decode_seconds": [0.02 * quality], "load_seconds": 0.7, "contended": True, "probe": False,
            "created_at": NOW, "superseded_at": None,
        }  # fmt: skip
        self.measurements.append(usual | changes)

    def score(
        self,
        picture: int,
        decoded: str,
        psnr: float,
        metrics: Iterable[str] = METRICS,
        inapplicable: Iterable[str] = (),
    ) -> None:
        """Score decoded pixels; metrics that do not apply have no value."""
        lossless = decoded == original(picture)
        values = {"psnr": psnr, "ms-ssim": 1 - 10 ** (-psnr / 20), "butteraugli": 8 - psnr / 6}
        perfect = {"psnr": None, "ms-ssim": 1.0, "butteraugli": 1.0}
        for name in metrics:
            metric_id = sha("metric", name)[:16]
            value = None if name in inapplicable else perfect[name] if lossless else values[name]
            # The original itself may come back from several codecs: it is scored once.
            self.scores[original(picture), decoded, metric_id] = {
                "original_sha256": original(picture), "decoded_sha256": decoded, "metric_id": metric_id,
                "value": value, "lossless": lossless, "seconds": 0.02,
            }  # fmt: skip

    def insert(self, connection: Connection) -> None:
        """Write all of them."""
        connection.execute(insert(MeasurementTable), self.measurements)
        connection.execute(insert(ScoreTable), list(self.scores.values()))


def fill_oddly(folder: Path | str) -> None:
    """Fill a new store with everything odd that two readings of it could take apart."""
    fill(folder, pictures=PICTURES - 1, codecs=3, settings=5, metrics=METRICS)
    writer = StoreWriter(str(folder))
    with writer.engine.begin() as connection:
        _pictures(connection)
        rows = Rows()
        for place, codec in enumerate(CODECS):
            _codec(connection, place, codec)
            _ladder(rows, codec)
        _seeds(rows)
        _busy(rows)
        _probes(rows)
        _history(rows)
        rows.insert(connection)
        _failures(connection)
        _verifications(connection)
        _matches(connection)
    writer.close()


def codec_id(name: str) -> str:
    """Return the id of an odd codec."""
    return sha("odd codec", name)[:16]


def original(place: int) -> str:
    """Return the hash of a picture."""
    return sha("picture", place)


def _pictures(connection: Connection) -> None:
    """Add a picture on which nearly all failed, one of probes alone, a second name, and a second set."""
    for place, name in ((PICTURES - 1, "failed.png"), (PICTURES, "probed.png")):
        connection.execute(insert(PictureTable).values(sha256=original(place), height=512, width=768))
        _member(connection, "synthetic", name, place)
    _member(connection, "synthetic", "again.png", 5)
    for place in (3, 2, 8):
        _member(connection, "another", f"renamed{9 - place}.png", place)
    of_flux = MemberTable.picture_sha256.in_([original(place) for place in range(0, PICTURES, 6)])
    connection.execute(update(MemberTable).where(of_flux).values(generator="FLUX.1-dev"))


def _member(connection: Connection, image_set: str, name: str, place: int) -> None:
    kind = "natural" if place % 2 else "ai-generated"
    row = {"image_set": image_set, "name": name, "picture_sha256": original(place), "kind": kind, "path": ""}
    connection.execute(insert(MemberTable).values(row))


def _codec(connection: Connection, place: int, codec: OddCodec) -> None:
    row = {
        "id": codec_id(codec.name), "name": codec.name, "label": codec.label or codec.name, "version": "1",
        "family": ("generative", "classic", "learned")[place % 3], "parameters": {}, "stochastic": False,
        "toy": False, "tolerance_levels": 0, "weights_bytes": 0, "imported": False, **codec.about,
    }  # fmt: skip
    connection.execute(insert(CodecTable).values(row))


def _ladder(rows: Rows, codec: OddCodec) -> None:
    if codec.name in ("failing", "seeds"):
        return
    for picture in codec.pictures:
        for step, (rate, psnr) in enumerate(codec.points, 1):
            setting = 10.0 * step
            if step == len(codec.points) and codec.last_on and picture not in codec.last_on:
                continue
            decoded = original(picture) if setting in codec.lossless else sha(codec.name, picture, step)
            # Pictures differ in detail: the dearer of two is the worse one too.
            detail = 1 + picture % 7 / 10
            bits = rate * detail * codec.gain
            rows.measure(codec.name, picture, setting, bits, decoded, **codec.cell)
            rows.score(picture, decoded, psnr - detail, codec.metrics)


def _seeds(rows: Rows) -> None:
    """Decode with two and three seeds: on every sixth picture something else sets a seed apart."""
    for picture in range(PICTURES - 1):
        way, detail = picture % 6, 1 + picture % 7 / 10
        for step, (rate, psnr) in enumerate(OddCodec("seeds").points, 1):
            for seed in (5, 9, 11)[: 3 if way == 5 else 2]:
                later, odd = seed != 5, seed != 5 and step == 2
                decoded = original(picture) if way == 3 and odd else sha("seeds", picture, step, seed)
                rows.measure(
                    "seeds", picture, 10.0 * step, rate * detail * (0.8 if later else 0.7), decoded,
                    seed=seed, contended=way == 2 and odd, encode_seconds=[0.1 * seed] if seed < 11 else [],
                )  # fmt: skip
                if not (way == 1 and odd):
                    inapplicable = ("ms-ssim",) if picture == 4 and odd else ()
                    rows.score(picture, decoded, psnr - detail + seed / 10, METRICS, inapplicable)


def _busy(rows: Rows) -> None:
    """Time a cell of three codecs while others ran: with a score, without one, and far below every target."""
    detail = 1 + 4 % 7 / 10
    rows.measure("busy once", 4, 5.0, 0.05 * detail, sha("busy"), contended=True)
    rows.score(4, sha("busy"), 25.0 - detail)
    rows.measure("busy without a score", 4, 5.0, 0.05 * detail, sha("unscored and busy"), contended=True)
    # On the picture where everything else failed: it is in the set of pictures that were tried all the same.
    for setting, psnr in ((5.0, 8.0), (6.0, 9.0)):
        decoded = sha("far below", setting)
        rows.measure("busy out of reach", PICTURES - 1, setting, 0.01 * setting, decoded, contended=True)
        rows.score(PICTURES - 1, decoded, psnr)


def _probes(rows: Rows) -> None:
    """Probe settings between those of a ladder, on most pictures, and a picture that has nothing else."""
    for picture in (*range(14), PICTURES):
        decoded = sha("probe", picture)
        rows.measure("one setting", picture, 15.0, 0.9, decoded, probe=True)
        rows.score(picture, decoded, 30.0)


def _history(rows: Rows) -> None:
    """Replace rows that were far better, and had scores, by those of the dipping codec."""
    for picture in range(10):
        decoded = sha("old", picture)
        rows.measure("dipping", picture, 10.0, 0.001, decoded, superseded_at=NOW)
        rows.score(picture, decoded, 70.0)


def _failures(connection: Connection) -> None:
    attempts = [
        # A codec that never gave a result: its commonest outcome comes neither first nor last.
        ("failing", 3, 10.0, None, "memory", "load"),
        *[("failing", picture, 20.0, None, "crash", "decode") for picture in (4, 5, PICTURES - 1)],
        ("failing", 6, 20.0, None, "timeout", "encode"),
        # Failed, then succeeded: settled. The other two are open: nothing was measured there.
        *[("toy", picture, 10.0, None, "crash", "encode") for picture in (0, 1, 2)],
        *[("toy", picture, 77.0, None, "crash", "encode") for picture in (0, 2)],
        # A metric that failed and was scored since, one that was not, and the timing pass.
        ("psnr alone", 1, 20.0, "psnr", "error", "score"),
        ("psnr alone", 1, 20.0, "ms-ssim", "error", "score"),
        ("quiet", 2, 20.0, "timing", "timeout", "encode"),
        ("imported", PICTURES - 1, 10.0, None, "error", "decode"),
    ]
    for name, picture, quality, metric, outcome, stage in attempts:
        row = {
            "run_id": 1, "picture_sha256": original(picture), "codec_id": codec_id(name), "quality": quality,
            "seed": -1, "metric": metric, "outcome": outcome, "stage": stage, "exit_code": 3,
            "message": "made up", "stderr_tail": "", "created_at": NOW,
        }  # fmt: skip
        connection.execute(insert(AttemptTable).values(row))


def _verifications(connection: Connection) -> None:
    """Verify four codecs: all well, one stream wrong, an encoder that varies, and one verified twice."""
    verdicts = (
        ("quiet", ("identical", "bubblewrap", True)),
        ("toy", ("differs", "unshare", None)),
        ("dipping", ("failed", "none", False)),
        ("verified twice", ("failed", "none", None)),
        ("verified twice", ("within tolerance", "bubblewrap", None)),
    )
    for name, (outcome, isolation, repeats) in verdicts:
        for measurement_id in _some_measurements(connection, name):
            row = {
                "measurement_id": measurement_id, "outcome": outcome, "isolation": isolation,
                "encoder_repeats": repeats, "message": "", "machine_id": "machine", "created_at": NOW,
            }  # fmt: skip
            connection.execute(insert(VerificationTable).values(row))


def _some_measurements(connection: Connection, name: str) -> Iterator[int]:
    table = MeasurementTable
    yield from connection.scalars(select(table.id).where(table.codec_id == codec_id(name)).limit(3)).all()


def _matches(connection: Connection) -> None:
    """Search for half a bit per pixel and for 33 dB: for pictures and for the set, some out of reach."""
    psnr = sha("metric", "psnr")[:16]
    for name, picture, setting, kind, metric_id, target, ended in (
        ("only probes", None, 30.0, "bpp", None, 0.5, "close"),
        ("only probes", None, 20.0, "psnr", psnr, 33.0, "nearest"),
        # One picture was searched alone: the set's setting stands for none of them then.
        ("toy", None, 10.0, "psnr", psnr, 33.0, "nearest"),
        ("toy", 3, 30.0, "psnr", psnr, 33.0, "close"),
        ("toy", 4, 20.0, "psnr", psnr, 33.0, "close"),
        ("toy", 6, 40.0, "psnr", psnr, 33.0, "out of range"),
        ("seeds", 3, 20.0, "psnr", psnr, 33.0, "close"),
        ("seeds", 8, 20.0, "psnr", psnr, 33.0, "close"),
        ("seeds", 11, 20.0, "psnr", psnr, 33.0, "close"),
        ("quiet", 2, 20.0, "bpp", None, 0.75, "close"),
    ):
        row = {
            "scope": "set" if picture is None else "picture", "image_set": "synthetic",
            "picture_sha256": None if picture is None else original(picture), "pictures": 1,
            "codec_id": codec_id(name), "target_kind": kind, "metric_id": metric_id, "target": target,
            "quality": setting, "achieved": target, "probes": 4, "encodes": 3, "ended": ended, "run_id": 1,
            "created_at": NOW,
        }  # fmt: skip
        connection.execute(insert(MatchTable).values(row))
    for picture in range(12):
        row = {
            "scope": "picture", "image_set": "synthetic", "picture_sha256": original(picture), "pictures": 1,
            "codec_id": codec_id("one setting"), "target_kind": "bpp", "metric_id": None, "target": 0.5,
            "quality": 15.0 if picture % 2 else 10.0, "achieved": 0.5, "probes": 4, "encodes": 3,
            "ended": "out of range" if picture == 5 else "nearest", "run_id": 1, "created_at": NOW,
        }  # fmt: skip
        connection.execute(insert(MatchTable).values(row))

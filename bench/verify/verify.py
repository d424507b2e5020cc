"""Verify stored bitstreams: decode each in a process that sees nothing else, and compare the pixels."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...codecs.base import CodecError, Image
from ...codecs.instruction_sets import InstructionSet, changes_arithmetic, not_tested
from ...counts import counted
from ...datasets.pixels import PictureError, pixels_sha256, read_pixels
from ..records.cells import NO_SEED
from ..records.messages import (
    Cell,
    DecodeAgain,
    DecodedAgain,
    DecodedSize,
    EncodeAgain,
    EncodedAgain,
    Job,
    Original,
    Outcome,
    Peek,
    Peeked,
    Stored,
)
from ..records.rows import Finding
from ..run.plan import PlannedCodec
from ..run.prepare import Options, Prepared, prepare
from ..run.suite import Suite
from ..store.blobs import BlobError
from ..store.verifications import (
    StoredStream,
    Verified,
    every_picture_path,
    other_versions,
    save_verified,
    stored_streams,
)
from ..store.writer import StoreWriter
from ..worker import pool, sandbox
from ..worker.changed_files import FolderChanges
from ..worker.device import cores, describe
from . import decoder_view

STREAMS_A_PROCESS = 64
"""So that Ctrl-C loses little and both cores have work to the end."""
OUTCOMES: tuple[Finding, ...] = ("identical", "within tolerance", "differs", "failed")
"""From best to worst."""


@dataclass(slots=True)
class Report:
    """How a verification ended."""

    rows: dict[str, list[Verified]] = field(default_factory=lambda: defaultdict(list))
    """By the codec's label; of several decodes of a bitstream, the worst."""
    older: dict[tuple[str, str], list[Verified]] = field(default_factory=lambda: defaultdict(list))
    """By the codec's label and the name of an older instruction set, its decodes alone."""
    notes: list[str] = field(default_factory=list)
    tool: sandbox.Tool = "none"
    unavailable: bool = False
    """Whether a codec of the suite did not load."""
    interrupted: bool = False

    @property
    def count(self) -> int:
        """How many bitstreams were verified."""
        return sum(map(len, self.rows.values()))

    @property
    def wrong(self) -> int:
        """How many bitstreams did not give the measured pixels."""
        all_rows = [row for rows in self.rows.values() for row in rows]
        return sum(row.outcome in ("differs", "failed") for row in all_rows)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some bitstreams of one codec, for one process."""

    codec: PlannedCodec
    streams: Sequence[StoredStream]


def verify(
    suite: Suite,
    store: StoreWriter,
    options: Options,
    progress: Callable[[int, int], None],
    *,
    encode: bool = True,
    shown: Sequence[Path] = (),
    older: Sequence[InstructionSet] = (),
) -> Report:
    """Return what became of every stored bitstream of a suite's codecs and pictures; rows are stored by then.

    Args:
        suite: Which codecs and pictures; every stored setting of theirs is verified.
        store: Where the bitstreams are and the rows go.
        options: Which part of the suite, and how many workers.
        progress: Called with how many bitstreams are done, and of how many.
        encode: Whether each encoder is asked for the same bytes again.
        shown: More folders that decoders may see.
        older: Instruction sets under which learned and generative codecs decode once more.

    Raises:
        SuiteError: The suite asks for what does not exist.
        DatasetError: A picture set is not here.
    """
    workers = options.workers or cores()
    suite = suite.model_copy(update={"metrics": ()})
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="verify") as executor:
            try:
                prepared = prepare(suite, store, options, executor)
                run = _Verification(suite, store, prepared, encode, shown, older)
                total = sum(len(part.streams) for part in run.parts)
                futures = [
                    executor.submit(run.verify, part, lambda: progress(run.report.count, total))
                    for part in run.parts
                ]
                _wait(futures, run.report)
            finally:
                pool.stop()
    finally:
        pool.close()
    return run.report


def _wait(futures: list[Future[None]], report: Report) -> None:
    try:
        for future in as_completed(futures):
            future.result()
    except KeyboardInterrupt:
        report.interrupted = True
        for future in futures:
            future.cancel()
        pool.stop()


class _Verification:
    """What the processes of one verification share."""

    def __init__(
        self,
        suite: Suite,
        store: StoreWriter,
        prepared: Prepared,
        encode: bool,
        shown: Sequence[Path],
        older: Sequence[InstructionSet],
    ) -> None:
        self.store = store
        self.limits = suite.cell_limits
        self.encode = encode
        self.shown = shown
        self.machine = describe()
        self.pictures = {picture.sha256: picture.picture for picture in prepared.pictures}
        self.pixel_counts = store.picture_sizes()
        self.paths = [Path(path).absolute() for path in every_picture_path(store)]
        tool, reason = sandbox.available()
        self.report = Report(notes=prepared.notes, tool=tool, unavailable=prepared.unavailable)
        if reason:
            self.report.notes.append(f"decoders are not isolated here ({reason}): install bubblewrap")
        self.parts = list(self.split(prepared))
        all_streams = [stream for part in self.parts for stream in part.streams]
        self.older = list(self.testable(older))
        self.settled = FolderChanges() if tool == "none" else decoder_view.of_settled(store, all_streams)

    def split(self, prepared: Prepared) -> Iterator[_Part]:
        """Yield the work of each process."""
        ids = [codec.codec_id for codec in prepared.codecs]
        streams = stored_streams(self.store, ids, self.pictures)
        for codec in prepared.codecs:
            of_codec = [stream for stream in streams if stream.key.codec_id == codec.codec_id]
            for start in range(0, len(of_codec), STREAMS_A_PROCESS):
                yield _Part(codec, of_codec[start : start + STREAMS_A_PROCESS])
        for label, count in other_versions(self.store, ids, self.pictures).items():
            self.report.notes.append(
                f"{counted(count, 'bitstream')} of {label} left out: that version is not here"
            )

    def verify(self, part: _Part, advanced: Callable[[], None]) -> None:
        """Decode and compare the bitstreams of one part, and store each row."""
        older = [] if part.codec.info.family == "classic" else self.older
        plain = _Box(self, part)
        boxes = [plain, *(plain.restrained(restraint) for restraint in older)]
        label = part.codec.label
        try:
            for stream in part.streams:
                rows: list[Verified] = []
                for box in boxes:
                    verified = self.row(box, part.codec, stream)
                    if verified is None:
                        return
                    rows.append(verified)
                for restraint, row in zip(older, rows[1:], strict=True):
                    self.report.older[label, restraint.name].append(row)
                worst = max(rows, key=lambda row: OUTCOMES.index(row.outcome))
                kept = replace(worst, encoder_repeats=rows[0].encoder_repeats)
                save_verified(self.store, [kept], self.machine)
                self.report.rows[label].append(kept)
                advanced()
        finally:
            for box in boxes:
                box.close()

    def testable(self, older: Sequence[InstructionSet]) -> Iterator[InstructionSet]:
        """Yield the instruction sets under which processes add otherwise here; note the others."""
        if older and all(part.codec.info.family == "classic" for part in self.parts):
            self.report.notes.append(
                "older instruction sets: nothing to test, no bitstream is a learned or generative codec's"
            )
            return
        for restraint in older:
            try:
                changes = changes_arithmetic(restraint)
            except CodecError as error:
                self.report.notes.append(f"{restraint.name}: not tested: {error}")
                continue
            if changes:
                yield restraint
            else:
                self.report.notes.append(not_tested(restraint))

    def row(self, box: _Box, codec: PlannedCodec, stream: StoredStream) -> Verified | None:
        """Return what became of one bitstream in a box; None where the verification was stopped meanwhile."""
        verified = self.decoded(box, codec, stream)
        if verified is None or box.older is None or not verified.message:
            return verified
        return replace(verified, message=f"under {box.older.name}: {verified.message}")

    def decoded(self, box: _Box, codec: PlannedCodec, stream: StoredStream) -> Verified | None:
        """Return how a box's pixels compare with the measured ones; None where it was stopped."""
        seed = None if stream.key.seed == NO_SEED else stream.key.seed
        try:
            bitstream = self.store.blobs.bitstream(stream.bitstream_sha256)
        except BlobError as error:
            return Verified(stream.measurement_id, "failed", None, self.report.tool, None, str(error))
        pixel_count = self.pixel_counts[stream.key.picture_sha256]
        outcome = box.ask(DecodeAgain(codec.table.spec, bitstream, seed, pixel_count))
        if outcome.stopped:
            return None
        decoded = outcome.again
        repeats = self.repeats(codec, stream) if box.older is None else None
        if isinstance(decoded, DecodedSize):
            message = f"decoded to {decoded.width}x{decoded.height}"
            return Verified(stream.measurement_id, "differs", None, box.isolation, repeats, message)
        if not isinstance(decoded, DecodedAgain):
            message = "; ".join([failed.message for failed in outcome.failed] + box.remarks)
            return Verified(stream.measurement_id, "failed", None, box.isolation, repeats, message)
        # Here, not in the decoder's process, which could say what it likes.
        if pixels_sha256(decoded.pixels) == stream.decoded_sha256:
            return Verified(stream.measurement_id, "identical", 0, box.isolation, repeats, box.leak)
        return self.compared(codec, stream, decoded.pixels, box, repeats)

    def compared(
        self, codec: PlannedCodec, stream: StoredStream, pixels: Image, box: _Box, repeats: bool | None
    ) -> Verified:
        """Return how far other pixels than the measured ones are from those."""
        allowed = codec.info.tolerance_levels
        measured = self.measured_pixels(codec, stream)
        if measured is None:
            message = f"the measured pixels cannot be had to see whether {allowed} levels were kept"
            return Verified(stream.measurement_id, "differs", None, box.isolation, repeats, message)
        if measured.shape != pixels.shape:
            message = f"decoded to {pixels.shape[1]}x{pixels.shape[0]}"
            return Verified(stream.measurement_id, "differs", None, box.isolation, repeats, message)
        largest = int(np.abs(measured.astype(np.int16) - pixels).max())
        if largest <= allowed:
            return Verified(
                stream.measurement_id, "within tolerance", largest, box.isolation, repeats, box.leak
            )
        message = "; ".join(
            [f"up to {largest} levels from the measured pixels, {allowed} allowed", *box.remarks]
        )
        return Verified(stream.measurement_id, "differs", largest, box.isolation, repeats, message)

    def measured_pixels(self, codec: PlannedCodec, stream: StoredStream) -> Image | None:
        """Return the pixels that were scored: kept, or decoded as an ordinary run does."""
        kept = self.store.blobs.decoded_path(stream.decoded_sha256)
        if not kept.exists():
            seed = None if stream.key.seed == NO_SEED else stream.key.seed
            stored = Stored(stream.bitstream_sha256, stream.decoded_sha256)
            original, blobs = self.original(stream), str(self.store.blobs.folder)
            spec, quality = codec.table.spec, stream.key.quality
            cell = Cell(original, spec, codec.codec_id, quality, seed, (), blobs, stored)
            pool.supervise(cell, self.limits)
        try:
            return read_pixels(kept)
        except PictureError:
            return None

    def repeats(self, codec: PlannedCodec, stream: StoredStream) -> bool | None:
        """Return whether the encoder writes the stored bytes again; None where it was not asked or failed."""
        if not self.encode:
            return None
        job = EncodeAgain(self.original(stream), codec.table.spec, stream.key.quality)
        encoded = pool.supervise(job, self.limits).again
        return (
            encoded.bitstream_sha256 == stream.bitstream_sha256 if isinstance(encoded, EncodedAgain) else None
        )

    def original(self, stream: StoredStream) -> Original:
        """Return where the original of a bitstream lies."""
        picture = self.pictures[stream.key.picture_sha256]
        return Original(str(picture.path), stream.key.picture_sha256, picture.caption, picture.text)


class _Box:
    """The process in which one codec decodes; started again where it dies."""

    def __init__(self, run: _Verification, part: _Part) -> None:
        self.run = run
        self.older: InstructionSet | None = None
        self.walls, newer = decoder_view.around(
            part.codec, run.store, run.paths, part.streams, run.settled, run.shown
        )
        self.environment = decoder_view.environment(part.codec)
        self.child: pool.Child | None = None
        self.isolation: sandbox.Tool = run.report.tool
        self.leak = ""
        """Why the process is not isolated although there is a tool."""
        self.remarks = [f"hidden, because they appeared after encoding began: {_few(newer)}"] if newer else []

    def restrained(self, older: InstructionSet) -> _Box:
        """Return a box of the same walls whose process keeps to an older instruction set."""
        other = copy.copy(self)
        other.older, other.environment = older, self.environment | dict(older.environment)
        return other

    def ask(self, job: Job) -> Outcome:
        """Return the process's answer to a job."""
        outcome = Outcome()
        if self.child is None or not self.child.alive:
            self.child = pool.Child(1, self.enter)
            if not self.leak and self.isolation != "none" and not self.holds(self.child):
                self.child = pool.Child(1, self.enter)
        pool.ask(self.child, job, self.run.limits, outcome)
        return outcome

    def enter(self, folder: Path) -> sandbox.Sandbox:
        """Return how to start a process behind the walls."""
        return sandbox.build(self.walls, self.environment, self.isolation, folder)

    def holds(self, child: pool.Child) -> bool:
        """Whether a process behind the walls starts, and itself says that it can read no original."""
        outcome = Outcome()
        pool.ask(child, Peek(tuple(map(str, self.run.paths))), self.run.limits, outcome)
        peeked = outcome.again
        if isinstance(peeked, Peeked) and not peeked.readable:
            return True
        what = (
            f"could read {_few(peeked.readable)}"
            if isinstance(peeked, Peeked)
            else "does not start behind walls"
        )
        self.isolation, self.leak = "none", f"not isolated: the decoder {what}"
        child.close()
        return False

    def close(self) -> None:
        """End the process."""
        if self.child is not None:
            self.child.close()


def _few(paths: Iterable[object]) -> str:
    """Return the first three, and how many more there are."""
    listed = [str(path) for path in paths]
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more

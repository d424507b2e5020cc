"""Test whether the detail HFD adds beats noise and sharpening, and write `hfd_quality.md`.

    python docs/benchmarks/hfd_quality.py [FOLDER] [--limit N] [--quality Q ...] [--record FILE]

FOLDER holds the 24 Kodak pictures. `--coarse NAME` and `--decoder NAME KEY=VALUE ...` judge another pair:
any decoder beside a coarse codec of the same quality scale, which shows what the bits alone give. One
process, one thread; the codecs take turns on every picture, and each stream is decoded with seeds 0, 0 and 1.
What the record has no room for, the controls and all paired differences, goes to a CSV file beside it.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from record_age import keep

from codecarena.bench.analysis import detail
from codecarena.bench.metrics.psnr import Psnr
from codecarena.bench.worker.device import cores, cpu_model
from codecarena.codecs import registry
from codecarena.codecs.base import Codec, CodecInfo, Image, Picture
from codecarena.codecs.generative.hfd.decoder import DEFAULTS

RECORD = Path(__file__).with_suffix(".md")
KODAK = Path(os.environ.get("CODECARENA_TEST_DATA", "../shared/data")) / "kodak"
HFD = [
    ["hfd", f"mode={mode}", f"steps={steps}"]
    for mode, counts in (("flow", (1, 4, 8)), ("diffusion", (8, 32, 64)))
    for steps in counts
]
BITS_PER_PIXEL = 0.15
MOST_EXTRA_BYTES = 16  # a longer header, and what the decoder is told of its steps and noise
SEEDS = (0, 0, 1)
RESAMPLES = 10_000
BELOW_ZERO = -1e-9
VERDICTS = ("met", "mean only", "**not met**")
CONTROLS = {
    "white noise": detail.white_noise_at_psnr,
    "grey noise": lambda *given: detail.white_noise_at_psnr(*given, grey=True),
    "unsharp mask": detail.unsharp_at_psnr,
}
NOTES = """
## How it is measured

Means over pictures with 95 % bootstrap intervals, paired by picture. *met*: the whole interval lies in the
range; *mean only*: the mean does. The measures are defined in `bench/analysis/detail.py`. Gradient energy is
the mean squared gradient, mean gradient the mean magnitude; both are judged. Noise and unsharp mask start at
the coarse picture and are tuned, picture by picture, to the decoder's PSNR; grey noise is the same in the
three channels. Small weights are ones trained for demonstration, so times say nothing of a full network.
The means of the controls and every paired difference, with its interval, are in `{csv}`.
"""


class Entrant(NamedTuple):
    """One decoder to judge."""

    label: str
    given: dict[str, registry.Value]
    codec: Codec

    @property
    def title(self) -> str:
        """The label, and whether these are HFD's own steps."""
        default = DEFAULTS.get(self.given.get("mode"))
        own = default is not None and self.given.get("steps") == default.steps
        return f"{self.label} (default)" if own else self.label


Row = dict[str, float]  # name of a measure -> its value
Rows = dict[str, dict[str, NDArray[np.float64]]]  # codec or control -> measure -> a value a picture


@dataclass(frozen=True)
class Criterion:
    """A measure whose mean over the pictures must lie in a range."""

    name: str
    wanted: str
    values: NDArray[np.float64]
    low: float = -np.inf
    high: float = np.inf

    @property
    def verdict(self) -> str:
        """Whether the whole interval of the mean lies in the range, only the mean, or neither."""
        mean, low, high = interval(self.values)
        if self.low <= low and high <= self.high:
            return "met"
        return "mean only" if self.low <= mean <= self.high else "**not met**"


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean and its 95 % percentile bootstrap interval over pictures."""
    draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def shown(values: NDArray[np.float64]) -> str:
    """Return mean and interval in words; the mean alone where all pictures have the same."""
    mean, low, high = interval(values)
    return f"{mean:g}" if low == high else f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def measured(decoded: Image, coarse: Image, original: Image) -> Row:
    """Return every measure of one decoded picture."""
    return {
        "PSNR, dB": Psnr().score(original, decoded),
        "gradient energy": detail.gradient_energy_ratio(decoded, original),
        "mean gradient": detail.mean_gradient_ratio(decoded, original),
        "Laplacian energy": detail.laplacian_energy_ratio(decoded, original),
        "log-spectrum distance": detail.log_spectrum_distance(decoded, original),
        "patch SWD x 1000": 1000 * detail.patch_sliced_wasserstein(decoded, original),
        "residual cosine": detail.residual_cosine(decoded, coarse, original),
        "phase share, %": 100 * detail.phase_share(decoded, coarse),
    }


def judge_picture(original: Image, entrants: Sequence[Entrant], quality: float) -> dict[str, Row]:
    """Return the measures of all entrants, the coarse one first, and of the others' controls."""
    streams = [entrant.codec.encode(Picture(original), quality) for entrant in entrants]
    decodes: list[list[Image]] = [[] for _ in entrants]
    seconds: list[list[float]] = [[] for _ in entrants]
    for seed in SEEDS:
        for index, entrant in enumerate(entrants):
            began = time.perf_counter()
            decodes[index].append(entrant.codec.decode(streams[index], seed=seed))
            seconds[index].append(time.perf_counter() - began)
    coarse, pixels = decodes[0][0], original.shape[0] * original.shape[1]
    measures: dict[str, Row] = {}
    for index, entrant in enumerate(entrants):
        first, again, other = decodes[index]
        row = measures[entrant.label] = measured(first, coarse, original)
        row["bpp"] = 8 * len(streams[index]) / pixels
        row["extra bytes"] = len(streams[index]) - len(streams[0])
        row["decoding, s per megapixel"] = 1e6 * median(seconds[index]) / pixels
        row["bit-equal"] = np.array_equal(first, again)
        row["seeds differ"] = not np.array_equal(first, other)
        controls = {name: make(coarse, original, row["PSNR, dB"]) for name, make in CONTROLS.items()}
        row["control missed by, dB"] = max(abs(made.psnr_db - row["PSNR, dB"]) for made in controls.values())
        for name, made in controls.items() if index else ():
            measures[f"{entrant.label}: {name}"] = measured(made.pixels, coarse, original)
    return measures


def gather(originals: Sequence[Image], entrants: Sequence[Entrant], quality: float) -> Rows:
    """Return the measures of all pictures at one quality."""
    of_pictures: list[dict[str, Row]] = []
    for original in originals:
        of_pictures.append(judge_picture(original, entrants, quality))
        print(f"quality {quality:g}: {len(of_pictures)} of {len(originals)} pictures", flush=True)
    return {
        label: {key: np.array([measures[label][key] for measures in of_pictures], np.float64) for key in row}
        for label, row in of_pictures[0].items()
    }


def criteria(rows: Rows, entrants: Sequence[Entrant], judged: Entrant) -> Iterator[Criterion]:
    """Yield what a decoder must show."""
    row, coarse = rows[judged.label], rows[entrants[0].label]
    yield Criterion(
        "bytes more than the coarse stream",
        f"0 to {MOST_EXTRA_BYTES}",
        row["extra bytes"],
        0,
        MOST_EXTRA_BYTES,
    )
    yield Criterion("PSNR less the coarse's, dB", "-3.1 to 0", row["PSNR, dB"] - coarse["PSNR, dB"], -3.1, 0)
    one_step = next(
        (entrant.label for entrant in entrants if entrant.given == judged.given | {"steps": 1}), None
    )
    for key in ("gradient energy", "mean gradient"):
        yield Criterion(f"{key}, ratio to the original's", "0.8 to 1.25", row[key], 0.8, 1.25)
        nearer = np.abs(row[key] - 1) - np.abs(coarse[key] - 1)
        yield Criterion(f"{key}, distance from 1 less the coarse's", "below 0", nearer, high=BELOW_ZERO)
        if one_step and judged.given["steps"] == 4:
            change = row[key] - rows[one_step][key]
            name = f"{key}, size of the change from 1 step to 4"
            yield Criterion(name, "0.15 or more", change * np.sign(change.mean()), 0.15)
    rivals = {"the coarse's": coarse}
    rivals |= {f"{name}'s at equal PSNR": rows[f"{judged.label}: {name}"] for name in CONTROLS}
    for name, rival in rivals.items():
        spectrum = row["log-spectrum distance"] - rival["log-spectrum distance"]
        yield Criterion(f"log-spectrum distance less {name}", "below 0", spectrum, high=BELOW_ZERO)
    patches = row["patch SWD x 1000"] - coarse["patch SWD x 1000"]
    yield Criterion("patch SWD x 1000 less the coarse's", "below 0", patches, high=BELOW_ZERO)
    yield Criterion("residual cosine", "0.05 or more", row["residual cosine"], 0.05)
    yield Criterion("phase share, %", "below 1", row["phase share, %"], high=1 + BELOW_ZERO)
    yield Criterion("share of pictures bit-equal with one seed", "1", row["bit-equal"], 1)
    yield Criterion("share of pictures that differ with two seeds", "1", row["seeds differ"], 1)


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *lines)] + [""]


def summary_table(rows: Rows, entrants: Sequence[Entrant]) -> list[str]:
    """Return how many criteria each decoder meets, and the names of those that it does not."""
    lines: list[list[str]] = []
    for judged in entrants[1:]:
        judgements = list(criteria(rows, entrants, judged))
        names = {
            verdict: [criterion.name for criterion in judgements if criterion.verdict == verdict]
            for verdict in VERDICTS
        }
        met = f"{len(names['met'])} of {len(judgements)}"
        lines.append([judged.title, met, *("; ".join(names[verdict]) or "none" for verdict in VERDICTS[1:])])
    return table(["decoder", "met", "by the mean only", "not met"], lines)


def criteria_table(rows: Rows, entrants: Sequence[Entrant]) -> list[str]:
    """Return every criterion's value and verdict, one column for each decoder."""
    columns = [
        {criterion.name: criterion for criterion in criteria(rows, entrants, judged)}
        for judged in entrants[1:]
    ]
    wanted = {name: criterion.wanted for column in columns for name, criterion in column.items()}
    lines = [
        [name, asked]
        + [
            f"{shown(column[name].values)} {column[name].verdict}" if name in column else ""
            for column in columns
        ]
        for name, asked in wanted.items()
    ]
    return table(["criterion", "wanted", *(entrant.title for entrant in entrants[1:])], lines)


def means_table(rows: Rows, entrants: Sequence[Entrant], measures: Sequence[str]) -> list[str]:
    """Return the means of the codecs."""
    lines = [
        [entrant.title, *(f"{rows[entrant.label][key].mean():.3f}" for key in measures)]
        for entrant in entrants
    ]
    return table(["decoder", *measures], lines)


def long_table(by_quality: dict[float, Rows], coarse: str) -> Iterator[list[str]]:
    """Yield a line a number: means of codecs and controls, then differences paired by picture."""
    yield ["quality", "decoder", "less", "measure", "mean", "low", "high"]
    for quality, rows in by_quality.items():
        for label, row in rows.items():
            decoder, colon, _ = label.partition(": ")
            rivals = ["", *({coarse} if not colon and label != coarse else ())]
            rivals += [other for other in rows if not colon and other.startswith(f"{decoder}: ")]
            for rival in rivals:
                for key, values in row.items():
                    if not rival or key in rows[rival]:
                        numbers = interval(values - rows[rival][key] if rival else values)
                        yield [f"{quality:g}", label, rival, key, *(f"{number:.6g}" for number in numbers)]


def described(info: CodecInfo) -> str:
    """Return name, version and weights of a codec."""
    kind = "small weights" if info.toy else "weights"
    return f"{info.name} ({info.version}; {kind} {(info.weights_sha256 or 'none')[:12]})"


def section(rows: Rows, entrants: Sequence[Entrant], quality: float) -> list[str]:
    """Return the tables of one quality."""
    coarse = entrants[0].label
    measures = [*next(row for label, row in rows.items() if ": " in label), "decoding, s per megapixel"]
    missed = max(rows[entrant.label]["control missed by, dB"].max() for entrant in entrants[1:])
    return [
        f"## Quality {quality:g}: {rows[coarse]['bpp'].mean():.3f} bits per pixel\n",
        *summary_table(rows, entrants),
        "### Steps, quality and time\n",
        *means_table(rows, entrants, ["bpp", *measures]),
        "### Criteria\n",
        *criteria_table(rows, entrants),
        f"The control farthest from its decoder's PSNR missed it by {missed:.3f} dB.\n",
    ]


def record(
    folder: Path, pictures: int, entrants: Sequence[Entrant], by_quality: dict[float, Rows], numbers: Path
) -> str:
    """Return the record in Markdown; the other numbers are in a file beside it."""
    codecs = ", ".join(dict.fromkeys(described(entrant.codec.info) for entrant in entrants))
    head = [
        "# Is the detail that HFD adds better than noise and sharpening?\n",
        f"Made by `docs/benchmarks/hfd_quality.py` on {pictures} pictures of `{folder.name}`: {codecs}.",
        f"Machine: {cpu_model()}, {cores()} cores, load {os.getloadavg()[0]:.1f}; one thread, codecs",
        f"in turn, median of {len(SEEDS)} decodes; torch {torch.__version__}. Compare ratios, not seconds.\n",
    ]
    tables = [line for quality, rows in by_quality.items() for line in section(rows, entrants, quality)]
    return "\n".join([*head, *tables]) + NOTES.format(csv=numbers.name)


def nearest_quality(codec: Codec, originals: Sequence[Image]) -> float:
    """Return the quality whose mean rate over the pictures is nearest to `BITS_PER_PIXEL`."""
    pictures = [Picture(original) for original in originals]

    def miss(quality: float) -> float:
        rates = [8 * len(codec.encode(picture, quality)) / picture.pixel_count for picture in pictures]
        return abs(float(np.mean(rates)) - BITS_PER_PIXEL)

    return min(codec.info.qualities, key=miss)


def open_entrant(words: Sequence[str]) -> Entrant:
    """Return the codec of a name and its ``key=value`` parameters."""
    pairs = dict(word.split("=", 1) for word in words[1:])
    given = {key: int(value) if value.isdigit() else value for key, value in pairs.items()}
    return Entrant(" ".join(words), given, registry.create(words[0], given))


def main(words: Sequence[str] | None = None) -> None:
    """Judge the decoders, then write the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=KODAK)
    parser.add_argument("--limit", type=int, help="judge the first pictures only; two at least")
    parser.add_argument("--quality", type=float, nargs="+", help=f"default: nearest to {BITS_PER_PIXEL} bpp")
    parser.add_argument("--coarse", nargs="+", default=["hyperprior"], metavar="WORD")
    parser.add_argument("--decoder", nargs="+", action="append", metavar="WORD")
    parser.add_argument("--record", type=Path, default=RECORD)
    chosen = parser.parse_args(words)
    paths = sorted(chosen.folder.glob("*.png"))[: chosen.limit]
    if len(paths) < 2:
        parser.error(f"an interval needs at least two PNG pictures in {chosen.folder}, got {len(paths)}")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    originals = [np.array(Pillow.open(path).convert("RGB")) for path in paths]
    entrants = [open_entrant(words) for words in (chosen.coarse, *(chosen.decoder or HFD))]
    qualities = chosen.quality or [nearest_quality(entrants[0].codec, originals)]
    by_quality = {quality: gather(originals, entrants, quality) for quality in qualities}
    numbers = chosen.record.with_suffix(".csv")
    with numbers.open("w", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerows(long_table(by_quality, entrants[0].label))
    text = record(chosen.folder, len(paths), entrants, by_quality, numbers)
    keep(chosen.record, text, Path(__file__))
    print(text)


if __name__ == "__main__":
    main()

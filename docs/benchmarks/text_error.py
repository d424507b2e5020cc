"""Draw `images/text-error.png` and write `text_error.md` from a store of the suite `text`.

    codecarena run text
    python docs/benchmarks/text_error.py arena > docs/benchmarks/text_error.md

Each point is one setting: mean bits per pixel and mean character error rate over the 24 drawn pictures.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import matplotlib as mpl
import numpy as np
from record_age import stamp

from codecarena.bench.store.store import Store

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
FIGURE = HERE.parent / "images/text-error.png"
RATES = (0.05, 0.1, 0.2, 0.4)
NOISE = 0.01
"""Error rate by which a lower bit rate may be read better by chance: one or two characters a picture."""
MARKERS = {"classic": "o", "learned": "s", "generative": "D"}


def read(folder):
    """Return the metric, how many pictures, and each codec's family and points: bits per pixel and CER."""
    store = Store(folder)
    metric = next(stored for stored in store.metrics() if stored.name == "cer")
    cells = defaultdict(lambda: defaultdict(list))
    for cell in store.cells("text"):
        if metric.metric_id in cell.scores:
            cells[cell.codec, cell.family][cell.quality].append(cell)
    pictures = {
        cell.picture_sha256 for settings in cells.values() for group in settings.values() for cell in group
    }
    curves = {}
    for (codec, family), settings in sorted(cells.items()):
        points = [
            (
                fmean(cell.bits_per_pixel for cell in group),
                fmean(cell.scores[metric.metric_id].value for cell in group),
            )
            for group in settings.values()
            if {cell.picture_sha256 for cell in group} == pictures
        ]
        if points:
            curves[codec] = family, np.array(sorted(points))
    return metric, len(pictures), curves


def at(points, rate):
    """Return CER at a rate, linear over log rate between settings; None outside of them."""
    rates, errors = points.T
    if not rates[0] <= rate <= rates[-1]:
        return None
    return float(np.interp(np.log(rate), np.log(rates), errors))


def draw(curves):
    figure, axes = plt.subplots(figsize=(7.5, 4.6), layout="constrained")
    for codec, (family, points) in curves.items():
        rates, errors = points.T
        line = "-" if family == "classic" else "--"
        axes.plot(
            rates, 100 * errors, line, marker=MARKERS[family], markersize=4.5, label=f"{codec} ({family})"
        )
    axes.set_xscale("log")
    axes.set_xlabel("bits per pixel, mean of 24 pictures of text")
    axes.set_ylabel("character error rate, percent")
    axes.set_ylim(-2, 102)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=130)


def percent(value):
    return "-" if value is None else f"{100 * value:.1f}"


def record(metric, count, curves):
    heads = " | ".join(f"at {rate:g} bpp" for rate in RATES)
    print("# Text: character error rate against rate\n")
    reader = metric.version.split(", ")[1]
    print(f"The suite `text`: {count} pictures of known sentences, read back by {reader}.")
    print("Percent of characters, mean over the pictures; made by `text_error.py`.\n")
    print("![Character error rate against bits per pixel](../images/text-error.png)\n")
    print(
        "At matched rates, read between settings, linear over log rate; `-`: the codec does not reach it.\n"
    )
    print(f"| codec | family | {heads} |\n| --- | --- {'| --- ' * len(RATES)}|")
    for codec, (family, points) in curves.items():
        print(f"| {codec} | {family} | {' | '.join(percent(at(points, rate)) for rate in RATES)} |")
    print("\nEvery setting, from the lowest rate; differences up to 1 point are no fall.\n")
    print("| codec | bits per pixel: CER, % | rises at lower rates |")
    print("| --- | --- | --- |")
    for codec, (_, points) in curves.items():
        listed = ", ".join(f"{rate:.3f}: {percent(error)}" for rate, error in points)
        falls = np.all(np.diff(points[:, 1]) <= NOISE)
        rising = "one setting" if len(points) == 1 else "yes" if falls else "no"
        print(f"| {codec} | {listed} | {rising} |")
    print(f"\n{stamp(Path(__file__).with_suffix('.md'))}")


if __name__ == "__main__":
    results = read(sys.argv[1])
    draw(results[2])
    record(*results)

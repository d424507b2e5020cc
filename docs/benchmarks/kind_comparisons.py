"""Simulate comparisons of kinds whose truth is known, and write `kind_comparisons.md`.

    python docs/benchmarks/kind_comparisons.py [COMPARISONS]

24 natural and 24 AI-generated pictures with thirteen descriptors, a codec and its anchor. A confounder is
planted that changes what the codec saves, with or without an effect of the kind itself. Comparisons are
counted one by one and kept in `kind_comparisons.json`: the script can be stopped at any time and goes on
where it was.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

import numpy as np
from engines import compare
from record_age import keep
from scored_cells import CELL, PSNR

from codecarena.bench.analysis.balance import balance, match
from codecarena.bench.analysis.kind_effect import split_by_kind
from codecarena.bench.records.rows import Score

KEPT = Path(__file__).with_suffix(".json")
EACH = 24
KIND_EFFECT = 0.15
"""In log rate, of what the codec needs on AI-generated pictures beside its anchor."""
SPREAD = 0.08
"""Standard deviation of a codec's gain over pictures."""
CONTENT = ("spatial_information", "colourfulness", "edge_density", "entropy", "text_share", "face_count")
HISTORY = ("jpeg_quality", "blocks_of_8", "blocks_of_4", "chroma_half", "enlargement", "PNG file")
PLANTED = {
    "nothing": ((), ()),
    "JPEG before, in part": (HISTORY, ()),
    "JPEG before, always": (HISTORY, ()),
    "WebP before, in part": (HISTORY, ()),
    "size": (("megapixels",), ()),
    "content": ((), CONTENT),
}
"""What is planted, and on which descriptors pictures are matched then."""


def described(random, planted):
    """Return descriptors by picture, and how much more the codec needs of each, in log rate."""
    generated = np.repeat([False, True], EACH)
    count = 2 * EACH
    values = {name: random.normal(0, 1, count) for name in CONTENT}
    values["face_count"] = random.poisson(0.3, count).astype(float)
    values |= {"chroma_half": np.zeros(count), "enlargement": np.ones(count), "PNG file": np.ones(count)}
    values["megapixels"] = np.exp(random.normal(0, 0.4, count))
    coded = np.zeros(count, bool)
    gain = np.zeros(count)
    if planted == "JPEG before, in part":
        coded = random.random(count) < np.where(generated, 0.3, 0.7)
    elif planted == "JPEG before, always":
        coded = ~generated
    values["jpeg_quality"] = np.where(coded, random.choice([75.0, 85.0, 92.0], count), 100.0)
    values["blocks_of_8"] = np.where(coded, 20.0, random.gamma(1, 0.4, count))
    webp = np.zeros(count, bool)
    if planted == "WebP before, in part":
        webp = random.random(count) < np.where(generated, 0.3, 0.7)
    values["blocks_of_4"] = np.where(webp | coded, 20.0, random.gamma(1, 0.6, count))
    gain += 0.3 * (100 - values["jpeg_quality"]) / 25 + 0.3 * webp
    if planted == "size":
        values["megapixels"] *= np.where(generated, np.exp(0.4), 1)
        gain += 0.3 * np.log(values["megapixels"])
    if planted == "content":
        values["entropy"] += generated
        gain += 0.12 * values["entropy"]
    table = {
        f"p{place}": {name: float(column[place]) for name, column in values.items()} for place in range(count)
    }
    return table, gain


def cells(random, gain, effect):
    """Return the cells of the anchor and the codec on all pictures."""
    stored = []
    looks = random.normal(0, 1, len(gain))
    for codec in ("jpeg", "webp"):
        for place, own in enumerate(gain):
            generated = place >= EACH
            more = own + effect * generated + random.normal(0, SPREAD) if codec == "webp" else 0.0
            for step in range(4):
                rate = 0.2 * 2**step * np.exp(more + random.normal(0, 0.03))
                stored.append(
                    replace(
                        CELL, picture_sha256=f"p{place}", picture=f"p{place}", codec=codec, codec_id=codec,
                        kind="ai-generated" if generated else "natural", quality=float(step),
                        pixel_count=10**8, bitstream_bytes=round(rate * 10**8 / 8),
                        scores={PSNR.metric_id: Score(28 + 3 * step + looks[place])},
                        picture_generator="FLUX" if generated else None,
                    )
                )  # fmt: skip
    return stored


def excludes_zero(split):
    """Return whether the interval of the codec's difference is above or below zero; None without one."""
    interval = split.rows[0].interval
    if interval is None or interval.low is None or interval.high is None:
        return None
    return interval.low > 0 or interval.high < 0


def simulated(planted, effect, seed):
    """Return what one comparison says, by name."""
    random = np.random.default_rng([seed, list(PLANTED).index(planted), effect > 0])
    table, gain = described(random, planted)
    stored = cells(random, gain, effect)
    comparison = compare(stored, PSNR)
    natural, generated = ([f"p{place + side * EACH}" for place in range(EACH)] for side in (0, 1))
    said = {"raw": bool(excludes_zero(split_by_kind(comparison, stored, PSNR, "jpeg")))}
    likeness = balance(table, natural, generated)
    said["not told apart"] = bool(likeness and likeness.confounded)
    alike, near = PLANTED[planted]
    matching = match(table, natural, generated, alike, near) if alike or near else None
    if matching and matching.pairs:
        among = {picture for pair in matching.pairs for picture in pair}
        matched = [cell for cell in stored if cell.picture_sha256 in among]
        said["matched answer"] = True
        said["matched"] = bool(excludes_zero(split_by_kind(comparison, matched, PSNR, "jpeg")))
    return said


def share(count, of):
    """Return a share in percent with two standard errors."""
    return f"{100 * count / of:.0f} ± {200 * np.sqrt(count * (of - count) / of**3):.0f}" if of else "-"


def main(comparisons):
    """Simulate what is missing, and write the record."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for seed in range(comparisons):
        for planted in PLANTED:
            for effect in (0.0, KIND_EFFECT):
                cell = kept.setdefault(f"{planted} | {effect:g}", {"comparisons": 0, "said": {}})
                if cell["comparisons"] > seed:
                    continue
                counts = Counter(cell["said"]) + Counter(
                    name for name, value in simulated(planted, effect, seed).items() if value
                )
                cell |= {"comparisons": seed + 1, "said": dict(sorted(counts.items()))}
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    rows = []
    for name, cell in sorted(kept.items(), key=lambda item: list(PLANTED).index(item[0].split(" | ")[0])):
        planted, effect = name.split(" | ")
        said, of = Counter(cell["said"]), cell["comparisons"]
        matched = said["matched answer"]
        rows.append(
            f"| {planted} | {'none' if effect == '0' else f'{100 * np.expm1(float(effect)):.0f} %'} | {of} | "
            f"{share(said['raw'], of)} | {share(said['not told apart'], of)} | {share(matched, of)} | "
            f"{share(said['matched'], matched)} |"
        )
    keep(
        Path(__file__).with_suffix(".md"),
        f"""# Comparisons of kinds whose truth is known

{EACH} natural and {EACH} AI-generated pictures, thirteen descriptors, a codec and its anchor; what is planted
changes what the codec needs. In percent of the comparisons, with two standard errors: how often the 95 %
interval of the difference excludes zero on all pictures (*raw*), how often *kind and X cannot be told apart*
is said of any descriptor, how often matching on what was planted gives an answer (at least ten pairs), and
how often the interval of that answer excludes zero. Without an effect of the kind the last should be 5 or
less. Made by `kind_comparisons.py`, which goes on where `kind_comparisons.json` ends.

| planted | effect of the kind | comparisons | raw | not told apart | matched answer | matched, excludes zero
| | --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}
""",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)

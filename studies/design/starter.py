"""Write a commented ``study.toml`` for a store's results that can be planned as it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from ...bench.records.rows import ScoredCell
from ..presentations.registry import PRESENTATION_NAMES
from .plan import PlanError

PREFERRED = ("jpeg", "webp", "avif", "jpegxl")
RATES = 0.25, 0.6
"""Bits per pixel that the two settings of each codec should be near."""
PICTURES = 6

TEMPLATE = """\
# A preference study over pictures that are in the store already. Every key is explained in docs/studies.md.
# codecarena study plan study.toml   checks it and stores it; it can be planned anew until it is opened.

name = "{name}"                  # what the other commands call it
title = "Which picture is closer to the original?"
introduction = "You will see two versions of a picture and choose. It takes about {minutes} minutes."
contact = "write here whom raters can ask"
hidden_reference = true         # the original is compared as well: it is the zero of the scale
seed = 1                        # of every random choice

[pictures]
sets = ["{image_set}"]
names = [{pictures}]
crop = {{ rule = "detail", width = 256, height = 256 }}   # or "centre", "whole"; every condition is cut alike

# One table a codec: its own settings, or bits_per_pixel = [0.25] for the stored setting nearest to a rate
# (matched ones: codecarena run SUITE --match bpp=0.25).
{conditions}
[trials]
presentation = "{presentation}"           # {other_presentations}
question = "Which picture is closer to the original?"
allow_no_preference = true
training = 2                    # practice with feedback
golden = 3                      # a known answer, hidden among the others
repeats = 0.1                   # part that comes again with sides swapped
identical = 1                   # a picture against itself
break_every = 40

[design]
name = "full"                   # "balanced-incomplete", "swiss", "asap" with pairs_per_rater = 40
pairs = "all"                   # "same-rate" compares codecs at one rate only

[consent]
version = "1"
minimum_age = 18
text = \"\"\"
You will compare pairs of pictures. We store your answers, response times and the size of your screen under a
random name; no address, no IP. You may stop at any time, and delete everything with the code you are shown.
\"\"\"

[raters]
panel = "none"                  # "prolific" takes PROLIFIC_PID from the address, kept as a salted hash only
card_calibration = true
colour_plates = true

[[raters.screening]]
key = "eyesight"
question = "Is your eyesight normal, with glasses or lenses if you wear them?"
answers = ["yes", "no"]
accepted = ["yes"]

[[raters.environment]]
key = "night_mode"
question = "Is a night mode or blue light filter on?"
answers = ["no", "yes", "I do not know"]

# Everything below is fixed by the seal when the study is opened.
[exclusion]                     # labels; results are shown with and without
golden_pass_rate = 0.66
minimum_median_ms = 500

[stopping]
raters = 20

[analysis]
unit = "JOD"                    # 1 JOD: three of four people prefer it; "log-worth" for Bradley-Terry
anchor = "original"
resamples = 1000
"""


def starter(name: str, cells: Sequence[ScoredCell]) -> str:
    """Return the text of a plan of two codecs at two rates each on a few pictures.

    Raises:
        PlanError: The store has not two codecs on the same pictures.
    """
    if not cells:
        raise PlanError("the store holds no results yet; run a suite first: codecarena run quick")
    image_set = Counter(cell.image_set for cell in cells).most_common(1)[0][0]
    in_set = [cell for cell in cells if cell.image_set == image_set]
    codecs = common_codecs(in_set)
    if len(codecs) < 2:
        raise PlanError(f"set {image_set!r} has one codec only; run another on it first")
    pictures = sorted(set.intersection(*({cell.picture for cell in listed} for listed in codecs.values())))
    shown = pictures[:PICTURES]
    conditions = "\n".join(
        f"[[conditions]]\ncodec = {quoted(label)}\nqualities = [{', '.join(settings_near(listed))}]\n"
        for label, listed in codecs.items()
    )
    count = sum(len(settings_near(listed)) for listed in codecs.values()) + 1
    trials = count * (count - 1) // 2 * len(shown)
    return TEMPLATE.format(
        name=name,
        image_set=image_set,
        pictures=", ".join(map(quoted, shown)),
        conditions=conditions,
        presentation=PRESENTATION_NAMES[0],
        other_presentations=", ".join(map(quoted, PRESENTATION_NAMES[1:])),
        minutes=max(5, round(trials * 6 / 60)),
    )


def common_codecs(cells: Sequence[ScoredCell], count: int = 2) -> dict[str, list[ScoredCell]]:
    """Return so many codecs, by label, that have most pictures; well-known ones first."""
    by_label: dict[str, list[ScoredCell]] = defaultdict(list)
    for cell in cells:
        by_label[cell.codec].append(cell)

    def wish(label: str) -> tuple[int, int, bool, str]:
        known = PREFERRED.index(label) if label in PREFERRED else len(PREFERRED)
        return -len({cell.picture for cell in by_label[label]}), known, by_label[label][0].toy, label

    # A label that two versions share names neither.
    single = [label for label, listed in by_label.items() if len({cell.codec_id for cell in listed}) == 1]
    return {label: by_label[label] for label in sorted(single, key=wish)[:count]}


def settings_near(cells: Sequence[ScoredCell], wanted_rates: Sequence[float] = RATES) -> list[str]:
    """Return the settings that every picture has, nearest to some bits per pixel."""
    pictures = {cell.picture for cell in cells}
    by_quality: Mapping[float, list[ScoredCell]] = defaultdict(list)
    for cell in cells:
        by_quality[cell.quality].append(cell)
    rates = {
        quality: fmean(cell.bits_per_pixel for cell in listed)
        for quality, listed in by_quality.items()
        if {cell.picture for cell in listed} == pictures
    }
    chosen: list[float] = []
    for wanted in wanted_rates[: len(rates)]:
        free = [setting for setting in rates if setting not in chosen]
        chosen.append(min(free, key=lambda setting: abs(rates[setting] - wanted)))
    return [f"{quality:g}" for quality in sorted(chosen, key=lambda setting: rates[setting])]


def quoted(text: str) -> str:
    """Return a text as a string of TOML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

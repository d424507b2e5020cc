from __future__ import annotations

import numpy as np
import pytest
from engines import split_by_kind
from metric_rows import metric_row

from codecarena.bench.analysis.affinity import affinity, is_toy, nearer
from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.analysis.kind_effect import ALL_RELATED, TOY_SET, KindRow, KindSplit
from codecarena.bench.records.rows import Score, ScoredCell

PSNR = metric_row("m-psnr", "psnr", "codecarena", "1", "RGB", "higher", None)
PIXELS = 8_000_000
SD = "CompVis/stable-diffusion-v1-4"


def measured(
    codec: str,
    kind: str,
    factor: float,
    pictures: int = 12,
    *,
    spread: float = 0.05,
    generator: str | None = None,
    own: str | None = None,
    seed: int = 0,
    prefix: str = "",
) -> list[ScoredCell]:
    """A codec at a multiple of a common rate, on pictures of one kind."""
    name = prefix or kind
    gains = np.log(factor) + np.random.default_rng([seed, len(codec), len(kind)]).normal(0, spread, pictures)
    detail = np.random.default_rng(len(name)).normal(0, 0.3, pictures)
    return [
        ScoredCell(
            image_set=kind, picture=f"{name}{place}", picture_sha256=f"{name}{place}",
            kind=kind,  # type: ignore[arg-type]
            pixel_count=PIXELS, codec_id=f"id-{codec}", codec=codec, family="classic", toy=False,
            quality=step, seed=None,
            bitstream_bytes=round(0.1 * 2**step * np.exp(detail[place] + gains[place]) * PIXELS / 8),
            bitstream_sha256="", decoded_sha256="", encode_seconds=(0.1,), decode_seconds=(0.1,),
            contended=True, scores={PSNR.metric_id: Score(28 + 3.0 * step - detail[place])},
            picture_generator=generator, codec_generator=own,
        )
        for place in range(pictures)
        for step in range(4)
    ]  # fmt: skip


def both(codec: str, natural: float, generated: float, **options: object) -> list[ScoredCell]:
    return measured(codec, "natural", natural, **options) + measured(  # type: ignore[arg-type]
        codec,
        "ai-generated",
        generated,
        generator="FLUX.1-dev",
        **options,  # type: ignore[arg-type]
    )


def row(split: KindSplit, label: str, near: str = "none") -> KindRow:
    return next(row for row in split.rows if (row.label, row.affinity) == (label, near))


@pytest.mark.parametrize(
    ("picture", "codec", "expected"),
    [
        (None, SD, "none"),
        ("FLUX.1-dev", None, "none"),
        ("FLUX.1-dev", SD, "none"),
        ("Stable Diffusion 1.4", SD, "same weights"),
        (SD, SD, "same weights"),
        ("sd-legacy/stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5", "same weights"),
        ("Stable Diffusion 1.x", SD, "same generator family"),
        ("Stable Diffusion", "Stable Diffusion", "same generator family"),
        ("Stable Diffusion 1.x", "Stable Diffusion 1.x", "same generator family"),
        ("SDXL Turbo", "SD-Turbo", "same generator family"),
        ("Stable Diffusion 3.5 Large", SD, "same generator family"),
        ("black-forest-labs/FLUX.1-schnell", "FLUX.1-dev", "same generator family"),
        ("codecarena toy latent flow 0a1b", "codecarena toy latent flow 0a1b", "same weights"),
        ("SDXL Turbo", "stabilityai/sdxl-turbo", "same weights"),
        ("Stable Cascade", SD, "none"),
        ("Midjourney (2022)", SD, "none"),
    ],
)
def test_affinity_is_told_by_names(picture: str | None, codec: str | None, expected: str) -> None:
    assert affinity(picture, codec) == expected


def test_a_toy_generator_is_told_by_its_name() -> None:
    assert is_toy("codecarena toy latent flow 0a1b")
    assert not is_toy("Toyota-Diffusion")
    assert not is_toy(None)
    assert nearer("none", "same weights") == nearer("same weights", "same generator family") == "same weights"


def test_a_planted_interaction_is_found_with_its_size() -> None:
    stored = both("jpeg", 1, 1, spread=0.01) + both("steady", 0.8, 0.8) + both("natural-born", 0.7, 1.0)
    split = split_by_kind(stored, PSNR, "jpeg")
    assert (split.natural_pictures, split.generated_pictures, split.statement) == (12, 12, None)
    outcome = row(split, "natural-born")
    assert outcome.interval is not None
    assert outcome.interval.low is not None
    assert outcome.interval.high is not None
    assert outcome.interval.low < 100 * (1 / 0.7 - 1) < outcome.interval.high
    assert outcome.p_value is not None
    assert outcome.p_value < 0.01
    steady = row(split, "steady")
    assert steady.p_value is not None
    assert steady.p_value > 0.05
    assert split.order is not None
    assert split.order.p_value < 0.01
    # On natural pictures natural-born, steady, jpeg; on AI-generated ones steady, then the others.
    shown = [
        (reversal.better_on_natural, reversal.better_on_generated)
        for reversal in split.order.reversals
        if reversal.shown
    ]
    assert shown == [("natural-born", "steady")]
    assert split.order.tau < 1


def test_without_an_interaction_none_is_found() -> None:
    alarms = 0
    for seed in range(12):
        stored = both("jpeg", 1, 1, spread=0.01, seed=seed)
        for codec in ("aa", "bbb", "cccc", "ddddd"):
            stored += both(codec, 0.8, 0.8, spread=0.1, seed=seed)
        split = split_by_kind(stored, PSNR, "jpeg")
        assert split.order is not None
        alarms += split.order.p_value < 0.05
        assert not any(reversal.shown for reversal in split.order.reversals)
    # Binomial(12, 0.05) exceeds 3 twice in a thousand times.
    assert alarms <= 3


def test_pictures_of_a_codecs_own_generator_stand_in_rows_of_their_own() -> None:
    stored: list[ScoredCell] = []
    for codec, own in (("jpeg", None), ("webp", None), ("latent", SD)):
        stored += measured(codec, "natural", 0.9, own=own)
        stored += measured(codec, "ai-generated", 0.9, 6, generator="Midjourney (2022)", own=own, prefix="mj")
        stored += measured(
            codec, "ai-generated", 0.2 if own else 0.9, 7, generator="SDXL Turbo", own=own, prefix="xl"
        )
        stored += measured(codec, "ai-generated", 0.1 if own else 0.9, 5, generator=SD, own=own, prefix="sd")
    split = split_by_kind(stored, PSNR, "jpeg")
    assert (split.generated_pictures, split.set_aside) == (6, 12)
    assert row(split, "latent").generated.pictures == 6
    assert row(split, "latent").p_value is not None
    family, same = row(split, "latent", "same generator family"), row(split, "latent", "same weights")
    assert (family.generated.pictures, same.generated.pictures) == (7, 5)
    assert family.generated.percent == pytest.approx(100 * (0.2 / 0.9 - 1), abs=5)
    assert same.generated.percent == pytest.approx(100 * (0.1 / 0.9 - 1), abs=5)
    for entry in (family, same):
        assert (entry.difference, entry.p_value) == (None, None)
    assert split.order is not None
    assert split.order.codecs == 3


def test_an_anchor_of_the_same_generator_counts_too() -> None:
    stored = [
        cell
        for codec, own in (("jpeg", SD), ("webp", None))
        for cell in (
            *measured(codec, "natural", 1, own=own),
            *measured(codec, "ai-generated", 1, generator="SDXL Turbo", own=own),
        )
    ]
    split = split_by_kind(stored, PSNR, "jpeg")
    assert (split.statement, split.order) == (ALL_RELATED, None)
    assert row(split, "webp", "same generator family").generated.pictures == 12


@pytest.mark.parametrize("own", ["codecarena toy latent flow 0a1b", None])
def test_a_toy_set_says_nothing_about_the_kinds(own: str | None) -> None:
    toy = "codecarena toy latent flow 0a1b"
    stored = [
        cell
        for codec, generator in (("jpeg", None), ("latent", own))
        for cell in (
            *measured(codec, "natural", 1, own=generator),
            *measured(codec, "ai-generated", 0.5, generator=toy, own=generator),
        )
    ]
    split = split_by_kind(stored, PSNR, "jpeg")
    assert (split.statement, split.order, split.generated_pictures) == (TOY_SET, None, 0)
    assert all(row.difference is None for row in split.rows)
    # The rows of the very weights are shown all the same.
    assert [row.generated.pictures for row in split.rows if row.affinity == "same weights"] == (
        [12] if own else []
    )


def test_too_few_pictures_of_a_kind_are_shown_without_interval_or_test() -> None:
    stored = [
        cell
        for codec in ("jpeg", "webp")
        for cell in (*measured(codec, "natural", 1), *measured(codec, "ai-generated", 1, 3, generator="FLUX"))
    ]
    split = split_by_kind(stored, PSNR, "jpeg")
    outcome = row(split, "webp")
    assert outcome.generated.percent is not None
    assert outcome.generated.interval.reason == "fewer than 5 pictures"
    assert outcome.difference is not None
    assert (outcome.interval and outcome.interval.low, outcome.p_value, split.order) == (None, None, None)


def test_a_picture_of_both_kinds_is_a_mistake() -> None:
    stored = measured("jpeg", "natural", 1, prefix="x") + measured("jpeg", "ai-generated", 1, prefix="x")
    with pytest.raises(AnalysisError, match="natural in one image set and AI-generated in another"):
        split_by_kind(stored, PSNR, "jpeg")


@pytest.mark.parametrize("kind", ["composite", "drawn", "unknown"])
def test_pictures_of_other_kinds_are_in_no_test_and_are_counted(kind: str) -> None:
    stored = [*both("jpeg", 1, 1), *both("webp", 0.8, 0.9)]
    plain = split_by_kind(stored, PSNR, "jpeg")
    others = [cell for codec in ("jpeg", "webp") for cell in measured(codec, kind, 3, 4, generator="FLUX.1")]
    split = split_by_kind(stored + others, PSNR, "jpeg")
    assert (split.other_kinds, plain.other_kinds) == ({kind: 4}, {})
    assert (split.rows, split.order) == (plain.rows, plain.order)


def test_a_set_that_knows_a_pictures_kind_decides_for_one_that_does_not() -> None:
    stored = [*both("jpeg", 1, 1), *both("webp", 0.8, 0.9)]
    unknown = measured("jpeg", "unknown", 1, prefix="natural")
    assert split_by_kind(stored + unknown, PSNR, "jpeg").other_kinds == {}

"""The two rates of a set, worked out by hand, and the bytes they are made of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engines import OfColumns, OfRecords

from codecarena.bench.records.rows import ScoredCell, Verdict

SMALL = ScoredCell(
    "set", "small", "1" * 64, "natural", 1000, "id", "one", "classic", False, 5.0, None, 250, "b", "d",
    (0.1,), (0.1,), False, header_bytes=50, payload_bytes=180, side_bytes=20,
)  # fmt: skip
LARGE = replace(
    SMALL, picture="large", picture_sha256="2" * 64, pixel_count=9000, bitstream_bytes=1125, header_bytes=150,
    payload_bytes=975, side_bytes=0,
)  # fmt: skip


@pytest.fixture(params=[OfRecords, OfColumns])
def engine(request: pytest.FixtureRequest):
    return request.param


def test_mean_of_pictures_and_whole_set_are_apart(engine) -> None:
    (rate,) = engine.set_rates([SMALL, LARGE])
    # 2 bits per pixel on the small one, 1 on the large one; 11000 bits over 10000 pixels.
    assert rate.mean_bits_per_pixel == pytest.approx(1.5)
    assert rate.total_bits_per_pixel == pytest.approx(1.1)
    assert (rate.header_bytes, rate.payload_bytes, rate.side_bytes) == (100, 577.5, 10)
    assert (rate.pictures, rate.of_pictures) == (2, 2)


def test_a_picture_counts_once_however_many_seeds_it_has(engine) -> None:
    seeds = [replace(SMALL, seed=seed) for seed in range(5)]
    (rate,) = engine.set_rates([*seeds, replace(LARGE, seed=0)])
    assert rate.mean_bits_per_pixel == pytest.approx(1.5)
    assert rate.total_bits_per_pixel == pytest.approx(1.1)
    assert (rate.pictures, rate.seeds) == (2, 5)


def test_a_picture_that_is_missing_shows_and_a_probe_is_no_setting(engine) -> None:
    other = replace(SMALL, codec_id="other", codec="other")
    rates = engine.set_rates([SMALL, LARGE, other, replace(SMALL, quality=7.0, probe=True)])
    assert [(rate.codec, rate.setting, rate.pictures, rate.of_pictures) for rate in rates] == [
        ("one", 5.0, 2, 2),
        ("other", 5.0, 1, 2),
    ]


def test_imported_rows_have_no_parts(engine) -> None:
    (rate,) = engine.set_rates([replace(SMALL, imported=True)])
    assert (rate.header_bytes, rate.payload_bytes, rate.side_bytes) == (None, None, None)
    assert rate.mean_bits_per_pixel == pytest.approx(2)


def test_marks_say_what_verification_found(engine) -> None:
    good = replace(SMALL, verdict=Verdict("identical", "bubblewrap", True))
    bad = replace(LARGE, verdict=Verdict("failed", "none", False))
    flags = engine.marks([good, bad, replace(SMALL, quality=9.0)])
    assert (flags.bitstreams, flags.verified, flags.isolated, flags.wrong) == (3, 2, 1, 1)
    assert flags.encoder_varies
    assert not flags.imported


def test_a_picture_whose_encoder_varies_counts_with_the_mean_of_its_bitstreams(engine) -> None:
    seeds = [
        replace(SMALL, seed=1, bitstream_bytes=200, header_bytes=10, payload_bytes=150, side_bytes=40),
        replace(SMALL, seed=2, bitstream_bytes=400, header_bytes=30, payload_bytes=360, side_bytes=10),
    ]
    (rate,) = engine.set_rates([*seeds, LARGE])
    # 300 bytes on 1000 pixels and 1125 on 9000.
    assert rate.mean_bits_per_pixel == pytest.approx((2.4 + 1) / 2)
    assert rate.total_bits_per_pixel == pytest.approx(8 * 1425 / 10_000)
    assert (rate.header_bytes, rate.payload_bytes, rate.side_bytes) == (85, 615, 12.5)
    assert rate.seeds == 2


def test_rates_stand_by_label_and_rise(engine) -> None:
    dear, cheap = replace(SMALL, quality=1.0, bitstream_bytes=900), replace(SMALL, quality=9.0)
    rates = engine.set_rates(
        [replace(SMALL, codec="z", codec_id="a"), dear, cheap, replace(cheap, codec_id="aa")]
    )
    assert [(rate.codec, rate.codec_id, rate.setting) for rate in rates] == [
        ("one", "aa", 9.0), ("one", "id", 9.0), ("one", "id", 1.0), ("z", "a", 5.0),
    ]  # fmt: skip
    # A picture of which there are only probes was coded all the same.
    probed = replace(LARGE, probe=True)
    assert [rate.of_pictures for rate in engine.set_rates([SMALL, probed])] == [2]


@pytest.mark.parametrize(
    ("verdict", "isolated", "wrong", "varies"),
    [
        (Verdict("identical", "bubblewrap", None), 1, 0, False),
        (Verdict("within tolerance", "unshare", True), 1, 0, False),
        (Verdict("differs", "none", None), 0, 1, False),
        (Verdict("failed", "bubblewrap", False), 1, 1, True),
    ],
)
def test_every_verdict_has_its_mark(
    engine, verdict: Verdict, isolated: int, wrong: int, varies: bool
) -> None:
    flags = engine.marks([SMALL, replace(SMALL, quality=9.0, verdict=verdict)])
    assert (flags.bitstreams, flags.verified, flags.isolated, flags.wrong) == (2, 1, isolated, wrong)
    assert flags.encoder_varies == varies
    assert (flags.imported, flags.provenance) == (False, None)


def test_imported_rows_are_no_bitstreams(engine) -> None:
    flags = engine.marks([replace(SMALL, imported=True, provenance="theirs.csv", verdict=None)] * 2)
    assert (flags.imported, flags.bitstreams, flags.verified, flags.provenance) == (True, 0, 0, "theirs.csv")

"""Which cells of a suite are still to run, given what a store holds and what failed before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from measuring import INFO, planned_codec, planned_picture

from codecarena.bench.records.cells import NO_SEED, CellKey
from codecarena.bench.records.messages import Stored
from codecarena.bench.run.plan import Plan, Wanted, make_plan
from codecarena.bench.run.suite import Suite, SuiteError

A, B = planned_picture("a"), planned_picture("b", "others", pixel_count=1000)
CLASSIC = planned_codec("classic-id")
DREAMS = planned_codec("dreams-id", info=replace(INFO, name="dreams", stochastic=True), qualities=(2,))
METRICS = {"psnr": "psnr-id", "ssim": "ssim-id"}


@dataclass
class MadeUpStore:
    """What a plan asks a store."""

    cells: dict[CellKey, Stored] = field(default_factory=dict)
    scores: set[tuple[str, str, str]] = field(default_factory=set)
    tries: set[tuple[CellKey, str | None]] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    """Hashes of bitstreams that are not there any more."""

    @property
    def blobs(self) -> Any:
        return SimpleNamespace(
            folder=Path("/blobs"),
            holds=lambda stored: stored.bitstream_sha256 not in self.lost,
            has_bitstream=lambda sha256: sha256 not in self.lost,
        )

    def measured(self, ids: Iterable[str]) -> dict[CellKey, Stored]:
        return {key: stored for key, stored in self.cells.items() if key.codec_id in ids}

    def scored(self, metric_ids: Iterable[str]) -> set[tuple[str, str, str]]:
        return {row for row in self.scores if row[2] in metric_ids}

    def attempted(self, ids: Iterable[str]) -> set[tuple[CellKey, str | None]]:
        return {row for row in self.tries if row[0].codec_id in ids}


def suite(**keys: Any) -> Suite:
    return Suite.model_validate({"name": "s", "sets": "kodak", "codecs": [{"name": "made-up"}], **keys})


def key(picture: str, codec: str, quality: float, seed: int = NO_SEED) -> CellKey:
    return CellKey(f"sha-{picture}", codec, quality, seed)


def plan(store: MadeUpStore, wanted: Wanted = Wanted(), codecs: Any = (CLASSIC,), **keys: Any) -> Plan:  # noqa: B008
    return make_plan(suite(**keys), (A, B), codecs, METRICS, store, wanted)


def counts(made: Plan) -> tuple[int, int, int, int]:
    return len(made.cells), made.total, made.done, made.failed_before


def test_every_picture_goes_through_every_codec_at_every_quality_and_seed_picture_by_picture() -> None:
    made = plan(MadeUpStore(), codecs=(CLASSIC, DREAMS), seeds=(5, 8), repeats=3, keep_decoded=True)
    assert [cell.key for cell in made.cells] == [
        entry
        for picture in ("a", "b")
        for entry in (
            *(key(picture, "classic-id", quality) for quality in (2.0, 4.0, 6.0)),
            *(key(picture, "dreams-id", 2.0, seed) for seed in (5, 8)),
        )
    ]
    assert counts(made) == (10, 10, 0, 0)
    assert made.keys == {cell.key for cell in made.cells}
    cell = made.cells[-1].cell
    assert (cell.original.path, cell.original.sha256) == ("/b", "sha-b")
    assert (cell.original.caption, cell.original.text) == ("b?", "b!")
    assert (cell.codec, cell.codec_id, cell.quality, cell.seed) == (DREAMS.table.spec, "dreams-id", 2.0, 8)
    assert (cell.metrics, cell.blobs, cell.stored) == (("psnr", "ssim"), "/blobs", None)
    assert (cell.repeats, cell.keep_decoded, cell.bitstream_sha256) == (3, True, None)
    assert [cell.cell.seed for cell in made.cells[:4]] == [None, None, None, 5]


def test_without_seeds_every_decoder_takes_the_streams_own() -> None:
    assert {cell.key.seed for cell in plan(MadeUpStore(), codecs=(CLASSIC, DREAMS)).cells} == {NO_SEED}


def test_a_picture_in_two_sets_is_one_cell() -> None:
    twice = (A, replace(A, image_set="again"))
    made = make_plan(suite(), twice, (CLASSIC,), METRICS, MadeUpStore(), Wanted())
    assert counts(made) == (3, 3, 0, 0)


def test_what_was_coded_of_another_caption_is_coded_again_by_codecs_that_read_it() -> None:
    pictures = (replace(A, told_anew=True), B)
    layered = planned_codec("layered-id", info=replace(INFO, name="layered"))
    store = MadeUpStore(
        {
            key(picture, codec, quality): Stored("bits", "pixels")
            for picture in ("a", "b")
            for codec in ("classic-id", "layered-id")
            for quality in (2.0, 4.0, 6.0)
        }
    )

    made = make_plan(suite(), pictures, (CLASSIC, layered), {}, store, Wanted())
    again = {(cell.key.picture_sha256, cell.key.codec_id, cell.cell.stored) for cell in made.cells}
    assert again == {("sha-a", "layered-id", None)}


def stored(**keys: Any) -> MadeUpStore:
    """Picture a at quality 2 with both scores, at quality 4 with one, at quality 6 not measured."""
    return MadeUpStore(
        {
            key("a", "classic-id", 2.0): Stored("bits2", "pixels2"),
            key("a", "classic-id", 4.0): Stored("bits4", "pixels4"),
        },
        {
            ("sha-a", "pixels2", "psnr-id"),
            ("sha-a", "pixels2", "ssim-id"),
            ("sha-a", "pixels4", "psnr-id"),
            ("sha-b", "pixels4", "ssim-id"),  # of another picture that decodes to the same pixels
        },
        **keys,
    )


def test_only_what_is_missing_is_planned() -> None:
    made = plan(stored())
    assert counts(made) == (5, 6, 1, 0)
    assert [(cell.key.quality, cell.cell.metrics, cell.cell.stored) for cell in made.cells[:2]] == [
        (4.0, ("ssim",), Stored("bits4", "pixels4")),
        (6.0, ("psnr", "ssim"), None),
    ]
    assert not any(cell.replace for cell in made.cells)


def test_what_failed_before_is_left_alone_until_it_is_asked_for_again() -> None:
    tries = {
        (key("a", "classic-id", 4.0), "ssim"),
        (key("a", "classic-id", 6.0), None),
        (key("b", "classic-id", 2.0), "psnr"),
    }
    store = stored(tries=tries)
    made = plan(store)
    # Picture b at 2 is not measured: its one failed metric is not tried again, the rest is.
    assert counts(made) == (3, 6, 1, 2)
    assert [(cell.key, cell.cell.metrics) for cell in made.cells] == [
        (key("b", "classic-id", 2.0), ("ssim",)),
        (key("b", "classic-id", 4.0), ("psnr", "ssim")),
        (key("b", "classic-id", 6.0), ("psnr", "ssim")),
    ]
    assert counts(plan(store, Wanted(retry_failed=True))) == (5, 6, 1, 0)


@pytest.mark.parametrize("name", ["made-up", "label of classic-id"])
def test_a_forced_codec_is_measured_and_scored_again_whatever_is_stored(name: str) -> None:
    tries = {(key("a", "classic-id", 2.0), None)}
    other = planned_codec("other-id", info=replace(INFO, name="other"))
    made = plan(stored(tries=tries), Wanted(force=frozenset({name})), codecs=(CLASSIC, other))
    forced = [cell for cell in made.cells if cell.codec is CLASSIC]
    assert [entry.key.quality for entry in forced] == [2.0, 4.0, 6.0] * 2
    assert all(entry.replace and entry.cell.stored is None for entry in forced)
    assert forced[0].cell.metrics == ("psnr", "ssim")
    assert not any(cell.replace for cell in made.cells if cell.codec is other)


@pytest.mark.parametrize(
    ("forced", "cells"),
    [
        ({"force_pictures": {"a"}}, {("a", 2.0), ("a", 4.0), ("a", 6.0)}),
        ({"force_qualities": {4.0}}, {("a", 4.0), ("b", 4.0)}),
        ({"force": {"made-up"}, "force_pictures": {"a"}, "force_qualities": {2.0}}, {("a", 2.0)}),
        ({"force": {"another"}, "force_pictures": {"a"}}, set()),
        ({"force_pictures": {"a"}, "score_only": True}, set()),
    ],
)
def test_force_may_name_pictures_and_qualities(
    forced: dict[str, Any], cells: set[tuple[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecarena.bench.run.plan.matched_settings", lambda *_: ({}, {}))
    made = plan(stored(), Wanted(**forced))
    replaced = {(cell.key.picture_sha256, cell.key.quality) for cell in made.cells if cell.replace}
    assert replaced == {(f"sha-{picture}", quality) for picture, quality in cells}


def test_another_seed_decodes_the_bitstream_that_is_stored_unless_it_is_forced() -> None:
    store = MadeUpStore({key("a", "dreams-id", 2.0, 5): Stored("bits", "pixels")})
    seeds = {"codecs": (DREAMS,), "seeds": (5, 8)}
    bitstreams = {cell.key: cell.cell.bitstream_sha256 for cell in plan(store, **seeds).cells}
    assert bitstreams[key("a", "dreams-id", 2.0, 8)] == "bits"
    assert bitstreams[key("a", "dreams-id", 2.0, 5)] is None, "it has a measurement and lacks scores only"
    assert bitstreams[key("b", "dreams-id", 2.0, 8)] is None
    forced = plan(store, Wanted(force=frozenset({"dreams"})), **seeds)
    assert {cell.cell.bitstream_sha256 for cell in forced.cells} == {None}


def test_a_cell_whose_bitstream_is_lost_is_measured_again_where_a_score_needs_it() -> None:
    tries = {(key("a", "classic-id", 4.0), None)}
    store = stored(tries=tries, lost={"bits2", "bits4"})
    made = plan(store)
    again = {cell.key.quality: cell for cell in made.cells if cell.key.picture_sha256 == "sha-a"}
    # All scores of the first are there: nothing needs its bitstream.
    assert (made.lost, made.done, set(again)) == (1, 1, {4.0, 6.0})
    assert (again[4.0].replace, again[4.0].cell.stored, again[4.0].cell.metrics) == (
        True,
        None,
        ("psnr", "ssim"),
    )


def test_another_seed_encodes_where_the_bitstream_is_lost() -> None:
    store = MadeUpStore({key("a", "dreams-id", 2.0, 5): Stored("bits", "pixels")}, lost={"bits"})
    made = plan(store, codecs=(DREAMS,), seeds=(5, 8))
    assert {cell.cell.bitstream_sha256 for cell in made.cells} == {None}


def test_scoring_leaves_alone_what_was_not_measured_and_takes_in_what_searches_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_pictures = {("classic-id", "sha-a"): {5.0}, ("classic-id", "sha-b"): {7.0}}
    of_sets = {("classic-id", "others"): {3.0}}
    monkeypatch.setattr("codecarena.bench.run.plan.matched_settings", lambda *_: (of_pictures, of_sets))
    store = stored()
    for picture, quality in (("a", 5.0), ("b", 3.0)):
        store.cells[key(picture, "classic-id", quality)] = Stored("bits", "pixels")
    made = plan(store, Wanted(score_only=True, force=frozenset({"made-up"})))
    assert counts(made) == (3, 4, 1, 0)
    assert [cell.key for cell in made.cells] == [
        key("a", "classic-id", 4.0),
        key("a", "classic-id", 5.0),
        key("b", "classic-id", 3.0),
    ]
    assert not any(cell.replace for cell in made.cells)


def test_a_quality_outside_of_the_scale_is_refused_with_the_scales_ends() -> None:
    off = planned_codec("x", qualities=(1, 9.5))
    with pytest.raises(
        SuiteError, match=r"'label of x': level 9\.5 is outside its scale, 1 \(worst\) to 9 \(best\)"
    ):
        plan(MadeUpStore(), codecs=(off,))

"""Records of measurements cannot be changed after they are made, nor misspelt; reports grow, and are few."""

from __future__ import annotations

from records import loose_records

from codecarena import bench

GROWING = {
    "analysis.setting_search._State",
    "importing.Report",
    "records.messages.Outcome",
    "newer.Found",
    "prepare.Prepared",
    "runner.Report",
    "searches.MatchReport",
    "searches._Search",
    "sets.scoring.SetReport",
    "timing._Record",
    "timing_report.TimingReport",
    "verify.Report",
}


def test_every_other_record_is_frozen_and_has_slots() -> None:
    assert loose_records(bench, but=("metrics", "store.migrations")) == GROWING

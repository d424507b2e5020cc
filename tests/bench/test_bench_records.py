"""Records of measurements cannot be changed after they are made, nor misspelt; reports grow, and are few."""

from __future__ import annotations

from records import loose_records

from codecarena import bench

GROWING = {
    "analysis.setting_search._State",
    "run.import_results.Report",
    "records.messages.Outcome",
    "worker.changed_files.FolderChanges",
    "run.prepare.Prepared",
    "run.runner.Report",
    "run.searches.MatchReport",
    "run.searches._Search",
    "sets.scoring.SetReport",
    "timing.timing_pass._Record",
    "run.timing_report.TimingReport",
    "verify.verify.Report",
}


def test_every_other_record_is_frozen_and_has_slots() -> None:
    assert loose_records(bench, but=("metrics", "store.migrations")) == GROWING

"""Whole numbers in files for other programs stay whole, whatever rows lack them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from report_rows import BUTTERAUGLI, CELL, PSNR

from codecarena.bench.records.frames import data_frame
from codecarena.reports.files.export import cell_rows, write


def test_whole_numbers_stay_whole_beside_rows_without_them(make_store: Callable, tmp_path: Path) -> None:
    import pandas as pd

    theirs = replace(CELL, imported=True, seed=None, verdict=None, codec="theirs", codec_id="theirs-id")
    store = make_store([CELL, theirs], metrics=(PSNR, BUTTERAUGLI))
    row = next(row for row in cell_rows(store) if row["codec"] == CELL.codec)
    write(store, "csv", tmp_path / "cells.csv")
    with (tmp_path / "cells.csv").open() as opened:
        rows = {row["codec"]: row for row in csv.DictReader(opened)}
    whole = ("header_bytes", "payload_bytes", "side_bytes", "seed")
    assert {name: rows[CELL.codec][name] for name in whole} == {name: str(row[name]) for name in whole}
    assert {rows["theirs"][name] for name in whole} == {""}
    assert (rows[CELL.codec]["encoder_repeats"], rows["theirs"]["encoder_repeats"]) == ("False", "")
    write(store, "parquet", tmp_path / "cells.parquet")
    kept = {row["codec"]: row for row in pd.read_parquet(tmp_path / "cells.parquet").to_dict("records")}
    assert {name: kept[CELL.codec][name] for name in whole} == {name: row[name] for name in whole}
    types = pd.read_parquet(tmp_path / "cells.parquet").dtypes
    assert {str(types[name]) for name in whole} == {"Int64"}


def test_only_columns_of_whole_numbers_become_whole() -> None:
    records = [{"count": 1, "rate": 2.0, "large": 2**70, "mixed": 1, "yes": True}, {"mixed": "x"}]
    frame = data_frame(records)
    assert frame.to_csv(index=False) == f"count,rate,large,mixed,yes\n1,2.0,{2**70},1,True\n,,,x,\n"

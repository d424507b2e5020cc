"""Make a data frame of records for a file, in which whole numbers stay whole where some are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


# Any: records hold numbers, texts, truth values and nothing.
def data_frame(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the records as rows; a column of whole numbers or truth values keeps its type beside gaps."""
    import pandas as pd  # half a second

    frame = pd.DataFrame(records)
    for name in frame.columns:
        present = [value for record in records if (value := record.get(name)) is not None]
        types = {type(value) for value in present}
        if len(present) == len(records) or len(types) != 1:
            continue
        if types == {int} and all(-(2**63) <= value < 2**63 for value in present):
            frame[name] = pd.array([record.get(name) for record in records], dtype="Int64")
        elif types == {bool}:
            frame[name] = pd.array([record.get(name) for record in records], dtype="boolean")
    return frame

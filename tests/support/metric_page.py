"""The table of docs/metrics.md: what is said of each metric of ours."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@dataclass(frozen=True)
class PageRow:
    name: str
    better: str
    perfect: float | None
    lowest: float
    highest: float
    least_side: int
    install: str


def page_rows() -> dict[str, PageRow]:
    """Return the rows by name, those of other people's names as a whole left out."""
    text = PAGE.read_text()
    header, *lines = re.findall(r"^\| (?:name|`).*\|$", text.partition("\n## ")[0], re.M)
    keys = _cells(header)
    rows = [dict(zip(keys, _cells(line), strict=True)) for line in lines]
    return {row["name"]: _row(row) for row in rows if row["name"] != "pyiqa:NAME"}


def _cells(line: str) -> list[str]:
    return [cell.strip(" `") for cell in line.strip("|").split(" |")]


def _row(row: dict[str, str]) -> PageRow:
    perfect = None if row["perfect"].startswith("none") else float(row["perfect"])
    lowest, highest = _range(row["range"])
    least_side, install = int(row["least side"]), row["install"]
    return PageRow(row["name"], row["better"], perfect, lowest, highest, least_side, install)


def _range(text: str) -> tuple[float, float]:
    """Return the ends of ``0 to 1``, ``0 up``, ``to 100`` or ``any``."""
    if text == "any":
        return -math.inf, math.inf
    if text.endswith(" up"):
        return float(text.removesuffix(" up")), math.inf
    low, _, high = text.rpartition("to ")
    return float(low or -math.inf), float(high)

"""Which folder may import which, and that docs/architecture.md tells the truth about it."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import pytest
from imported import ROOMS, ROOT, arrows, floors, imports, sources

ARROWS = {
    "bench": "datasets/cli",
    "bench/analysis": "bench/metrics bench/records bench/store codecs",
    "bench/cli": (
        "bench bench/metrics bench/records bench/run bench/sets bench/store bench/timing "
        "bench/verify bench/worker codecs datasets/sets"
    ),
    "bench/metrics": "bench/records codecs",
    "bench/records": "codecs",
    "bench/run": (
        "bench bench/analysis bench/metrics bench/records bench/store bench/store/tables "
        "bench/worker codecs codecs/generative codecs/generative/latent datasets "
        "datasets/description datasets/sets"
    ),
    "bench/sets": (
        "bench/analysis bench/metrics bench/records bench/run bench/store codecs datasets datasets/sets"
    ),
    "bench/store": "bench/records bench/store/tables codecs datasets datasets/description",
    "bench/store/migrations": "bench/store/tables",
    "bench/store/migrations/versions": "bench/store/migrations",
    "bench/store/tables": "",
    "bench/timing": "bench/records bench/run bench/store bench/worker codecs",
    "bench/verify": "bench/records bench/run bench/store bench/worker codecs datasets",
    "bench/worker": "bench/metrics bench/records bench/store codecs datasets datasets/description",
    "codecs": "",
    "codecs/classic": "codecs",
    "codecs/generative": "codecs",
    "codecs/generative/hfd": "codecs codecs/generative codecs/learned",
    "codecs/generative/latent": "codecs codecs/generative",
    "codecs/generative/layered": (
        "codecs codecs/generative codecs/generative/layered/coding codecs/generative/layered/decoding"
    ),
    "codecs/generative/layered/coding": "codecs",
    "codecs/generative/layered/decoding": (
        "codecs codecs/generative codecs/generative/latent codecs/generative/layered/coding codecs/learned"
    ),
    "codecs/learned": "codecs codecs/generative codecs/recipes",
    "codecs/recipes": "",
    "codecs/training": (
        "codecs codecs/generative codecs/generative/hfd codecs/generative/latent "
        "codecs/generative/layered codecs/generative/layered/coding codecs/learned"
    ),
    "datasets": "",
    "datasets/cli": "datasets datasets/description datasets/generated datasets/sets",
    "datasets/description": "datasets",
    "datasets/generated": "datasets",
    "datasets/sets": "datasets datasets/description datasets/generated datasets/sources",
    "datasets/sources": "datasets datasets/generated",
    "reports": "reports/server reports/views studies/trial",
    "reports/charts": (
        "bench/analysis reports/tables studies/analysis studies/ledger studies/organise "
        "studies/records studies/scale"
    ),
    "reports/cli": (
        "bench bench/analysis bench/cli bench/run bench/store reports/charts reports/files reports/server "
        "reports/tables studies/analysis"
    ),
    "reports/files": (
        "bench/analysis bench/records bench/store reports/charts reports/tables studies/analysis "
        "studies/ledger"
    ),
    "reports/server": (
        "bench/analysis bench/records bench/store reports/tables studies/organise studies/session"
    ),
    "reports/tables": "bench/analysis bench/records bench/store studies/analysis",
    "reports/views": (
        "bench/analysis bench/records bench/store reports/charts reports/files reports/server "
        "reports/tables studies/analysis studies/design studies/ledger studies/organise "
        "studies/records studies/scale"
    ),
    "studies/analysis": (
        "bench/analysis bench/records bench/store studies/design studies/ledger studies/records studies/scale"
    ),
    "studies/design": (
        "bench/records bench/store datasets studies/presentations studies/records studies/scale"
    ),
    "studies/ledger": "bench/store bench/store/tables studies/design studies/records studies/scale",
    "studies/organise": (
        "bench bench/records bench/store datasets studies/analysis studies/design studies/ledger "
        "studies/records studies/scale studies/session"
    ),
    "studies/presentations": "",
    "studies/records": "",
    "studies/scale": "bench/analysis",
    "studies/session": "bench/store studies/analysis studies/design studies/ledger studies/records",
    "studies/trial": "",
}
"""Every folder, and the folders that its files import. To lose an arrow is a gain; to turn one is a fault."""
MOST_FLOORS = 6
ROOT_MODULES = (
    "__version__",
    "counts",
    "ending_signals",
    "home_folder",
    "liveness",
    "picture_file",
    "plugins",
    "progress_lines",
    "system_errors",
    "terminal",
    "text_file",
    "visible_text",
)
"""What the folders import from the root, none of which imports a folder."""


def wrong_arrows(drawn: Mapping[str, set[str]], allowed: Mapping[str, str]) -> list[str]:
    """Return a sentence for each arrow that the table lacks, and for each that it has in vain."""
    return [
        *(
            f"{folder} imports {target}, which the table does not allow"
            for folder, targets in sorted(drawn.items())
            for target in sorted(targets - set(allowed.get(folder, "").split()))
        ),
        *(
            f"{folder} no longer imports {target}: take it out of the table"
            for folder, targets in sorted(allowed.items())
            for target in sorted(set(targets.split()) - drawn.get(folder, set()))
        ),
    ]


def test_folders_import_what_the_table_says() -> None:
    drawn = arrows(sources())
    assert set(drawn) == set(ARROWS)
    assert wrong_arrows(drawn, ARROWS) == []


def test_an_arrow_that_is_turned_is_seen() -> None:
    drawn = arrows(sources())
    drawn["bench/store"].remove("bench/records")
    drawn["bench/records"].add("bench/store")
    assert wrong_arrows(drawn, ARROWS) == [
        "bench/records imports bench/store, which the table does not allow",
        "bench/store no longer imports bench/records: take it out of the table",
    ]


def test_no_folders_import_each_other_in_a_circle() -> None:
    TopologicalSorter({folder: targets.split() for folder, targets in ARROWS.items()}).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter({"bench/store": ["bench/records"], "bench/records": ["bench/store"]}).prepare()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_at_most_six_floors(room: str) -> None:
    assert max(floors(arrows(sources()), room).values()) <= MOST_FLOORS


def test_floors_are_counted_from_the_folder_that_imports_nothing() -> None:
    drawn = {
        "a/low": set(),
        "a/middle": {"a/low", "b/other"},
        "a/high": {"a/middle", "a/low"},
        "b/other": set(),
    }
    assert floors(drawn, "a") == {"a/low": 1, "a/middle": 2, "a/high": 3}


def test_folders_import_only_these_files_of_the_root() -> None:
    used = {
        name.split(".")[1]
        for path in sources()
        for name in imports(path)
        if name.startswith("codecarena.") and name.split(".")[1] not in ROOMS
    }
    assert used == set(ROOT_MODULES)


def test_a_folder_holds_about_twenty_files() -> None:
    counted = {folder: len(list((ROOT / folder).glob("*.py"))) for folder in ARROWS}
    assert {folder: count for folder, count in counted.items() if count > 22} == {}

"""The key of a kept answer changes with the files of its method, and with no others."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from codecarena.bench.analysis.significance import against_anchor
from codecarena.bench.store import method_source
from codecarena.bench.store.method_source import source_sha256
from codecarena.studies.analysis.results import RESULTS

FILES = {
    "bench/analysis/means.py": "from .weights import (\n    weigh,\n)\n",
    "bench/analysis/weights.py": "def weigh():\n    from ..records import cells\n",
    "bench/analysis/ranks.py": "",
    "bench/records/cells.py": "",
    "bench/store/reader.py": "",
    "reports/slices.py": "from ..bench.analysis.means import mean\nfrom ..bench.store.reader import read\n",
    "reports/tables/leaderboard_tables.py": "from .slices import Slice\n",
    "studies/scale/fit.py": "from ...bench.analysis import means, ranks\n",
}
REACHED = {
    "reports.slices": {
        "reports/slices.py",
        "bench/analysis/means.py",
        "bench/analysis/weights.py",
        "bench/records/cells.py",
    },
    "studies.scale.fit": {
        "studies/scale/fit.py",
        "bench/analysis/means.py",
        "bench/analysis/weights.py",
        "bench/analysis/ranks.py",
        "bench/records/cells.py",
    },
}


def hash_of(folder: Path, module: str, changed: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the hash of what lies in a module of a made-up package, one of whose files was changed."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + ("# another method\n" if name == changed else ""))
    held = ModuleType(f"made_up.{module}")
    held.__file__ = str(folder / module.replace(".", "/")) + ".py"
    monkeypatch.setitem(sys.modules, held.__name__, held)
    monkeypatch.setattr(method_source, "ROOT", folder)
    method = type("Method", (), {"__module__": held.__name__})
    return source_sha256([method])


@pytest.mark.parametrize("module", REACHED)
def test_a_hash_changes_with_the_methods_files_and_no_others(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hash_of(tmp_path / "before", module, "", monkeypatch)
    assert hash_of(tmp_path / "same", module, "", monkeypatch) == before
    changing = {
        name
        for name in FILES
        if hash_of(tmp_path / name.replace("/", "-"), module, name, monkeypatch) != before
    }
    assert changing == REACHED[module]


def test_two_methods_depend_on_the_files_of_both() -> None:
    both = source_sha256([against_anchor, *RESULTS.methods])
    assert both == source_sha256([*RESULTS.methods, against_anchor])
    assert len({both, source_sha256([against_anchor]), source_sha256(RESULTS.methods)}) == 3


def test_another_process_finds_the_same_hash() -> None:
    code = (
        "from codecarena.studies.analysis.results import RESULTS\n"
        "from codecarena.bench.store.method_source import source_sha256\n"
        "print(source_sha256(RESULTS.methods))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == source_sha256(RESULTS.methods)


def test_hashing_the_largest_method_takes_less_than_20_ms() -> None:
    for kept in (
        method_source._sha256_of,
        method_source._read,
        method_source._methods,
        method_source._imported,
    ):
        kept.cache_clear()
    start = time.process_time()
    source_sha256(RESULTS.methods)
    assert time.process_time() - start < 0.02


def test_what_has_no_source_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a method with a source file, got one of builtins"):
        source_sha256([max])

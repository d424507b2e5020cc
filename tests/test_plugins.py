"""Metrics, designs and codecs of other packages: found, used, and refused where a name is taken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from installing import Installed, install, write_package
from PIL import Image as Pillow
from studying import text

from arena import call
from codecarena.bench.metrics.registry import entries
from codecarena.bench.store.store import Store
from codecarena.studies.design.design import DesignError, find_design
from codecarena.studies.design.plan import PlanError, parse

DOCS = Path(__file__).parent.parent / "docs"

SUITE = """
name = "plugged"
sets = ["./pictures"]
metrics = ["psnr", "mae"]
[[codecs]]
name = "jpeg"
qualities = [30, 60, 80, 90]
[[codecs]]
name = "webp"
qualities = [30, 60, 80, 90]
"""


def example(page: str, group: str) -> tuple[str, str]:
    """Return the entry points and the module of a page's worked example."""
    table = re.search(
        rf'```toml\n(\[project.entry-points."{group}"\]\n.*?)```\n\n```python\n(.*?)```',
        (DOCS / page).read_text(),
        re.DOTALL,
    )
    assert table, f"{page} has no worked example of {group}"
    return table[1], table[2]


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Return the examples of the pages, written into packages and installed."""
    folder = tmp_path_factory.mktemp("documented")
    sources = []
    for page, group, module in (
        ("metrics.md", "codecarena.metrics", "arena_mae"),
        ("studies.md", "codecarena.designs", "arena_designs"),
    ):
        entry_points, code = example(page, group)
        name = module.replace("_", "-")
        sources.append(write_package(folder / module, name, "1.5", {module: code}, entry_points))
    return install(folder / "site", *sources)


@pytest.fixture(scope="module")
def claiming(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Return packages that claim names of ours, and one name twice among themselves."""
    folder = tmp_path_factory.mktemp("claiming")
    taken = """
    [project.entry-points."codecarena.codecs"]
    jpeg = "arena_taken:Jpeg"
    [project.entry-points."codecarena.metrics"]
    psnr = "arena_taken:Psnr"
    contrast = "arena_taken:Contrast"
    "pyiqa:lpips" = "arena_taken:Lpips"
    [project.entry-points."codecarena.designs"]
    asap = "arena_taken:Asap"
    """
    other = """
    [project.entry-points."codecarena.metrics"]
    contrast = "arena_other:Contrast"
    mistitled = "arena_other:Mistitled"
    broken = "arena_other:Broken"
    absent = "arena_other:Absent"
    [project.entry-points."codecarena.designs"]
    broken = "arena_other:Broken"
    """
    code = """
from codecarena.bench.records.identities import MetricIdentity
class Mistitled:
    identity = MetricIdentity("other-name", "other", "1", "RGB")
class Broken:
    def __init__(self):
        raise ZeroDivisionError("no luck")
"""
    return install(
        folder / "site",
        write_package(folder / "taken", "arena-taken", "2.0", {"arena_taken": "raise SystemExit"}, taken),
        write_package(folder / "other", "arena-other", "3.1", {"arena_other": code}, other),
    )


@pytest.fixture(scope="module")
def measured(documented: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose store was written with the page's metric installed."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "pictures").mkdir()
    random = np.random.default_rng(3)
    for name in "abc":
        pixels = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        Pillow.fromarray(pixels).resize((96, 72)).save(folder / f"pictures/{name}.png")
    (folder / "suite.toml").write_text(SUITE)
    words = ("run", str(folder / "suite.toml"), "--store", str(folder / "arena"), "-j", "1")
    ran = documented.python("-m", "codecarena", *words)
    assert ran.returncode == 0, ran.stderr
    return folder


def test_the_metric_of_the_page_is_listed(documented: Installed) -> None:
    listed = documented.python("-m", "codecarena", "list", "metrics", "--json")
    assert listed.returncode == 0, listed.stderr
    metrics = {row["metric"]: row for row in json.loads(listed.stdout)}
    assert metrics["mae"] == {"metric": "mae", "summary": "from arena-mae 1.5", "status": "ready"}


def test_what_the_metric_of_the_page_declares_is_stored_with_its_scores(measured: Path) -> None:
    store = Store(str(measured / "arena"))
    (row,) = (metric for metric in store.metrics() if metric.name == "mae")
    assert (row.title, row.decimals, row.better, row.lowest, row.highest) == ("MAE", 3, "lower", 0.0, 255.0)
    values = [cell.scores[row.metric_id].value for cell in store.cells()]
    store.close()
    assert len(values) == 24
    assert all(value is not None and 0 < value < 128 for value in values)


def test_a_store_shows_a_metric_that_is_not_installed(measured: Path) -> None:
    """Under its title and with its digits: the package is not on the path of this process."""
    assert "mae" not in entries()
    shown = call("leaderboard", "--store", "arena", "--metric", "mae", "--at", "mae=29", folder=measured)
    assert shown.returncode == 0, shown.stderr
    assert "MAE 29.000" in shown.stdout


USE = """
import json, numpy as np
from pathlib import Path
from codecarena.studies.design.design import PairTotals, Pairs, design_names, find_design
from codecarena.studies.design.plan import parse
import sys
plan = parse(sys.argv[1], Path("study.toml"))
column = np.arange(6)
zeros = np.zeros(6, np.int64)
pair_totals = PairTotals(np.array([2, 0, 1, 0, 3, 0]), zeros, zeros, zeros)
open_pairs = np.array([True, True, True, False, True, True])
chosen = find_design(plan.design.name).choose(
    Pairs(zeros, zeros, column + 1), pair_totals, open_pairs, 3, np.random.default_rng(0)
)
print(json.dumps([design_names(), [choice.pair for choice in chosen]]))
"""
DESIGN = 'name = "fewest-votes"\npairs_per_rater = 3'


def test_the_design_of_the_page_is_planned_and_chooses(documented: Installed) -> None:
    ended = documented.python("-c", USE, text(design=DESIGN))
    assert ended.returncode == 0, ended.stderr
    names, chosen = json.loads(ended.stdout)
    assert names == ["full", "balanced-incomplete", "swiss", "asap", "fewest-votes"]
    assert chosen == [1, 5, 2]


def test_a_design_that_is_not_here_is_named_with_those_that_are() -> None:
    known = "expected one of full, balanced-incomplete, swiss, asap"
    with pytest.raises(DesignError, match=f"no design is named 'fewest-votes'; {known}"):
        find_design("fewest-votes")
    with pytest.raises(PlanError, match=rf"design.name.*{known}"):
        parse(text(design=DESIGN), Path("study.toml"))


ERRORS = """
import json, sys
from pathlib import Path
from codecarena.bench.metrics import registry as metrics
from codecarena.codecs import registry as codecs
from codecarena.studies.design import design
def message(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
print(json.dumps({
    "codec": message(codecs.create, "jpeg"),
    "metric": message(metrics.create, "psnr"),
    "pyiqa": message(metrics.create, "pyiqa:lpips"),
    "design": message(design.find_design, "asap"),
    "twice": message(metrics.create, "contrast"),
    "listed": [codecs.entries()["jpeg"].missing, metrics.entries()["psnr"].missing],
    "others": [
        message(codecs.create, "webp"), message(metrics.create, "ssim"), message(design.find_design, "full")
    ],
    "mistitled": message(metrics.create, "mistitled"),
    "broken": message(metrics.create, "broken"),
    "absent": message(metrics.create, "absent"),
    "broken design": message(design.find_design, "broken"),
}))
"""
ADVICE = "uninstall one of them, or have its author choose another name"


@pytest.fixture(scope="module")
def messages(claiming: Installed) -> dict[str, object]:
    ended = claiming.python("-c", ERRORS)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("kind", "error", "name"),
    [
        ("codec", "CodecError: codec", "jpeg"),
        ("metric", "MetricError: metric", "psnr"),
        ("pyiqa", "MetricError: metric", "pyiqa:lpips"),
        ("design", "DesignError: design", "asap"),
    ],
)
def test_a_name_of_ours_that_is_claimed_is_an_error_that_names_both(
    messages: dict[str, object], kind: str, error: str, name: str
) -> None:
    """Which of the two a stored number came from could not be told."""
    claimed = f"the name {name!r} is claimed by codecarena itself and by arena-taken 2.0; {ADVICE}"
    assert messages[kind] == f"{error} {name!r}: {claimed}"


def test_two_other_packages_are_both_named_too(messages: dict[str, object]) -> None:
    claimed = f"the name 'contrast' is claimed by arena-other 3.1 and by arena-taken 2.0; {ADVICE}"
    assert messages["twice"] == f"MetricError: metric 'contrast': {claimed}"


def test_a_claimed_name_is_listed_with_the_reason_and_disturbs_no_other(messages: dict[str, object]) -> None:
    assert [str(reason).split(";")[0] for reason in messages["listed"]] == [
        f"the name {name!r} is claimed by codecarena itself and by arena-taken 2.0"
        for name in ("jpeg", "psnr")
    ]
    assert messages["others"] == [None, None, None]


def test_a_suite_that_asks_for_a_claimed_name_is_refused(claiming: Installed, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    Pillow.new("RGB", (32, 32)).save(tmp_path / "pictures/a.png")
    (tmp_path / "suite.toml").write_text(SUITE.replace(', "mae"', ""))
    ended = claiming.python(
        "-m", "codecarena", "run", str(tmp_path / "suite.toml"), "--store", str(tmp_path / "arena")
    )
    assert ended.returncode == 2, ended.stdout
    assert "Traceback" not in ended.stderr
    assert "claimed by codecarena itself and by arena-taken 2.0" in " ".join(ended.stderr.split())


def test_a_package_that_does_not_load_is_an_error_of_its_name_alone(messages: dict[str, object]) -> None:
    assert messages["mistitled"] == (
        "MetricError: metric 'mistitled' (arena_other:Mistitled, arena-other) does not load: its identity is "
        "named 'other-name', expected 'mistitled'"
    )
    reason = "(arena_other:Broken, arena-other) does not load: ZeroDivisionError('no luck')"
    assert messages["broken"] == f"MetricError: metric 'broken' {reason}"
    assert messages["broken design"] == f"DesignError: design 'broken' {reason}"
    assert str(messages["absent"]).startswith(
        "MetricError: metric 'absent' (arena_other:Absent, arena-other)"
    )

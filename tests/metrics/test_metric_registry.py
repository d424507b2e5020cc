"""Finding, refusing and naming metrics."""

from __future__ import annotations

import dataclasses
import math
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from metric_page import page_rows

from codecarena.bench.metrics.base import MetricError, MissingMetricError
from codecarena.bench.metrics.registry import create, entries, find, resolved
from codecarena.bench.records.identities import MetricIdentity, metric_id
from codecarena.bench.records.metric_facts import MetricFacts
from codecarena.codecs.base import Picture

if TYPE_CHECKING:
    from pathlib import Path


OF_OTHERS = {"clip-similarity", "dino-similarity", "face-identity"}
"""Their weights are not shipped."""


def program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from codecarena.bench.metrics.registry import entries\n"
        "[entry.missing for entry in entries().values()]\n"
        "print([name for name in ('torch', 'cv2', 'scipy', 'skimage', 'pyiqa') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_metrics_of_the_base_install_are_available() -> None:
    base = [name for name, row in page_rows().items() if row.install.startswith("base")]
    assert {"psnr", "psnr-y", "ssim", "ms-ssim", "ciede2000"} <= set(base)
    assert [name for name in [*base, "ssimulacra2"] if entries()[name].missing] == []


@pytest.mark.parametrize(("wrong", "near"), [("ms_ssim", "ms-ssim"), ("pyiqa:lpip", "pyiqa:lpips")])
def test_a_misspelt_name_gets_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(MetricError, match=f"no metric is named {wrong!r}; did you mean {near!r}"):
        find(wrong)


def test_a_name_like_no_other_gets_the_list() -> None:
    with pytest.raises(MetricError, match=r"known: psnr, .*xpsnr, and pyiqa:NAME"):
        find("zzzzzz")


def test_each_metric_answers_to_its_name() -> None:
    for name, entry in entries().items():
        if not entry.missing and not name.startswith("pyiqa:") and name not in OF_OTHERS:
            assert create(name).identity.name == resolved(name)


def test_a_missing_program_is_named_not_raised_at_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    expected = "missing: put butteraugli_main (Debian package libjxl-devtools) on PATH"
    assert find("butteraugli").missing == expected
    with pytest.raises(MissingMetricError, match="butteraugli_main"):
        create("butteraugli")


def test_ssimulacra2_without_libjxl_is_the_port_under_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find("ssimulacra2").missing is None
    assert resolved("ssimulacra2") == "ssimulacra2-py"
    assert create("ssimulacra2").identity.name == "ssimulacra2-py"


def test_ssimulacra2_of_a_program_on_path_has_another_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that answers as libjxl's does: one number on the first line."""
    program(tmp_path, "ssimulacra2", 'test -s "$1" && test -s "$2" && echo 71.50640000')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    metric = create("ssimulacra2")
    assert (metric.identity.name, metric.identity.implementation) == ("ssimulacra2", "libjxl")
    assert "sha256:" in metric.identity.version
    pixels = np.zeros((9, 9, 3), np.uint8)
    assert metric.score(metric.prepare(Picture(pixels)), pixels) == 71.5064


@pytest.mark.parametrize(
    ("body", "message"),
    [("echo 'cannot read it' >&2; exit 3", "status 3: cannot read it"), ("echo nonsense", "nonsense")],
)
def test_a_program_that_fails_is_a_metric_error(
    body: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "butteraugli_main", body)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    metric = create("butteraugli")
    pixels = np.random.default_rng(len(body)).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    with pytest.raises(MetricError, match=message):
        metric.score(metric.prepare(Picture(pixels)), pixels)


def test_each_field_of_an_identity_changes_its_id() -> None:
    identity, facts = MetricIdentity("psnr", "codecarena", "1", "RGB", None), MetricFacts()
    changed = {
        field.name: metric_id(dataclasses.replace(identity, **{field.name: "other"}), facts)
        for field in dataclasses.fields(identity)
    }
    meaning = {"better": "lower", "lowest": 0.0, "highest": 100.0, "perfect": math.inf}
    for name, value in meaning.items():
        changed[name] = metric_id(identity, dataclasses.replace(facts, **{name: value}))
    known = metric_id(identity, facts)
    assert len({known, *changed.values()}) == 1 + len(changed) == 10
    assert len(known) == 16
    int(known, 16)
    assert metric_id(identity, dataclasses.replace(facts, title="PSNR", decimals=2)) == known
    whole = dataclasses.replace(facts, lowest=0, highest=1, perfect=1)
    assert metric_id(identity, whole) == metric_id(
        identity, dataclasses.replace(facts, lowest=0.0, highest=1.0, perfect=1.0)
    )

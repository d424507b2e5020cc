"""pyiqa's metrics: listed without torch, made without the internet, told apart by their weights."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from codecarena.bench.metrics.base import MetricError
from codecarena.bench.metrics.iqa_names import iqa_names
from codecarena.bench.metrics.registry import create, entries
from codecarena.codecs.base import Picture

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(
        entries()["pyiqa:psnr"].missing is not None, reason="missing: install codecarena[iqa]"
    ),
    pytest.mark.xdist_group("iqa"),  # pyiqa takes seconds to load: one worker does
]

# Makes each metric named and says in JSON what came of it; its own process: the folders are read once.
SCRIPT = """
import json, sys, time
import numpy as np
from codecarena.bench.metrics.base import MetricError
from codecarena.bench.metrics.registry import create
from codecarena.codecs.base import Picture
from skimage import data
picture = Picture(data.astronaut()[:256, :256].copy())
for name in sys.argv[1:]:
    start = time.perf_counter()
    try:
        metric = create("pyiqa:" + name)
        score = metric.score(metric.prepare(picture), picture.pixels)
        told = {"score": score, "weights": metric.identity.weights_sha256}
    except MetricError as error:
        told = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(told | {"name": name, "seconds": time.perf_counter() - start}))
"""


def make(home: Path, *names: str) -> dict[str, dict]:
    """Make metrics in a process whose home is this folder; return what came of each."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("CODECARENA_ALLOW")},
        "HOME": str(home),
        "TORCH_HOME": str(home / "torch"),
        "HF_HOME": str(home / "hf"),
    }
    command = [sys.executable, "-c", SCRIPT, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["name"]: line for line in lines}


def test_the_table_names_what_pyiqa_lists() -> None:
    pyiqa = pytest.importorskip("pyiqa")
    assert sorted(iqa_names()) == sorted(pyiqa.list_models())
    for mode, needs in (("FR", "pair"), ("NR", "decoded")):
        theirs = pyiqa.list_models(metric_mode=mode)
        assert {iqa_names()[name].needs for name in theirs} == {needs}


def test_the_table_agrees_with_the_directions_that_pyiqa_states() -> None:
    configs = pytest.importorskip("pyiqa.default_model_configs").DEFAULT_CONFIGS
    stated = {name for name, config in configs.items() if config.get("lower_better")}
    assert {name for name, row in iqa_names().items() if row.facts.better == "lower"} == stated | {"dmm"}
    assert all(row.facts.lowest < row.facts.highest for row in iqa_names().values())


def test_every_name_is_listed_by_the_registry() -> None:
    assert {f"pyiqa:{name}" for name in iqa_names()} <= set(entries())


@pytest.mark.parametrize("name", ["fid", "inception_score", "fgresq_pair"])
def test_what_gives_no_score_of_a_picture_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(MetricError, match=f"pyiqa:{name} is not offered: it .*"):
        create(f"pyiqa:{name}")


def test_absent_weights_are_all_named_with_their_places(home: Path, made_at_home: dict[str, dict]) -> None:
    made = {name: made_at_home[name] for name in ABSENT}
    assert {line["error"] for line in made.values()} == {"MissingMetricError"}
    hub = home / "torch" / "hub"
    for part in (
        "/alexnet-owt-7be5be79.pth to ",
        str(hub / "checkpoints" / "alexnet-owt-7be5be79.pth"),
        str(hub / "pyiqa" / "LPIPS_v0.1_alex-df73285e.pth"),
        "CODECARENA_ALLOW_DOWNLOADS=1",
    ):
        assert part in made["lpips"]["message"]
    assert str(home / ".cache" / "clip" / "RN50.pt") in made["clipiqa"]["message"]
    assert "hf download timm/resnet50.a1_in1k" in made["topiq_nr"]["message"]
    assert str(home / "hf" / "hub") in made["topiq_nr"]["message"]


@pytest.mark.long
def test_every_metric_is_made_or_says_why_not(tmp_path: Path) -> None:
    """All 106 without weights in one process; on an idle machine none takes five seconds."""
    slow = {"mad", "ssimc"}  # sixteen and four seconds of computing
    made = make(tmp_path, *(name for name in iqa_names() if name not in slow))
    assert {line.get("error", "MetricError") for line in made.values()} <= {
        "MetricError",
        "MissingMetricError",
    }
    for name, line in made.items():
        assert "score" in line or f"pyiqa:{name}" in line["message"]
        assert "cannot be made" not in line.get("message", "")


def numbers(sequence: cv2.FileNode) -> list[float]:
    return [sequence.at(index).real() for index in range(sequence.size())]


ABSENT = ("lpips", "clipiqa", "topiq_nr")


@pytest.fixture(scope="module")
def home(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home folder in which the weights of NIQE and BRISQUE are placed, and no others."""
    import torch

    home = tmp_path_factory.mktemp("home")
    folder = home / "torch" / "hub" / "pyiqa"
    folder.mkdir(parents=True)
    pristine = np.load(test_data / "weights" / "niqe_pris_params.npz")
    niqe = folder / "niqe_modelparameters.mat"
    savemat(niqe, {"mu_prisparam": pristine["mu_pris_param"], "cov_prisparam": pristine["cov_pris_param"]})
    yaml = cv2.FileStorage(str(test_data / "weights" / "brisque_model_live.yml"), cv2.FILE_STORAGE_READ)
    machine = yaml.getNode("opencv_ml_svm")
    vectors = machine.getNode("support_vectors")
    support = np.array([numbers(vectors.at(index)) for index in range(vectors.size())])
    weights = np.array(numbers(machine.getNode("decision_functions").at(0).getNode("alpha")))
    brisque = folder / "brisque_svm_weights.pth"
    torch.save((torch.from_numpy(weights).float(), torch.from_numpy(support).float()), brisque)
    return home


@pytest.fixture(scope="module")
def made_at_home(home: Path) -> dict[str, dict]:
    """Return what came of metrics with and without their weights, all made by one process."""
    return make(home, *ABSENT, "niqe", "brisque", "psnr")


def test_placed_files_are_read_and_their_hash_is_in_the_identity(
    home: Path, made_at_home: dict[str, dict]
) -> None:
    made, folder = made_at_home, home / "torch" / "hub" / "pyiqa"
    for name, file in (("niqe", "niqe_modelparameters.mat"), ("brisque", "brisque_svm_weights.pth")):
        assert made[name].get("weights") == hashlib.sha256((folder / file).read_bytes()).hexdigest(), made[
            name
        ]
    assert 2 < made["niqe"]["score"] < 8
    assert -30 < made["brisque"]["score"] < 30  # an undamaged photograph
    assert made["psnr"]["weights"] is None


def test_nothing_of_the_guard_stays_behind() -> None:
    import builtins
    import urllib.request

    import torch

    guarded = (
        (builtins, "open"),
        (torch, "load"),
        (torch.hub, "download_url_to_file"),
        (torch.nn.Module, "load_state_dict"),
        (urllib.request.OpenerDirector, "open"),
    )
    before = [getattr(owner, name) for owner, name in guarded]
    with pytest.raises(MetricError, match="niqe_modelparameters"):
        create("pyiqa:niqe")
    create("pyiqa:psnr")
    assert [getattr(owner, name) for owner, name in guarded] == before


def test_a_picture_it_cannot_take_is_a_metric_error() -> None:
    metric = create("pyiqa:ms_ssim")
    tiny = np.zeros((1, 1, 3), np.uint8)
    with pytest.raises(MetricError, match="pyiqa:ms_ssim cannot score 1x1 pixels"):
        metric.score(metric.prepare(Picture(tiny)), tiny)

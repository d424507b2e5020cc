"""The base install, without the extras: torch, safetensors and every optional codec are hidden.

Where CODECARENA_BASE_PYTHON names the Python of a fresh environment with nothing but the base install, as CI
makes one (`make base`), that one runs instead: it has what the wheel holds and what is declared, no more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BASE_PYTHON = os.environ.get("CODECARENA_BASE_PYTHON")
OF_EXTRAS = (
    "torch torchvision safetensors compressai diffusers transformers accelerate huggingface_hub "
    "imageio_ffmpeg pillow_heif pyvips pyjpegli pyiqa pycvvdp flip_evaluator psnr_hvsm fsspec"
)
HIDING = f"""
import importlib.machinery
HIDDEN = set("{OF_EXTRAS}".split())
real = importlib.machinery.PathFinder.find_spec

def find_spec(cls, name, path=None, target=None):
    return None if name.split(".")[0] in HIDDEN else real(name, path, target)

importlib.machinery.PathFinder.find_spec = classmethod(find_spec)
"""
DEMO = """
import sys
from dataclasses import replace
from codecarena import cli
assert "torch" not in sys.modules
options, few = cli.options, frozenset({"jpeg", "webp", "latent"})
cli.options = lambda *given, **named: replace(
    options(*given, **named), pictures=1, only_codecs=few, timing=False
)
sys.argv = ["codecarena", "demo", "--store", sys.argv[1]]
cli.main()
"""


EVERY_MODULE = """
import importlib, sys
from pathlib import Path
import codecarena
of_extras, root = set(sys.argv[1].split()), Path(codecarena.__file__).parent
elsewhere = root / "codecs" / "recipes"  # its files run inside other projects' checkouts
for room in ("bench", "codecs", "datasets", "reports", "studies"):
    for path in sorted((root / room).rglob("*.py")):
        if path.stem in ("app", "env", "__main__") or path.parent == elsewhere:
            continue  # scripts that Streamlit, Alembic and Python run
        module = ".".join(("codecarena", *path.relative_to(root).with_suffix("").parts))
        try:
            importlib.import_module(module)
        except ImportError as missing:
            if (missing.name or "").split(".")[0] not in of_extras:
                print(module, "needs", missing.name, "which is not declared:", missing)
        else:
            print("imported", module)
"""


@pytest.fixture
def bare(tmp_path: Path):
    """Return a function that runs Python where a base install's libraries are all there is."""
    environment = os.environ | {"CODECARENA_DATA": str(tmp_path)}
    if BASE_PYTHON is None:
        (tmp_path / "hiding").mkdir()
        (tmp_path / "hiding" / "sitecustomize.py").write_text(HIDING)
        environment["PYTHONPATH"] = str(tmp_path / "hiding")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BASE_PYTHON or sys.executable, *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_libraries_are_hidden(bare) -> None:
    hidden = bare(
        "-c", "import importlib.util; assert importlib.util.find_spec('torch') is None; import torch"
    )
    assert "No module named 'torch'" in hidden.stderr


@pytest.mark.slow("imports every module in a process of its own, where CI has none of them compiled yet")
def test_every_module_can_be_imported_or_needs_a_library_of_an_extra(bare) -> None:
    walked = bare("-W", "ignore", "-c", EVERY_MODULE, f"{OF_EXTRAS} pytest")  # pytest: of the codec contract
    assert walked.returncode == 0, walked.stderr
    imported = [line for line in walked.stdout.splitlines() if line.startswith("imported ")]
    assert walked.stdout.splitlines() == imported
    assert len(imported) > 200


@pytest.mark.slow("runs the demo in a process of its own: a photograph, a report and a simulated study")
def test_the_demo_runs_without_torch_and_says_what_it_left_out(bare, tmp_path: Path) -> None:
    """It ended at once: the toy set, which torch paints, was asked for its generator's weights."""
    demo = bare("-c", DEMO, str(tmp_path / "arena"))
    assert demo.returncode == 0, demo.stdout + demo.stderr
    said = " ".join((demo.stderr + demo.stdout).split())
    assert "set toy-few: toy01.png is sampled on this machine, which takes torch" in said
    assert "codec latent missing" in said
    assert "13 completed now, 0 failed" in said  # one photograph, 6 and 7 settings
    assert (tmp_path / "arena" / "contact-sheet.png").is_file()


def test_the_toy_set_says_what_it_needs(bare) -> None:
    fetched = bare("-m", "codecarena", "sets", "fetch", "toy-few")
    assert fetched.returncode
    assert "is sampled on this machine, which takes torch: install codecarena[learned]" in fetched.stderr
    assert "Traceback" not in fetched.stderr

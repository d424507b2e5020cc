"""Several decodes of one bitstream: encoded once, and their variance told apart from the pictures'."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import call, run_record, write_pictures
from codecarena.bench.analysis.seeds import components
from codecarena.bench.store.store import Store

pytestmark = pytest.mark.xdist_group("seeds")

PROGRAM = """
import os, sys, zlib
from pathlib import Path
role, given, written, word = sys.argv[1:5]
content = Path(given).read_bytes()
if role == "encode":
    # Other bytes each time: several decodes of one bitstream can only come from one call.
    Path(written).write_bytes(zlib.compress(content) + os.urandom(8))
else:
    import numpy as np
    content = zlib.decompressobj().decompress(content)
    end = len(content) - 48 * 48 * 3
    pixels = np.frombuffer(content[end:], np.uint8).astype(int)
    noise = np.random.default_rng(int(word)).integers(-9, 10, pixels.shape)
    Path(written).write_bytes(content[:end] + (pixels + noise).clip(0, 255).astype(np.uint8).tobytes())
"""
RECIPE = """
name = "dreams"
version = "1"
encode = ["{python}", "{{recipe_dir}}/dreams.py", "encode", "{{input}}", "{{output}}", "{{quality}}"]
decode = ["{python}", "{{recipe_dir}}/dreams.py", "decode", "{{input}}", "{{output}}", "{{seed}}"]
picture = "ppm"
decoded = "ppm"
stochastic = true
[quality]
name = "level"
worst = 1
best = 9
ladder = [1]
"""
SUITE = """
name = "dreams"
sets = "./pictures"
metrics = ["psnr"]
seeds = {seeds}
[[codecs]]
name = "command"
params = {{ recipe = "dreams.toml" }}
[[codecs]]
name = "jpeg"
qualities = [50]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures decoded with two seeds, then with two more."""
    folder = tmp_path_factory.mktemp("seeds")
    write_pictures(folder / "pictures", 3, size=48)
    (folder / "dreams.py").write_text(PROGRAM)
    (folder / "dreams.toml").write_text(RECIPE.format(python=sys.executable))
    for seeds, planned in (([1, 2], 9), ([1, 2, 3, 4], 6)):
        (folder / "suite.toml").write_text(SUITE.format(seeds=seeds))
        status, record = run_record("suite.toml", folder=folder)
        assert (status, record["planned"]) == (0, planned)
    return folder


def test_every_seed_decodes_the_same_bitstream(ran: Path) -> None:
    store = Store(str(ran / "arena"))
    cells = [cell for cell in store.cells() if cell.codec == "dreams"]
    store.close()
    assert len(cells) == 12
    assert len({cell.bitstream_sha256 for cell in cells}) == 3
    assert len({cell.decoded_sha256 for cell in cells}) == 12
    for picture in {cell.picture for cell in cells}:
        timed = [cell.seed for cell in cells if cell.picture == picture and cell.encode_seconds]
        assert timed == [1], "only the first seed's cell encoded"


def test_the_table_tells_seeds_and_pictures_apart(ran: Path) -> None:
    tables: list[dict[str, Any]] = json.loads(call("seeds", "--json", folder=ran).stdout)
    (row,) = tables[0]["rows"]
    assert (row["codec"], row["seeds"], row["pictures"]) == ("dreams", 4, 3)
    assert 0 < row["within_deviation"] < 0.2
    assert row["between_deviation"] is not None
    shown = call("seeds", folder=ran).stdout
    assert "Between seeds" in shown
    assert "dreams" in shown


def test_a_store_without_seeds_says_so(ran: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 1, size=48)
    (tmp_path / "suite.toml").write_text(SUITE.format(seeds=[]).replace("command", "png").split("params")[0])
    assert run_record("suite.toml", folder=tmp_path)[0] == 0
    assert "No bitstream has been decoded with two seeds." in call("seeds", folder=tmp_path).stdout


def test_components_recover_the_variances_that_were_put_in() -> None:
    random = np.random.default_rng(5)
    groups = [random.normal(random.normal(30, 2.0), 0.5, size) for size in [3, 4, 5] * 400]
    within, between = components(groups)
    assert between is not None
    assert within**0.5 == pytest.approx(0.5, rel=0.03)
    assert between**0.5 == pytest.approx(2.0, rel=0.05)


def test_components_by_hand() -> None:
    within, between = components([np.array([1.0, 3.0]), np.array([5.0, 7.0])])
    assert within == pytest.approx(2.0)
    # Means 2 and 6: variance 8, of which 2 / 2 is the seeds'.
    assert between == pytest.approx(7.0)
    assert components([np.array([1.0, 3.0])]) == (2.0, None)
    assert components([np.array([0.0, 9.0]), np.array([1.0, 9.0])])[1] == 0.0

"""A codec package of somebody else is listed and run on the command line like one of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from arena import write_pictures
from codecarena.bench.store.store import Store

if TYPE_CHECKING:
    from installing import Installed

SUITE = """
name = "theirs"
sets = "{pictures}"
metrics = ["psnr"]
[[codecs]]
name = "deflate"
params = {{ level = 9 }}
[[codecs]]
name = "jpeg"
"""


def test_their_codec_is_listed_and_run_by_name(third_party: Installed, tmp_path: Path) -> None:
    listed = third_party.python("-m", "codecarena", "list", "codecs", "--json")
    rows = {row["codec"]: row for row in json.loads(listed.stdout)}
    assert rows["deflate"]["summary"] == "from arena-deflate 1.0"
    assert rows["deflate"]["status"] == "ready"

    write_pictures(tmp_path / "pictures", 2)
    suite = tmp_path / "suite.toml"
    suite.write_text(SUITE.format(pictures=tmp_path / "pictures"))
    words = ("run", str(suite), "--store", str(tmp_path / "arena"), "--json")
    ended = third_party.python("-m", "codecarena", *words)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["completed"] == 2 * (4 + 7)
    cells = Store(str(tmp_path / "arena")).cells()
    assert {cell.codec for cell in cells} == {"deflate(level=9)", "jpeg"}

"""What programs and folders say in square brackets and control characters is shown, and ends no run."""

from __future__ import annotations

import sys
from pathlib import Path

from arena import call, write_pictures

PROGRAM = """
import sys
sys.stderr.write("[libx265 @ 0x55aa] cannot open [/usr/lib/libx265.so]\\x1b[2J\\u202e")
sys.exit(3)
"""
RECIPE = """
name = "odd[red]"
version = "1"
encode = ["{python}", "{program}", "{{input}}", "{{output}}", "{{quality}}"]
decode = ["{python}", "{program}", "{{input}}", "{{output}}"]
[quality]
name = "q"
worst = 1
best = 5
ladder = [1]
"""
SUITE = """
name = "mar[bold]ks"
sets = ["./x[red]y"]
optional_sets = ["./x[/bar]/missing"]
metrics = ["psnr"]
[[codecs]]
name = "command"
params = { recipe = "odd.toml" }
[[codecs]]
name = "jpeg"
qualities = [30]
"""


def test_brackets_and_commands_in_messages_notes_and_names_are_text(tmp_path: Path) -> None:
    write_pictures(tmp_path / "x[red]y", 1)
    (tmp_path / "x[red]y" / "picture0000.png").rename(tmp_path / "x[red]y" / "a[final].png")
    (tmp_path / "x[red]y" / "b[bold].heic").write_bytes(b"\0")
    (tmp_path / "program.py").write_text(PROGRAM)
    recipe = RECIPE.format(python=sys.executable, program=tmp_path / "program.py")
    (tmp_path / "odd.toml").write_text(recipe)
    (tmp_path / "suite.toml").write_text(SUITE)
    ended = call("run", "suite.toml", "-j", "1", "--no-timing", folder=tmp_path)
    assert ended.returncode == 1
    assert "mar[bold]ks: 2 cells, 0 done before, 1 completed now, 1 failed" in ended.stdout
    assert "failed odd[red] 1 on a[final].png, encode" in ended.stderr
    assert "[libx265 @ 0x55aa] cannot open [/usr/lib/libx265.so]\\x1b[2J\\u202e" in ended.stderr
    assert "note set ./x[/bar]/missing: './x[/bar]/missing' is no known image set" in ended.stderr
    assert "note set x[red]y: 1 left out" in ended.stderr
    assert "b[bold].heic" in ended.stderr
    shown = call("rates", folder=tmp_path).stdout
    assert shown.startswith("Rates · x[red]y\n")
    fetched = call("sets", "check", "x[red]y", "x[red]y", folder=tmp_path)
    assert "a[final].png and a[final].png" in fetched.stdout

"""What the README shows is what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from typer.main import get_command

from codecarena import cli

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_the_codec_of_the_readme_passes_the_contract_as_the_readme_says(tmp_path: Path) -> None:
    codec, test = blocks(ROOT / "README.md", "python")
    (entry_points,) = blocks(ROOT / "README.md", "toml")
    (tmp_path / "arena_deflate.py").write_text(codec)
    (tmp_path / "test_deflate.py").write_text(test)
    metadata = tmp_path / "arena_deflate-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: arena-deflate\nVersion: 1\n")
    line = entry_points.strip().splitlines()[-1].replace('"', "")
    (metadata / "entry_points.txt").write_text(f"[codecarena.codecs]\n{line}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_deflate.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_make_knows_every_target_that_the_pages_name() -> None:
    targets = {
        name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.M)
    }
    assert {"demo", "test", "long", "check", "help"} <= targets
    for target in targets:
        shown = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert shown.returncode == 0, f"make {target}: {shown.stderr}"


SHELL = "".join(blocks(ROOT / "README.md", "sh"))


@pytest.mark.parametrize("line", re.findall(r"^codecarena [^#\n]+", SHELL, re.M))
def test_every_command_of_the_readme_is_understood(line: str) -> None:
    _, *words = line.split()
    command: click.Command = get_command(cli.app)
    while isinstance(command, click.Group) or hasattr(command, "commands"):
        command = command.commands[words.pop(0)]  # pyright: ignore[reportAttributeAccessIssue]
    command.make_context(line, words)


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them: lower case, hyphens, no other signs."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
            linked = page.parent / target if target else page
            assert linked.exists(), f"{page.name}: {target}"
            if anchor:
                assert anchor in headings(linked), f"{page.name}: {target}#{anchor}"


def test_every_file_of_ours_that_a_page_names_is_there() -> None:
    named = re.compile(r"`((?:bench|codecs|datasets|reports|studies|tests|docs)/[\w/.-]+\.\w+)")
    gone = [
        f"{page.name}: {name}"
        for page in PAGES
        for name in named.findall(page.read_text())
        if not (ROOT / name).exists() and "NAME" not in name
    ]
    assert gone == []

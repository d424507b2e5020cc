"""What the README shows is what there is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import click
import pytest
from installing import install
from typer.main import get_command

from codecarena import cli

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_the_codec_of_the_readme_passes_the_contract_as_the_readme_says(tmp_path: Path) -> None:
    codec, test = blocks(ROOT / "README.md", "python")
    (pyproject,) = blocks(ROOT / "README.md", "toml")
    package = tmp_path / "package"
    package.mkdir()
    (package / "pyproject.toml").write_text(pyproject)
    (package / "arena_deflate.py").write_text(codec)
    installed = install(tmp_path / "site", package)
    (package / "arena_deflate.py").unlink()  # What Python finds is the installed one.
    (package / "test_deflate.py").write_text(test)
    ended = installed.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_deflate.py")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    listed = installed.python("-m", "codecarena", "list", "codecs", "--json")
    rows = {row["codec"]: row for row in json.loads(listed.stdout)}
    assert rows["deflate"] == {
        "codec": "deflate", "family": "classic", "summary": "from arena-deflate 1.0", "status": "ready",
    }  # fmt: skip


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

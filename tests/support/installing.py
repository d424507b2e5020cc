"""Packages as a stranger would write them, really installed with pip, and Python with them on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "{name}"
version = "{version}"
[tool.setuptools]
py-modules = [{modules}]
{entry_points}
"""


@dataclass(frozen=True)
class Installed:
    """Where a package is, and how to start Python with it."""

    source: Path
    site: Path

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run this Python with the package on its path."""
        paths = os.pathsep.join(filter(None, [str(self.site), os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"PYTHONPATH": paths, "PYTHONWARNINGS": "error"}
        return subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            cwd=self.source,
            capture_output=True,
            text=True,
            check=False,
        )


def write_package(
    folder: Path, name: str, version: str, modules: Mapping[str, str], entry_points: str
) -> Path:
    """Write the sources of a package: modules by name, and tables of entry points as pyproject has them."""
    folder.mkdir(parents=True)
    listed = ", ".join(f'"{module}"' for module in modules)
    (folder / "pyproject.toml").write_text(
        PYPROJECT.format(name=name, version=version, modules=listed, entry_points=entry_points)
    )
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)
    return folder


def install(site: Path, *sources: Path) -> Installed:
    """Install packages from their sources, without a registry; Python then starts in the first one's."""
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(site), *map(str, sources)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return Installed(sources[0], site)

"""Score pictures by libjxl's own programs: SSIMULACRA2 and Butteraugli."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .base import MetricError, MissingMetricError
from .pixels import LastPair, check_pair, check_size, write_ppm

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

_SMALLEST_SIDE = 8


def _program(name: str) -> str:
    """Return the path of a program."""
    path = shutil.which(name)
    if path is None:
        raise MissingMetricError(f"{name} is not on PATH: install libjxl's tools (Debian: libjxl-devtools)")
    return path


@cache
def _version(path: str) -> str:
    """Return a program's version: Debian's where it owns the file, and always the file's hash.

    The programs print no version of their own.
    """
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
    return f"{_debian_version(path)}{Path(path).name} sha256:{digest}"


def _debian_version(path: str) -> str:
    """Return the version of the package that owns a file, with a space behind it, or nothing."""
    if shutil.which("dpkg-query") is None:
        return ""
    owner = _output(["dpkg-query", "--search", path])
    package = owner.partition(":")[0]
    known = _output(["dpkg-query", "--show", "--showformat=${Version}", package]) if package else ""
    return f"{known} " if known else ""


def _output(command: list[str]) -> str:
    """Return what a query prints, nothing when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _compare(name: str, original: Image, decoded: Image) -> str:
    """Return what a program prints about two pictures."""
    with tempfile.TemporaryDirectory(prefix="codecarena-") as folder:
        files = [Path(folder, "original.ppm"), Path(folder, "decoded.ppm")]
        for file, pixels in zip(files, (original, decoded), strict=True):
            write_ppm(file, pixels)
        command = [_program(name), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MetricError(f"{name} ended with status {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout


def _number(name: str, printed: str, line: int) -> float:
    """Return the last word of a printed line as a number."""
    try:
        return float(printed.strip().splitlines()[line].split()[-1])
    except (IndexError, ValueError) as error:
        raise MetricError(f"{name} printed {printed!r} where a score was expected") from error


class Ssimulacra2:
    """SSIMULACRA2 by libjxl's program ``ssimulacra2``."""

    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("SSIMULACRA2", decimals=1, highest=100.0, perfect=100.0, default_order=1)

    def __init__(self) -> None:
        self.identity = MetricIdentity("ssimulacra2", "libjxl", _version(_program("ssimulacra2")), "XYB")

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are; the program prepares anew for each pair."""
        check_size("ssimulacra2", original.pixels, _SMALLEST_SIDE)
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the score: 100 for equal pixels, above 90 no visible loss, 30 low quality."""
        original = cast("Image", prepared)
        check_pair("ssimulacra2", original, decoded)
        return _number("ssimulacra2", _compare("ssimulacra2", original, decoded), 0)


def _distances(original: Image, decoded: Image) -> tuple[float, float]:
    """Return Butteraugli's largest difference and its 3-norm."""
    printed = _compare("butteraugli_main", original, decoded)
    return _number("butteraugli_main", printed, 0), _number("butteraugli_main", printed, 1)


_last_distances = LastPair(_distances)


class Butteraugli:
    """The largest Butteraugli difference anywhere in the picture, for a screen of 80 nits."""

    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("Butteraugli", decimals=2, better="lower", lowest=0.0, perfect=0.0)
    name: ClassVar = "butteraugli"
    _norm: ClassVar = 0

    def __init__(self) -> None:
        known = _version(_program("butteraugli_main"))
        self.identity = MetricIdentity(self.name, "libjxl", known, "opsin, 80 nits")

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are; the program prepares anew for each pair."""
        check_size(self.name, original.pixels, _SMALLEST_SIDE)
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the distance: 0 for equal pixels, about 1 is just noticeable."""
        original = cast("Image", prepared)
        check_pair(self.name, original, decoded)
        return _last_distances(original, decoded)[self._norm]


class Butteraugli3Norm(Butteraugli):
    """Butteraugli's differences pooled with the 3-norm, from the same run of the program."""

    facts = replace(Butteraugli.facts, title="Butteraugli 3-norm")
    name: ClassVar = "butteraugli-3norm"
    _norm: ClassVar = 1

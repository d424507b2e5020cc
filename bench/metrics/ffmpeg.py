"""Score pictures by VMAF and XPSNR, with the FFmpeg that imageio-ffmpeg ships."""

from __future__ import annotations

import json
import math
import re
import subprocess
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import imageio_ffmpeg
import numpy as np

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .base import MetricError
from .pixels import LastPair, check_pair, check_size

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

# Every step written out: FFmpeg would otherwise guess BT.601. 4:4:4 lets sides be odd.
_CONVERT = (
    "scale=in_range=full:out_range=limited:out_color_matrix=bt709"
    ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,format=yuv444p"
)
_SPACE = "Y BT.709 limited range, 8 bit"
_VMAF_SMALLEST_SIDE = 32
"""libvmaf's features halve the picture four times and fail below this."""


@cache
def _ffmpeg() -> tuple[str, str]:
    """Return the program's path and version."""
    path = imageio_ffmpeg.get_ffmpeg_exe()
    done = subprocess.run([path, "-version"], capture_output=True, text=True, check=True)
    return path, done.stdout.split()[2]


def _filter(original: Image, decoded: Image, comparison: str, written: str) -> str:
    """Return the file that a comparison filter of two still pictures wrote."""
    height, width = original.shape[:2]
    shape = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    graph = f"[0:v]{_CONVERT}[decoded];[1:v]{_CONVERT}[original];[decoded][original]{comparison}"
    quiet = ["-hide_banner", "-loglevel", "error", "-nostdin", "-filter_complex_threads", "1"]
    with tempfile.TemporaryDirectory(prefix="codecarena-") as folder:
        Path(folder, "decoded").write_bytes(np.ascontiguousarray(decoded).tobytes())
        Path(folder, "original").write_bytes(np.ascontiguousarray(original).tobytes())
        inputs = [*shape, "-i", "decoded", *shape, "-i", "original"]
        command = [_ffmpeg()[0], *quiet, *inputs, "-filter_complex", graph, "-f", "null", "-"]
        # In that folder, because a filter's options cannot hold every character of a path.
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode or not Path(folder, written).is_file():
            message = done.stderr.strip()[-400:]
            raise MetricError(f"FFmpeg's {written} ended with status {done.returncode}: {message}")
        return Path(folder, written).read_text()


def _vmaf(original: Image, decoded: Image) -> dict[str, float]:
    """Return VMAF and VMAF NEG, by name, of a pair taken as one-frame videos."""
    models = r"version=vmaf_v0.6.1\\:name=vmaf|version=vmaf_v0.6.1neg\\:name=vmaf-neg"
    comparison = f"libvmaf=n_threads=1:log_fmt=json:log_path=vmaf.json:model={models}"
    return json.loads(_filter(original, decoded, comparison, "vmaf.json"))["frames"][0]["metrics"]


_last_vmaf = LastPair(_vmaf)


class Vmaf:
    """VMAF v0.6.1 of a still picture: luma only, no motion.

    Equal pictures give about 97.4, not 100, and the value depends on the picture: there is no perfect score.
    """

    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("VMAF", decimals=1, lowest=0.0, highest=100.0)
    name: ClassVar = "vmaf"
    _model: ClassVar = "vmaf_v0.6.1"

    def __init__(self) -> None:
        known = f"{self._model}, FFmpeg {_ffmpeg()[1]}"
        self.identity = MetricIdentity(self.name, "libvmaf", known, _SPACE)

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are; the program prepares anew for each pair."""
        check_size(self.name, original.pixels, _VMAF_SMALLEST_SIDE)
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the score, 0 to 100."""
        original = cast("Image", prepared)
        check_pair(self.name, original, decoded)
        return float(_last_vmaf(original, decoded)[self.name])


class VmafNeg(Vmaf):
    """VMAF NEG v0.6.1, which gives nothing for sharpening; from the same run of the program."""

    facts = replace(Vmaf.facts, title="VMAF NEG")
    name: ClassVar = "vmaf-neg"
    _model: ClassVar = "vmaf_v0.6.1neg"


class Xpsnr:
    """XPSNR of luma: PSNR weighted by local visual sensitivity; Helmrich and others (ICASSP 2020)."""

    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("XPSNR", "dB", 2, perfect=math.inf)

    def __init__(self) -> None:
        self.identity = MetricIdentity("xpsnr", "FFmpeg", _ffmpeg()[1], _SPACE)

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are; the program prepares anew for each pair."""
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return decibels, infinite for equal 8-bit luma."""
        original = cast("Image", prepared)
        check_pair("xpsnr", original, decoded)
        printed = _filter(original, decoded, "xpsnr=stats_file=xpsnr.log", "xpsnr.log")
        printed_value = re.search(r"XPSNR y:\s*(\S+)", printed)
        if printed_value is None:
            raise MetricError(f"FFmpeg's xpsnr wrote {printed!r} where a score was expected")
        return float(printed_value[1])

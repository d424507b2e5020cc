"""Find a metric by name and make it; nothing heavy is imported until one is made."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import shutil
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...plugins import Plugin, find_plugins
from .base import Metric, MetricError, MissingMetricError
from .iqa_names import iqa_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..records.metric_facts import MetricFacts

GROUP = "codecarena.metrics"
"""Entry point group under which other packages register a metric class."""

_STAND_INS = {"ssimulacra2": "ssimulacra2-py"}
"""What is made, under its own name, where a program is not on PATH."""


@dataclass(frozen=True, slots=True)
class MetricEntry:
    """Where a metric lives and what it needs; nothing is imported to make one."""

    name: str
    path: str
    """``module:Class``; of built-in metrics, below this package."""
    summary: str
    arguments: tuple[str, ...] = ()
    """What the class is made with."""
    modules: tuple[str, ...] = ()
    """Import names of the libraries it needs."""
    program: str = ""
    """A program that must be on PATH."""
    install: str = ""
    """What to type or fetch when one of them is missing."""
    plugin: Plugin | None = None
    """The package that brings it, where it is not built in."""
    clash: str | None = None
    """Who claims this name besides, or None: such a metric cannot be used."""

    @property
    def missing(self) -> str | None:
        """What to do before it can be made, or None; weight files are only looked for when it is made."""
        if self.clash:
            return self.clash
        if resolved(self.name) != self.name:
            return None
        absent = not all(map(_importable, self.modules))
        if absent or (self.program and shutil.which(self.program) is None):
            return f"missing: {self.install}"
        return None


@cache
def _importable(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _library(name: str, path: str, summary: str, modules: str, extra: str) -> MetricEntry:
    return MetricEntry(
        name, path, summary, modules=tuple(modules.split()), install=f"install codecarena[{extra}]"
    )


def _program(name: str, path: str, summary: str, program: str) -> MetricEntry:
    install = f"put {program} (Debian package libjxl-devtools) on PATH"
    return MetricEntry(name, path, summary, program=program, install=install)


_BUILT_IN = (
    MetricEntry("psnr", "psnr:Psnr", "peak signal-to-noise ratio over red, green and blue"),
    MetricEntry("psnr-y", "psnr:PsnrLuma", "peak signal-to-noise ratio of luma"),
    MetricEntry("ssim", "ssim:Ssim", "structural similarity over red, green and blue"),
    MetricEntry("ms-ssim", "ssim:MsSsim", "structural similarity over five scales"),
    MetricEntry("ciede2000", "ciede2000:Ciede2000", "mean CIEDE2000 colour difference"),
    _program(
        "ssimulacra2",
        "libjxl:Ssimulacra2",
        "SSIMULACRA2 by libjxl, or ssimulacra2-py without it",
        "ssimulacra2",
    ),
    MetricEntry("ssimulacra2-py", "ssimulacra:Ssimulacra2Port", "SSIMULACRA2 as its Python port computes it"),
    _program("butteraugli", "libjxl:Butteraugli", "largest Butteraugli difference", "butteraugli_main"),
    _program(
        "butteraugli-3norm",
        "libjxl:Butteraugli3Norm",
        "3-norm of Butteraugli differences",
        "butteraugli_main",
    ),
    _library(
        "cvvdp", "colorvideovdp:ColorVideoVdp", "ColorVideoVDP on a 4K screen", "pycvvdp torch", "metrics"
    ),
    _library(
        "cvvdp-fhd",
        "colorvideovdp:ColorVideoVdpFullHd",
        "ColorVideoVDP on a full HD screen",
        "pycvvdp torch",
        "metrics",
    ),
    _library("flip", "flip:Flip", "mean error seen while flipping", "flip_evaluator", "metrics"),
    _library("psnr-hvs", "psnr_hvs:PsnrHvs", "PSNR weighted by contrast sensitivity", "psnr_hvsm", "metrics"),
    _library("psnr-hvs-m", "psnr_hvs:PsnrHvsM", "the same with masking", "psnr_hvsm", "metrics"),
    MetricEntry("edge-precision", "edges:EdgePrecision", "share of the decoded edges that are not invented"),
    MetricEntry("edge-recall", "edges:EdgeRecall", "share of the original's edges that are not lost"),
    MetricEntry("edge-f1", "edges:EdgeF1", "harmonic mean of edge precision and recall"),
    MetricEntry(
        "cer",
        "text_error:TextError",
        "character error rate of known text, read by Tesseract",
        program="tesseract",
        install="install Debian's tesseract-ocr and its deu, ell and rus models",
    ),
    MetricEntry("face-kept", "faces:FaceKept", "overlap of the faces found before and after"),
    MetricEntry("face-ssim", "faces:FaceSsim", "structural similarity inside faces"),
    MetricEntry("face-edge-f1", "faces:FaceEdges", "edge F1 inside faces"),
    MetricEntry(
        "face-identity",
        "faces:FaceIdentity",
        "whether a face is still the same person's, by SFace; needs its weights",
    ),
    _library(
        "clip-similarity",
        "similarity:ClipSimilarity",
        "same content to CLIP; needs its weights",
        "transformers torch",
        "generative",
    ),
    _library(
        "dino-similarity",
        "similarity:DinoSimilarity",
        "same content to DINOv2; needs its weights",
        "transformers torch",
        "generative",
    ),
    _library("vmaf", "ffmpeg:Vmaf", "VMAF v0.6.1 of a still", "imageio_ffmpeg", "video"),
    _library("vmaf-neg", "ffmpeg:VmafNeg", "VMAF without gain from enhancement", "imageio_ffmpeg", "video"),
    _library("xpsnr", "ffmpeg:Xpsnr", "PSNR weighted by visual sensitivity", "imageio_ffmpeg", "video"),
)


@cache
def entries() -> Mapping[str, MetricEntry]:
    """Return every metric by name: built in, pyiqa's as ``pyiqa:NAME``, then those of other packages."""
    known = {entry.name: entry for entry in _BUILT_IN}
    for row in iqa_names().values():
        ends = "no reference" if row.needs == "decoded" else "full reference"
        summary = f"not offered: {row.refused}" if row.refused else f"{ends}, {row.facts.better} is better"
        known[f"pyiqa:{row.name}"] = MetricEntry(
            f"pyiqa:{row.name}",
            "iqa:Iqa",
            summary,
            arguments=(row.name,),
            modules=("pyiqa", "torch"),
            install="install codecarena[iqa]",
        )
    for name, plugin in find_plugins(GROUP, known.keys()).items():
        if name in known:
            known[name] = replace(known[name], clash=plugin.clash)
        else:
            summary = f"from {plugin.package} {plugin.version}".strip()
            known[name] = MetricEntry(name, plugin.path, summary, plugin=plugin, clash=plugin.clash)
    return MappingProxyType(known)


def find(name: str) -> MetricEntry:
    """Return the entry of a metric.

    Raises:
        MetricError: The name is unknown (the message has the nearest one), or two packages claim it.
    """
    if name in entries():
        entry = entries()[name]
        if entry.clash:
            raise MetricError(f"metric {name!r}: {entry.clash}")
        return entry
    near = difflib.get_close_matches(name, entries(), n=1)
    built_in = ", ".join(entry.name for entry in _BUILT_IN)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {built_in}, and pyiqa:NAME"
    raise MetricError(f"no metric is named {name!r}{hint}")


def resolved(name: str) -> str:
    """Return the name that `create` makes for a name: another where a program's stand-in is used."""
    stand_in = _STAND_INS.get(name)
    if stand_in is None or shutil.which(find(name).program):
        return name
    return stand_in


def facts_of(name: str) -> MetricFacts | None:
    """Return what a metric's class declares, without making it; None where its libraries are not here.

    Raises:
        MetricError: The name is unknown.
    """
    entry = find(name)
    if entry.arguments:
        return iqa_names()[entry.arguments[0]].facts
    try:
        return _class_of(entry).facts
    except (ImportError, MetricError):
        return None


def create(name: str) -> Metric:
    """Return a metric made ready to use: the load step.

    Raises:
        MissingMetricError: A library, program or weight file is not here.
        MetricError: The name is unknown, this version does not offer the metric, or another package's metric
            does not load.
    """
    find(name)
    entry = find(resolved(name))
    if entry.missing:
        raise MissingMetricError(f"metric {name!r} is {entry.missing}")
    return _class_of(entry)(*entry.arguments) if entry.plugin is None else _create(entry, entry.plugin)


def _create(entry: MetricEntry, plugin: Plugin) -> Metric:
    """Return another package's metric."""
    try:
        metric: Metric = _class_of(entry)()
        name = metric.identity.name
    except MetricError:
        raise
    except Exception as error:
        raise MetricError(_broken(entry, plugin, repr(error))) from error
    if name != entry.name:
        # Scores are stored and asked for by the identity's name.
        raise MetricError(_broken(entry, plugin, f"its identity is named {name!r}, expected {entry.name!r}"))
    return metric


# Any: what the constructors take differs.
def _class_of(entry: MetricEntry) -> Any:
    if entry.plugin is None:
        module, _, attribute = entry.path.partition(":")
        return getattr(importlib.import_module(f".{module}", __package__), attribute)
    try:
        return entry.plugin.load()
    except Exception as error:
        raise MetricError(_broken(entry, entry.plugin, repr(error))) from error


def _broken(entry: MetricEntry, plugin: Plugin, reason: str) -> str:
    return f"metric {entry.name!r} ({entry.path}, {plugin.package}) does not load: {reason}"

"""Find a codec by name: the built-in table, then what other packages registered."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ..plugins import find_plugins
from .base import Codec, CodecError, CodecInfo, Family, MissingBackendError

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP = "codecarena.codecs"
"""Entry point group under which other packages register a codec class."""

Value = str | int | float | bool | None
"""A codec parameter, as a suite file can hold it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a codec lives and what it needs; nothing is imported to make one."""

    name: str
    path: str
    """``module:Class``."""
    summary: str
    family: Family | None = "classic"
    """None where only the class itself knows."""
    modules: tuple[str, ...] = ()
    """Import names of the libraries it needs."""
    install: str = ""
    """What to type when one of them is missing."""
    origin: str = "built-in"
    """``built-in``, or the distribution that registered it."""
    clash: str | None = None
    """Who claims this name besides, or None: such a codec cannot be used."""
    reads_text: bool = False
    """Whether its encoder may look at a picture's caption or text: with another one it is run again."""

    @property
    def missing(self) -> str | None:
        """What to install, or who must give up the name; None when the codec can be made."""
        if self.clash:
            return self.clash
        absent = [name for name in self.modules if importlib.util.find_spec(name) is None]
        return f"missing: install {self.install}" if absent else None


def _built_in(
    name: str,
    place: str,
    summary: str,
    modules: str = "",
    extra: str = "",
    family: Family = "classic",
    reads_text: bool = False,
) -> Entry:
    install = f"codecarena[{extra}]" if extra else ""
    path = f"{__package__}.{place}"
    return Entry(name, path, summary, family, tuple(modules.split()), install, reads_text=reads_text)


_VIDEO = ("imageio_ffmpeg", "video")
_LEARNED = ("torch safetensors compressai", "learned", "learned")
_GENERATIVE = ("torch safetensors compressai", "learned", "generative")
_BUILT_IN = (
    _built_in("avif", "classic.avif:Avif", "AV1 still picture: libaom in, dav1d out (Pillow)"),
    _built_in(
        "avif-rav1e", "classic.avif_ffmpeg:AvifRav1e", "AV1 still picture: rav1e in, dav1d out", *_VIDEO
    ),
    _built_in("avif-svt", "classic.avif_ffmpeg:AvifSvt", "AV1 still picture: SVT-AV1 in, dav1d out", *_VIDEO),
    _built_in("command", "command:Command", "any encoder and decoder on the command line, by a TOML recipe"),
    _built_in(
        "heic", "classic.heic:Heic", "HEVC still picture: x265 in, libde265 out", "pillow_heif", "heic"
    ),
    _built_in(
        "hfd", "generative.hfd.codec:Hfd", "autoencoder, and a flow or diffusion for detail", *_GENERATIVE
    ),
    _built_in(
        "hyperprior", "learned.hyperprior:Hyperprior", "small mean-scale hyperprior of ours", *_LEARNED
    ),
    _built_in("illm", "learned.illm:Illm", "MS-ILLM, NeuralCompression's published models", *_GENERATIVE),
    _built_in("jpeg", "classic.jpeg:Jpeg", "JPEG by libjpeg-turbo (Pillow)"),
    _built_in("jpeg2000", "classic.jpeg2000:Jpeg2000", "JPEG 2000 by OpenJPEG (Pillow)"),
    _built_in("jpegli", "classic.jpegli:Jpegli", "JPEG by jpegli", "pyjpegli", "jpegli"),
    _built_in("jpegxl", "classic.jpegxl:JpegXl", "JPEG XL by libjxl (imagecodecs)"),
    _built_in("jpegxr", "classic.jpegxr:JpegXr", "JPEG XR by jxrlib (imagecodecs)"),
    _built_in(
        "latent",
        "generative.latent.codec:LatentCodec",
        "latents in a dithered palette, denoised",
        *_GENERATIVE,
    ),
    _built_in(
        "layered",
        "generative.layered.codec:Layered",
        "caption, edges and colours, painted again",
        *_GENERATIVE,
        reads_text=True,
    ),
    _built_in("mozjpeg", "classic.mozjpeg:Mozjpeg", "JPEG by mozjpeg (pyvips)", "pyvips", "mozjpeg"),
    _built_in("png", "classic.png:Png", "lossless PNG (Pillow): measures the harness"),
    _built_in("vvc", "classic.vvc:Vvc", "H.266 still picture: libvvenc in, FFmpeg out", *_VIDEO),
    _built_in("webp", "classic.webp:WebP", "WebP by libwebp (Pillow)"),
    _built_in("zoo", "learned.zoo:Zoo", "CompressAI's published models, or a checkpoint", *_LEARNED),
)


@cache
def entries() -> Mapping[str, Entry]:
    """Return every known codec by name; one whose name is claimed twice is listed, and cannot be made."""
    known = {entry.name: entry for entry in _BUILT_IN}
    for name, plugin in find_plugins(GROUP, known.keys()).items():
        if name in known:
            known[name] = replace(known[name], clash=plugin.clash)
        else:
            summary = f"from {plugin.package} {plugin.version}".strip()
            # Whether another package's encoder looks at captions, only it knows.
            known[name] = Entry(
                name, plugin.path, summary, None, origin=plugin.package, clash=plugin.clash, reads_text=True
            )
    return MappingProxyType(dict(sorted(known.items())))


def text_readers() -> frozenset[str]:
    """Return the names of the codecs whose encoder may look at a picture's caption or text."""
    return frozenset(name for name, entry in entries().items() if entry.reads_text)


def find(name: str) -> Entry:
    """Return the entry of a codec.

    Raises:
        CodecError: The name is unknown (the message has the nearest one), or two packages claim it.
    """
    if name in entries():
        entry = entries()[name]
        if entry.clash:
            raise CodecError(f"codec {name!r}: {entry.clash}")
        return entry
    near = difflib.get_close_matches(name, entries(), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(entries())}"
    raise CodecError(f"no codec is named {name!r}{hint}")


def codec_class(name: str) -> type[Codec]:
    """Import and return a codec's class.

    Raises:
        MissingBackendError: A library it needs is not installed.
        CodecError: The name is unknown, or a third party's module fails to import.
    """
    entry = find(name)
    if entry.missing:
        raise MissingBackendError(f"codec {name!r} is {entry.missing}")
    module, _, attribute = entry.path.partition(":")
    try:
        return cast("type[Codec]", getattr(importlib.import_module(module), attribute))
    except Exception as error:
        raise CodecError(f"codec {name!r} ({entry.path}, {entry.origin}) does not load: {error}") from error


def family(entry: Entry) -> Family:
    """Return a codec's family; only another package's class is imported to know it.

    Raises:
        CodecError: That class does not load.
    """
    if entry.family is not None:
        return entry.family
    info = getattr(codec_class(entry.name), "info", None)
    # Some codecs know what they are only once they are made.
    return info.family if isinstance(info, CodecInfo) else create(entry.name).info.family


def parameters(name: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return all parameters of a codec, defaults filled in, sorted by name.

    Raises:
        CodecError: A keyword the constructor does not take, or one it needs and did not get.
    """
    signature = inspect.signature(codec_class(name))
    accepted = signature.parameters
    for key in given:
        if key not in accepted:
            near = difflib.get_close_matches(key, accepted, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it takes {', '.join(accepted) or 'none'}"
            raise CodecError(f"codec {name!r} has no parameter {key!r}{hint}")
    needed = [
        key
        for key, parameter in accepted.items()
        if parameter.default is parameter.empty and key not in given
    ]
    if needed:
        raise CodecError(f"codec {name!r} needs the parameter {needed[0]!r}")
    return {key: given.get(key, parameter.default) for key, parameter in sorted(accepted.items())}


def create(name: str, given: Mapping[str, Value] | None = None) -> Codec:
    """Return a codec made with these parameters: the load step.

    Raises:
        CodecError: A parameter is wrong, or the constructor fails in whatever way.
    """
    complete = parameters(name, given or {})
    try:
        return codec_class(name)(**complete)
    except CodecError:
        raise
    except Exception as error:
        raise CodecError(f"codec {label(name, given or {})} does not load: {error!r}") from error


def codec_id(info: CodecInfo, complete: Mapping[str, Value]) -> str:
    """Return 16 hex digits that stand for name, parameters and version together.

    A parameter that is a path counts by its file name: what the file holds is in the version or weights hash.
    """
    chosen = [(key, _short(value)) for key, value in sorted(complete.items())]
    text = json.dumps([info.name, chosen, info.version, info.weights_sha256])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def label(name: str, given: Mapping[str, Value]) -> str:
    """Return the name with those parameters that differ from the defaults: ``avif(speed=4)``.

    A path is shown by its file name.
    """
    signature = inspect.signature(codec_class(name)).parameters
    changed = [(key, value) for key, value in sorted(given.items()) if value != signature[key].default]
    shown = ", ".join(f"{key}={_short(value)}" for key, value in changed)
    return f"{name}({shown})" if shown else name


def _short(value: Value) -> Value:
    return PurePath(value).name if isinstance(value, str) and "/" in value else value

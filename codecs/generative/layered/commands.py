"""The command ``codecarena edit``: layered streams in files, made, shown, edited and painted.

What costs time to import is imported inside the commands.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....system_errors import reason
from ....visible_text import say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...base import Image
    from ...registry import Value
    from .coding.regions import Region

app = typer.Typer(
    no_args_is_help=True, help="Edit pictures in the layered codec's streams: caption, structure, colours."
)

InArgument = Annotated[Path, typer.Argument(metavar="IN", help="A layered stream.")]
OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")]
RegionOption = Annotated[
    str,
    typer.Option("--region", help="LEFT,TOP,RIGHT,BOTTOM in pixels, or each in percent: 10%,20%,50%,60%."),
]
MaskOption = Annotated[
    Path | None, typer.Option("--mask", help="A picture that is white in the region, black elsewhere.")
]
DecoderOption = Annotated[
    str,
    typer.Option("--decoder", help="embedded, t2i-adapter, controlnet, or sketch, which needs no weights."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="NAME=VALUE, any other parameter of the layered codec.")
]


@app.command()
def encode(
    picture: Annotated[Path, typer.Argument(help="A picture file.")],
    out: OutArgument,
    quality: Annotated[
        int, typer.Option("--quality", "-q", help="1 text, 2 structure, 3 colours, 6 finest.")
    ] = 3,
    decoder: DecoderOption = "embedded",
    text: Annotated[
        str, typer.Option("--text", help="The caption; the picture's statistics if absent.")
    ] = "",
    setting: SetOption = None,
) -> None:
    """Encode a picture as a stream for one decoder."""
    from ... import registry
    from ...base import Picture

    codec = registry.create("layered", {"decoder": decoder, "text": text, **_settings(setting)})
    stream = codec.encode(Picture(_read_picture(picture)), quality)
    _write(out, stream)


@app.command()
def decode(
    stream: InArgument,
    picture: Annotated[Path, typer.Argument(help="The picture file to write.")],
    decoder: DecoderOption = "embedded",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="The stream's own if absent.")] = None,
    setting: SetOption = None,
) -> None:
    """Paint the picture of a stream, by the settings it was encoded with."""
    from PIL import Image as Pillow

    from ... import registry

    codec = registry.create("layered", {"decoder": decoder, **_settings(setting)})
    pixels = codec.decode(_read(stream), seed)
    try:
        Pillow.fromarray(pixels).save(picture)
    except (OSError, ValueError) as error:
        raise _failure(f"cannot write {picture}: {reason(error)}") from error
    say(f"{picture}: {pixels.shape[1]} x {pixels.shape[0]}")


@app.command()
def show(stream: InArgument) -> None:
    """Say what a stream holds."""
    from .chunks import Layer, split
    from .stream import layers_of

    bitstream = _read(stream)
    parts = split(bitstream)
    header, layers = parts.header, layers_of(parts)
    rate = 8 * len(bitstream) / (header.width * header.height)
    say(f"{header.width} x {header.height}, {len(bitstream)} bytes, {rate:.4f} bits per pixel")
    said = {
        Layer.NEGATIVE: layers.negative_prompt,
        Layer.TEXT: layers.caption or "",
        Layer.EDGES: "" if layers.edges is None else f"{_by(layers.edges)}, {layers.edges.mean():.1%} edges",
        Layer.POSES: "" if layers.skeletons is None else f"{len(layers.skeletons)} people",
        Layer.COLOURS: "" if layers.colours is None else _by(layers.colours),
    }
    if parts.settings:
        say(f"settings {len(parts.settings):5} bytes  {_painted_by(parts.settings)}")
    for chunk in parts.chunks:
        say(f"{chunk.layer.name.lower():8} {len(chunk.data):5} bytes  {said[chunk.layer]}")


@app.command()
def caption(
    stream: InArgument, out: OutArgument, text: Annotated[str, typer.Argument(help="The new caption.")]
) -> None:
    """Replace the caption."""
    from .editing import replace_caption

    _write(out, replace_caption(_read(stream), text))


@app.command("negative-prompt")
def negative_prompt(
    stream: InArgument,
    out: OutArgument,
    text: Annotated[
        str, typer.Argument(help="What Stable Diffusion is to steer away from; empty to remove it.")
    ],
) -> None:
    """Replace the negative prompt."""
    from .editing import replace_negative_prompt

    _write(out, replace_negative_prompt(_read(stream), text))


@app.command()
def structure(
    stream: InArgument,
    out: OutArgument,
    drawing: Annotated[Path | None, typer.Option("--drawing", help="Take the lines of this drawing.")] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="Take the edges of this picture.")] = None,
    keypoints: Annotated[
        Path | None, typer.Option("--keypoints", help="Take the people of this OpenPose JSON file.")
    ] = None,
    region: RegionOption = "",
    mask: MaskOption = None,
) -> None:
    """Replace edges, everywhere or in a region, or the people."""
    from . import editing
    from .coding.skeleton import from_openpose
    from .detectors import canny, from_lines

    bitstream = _read(stream)
    layers = editing.inspect(bitstream)
    if sum(source is not None for source in (drawing, picture, keypoints)) != 1:
        raise _failure("expected one of --drawing, --picture and --keypoints")
    if keypoints and (region or mask):
        raise _failure("people are replaced everywhere: --region and --mask go with --drawing and --picture")
    if keypoints:
        people = from_openpose(keypoints, layers.width, layers.height)
        _write(out, editing.replace_skeletons(bitstream, people))
        return
    grid = editing.structure_grid(bitstream)
    lines = from_lines(_read_picture(drawing), *grid) if drawing else None
    drawn = canny(_read_picture(picture), *grid) if picture else lines
    assert drawn is not None
    where = _region(region, mask, layers.width, layers.height) if region or mask else None
    _write(out, editing.replace_structure(bitstream, drawn, where))


@app.command()
def recolour(
    stream: InArgument,
    out: OutArgument,
    colour: Annotated[str, typer.Argument(help="As in CSS: a name, #rrggbb, rgb(r, g, b).")],
    region: RegionOption = "",
    mask: MaskOption = None,
) -> None:
    """Give a region another colour."""
    from PIL import ImageColor

    from . import editing

    try:
        red, green, blue = ImageColor.getrgb(colour)[:3]
    except ValueError as error:
        raise _failure(f"expected a colour's name or #rrggbb, got {colour!r}") from error
    bitstream = _read(stream)
    layers = editing.inspect(bitstream)
    where = _region(region, mask, layers.width, layers.height)
    _write(out, editing.recolour(bitstream, where, (red, green, blue)))


@app.command()
def erase(stream: InArgument, out: OutArgument, region: RegionOption = "", mask: MaskOption = None) -> None:
    """Take what is in a region out of structure and colours."""
    from . import editing

    bitstream = _read(stream)
    layers = editing.inspect(bitstream)
    _write(out, editing.erase(bitstream, _region(region, mask, layers.width, layers.height)))


@app.command()
def keep(
    stream: InArgument,
    out: OutArgument,
    level: Annotated[int, typer.Argument(min=1, max=3, help="1 text, 2 structure too, 3 colours too.")],
) -> None:
    """Keep the first layers."""
    from . import editing

    _write(out, editing.keep(_read(stream), level))


def _region(region: str, mask: Path | None, width: int, height: int) -> Region:
    from .coding.regions import parse

    if bool(region) == bool(mask):
        raise _failure("expected one of --region and --mask")
    return _read_picture(mask).mean(axis=2) >= 128 if mask else parse(region, width, height)


def _settings(given: list[str] | None) -> dict[str, Value]:
    """Return parameters by name; a value that is JSON, as a number is, counts as such."""
    settings: dict[str, Value] = {}
    for assignment in given or []:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise _failure(f"expected --set NAME=VALUE, got {assignment!r}")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings


def _painted_by(packed: bytes) -> str:
    """Return what all decoders with settings have in common; the others are known to the stream's own."""
    from .coding.settings import SAMPLING, unpack

    values = unpack(SAMPLING, packed[: len(SAMPLING)])
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def _by(grid: NDArray[np.generic]) -> str:
    return f"{grid.shape[1]} x {grid.shape[0]} cells"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _failure(f"cannot read {path}: {error.strerror}") from error


def _write(path: Path, stream: bytes) -> None:
    try:
        path.write_bytes(stream)
    except OSError as error:
        raise _failure(f"cannot write {path}: {error.strerror}") from error
    say(f"{path}: {len(stream)} bytes")


def _read_picture(path: Path) -> Image:
    import numpy as np
    from PIL import Image as Pillow

    try:
        with Pillow.open(path) as opened:
            if opened.mode.startswith(("I", "F")):  # Pillow would clip them
                raise ValueError("it has more than 8 bits a channel; bring it to 8")
            return np.array(opened.convert("RGB"))
    except (OSError, ValueError, Pillow.DecompressionBombError) as error:
        raise _failure(f"cannot read the picture {path}: {reason(error)}") from error


def _failure(message: str) -> Exception:
    from ...base import CodecError

    return CodecError(message)

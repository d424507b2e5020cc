"""Serve originals, decoded pictures and error maps as PNG, addressed by the SHA-256 of their pixels."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from anyio import CapacityLimiter, to_thread
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ...bench.records.rows import ScoredCell
from ...bench.store.database import StoreError
from ...bench.store.store import Store

Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width, 3), uint8, sRGB."""
MapKind: TypeAlias = Literal["difference", "flip", "butteraugli"]

HASH = re.compile(r"[0-9a-f]{64}")
KEPT_BYTES = 256 * 2**20
"""Of PNG files in memory."""
THREADS = 2
"""Pictures that are decoded at one time."""
THUMBNAIL_PIXELS = 160
"""The longer side of a small picture: twice what a table shows, for fine screens."""
GAIN = 4
"""By how much the difference map is amplified."""
BUTTERAUGLI_SECONDS = 120
HEADERS = {
    # The address holds the hash of the pixels: what is behind it never changes.
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


class RemadePictures(Protocol):
    """Pictures by the hash of their pixels, and why others are missing."""

    @property
    def pixels(self) -> Mapping[str, Pixels]:
        """Those that were found."""
        ...

    @property
    def missing(self) -> Mapping[str, str]:
        """Why others were not, in a few words."""
        ...


Remake: TypeAlias = Callable[[Store, Iterable[str], Iterable[ScoredCell]], RemadePictures]
"""Returns originals and the decoded pictures of cells, decoding again those that were not kept."""


class PictureLost(Exception):
    """A picture is not available; the message says why."""


class Gallery:
    """The pictures of one store, as PNG; the last ones stay in memory."""

    def __init__(self, open_store: Callable[[], Store], remake: Remake) -> None:
        self._open, self._remake = open_store, remake
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        # Decoding uses one pool of workers, which ends with each call.
        self._decoding = threading.Lock()

    def picture(self, original: str, decoded: str | None) -> bytes:
        """Return an original, or what a codec made of it, as PNG.

        Raises:
            PictureLost: It is not available.
        """
        return self._once(f"{original} {decoded}", lambda: png(self._pixels(original, decoded)[-1]))

    def thumbnail(self, original: str) -> bytes:
        """Return an original made small, as PNG.

        Raises:
            PictureLost: It is not available.
        """
        return self._once(f"small {original}", lambda: png(_small(self._pixels(original, None)[0])))

    def map(self, kind: MapKind, original: str, decoded: str) -> bytes:
        """Return where a decoded picture differs from its original, as PNG.

        Args:
            kind: Which measure of the difference.
            original: SHA-256 of the original's pixels.
            decoded: SHA-256 of the decoded pixels.

        Raises:
            PictureLost: One of the two is not available, or the program that draws the map.
        """
        return self._once(
            f"{kind} {original} {decoded}", lambda: png(draw_map(kind, *self._pixels(original, decoded)))
        )

    def _pixels(self, original: str, decoded: str | None) -> list[Pixels]:
        try:
            store = self._open()
            cells = [] if decoded is None else store.cells(picture_sha256=original)
        except StoreError as error:
            raise PictureLost("the store cannot be read; the server's log says why") from error
        chosen = [cell for cell in cells if cell.decoded_sha256 == decoded][:1]
        if decoded is not None and not chosen:
            raise PictureLost("no measurement of this picture has these pixels any more; load the page again")
        if original not in store.picture_paths():
            raise PictureLost("no picture of the store has these pixels")
        with self._decoding:
            remade = self._remake(store, [original], chosen)
        wanted = [original] if decoded is None else [original, decoded]
        for sha256 in wanted:
            if sha256 not in remade.pixels:
                raise PictureLost(remade.missing.get(sha256, "the picture is not here"))
        return [remade.pixels[sha256] for sha256 in wanted]

    def _once(self, key: str, make: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        content = make()
        with self._lock:
            self._kept[key] = content
            while sum(map(len, self._kept.values())) > KEPT_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return content


def routes(gallery: Gallery) -> list[BaseRoute]:
    """Return the routes of the page Look, all below ``/look/``."""
    limiter = CapacityLimiter(THREADS)

    async def answer(request: Request) -> Response:
        parameters = request.path_params
        original, decoded = parameters["original"], parameters.get("decoded")
        if not all(HASH.fullmatch(sha256) for sha256 in (original, decoded) if sha256 is not None):
            return _refusal("expected the SHA-256 of pixels", 404)
        kind = parameters.get("kind")
        if kind not in (None, "difference", "flip", "butteraugli"):
            return _refusal("no such map", 404)

        def make() -> bytes:
            if kind is None or decoded is None:
                return gallery.picture(original, decoded)
            return gallery.map(kind, original, decoded)

        return await send(make)

    async def thumbnail(request: Request) -> Response:
        original = request.path_params["original"]
        if not HASH.fullmatch(original):
            return _refusal("expected the SHA-256 of pixels", 404)
        return await send(lambda: gallery.thumbnail(original))

    async def send(make: Callable[[], bytes]) -> Response:
        try:
            content = await to_thread.run_sync(make, limiter=limiter)
        except PictureLost as error:
            return _refusal(str(error), 404)
        return Response(content, media_type="image/png", headers=HEADERS)

    return [
        Route("/look/original/{original}", answer),
        Route("/look/thumbnail/{original}", thumbnail),
        Route("/look/decoded/{original}/{decoded}", answer),
        Route("/look/map/{kind}/{original}/{decoded}", answer),
    ]


def _refusal(reason: str, status: int) -> JSONResponse:
    return JSONResponse({"error": reason}, status_code=status, headers={"Cache-Control": "no-store"})


def _small(pixels: Pixels) -> Pixels:
    """Return a picture whose longer side is `THUMBNAIL_PIXELS` at most, each pixel the mean of an area."""
    import cv2

    height, width = pixels.shape[:2]
    factor = min(1.0, THUMBNAIL_PIXELS / max(height, width))
    size = max(1, round(factor * width)), max(1, round(factor * height))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def png(pixels: Pixels) -> bytes:
    """Return a picture as PNG, without any word on its colours: a browser then shows the pixels as sRGB."""
    import cv2

    _, encoded = cv2.imencode(
        ".png", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    return encoded.tobytes()


def draw_map(kind: MapKind, original: Pixels, decoded: Pixels) -> Pixels:
    """Return where two pictures of one size differ: bright is much.

    Args:
        kind: Which measure of the difference.
        original: (height, width, 3) uint8.
        decoded: The same shape.

    Raises:
        PictureLost: The program for the map is not installed.
    """
    return {"difference": difference_map, "flip": flip_map, "butteraugli": butteraugli_map}[kind](
        original, decoded
    )


def difference_map(original: Pixels, decoded: Pixels) -> Pixels:
    """Return the absolute difference of each channel, times `GAIN`, cut at 255."""
    difference = np.abs(original.astype(np.int16) - decoded.astype(np.int16))
    return np.minimum(GAIN * difference, 255).astype(np.uint8)


def flip_map(original: Pixels, decoded: Pixels) -> Pixels:
    """Return the LDR-FLIP error at 67 pixels per degree in the colours of Magma, as its authors draw it.

    Andersson et al., "FLIP: a difference evaluator for alternating images" (HPG 2020).
    """
    try:
        import flip_evaluator
    except ImportError as error:
        raise PictureLost("FLIP is not installed: pip install 'codecarena[metrics]'") from error
    before, after = (pixels.astype(np.float32) / np.float32(255) for pixels in (original, decoded))
    # The pixels per degree of the metric `flip`.
    drawn, _, _ = flip_evaluator.evaluate(
        before, after, "LDR", applyMagma=True, parameters={"ppd": 67.02064514160156}
    )
    return np.round(255 * np.clip(drawn, 0, 1)).astype(np.uint8)


def butteraugli_map(original: Pixels, decoded: Pixels) -> Pixels:
    """Return the heat map that libjxl's ``butteraugli_main`` draws."""
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("original.png", "decoded.png", "map.png")]
        for path, pixels in zip(paths, (original, decoded), strict=False):
            path.write_bytes(png(pixels))
        command = ["butteraugli_main", *map(str, paths[:2]), "--distmap", str(paths[2])]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=BUTTERAUGLI_SECONDS)
            drawn = cv2.imread(str(paths[2]), cv2.IMREAD_COLOR)
        except FileNotFoundError as error:
            raise PictureLost("butteraugli_main is not installed: it comes with libjxl's tools") from error
        except subprocess.SubprocessError as error:
            raise PictureLost(f"butteraugli_main failed: {error}") from error
    if drawn is None:  # pyright: ignore[reportUnnecessaryComparison] - OpenCV's stubs do not say so
        raise PictureLost("butteraugli_main wrote no map")
    return np.ascontiguousarray(drawn[..., ::-1]).astype(np.uint8)

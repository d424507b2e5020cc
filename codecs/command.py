"""Run the encoder and decoder programs of a TOML recipe as a codec.

The encoder sees a copy of the picture in a folder of its own, removed before the decoder starts; the decoder
sees another folder that holds only the bitstream.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..home_folder import expanded
from ..system_errors import reason
from . import pictures
from .base import CodecError, CodecInfo, MissingBackendError, RateParts, check_image, check_quality
from .recipe import fill, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Image, Picture

_MESSAGE_BYTES = 1000


class Command:
    """Any pair of programs that write a bitstream and read it back.

    Args:
        recipe: Path of the TOML file.

    Programs with a slash in their path are looked for beside the recipe, others on the search path. They get
    no standard input, stay in the caller's process group, and have no time limit but the caller's.
    """

    def __init__(self, recipe: str) -> None:
        path = expanded(recipe).absolute()
        self._recipe, digest = load(path)
        self._recipe_path = path
        self._encode = self._located(self._recipe.encode)
        self._decode = self._located(self._recipe.decode)
        quality = self._recipe.quality
        self.info = CodecInfo(
            name=self._recipe.name,
            version=f"{self._version()}, recipe {digest[:12]}",
            family=self._recipe.family,
            qualities=tuple(quality.ladder),
            scale=quality.scale,
            stochastic=self._recipe.stochastic,
            tolerance_levels=self._recipe.tolerance_levels,
            generator=self._recipe.generator,
        )

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the file that the encoder wrote."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        with tempfile.TemporaryDirectory(prefix="codecarena-") as folder:
            given = Path(folder, f"picture.{self._recipe.picture}")
            written = Path(folder, f"bitstream.{self._recipe.bitstream}")
            pictures.write(picture, given)
            setting = {"quality": self._recipe.quality.text(quality), "width": width, "height": height}
            self._run("encoder", self._encode, given, written, setting)
            return written.read_bytes()

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:
        """Return the pixels of the file that the decoder wrote."""
        with tempfile.TemporaryDirectory(prefix="codecarena-") as folder:
            given = Path(folder, f"bitstream.{self._recipe.bitstream}")
            written = Path(folder, f"decoded.{self._recipe.decoded}")
            given.write_bytes(bitstream)
            chosen = self._recipe.default_seed if seed is None else seed
            self._run("decoder", self._decode, given, written, {"seed": chosen})
            try:
                return pictures.read(written)
            except CodecError as error:
                raise CodecError(f"decoder {self._decode[0]} wrote an unusable picture: {error}") from error

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the whole file as payload: its parts are the program's secret."""
        return RateParts(0, len(bitstream))

    def _located(self, words: list[str]) -> list[str]:
        program = fill(words[:1], {"recipe_dir": self._recipe_path.parent})[0]
        program_path = str(self._recipe_path.parent / program) if "/" in program else program
        located = shutil.which(program_path)
        if not located:
            where = program_path if "/" in program else f"{program} on the search path"
            raise MissingBackendError(
                f"recipe {self._recipe_path}: no program {where}; install it or mend the path"
            )
        return [located, *words[1:]]

    def _version(self) -> str:
        if not self._recipe.version_command:
            return self._recipe.version or ""
        words = fill(self._located(self._recipe.version_command), {"recipe_dir": self._recipe_path.parent})
        ended = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )  # its status is no matter: many programs end with 1 after telling their version
        lines = ended.stdout.decode(errors="replace").strip().splitlines()
        if not lines:
            raise CodecError(f"recipe {self._recipe_path}: version_command printed nothing")
        return lines[0].strip()

    def _run(
        self, role: str, words: list[str], given: Path, written: Path, values: Mapping[str, object]
    ) -> None:
        places = {"input": given, "output": written, "recipe_dir": self._recipe_path.parent}
        filled = fill(words, {**values, **places})
        with tempfile.TemporaryFile() as messages:
            try:
                ended = subprocess.run(
                    filled,
                    cwd=given.parent,
                    env=os.environ | self._recipe.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=messages,
                    check=False,
                )
            except OSError as error:
                raise CodecError(f"{role} {filled[0]} does not start: {reason(error)}") from error
            if ended.returncode:
                raise CodecError(f"{role} {filled[0]} {_ending(ended.returncode)}{_tail(messages)}")
            if not written.is_file() or not written.stat().st_size:
                raise CodecError(
                    f"{role} {filled[0]} ended well but wrote no {written.name}{_tail(messages)}"
                )


def _ending(status: int) -> str:
    if status > 0:
        return f"ended with exit status {status}"
    names = {Signal.value: Signal.name for Signal in signal.Signals}
    return f"was killed by {names.get(-status, f'signal {-status}')}"


def _tail(messages: IO[bytes]) -> str:
    length = messages.seek(0, os.SEEK_END)
    messages.seek(max(0, length - _MESSAGE_BYTES))
    text = messages.read().decode(errors="replace").strip()
    return f"; it said: {text}" if text else ""

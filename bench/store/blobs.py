"""Keep bitstreams by the hash of their bytes and decoded pictures by the hash of their pixels."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..records.messages import Stored


class BlobError(Exception):
    """A stored file is not what its name says."""


class Blobs:
    """A folder of content-addressed files; writers never leave a half-written one under its final name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def bitstream_path(self, sha256: str) -> Path:
        """Return where the bitstream with this hash lies or would lie."""
        return self.folder / "bitstreams" / sha256[:2] / sha256

    def decoded_path(self, pixels_sha256: str) -> Path:
        """Return where the PNG of these decoded pixels lies or would lie."""
        return self.folder / "decoded" / pixels_sha256[:2] / f"{pixels_sha256}.png"

    def run_lock_path(self, run_id: int) -> Path:
        """Return where the lock file of a run lies while it runs."""
        return self.folder / "running" / f"{run_id}.lock"

    def put_bitstream(self, bitstream: bytes) -> str:
        """Store a bitstream and return its SHA-256."""
        sha256 = hashlib.sha256(bitstream).hexdigest()
        if not self.has_bitstream(sha256):
            self._write(self.bitstream_path(sha256), bitstream)
        return sha256

    def holds(self, stored: Stored) -> bool:
        """Whether the decoded pixels of a measurement can be had: they are kept, or their bitstream is."""
        kept = self.decoded_path(stored.decoded_sha256).exists()
        return kept or self.has_bitstream(stored.bitstream_sha256)

    def has_bitstream(self, sha256: str) -> bool:
        """Whether a bitstream is here and undamaged."""
        try:
            return hashlib.sha256(self.bitstream_path(sha256).read_bytes()).hexdigest() == sha256
        except OSError:
            return False

    def bitstream(self, sha256: str) -> bytes:
        """Return a stored bitstream.

        Raises:
            BlobError: It is not there, or its bytes have another hash.
        """
        path = self.bitstream_path(sha256)
        if not path.is_file():
            raise BlobError(f"no bitstream {path}; measure the cell again with --force")
        stored = path.read_bytes()
        stored_sha256 = hashlib.sha256(stored).hexdigest()
        if stored_sha256 != sha256:
            raise BlobError(
                f"{path} is damaged: its SHA-256 is {stored_sha256}; remove it and measure again with --force"
            )
        return stored

    def put_decoded(self, pixels_sha256: str, pixels: NDArray[np.uint8]) -> Path:
        """Store decoded pixels as PNG and return the path."""
        import cv2  # costs 90 ms that listing and reading do not need

        path = self.decoded_path(pixels_sha256)
        if not path.exists():
            _, encoded = cv2.imencode(".png", pixels[..., ::-1])
            self._write(path, encoded.tobytes())
        return path

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_name(f".{secrets.token_hex(8)}.partial")
        try:
            try:
                partial.write_bytes(content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                partial.write_bytes(content)
            os.replace(partial, path)  # noqa: PTH105 - the same call, said with both names in view
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

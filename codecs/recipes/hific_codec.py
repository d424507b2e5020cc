"""HiFiC as a pair of programs: calls the functions of the repository's compress.py on one picture.

Interface as read in Justin-Tan/high-fidelity-generative-compression, compress.py at b899ebcf:
`prepare_model`, `prepare_dataloader`, `compress_and_save`, `load_and_decompress`.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

import codec_checkout as checkout

CHECKPOINTS = {1: "hific_low.pt", 2: "hific_med.pt", 3: "hific_hi.pt"}


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write one byte that names the checkpoint, then the repository's own .hfc file.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    hific = importlib.import_module("compress")
    # Its loader takes every picture of a folder; the encoder's folder holds only this one.
    folder = str(picture.parent)
    model, settings = hific.prepare_model(checkout.weight(CHECKPOINTS[quality]), folder)
    loader = hific.prepare_dataloader(settings, folder, folder)
    hific.compress_and_save(model, settings, loader, folder)
    coded = picture.with_name(f"{picture.stem}_compressed.hfc").read_bytes()
    stream.write_bytes(bytes([quality]) + coded)


def decode(stream: Path, picture: Path, seed: int) -> None:  # noqa: ARG001 - nothing is drawn
    """Write the reconstruction, its contrast not stretched as the repository stretches that of its files.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Changes nothing.
    """
    hific = importlib.import_module("compress")
    content = stream.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        model, _ = hific.prepare_model(checkout.weight(CHECKPOINTS[content[0]]), folder)
        coded = Path(folder, "picture.hfc")
        coded.write_bytes(content[1:])
        reconstruction = hific.load_and_decompress(model, str(coded), str(Path(folder, "stretched.png")))
    importlib.import_module("torchvision.utils").save_image(reconstruction, str(picture))


if __name__ == "__main__":
    checkout.run(encode, decode)

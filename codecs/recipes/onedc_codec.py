"""OneDC as a pair of programs: calls the repository's src/inference.py on one picture.

Interface as read in onedc-codec/onedc, src/inference.py and src/data/evalset.py at c52af53: `--config_path`,
`--checkpoint_path`, `--eval_image_path`, `--output_path`, `--decoder_only`, `--decoder_bin_path` and
`--decoder_out_path`; it codes every picture of a folder and decodes it, too.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import codec_checkout as checkout


def inference(quality: int, *words: str) -> None:
    """Run the repository's program with the weights of a rate."""
    weights = checkout.weight(f"onedc_{quality}")
    how = ("--config_path", "config_inference.yaml", "--checkpoint_path", weights)
    checkout.call("inference.py", *how, *words, folder="src")


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write one byte that names the weights, then the repository's own file, which has the picture's size.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    with tempfile.TemporaryDirectory() as folder:
        alone, coded = Path(folder, "alone"), Path(folder, "coded")
        alone.mkdir()
        shutil.copy(picture, alone / "picture.png")
        inference(quality, "--eval_image_path", str(alone), "--output_path", str(coded))
        stream.write_bytes(bytes([quality]) + (coded / "stream" / "picture.bin").read_bytes())


def decode(stream: Path, picture: Path, seed: int) -> None:  # noqa: ARG001 - its own seed is fixed at 0
    """Write the reconstruction.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Changes nothing.
    """
    content = stream.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        coded = Path(folder, "picture.bin")
        coded.write_bytes(content[1:])
        places = ("--decoder_bin_path", str(coded), "--decoder_out_path", str(picture))
        inference(content[0], "--decoder_only", *places, "--output_path", folder)


if __name__ == "__main__":
    checkout.run(encode, decode)

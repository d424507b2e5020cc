"""DiffC as a pair of programs that take file names: calls the repository's compress.py and decompress.py.

Command lines as its readme and the two programs give them (JeremyIV/diffc): `--config`, `--image_path` or
`--input_path`, `--output_dir`, `--recon_timestep`; they name their files after the input's.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import codec_checkout as checkout

CONFIG = "configs/SD-1.5-base.yaml"
"""Must hold a `manual_dkl_per_step`, which compress and decompress need and evaluate does not."""


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write the repository's own .diffc file.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    with tempfile.TemporaryDirectory() as folder:
        where = ("--image_path", str(picture), "--output_dir", folder)
        checkout.call("compress.py", "--config", CONFIG, *where, "--recon_timestep", str(quality))
        stream.write_bytes(Path(folder, f"{picture.stem}.diffc").read_bytes())


def decode(stream: Path, picture: Path, seed: int) -> None:  # noqa: ARG001 - its own seed is fixed at 0
    """Write the reconstruction.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Changes nothing; the repository's own is 0.
    """
    with tempfile.TemporaryDirectory() as folder:
        checkout.call(
            "decompress.py", "--config", CONFIG, "--input_path", str(stream), "--output_dir", folder
        )
        picture.write_bytes(Path(folder, f"{stream.stem}_decompressed.png").read_bytes())


if __name__ == "__main__":
    checkout.run(encode, decode)

"""Cool-chic as a pair of programs: calls the repository's cc_encode.py and cc_decode.py on one picture.

Command lines as the two programs of Orange-OpenSource/Cool-Chic have them at a6fe38a: `--input`, `--output`,
`--workdir`, `--lmbda`, `--n_itr`. The encoder trains a network for the picture, which takes minutes on a GPU
and hours on a CPU; the decoder is small.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import codec_checkout as checkout

LAMBDAS = {1: 0.02, 2: 0.004, 3: 0.001, 4: 0.0004, 5: 0.0001}
"""Those at which the repository states its results, from the lowest rate to the highest."""


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write the repository's own .cool file.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    # In a folder of its own: where a trained network lies, the encoder takes that one.
    with tempfile.TemporaryDirectory() as folder:
        where = ("--input", str(picture), "--output", str(stream), "--workdir", folder)
        how = ("--lmbda", str(LAMBDAS[quality]), "--n_itr", os.environ["COOLCHIC_STEPS"])
        checkout.call("cc_encode.py", *where, *how)


def decode(stream: Path, picture: Path, seed: int) -> None:  # noqa: ARG001 - nothing is drawn
    """Write the reconstruction.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Changes nothing.
    """
    checkout.call("cc_decode.py", "--input", str(stream), "--output", str(picture))


if __name__ == "__main__":
    checkout.run(encode, decode)

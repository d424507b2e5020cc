"""PerCo (SD) as a pair of programs: calls what the repository's src/compression_utils.py calls.

Interface as read in Nikolai10/PerCo, `compress` and `decompress` in src/compression_utils.py and
src/config.py at 11970f0f. The repository stores a pickle, which can run any code when it is read;
here the same things are stored as plain bytes.
"""

from __future__ import annotations

import argparse
import importlib
import struct
from pathlib import Path
from typing import Any

import codec_checkout as checkout

RATES = {1: 0.0019, 2: 0.0313, 3: 0.1250}
"""Target bits per pixel of the released models, as src/config.py and the weights' folders write them."""


def load(quality: int) -> tuple[Any, argparse.Namespace]:
    """Return the repository's module, set for a rate, and the arguments that its commands take."""
    settings = importlib.import_module("config").ConfigPerco
    settings.global_path = str(checkout.CHECKOUT / "src")
    settings.target_rate = RATES[quality]
    settings.num_inference_steps = 20 if RATES[quality] < 0.05 else 5  # as the paper and config.py say
    model = checkout.weight(f"perco_{RATES[quality]:.4f}")
    return importlib.import_module("compression_utils"), argparse.Namespace(model_path=model, verbose=False)


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write size and quality, the caption's length, the caption and the hyper-latent.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    module, arguments = load(quality)
    width, height = module.Image.open(picture).size
    kept: dict[str, bytes] = {}

    def keep(text: bytes, latent: bytes, _: tuple[int, int], output_file: str) -> None:
        kept.update(text=text, latent=latent)
        Path(output_file).write_bytes(text + latent)  # its own account of the rate opens this file

    module.write_compressed_data_to_file = keep
    module.torch.manual_seed(0)  # the encoder samples its latents
    arguments.input_file, arguments.output_file = str(picture), str(stream)
    module.compress(arguments)
    payload = struct.pack(">H", len(kept["text"])) + kept["text"] + kept["latent"]
    stream.write_bytes(checkout.framed(height, width, quality, payload))


def decode(stream: Path, picture: Path, seed: int) -> None:
    """Write the reconstruction, scaled back from the 512 x 512 at which the repository codes pictures.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Of the decoder's noise.
    """
    height, width, quality, payload = checkout.unframed(stream.read_bytes())
    (length,) = struct.unpack_from(">H", payload)
    text, latent = payload[2 : 2 + length], payload[2 + length :]
    module, arguments = load(quality)
    module.cfg_perco.random_seed = seed
    module.read_compressed_data_from_file = lambda _: (text, latent, (512, 512))
    arguments.input_file, arguments.output_file = str(stream), str(picture)
    module.decompress(arguments)
    if (width, height) != (512, 512):
        module.Image.open(picture).resize((width, height), module.Image.BICUBIC).save(picture)


if __name__ == "__main__":
    checkout.run(encode, decode, "src")

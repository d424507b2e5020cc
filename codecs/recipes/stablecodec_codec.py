"""StableCodec as a pair of programs: calls the functions of the repository's src/compress.py on one picture.

Interface as read in LuizScarlet/StableCodec, src/compress.py at 0ce9b10c and my_utils/testing_utils.py:
`parse_args_testing`, `StableCodec(sd_path, args)`, `preprocess_image`, `compress_one_image`,
`decompress_one_image`.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import bottlenecks
import codec_checkout as checkout

MULTIPLE = 256
"""The repository pads both sides to a multiple of this."""


def load(quality: int) -> tuple[Any, Any]:
    """Return the repository's module and its network, with the weights fine-tuned for this rate."""
    module = importlib.import_module("compress")
    bottlenecks.accept_any_names(importlib.import_module("compressai.entropy_models").EntropyBottleneck)
    settings = importlib.import_module("my_utils.testing_utils").parse_args_testing(
        [
            f"--sd_path={checkout.weight('sd-turbo')}",
            f"--elic_path={checkout.weight('elic_official.pth')}",
            f"--codec_path={checkout.weight(f'stablecodec_ft{quality}.pkl')}",
        ]
    )
    network = module.StableCodec(sd_path=settings.sd_path, args=settings)
    bottlenecks.check_loaded(network)
    network.cuda().eval()
    network.codec.update(force=True)
    return module, network


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write size and quality, then the repository's own file.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    module, network = load(quality)
    transforms = module.transforms
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])]
    )
    pixels = module.preprocess_image(str(picture), transform).cuda().unsqueeze(0)
    height, width = pixels.shape[2:]
    missing = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
    # Reflection needs a side longer than what it adds; the repository pads that way and fails below.
    how = "reflect" if missing[1] < width and missing[3] < height else "replicate"
    padded = module.F.pad(pixels, pad=missing, mode=how)
    with tempfile.TemporaryDirectory() as folder:
        module.compress_one_image(network, folder, height, width, "coded", padded)
        coded = Path(folder, "coded").read_bytes()
    stream.write_bytes(checkout.framed(height, width, quality, coded))


def decode(stream: Path, picture: Path, seed: int) -> None:  # noqa: ARG001 - one step from a coded start
    """Write the reconstruction; without the repository's colour fix, which needs the original picture.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Changes nothing.
    """
    height, width, quality, coded = checkout.unframed(stream.read_bytes())
    module, network = load(quality)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "coded").write_bytes(coded)
        pixels = module.decompress_one_image(network, folder, height, width, "coded", [1])
    module.transforms.ToPILImage()(pixels[0].clamp(0.0, 1.0)).save(str(picture))


if __name__ == "__main__":
    checkout.run(encode, decode, "src")

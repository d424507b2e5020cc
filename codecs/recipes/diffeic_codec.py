"""DiffEIC as a pair of programs: calls the parts of the repository's inference_partition.py on one picture.

Interface as read in huai-chang/DiffEIC, inference_partition.py at 1fe1ca2c: `process`,
`instantiate_from_config`, `load_state_dict`, `pad`, and the model's `apply_condition_compress` and
`apply_condition_decompress`.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import bottlenecks
import codec_checkout as checkout

CHECKPOINTS = {1: "1_2_16", 2: "1_2_8", 3: "1_2_4", 4: "1_2_2", 5: "1_2_1"}
"""Folders of the released weights, from 0.02 to 0.12 bits per pixel."""
STEPS = 50
MULTIPLE = 64


def load(quality: int) -> tuple[Any, Any]:
    """Return the repository's module and its model with the weights of a rate."""
    module = importlib.import_module("inference_partition")
    bottlenecks.accept_any_names(importlib.import_module("compressai.entropy_models").EntropyBottleneck)
    states = [
        module.torch.load(checkout.weight(name), map_location="cpu")["state_dict"]
        for name in ("v2-1_512-ema-pruned.ckpt", f"{CHECKPOINTS[quality]}/lc.ckpt")
    ]
    states[0].update(states[1])
    model = module.instantiate_from_config(module.OmegaConf.load("configs/model/diffeic.yaml"))
    module.load_state_dict(model, states[0], strict=False)
    bottlenecks.check_loaded(model)
    model.preprocess_model.update(force=True)
    model.freeze()
    model.to("cuda" if module.torch.cuda.is_available() else "cpu")
    return module, model


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write size and quality, then the repository's own file.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    module, model = load(quality)
    pixels = module.np.array(module.Image.open(picture).convert("RGB"))
    height, width = pixels.shape[:2]
    padded = module.pad(pixels, scale=MULTIPLE)
    tensor = module.torch.tensor(padded / 255.0, dtype=module.torch.float32, device=model.device)
    with tempfile.TemporaryDirectory() as folder:
        coded = str(Path(folder, "coded"))
        model.apply_condition_compress(tensor.permute(2, 0, 1)[None].contiguous(), coded, *padded.shape[:2])
        payload = Path(coded).read_bytes()
    stream.write_bytes(checkout.framed(height, width, quality, payload))


def decode(stream: Path, picture: Path, seed: int) -> None:
    """Write what the repository's `process` draws from the stream, its encoder being left out.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Of the decoder's noise.
    """
    height, width, quality, payload = checkout.unframed(stream.read_bytes())
    module, model = load(quality)
    module.pl.seed_everything(seed)
    shape = (height + -height % MULTIPLE, width + -width % MULTIPLE, 3)
    with tempfile.TemporaryDirectory() as folder:
        coded = Path(folder, "coded")
        coded.write_bytes(payload)
        model.apply_condition_compress = lambda *_: 0.0  # `process` would encode these black pixels over it
        drawn, _ = module.process(
            model, [module.np.zeros(shape, "uint8")], sampler="ddpm", steps=STEPS, stream_path=str(coded)
        )
    module.Image.fromarray(drawn[0][:height, :width]).save(picture)


if __name__ == "__main__":
    checkout.run(encode, decode)

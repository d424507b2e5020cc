"""DLF as a pair of programs: calls the network of the repository's src/test.py on one picture.

Interface as read in dlfcodec/Dual-generative-Latent-Fusion, src/test.py and src/models/codec_sq_fixbpp.py at
c928e4c: `Codec`, its `encode_only`, `decode_only` and `set_torchac`, `get_padding_size`. The repository keeps
both streams in memory; here they are written one after the other.
"""

from __future__ import annotations

import importlib
import struct
import sys
from pathlib import Path
from typing import Any

import codec_checkout as checkout

MULTIPLE = 256
"""The repository pads both sides to a multiple of this."""
ZERO_THRESHOLD = 0.12
"""As src/test.py sets it: scales below it are not coded."""
LOSSES = ("img_loss.", "feat_loss.")
"""Parts of the network that coding has no use for."""


def load(quality: int) -> tuple[Any, Any]:
    """Return torch and the repository's network with the weights of a rate."""
    torch = importlib.import_module("torch")
    torch.set_grad_enabled(False)
    settings = importlib.import_module("omegaconf").OmegaConf.load("src/config/config_test.yaml")
    network = importlib.import_module("models.codec_sq_fixbpp").Codec(**settings.model.params)
    path = checkout.weight(f"dlf_qp{quality}.ckpt")
    state = torch.load(path, map_location="cpu")
    state = state.get("state_dict", state)
    names = [name for name, _ in network.named_parameters() if not name.startswith(LOSSES)]
    missing = [name for name in names if name not in state]
    if missing:  # the repository's own loader goes on with random numbers
        sys.exit(f"{path} lacks {len(missing)} of the network's tensors, one is {missing[0]}")
    network.load_state_dict(state, strict=False)
    network = network.to("cuda:0" if torch.cuda.is_available() else "cpu").eval()
    network.hybrid_codec.quantize_feat.force_zero_thres = ZERO_THRESHOLD
    network.hybrid_codec.quantize_feat.update(force=True)
    network.set_torchac()
    return torch, network


def padded(torch: Any, network: Any, pixels: Any) -> Any:
    """Return pixels (height, width, 3) as the network takes them: -1 to 1, the last ones repeated."""
    np = importlib.import_module("numpy")
    height, width = pixels.shape[:2]
    whole = np.pad(pixels, ((0, -height % MULTIPLE), (0, -width % MULTIPLE), (0, 0)), "edge")
    planes = np.ascontiguousarray(whole.transpose(2, 0, 1)[None], "float32")
    return torch.from_numpy(planes / 127.5 - 1).to(network.device)


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write size and quality, the length of the tokens' stream, and both streams.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    torch, network = load(quality)
    pixels = importlib.import_module("numpy").array(importlib.import_module("PIL.Image").open(picture))
    coded = network.encode_only(padded(torch, network, pixels))
    tokens, detail = bytes(coded["z_bit_stream"]), bytes(coded["h_bit_stream"])
    payload = struct.pack(">I", len(tokens)) + tokens + detail
    height, width = pixels.shape[:2]
    stream.write_bytes(checkout.framed(height, width, quality, payload))


def decode(stream: Path, picture: Path, seed: int) -> None:  # noqa: ARG001 - nothing is drawn
    """Write the reconstruction.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Changes nothing.
    """
    np, image = importlib.import_module("numpy"), importlib.import_module("PIL.Image")
    height, width, quality, payload = checkout.unframed(stream.read_bytes())
    torch, network = load(quality)
    (length,) = struct.unpack_from(">I", payload)
    tokens, detail = payload[4 : 4 + length], payload[4 + length :]
    if len(tokens) < length:
        sys.exit(f"expected {length} bytes of tokens, got {len(tokens)}: the stream is cut short")
    # Shapes follow from the size alone: they are those of a black picture.
    shapes = network.encode_only(padded(torch, network, np.zeros((height, width, 3), "uint8")))
    shapes.update(z_bit_stream=tokens, h_bit_stream=detail)
    made = network.decode_only(**shapes)[0, :, :height, :width].float().cpu().numpy()
    levels = ((made + 1) * 127.5).round().clip(0, 255).astype("uint8")
    image.fromarray(levels.transpose(1, 2, 0)).save(picture)


if __name__ == "__main__":
    checkout.run(encode, decode, "src")

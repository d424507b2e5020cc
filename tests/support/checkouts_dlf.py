"""A stand-in for DLF's network: see `checkouts`. Its torch is as much of it as one wrapper uses."""

from __future__ import annotations

TORCH = """
import json
import types
import numpy as np

cuda = types.SimpleNamespace(is_available=lambda: False)

class Tensor(np.ndarray):
    def to(self, device): assert device == "cpu"; return self
    def float(self): return self
    def cpu(self): return self
    def numpy(self): return np.asarray(self)

def from_numpy(values):
    assert values.dtype == np.float32
    return values.view(Tensor)

def load(path, map_location):
    assert map_location == "cpu"
    with open(path) as weights:
        return json.load(weights)

def set_grad_enabled(wanted):
    assert wanted is False
"""

OMEGACONF = """
import json
import types

class OmegaConf:
    @staticmethod
    def load(path):
        with open(path) as text:
            return types.SimpleNamespace(model=types.SimpleNamespace(params=json.load(text)))
"""

DLF_CONFIG = '{"embed_dim": 64}'

DLF = """
import types
import numpy as np
import coder
import torch

class Codec:
    def __init__(self, embed_dim):
        assert embed_dim == 64
        self.device = "cpu"
        self.hybrid_codec = types.SimpleNamespace(quantize_feat=types.SimpleNamespace(update=self.update))
        self.ready = set()

    def named_parameters(self):
        return [("hybrid_codec.step", 0), ("img_loss.scale", 0)]

    def load_state_dict(self, state, strict):
        assert strict is False
        self.step = state["hybrid_codec.step"]

    def to(self, device):
        assert device == "cpu"
        return self

    def eval(self):
        return self

    def update(self, force):
        assert self.hybrid_codec.quantize_feat.force_zero_thres == 0.12
        self.ready.add("tables")

    def set_torchac(self):
        self.ready.add("tokens")

    def encode_only(self, x):
        assert x.shape[:2] == (1, 3) and x.shape[2] % 256 == x.shape[3] % 256 == 0
        assert -1 <= x.min() and x.max() <= 1 and self.ready == {"tables", "tokens"}
        pixels = np.asarray(((x[0] + 1) * 127.5).round().astype(np.uint8).transpose(1, 2, 0))
        coded = coder.pack(pixels, self.step)
        return {"z_bit_stream": coded[:9], "h_bit_stream": coded[9:], "img_shape": x.shape[2:]}

    def decode_only(self, z_bit_stream, h_bit_stream, img_shape):
        pixels = coder.unpack(z_bit_stream + h_bit_stream, self.step)
        assert pixels.shape[:2] == img_shape
        return torch.from_numpy((pixels.transpose(2, 0, 1)[None] / 127.5 - 1).astype(np.float32))
"""

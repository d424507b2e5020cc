"""Stand-ins for the neighbours that hold an entropy bottleneck of CompressAI: see `checkouts`."""

from __future__ import annotations

COMPRESSAI = """
class EntropyBottleneck:
    \"\"\"As CompressAI's from 1.2.7 on: the weights below have the names of the versions before.\"\"\"
    loaded = None

    def named_parameters(self):
        return [("matrices.0", 0), ("quantiles", 0)]

    def _load_from_state_dict(self, state, prefix, *others):
        self.loaded = {name: state.get(prefix + name, "random") for name, _ in self.named_parameters()}

class Network:
    def __init__(self):
        self.entropy_bottleneck = EntropyBottleneck()

    def named_modules(self):
        return [("", self), ("entropy_bottleneck", self.entropy_bottleneck)]

    def load(self, state, prefix):
        own = {name: value for name, value in state.items() if name.startswith(prefix)}
        if own:
            self.entropy_bottleneck._load_from_state_dict(own, prefix)

    def check(self):
        assert self.entropy_bottleneck.loaded == {"matrices.0": 5, "quantiles": 6}
"""
BOTTLENECK = {"entropy_bottleneck._matrix0": 5, "entropy_bottleneck.quantiles": 6}

STABLECODEC = """
import json, os
from compressai.entropy_models import EntropyBottleneck, Network
import numpy as np
from PIL import Image
from torchvision import transforms
import coder
from tensor import tensor

class F:
    @staticmethod
    def pad(input, pad, mode):
        left, right, top, bottom = pad
        how = {"replicate": "edge", "reflect": "reflect"}[mode]
        return tensor(np.pad(input, ((0, 0), (0, 0), (top, bottom), (left, right)), how))

class Codec(Network):
    def update(self, force=False):
        self.check()
        self.updated = force

class StableCodec:
    def __init__(self, sd_path=None, args=None):
        assert os.path.isdir(sd_path) and os.path.exists(args.elic_path)
        self.codec = Codec()
        weights = json.load(open(args.codec_path))
        self.step = weights["step"]
        own = EntropyBottleneck().named_parameters()
        random = {f"entropy_bottleneck.{name}": value for name, value in own}
        self.codec.load({**random, **weights["state_dict_codec"]}, "entropy_bottleneck.")

    def named_modules(self):
        return self.codec.named_modules()

    def cuda(self):
        return self

    def eval(self):
        self.evaluating = True

def preprocess_image(image_path, transform):
    return transform(Image.open(image_path).convert("RGB"))

def compress_one_image(net, bin_path, ori_h, ori_w, img_name, x):
    assert x.shape[2] % 256 == x.shape[3] % 256 == 0 and net.codec.updated and net.evaluating
    pixels = ((x[0] * 0.5 + 0.5) * 255).round().astype(np.uint8).permute(1, 2, 0)
    with open(os.path.join(bin_path, img_name), "wb") as out:
        out.write(coder.pack(pixels, net.step))

def decompress_one_image(net, bin_path, ori_h, ori_w, img_name, prompt):
    with open(os.path.join(bin_path, img_name), "rb") as coded:
        pixels = coder.unpack(coded.read(), net.step)
    assert prompt == [1]
    return tensor(pixels / 255).permute(2, 0, 1).unsqueeze(0)[:, :, :ori_h, :ori_w]
"""

STABLECODEC_ARGUMENTS = """
import argparse

def parse_args_testing(input_args=None):
    parser = argparse.ArgumentParser()
    for option in ("--sd_path", "--elic_path", "--codec_path", "--img_path", "--rec_path", "--bin_path"):
        parser.add_argument(option)
    return parser.parse_args(input_args)
"""

DIFFEIC = """
import json, types
from compressai.entropy_models import Network
import numpy as np
from PIL import Image
import coder
from tensor import tensor

def load(path, map_location):
    with open(path) as weights:
        return json.load(weights)

torch = types.SimpleNamespace(
    load=load,
    float32="float32",
    tensor=lambda values, dtype, device: tensor(values),
    cuda=types.SimpleNamespace(is_available=lambda: False),
)

class pl:
    @staticmethod
    def seed_everything(seed):
        np.random.seed(seed)

class OmegaConf:
    @staticmethod
    def load(path):
        return open(path).read()

class Model(Network):
    device = "cpu"
    @property
    def preprocess_model(self):
        return types.SimpleNamespace(update=lambda force: self.check())
    def freeze(self): pass
    def to(self, device): assert device in ("cpu", "cuda")
    def apply_condition_compress(self, control, stream_path, H, W):
        assert control.shape == (1, 3, H, W) and H % 64 == W % 64 == 0 and self.strict is False
        pixels = (control[0].permute(1, 2, 0) * 255).round().astype(np.uint8)
        with open(stream_path, "wb") as out:
            out.write(coder.pack(pixels, self.step))
        return 1.0
    def apply_condition_decompress(self, stream_path):
        return coder.unpack(open(stream_path, "rb").read(), self.step)

def instantiate_from_config(config):
    assert config == "a model"
    return Model()

def load_state_dict(model, state_dict, strict=False):
    assert {"sd", "step"} <= set(state_dict)
    model.step, model.strict = state_dict["step"], strict
    model.load(state_dict, "preprocess_model.entropy_bottleneck.")

def pad(img, scale):
    height, width = img.shape[:2]
    return np.pad(img, ((0, -height % scale), (0, -width % scale), (0, 0)))

def process(model, imgs, sampler, steps, stream_path):
    assert sampler == "ddpm" and steps == 50
    control = tensor(np.stack(imgs) / 255).permute(0, 3, 1, 2)
    bpp = model.apply_condition_compress(control, stream_path, *control.shape[2:])
    pixels = model.apply_condition_decompress(stream_path)
    assert pixels.shape == imgs[0].shape
    return [(pixels // 2 * 2 + np.random.randint(0, 2, pixels.shape)).astype(np.uint8)], bpp
"""

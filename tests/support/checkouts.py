"""Stand-ins for the neighbours' repositories: the same files and functions, a few lines behind them.

What is imitated is the interface that the wrappers in ``codecs/recipes`` call, as it was read in each
repository. The picture is coded as zlib of its samples divided by a step; the weights file holds the step.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from checkouts_compressai import BOTTLENECK, COMPRESSAI, DIFFEIC, STABLECODEC, STABLECODEC_ARGUMENTS
from checkouts_dlf import DLF, DLF_CONFIG, OMEGACONF, TORCH
from checkouts_glc import GLC, GLC_TOOLS
from checkouts_programs import COOLCHIC, DIFFC, ONEDC

STEPS = (64, 32, 16, 8, 4)
"""What the weights hold, from the worst rate to the best."""

CODER = """
import struct, zlib
import numpy as np

def pack(pixels, step):
    height, width = pixels.shape[:2]
    return struct.pack(">HH", height, width) + zlib.compress((pixels // step).tobytes())

def unpack(coded, step):
    height, width = struct.unpack_from(">HH", coded)
    levels = np.frombuffer(zlib.decompress(coded[4:]), np.uint8).reshape(height, width, 3)
    return (levels.astype(int) * step + step // 2).clip(0, 255).astype(np.uint8)
"""

TENSOR = """
import numpy as np

class Tensor(np.ndarray):
    \"\"\"As much of a torch tensor as two wrappers use: torch takes seconds to load in each program.\"\"\"
    def cuda(self): return self
    def contiguous(self): return self
    def unsqueeze(self, place): return np.expand_dims(self, place).view(Tensor)
    def permute(self, *axes): return self.transpose(*axes).view(Tensor)
    def clamp(self, low, high): return self.clip(low, high)

def tensor(values):
    return np.array(values, np.float32).view(Tensor)
"""

HIFIC = """
import glob, os
import numpy as np
from PIL import Image
import coder

class Settings:
    normalize_input_image = False

def prepare_model(ckpt_path, input_dir):
    os.makedirs(os.path.join(input_dir, "logs_1"))
    return int(open(ckpt_path).read()), Settings()

def prepare_dataloader(args, input_dir, output_dir, batch_size=1):
    names = glob.glob(os.path.join(input_dir, "*.jpg")) + glob.glob(os.path.join(input_dir, "*.png"))
    assert len(names) > 0 and args.normalize_input_image is False
    return names

def compress_and_save(model, args, data_loader, output_dir):
    for name in data_loader:
        stem = os.path.splitext(os.path.basename(name))[0]
        with open(os.path.join(output_dir, f"{stem}_compressed.hfc"), "wb") as out:
            out.write(coder.pack(np.asarray(Image.open(name).convert("RGB")), model))

def load_and_decompress(model, compressed_format_path, out_path):
    pixels = coder.unpack(open(compressed_format_path, "rb").read(), model)
    Image.fromarray(255 - pixels).save(out_path)  # what must not be taken: the real one is stretched
    return pixels
"""

TORCHVISION = """
from PIL import Image

def save_image(tensor, fp, normalize=False):
    assert normalize is False
    Image.fromarray(tensor).save(fp)
"""

PERCO_CONFIG = """
class ConfigPerco:
    global_path = "/tf/notebooks/PerCo/src"
    target_rate = 0.1250
    num_inference_steps = 20
    random_seed = 3868512668962463
"""

PERCO = """
import os, pickle, random, sys, types
import numpy as np
from PIL import Image
from config import ConfigPerco as cfg_perco
sys.path.append(cfg_perco.global_path)
import coder
torch = types.SimpleNamespace(manual_seed=lambda seed: None)

def write_compressed_data_to_file(byte_stream_text, byte_stream_hyper_latent, shape, output_file):
    with open(output_file, "wb") as fout:
        pickle.dump({0: byte_stream_text, 1: byte_stream_hyper_latent, 2: shape}, fout)

def read_compressed_data_from_file(output_file):
    with open(output_file, "rb") as fin:
        data = pickle.load(fin)
    return data[0], data[1], data[2]

def step(args):
    assert os.path.basename(args.model_path) == f"perco_{cfg_perco.target_rate:.4f}"
    return int(open(os.path.join(args.model_path, "step")).read())

def compress(args):
    img = Image.open(args.input_file).convert("RGB").resize((512, 512), Image.BICUBIC)
    small = np.asarray(img)[4::8, 4::8]
    write_compressed_data_to_file(b"a caption", coder.pack(small, step(args)), (512, 512), args.output_file)
    assert os.path.getsize(args.output_file) and not args.verbose

def decompress(args):
    text, latent, shape = read_compressed_data_from_file(args.input_file)
    assert text == b"a caption" and shape == (512, 512)
    small = coder.unpack(latent, step(args)).repeat(8, 0).repeat(8, 1)
    noise = np.random.default_rng(cfg_perco.random_seed).integers(0, 2, small.shape)
    Image.fromarray((small // 2 * 2 + noise).astype(np.uint8)).save(args.output_file)
"""

TORCHVISION_TRANSFORMS = """
import numpy as np
from PIL import Image
from tensor import tensor

class Compose:
    def __init__(self, steps): self.steps = steps
    def __call__(self, value):
        for step in self.steps: value = step(value)
        return value

class ToTensor:
    def __call__(self, image): return tensor(np.array(image) / 255).permute(2, 0, 1)

class Normalize:
    def __init__(self, mean, std): self.mean, self.std = mean[0], std[0]
    def __call__(self, values): return (values - self.mean) / self.std

class ToPILImage:
    def __call__(self, values):
        return Image.fromarray(np.asarray((values * 255).round().astype(np.uint8).permute(1, 2, 0)))
"""


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def hific(folder: Path) -> None:
    weights = {
        f"weights/hific_{name}.pt": str(STEPS[2 * place]) for place, name in enumerate(("low", "med", "hi"))
    }
    vision = {"torchvision/__init__.py": "", "torchvision/utils.py": TORCHVISION}
    write(folder, {"coder.py": CODER, "compress.py": HIFIC, **vision, **weights})


def diffc(folder: Path) -> None:
    programs = {"compress.py": DIFFC, "decompress.py": DIFFC}
    write(folder, {"coder.py": CODER, **programs, "configs/SD-1.5-base.yaml": "model: SD1.5"})


def coolchic(folder: Path) -> None:
    write(folder, {"coder.py": CODER, "cc_encode.py": COOLCHIC, "cc_decode.py": COOLCHIC})


def onedc(folder: Path) -> None:
    weights = {f"weights/onedc_{1 + place}/model.safetensors": str(step) for place, step in enumerate(STEPS)}
    source = {"src/coder.py": CODER, "src/inference.py": ONEDC, "src/config_inference.yaml": "a model"}
    write(folder, {**source, **weights})


def dlf(folder: Path) -> None:
    source = {
        "src/coder.py": CODER,
        "src/torch.py": TORCH,
        "src/omegaconf.py": OMEGACONF,
        "src/models/codec_sq_fixbpp.py": DLF,
        "src/config/config_test.yaml": DLF_CONFIG,
    }
    weights = {
        f"weights/dlf_qp{place}.ckpt": json.dumps({"state_dict": {"hybrid_codec.step": STEPS[place]}})
        for place in range(4)
    }
    write(folder, {**source, **weights})


def perco(folder: Path) -> None:
    rates = ("0.0019", "0.0313", "0.1250")
    weights = {f"weights/perco_{rate}/step": str(STEPS[2 * place]) for place, rate in enumerate(rates)}
    source = {"src/coder.py": CODER, "src/config.py": PERCO_CONFIG, "src/compression_utils.py": PERCO}
    write(folder, {**source, **weights})


def stablecodec(folder: Path) -> None:
    names = (32, 16, 8, 4, 2)
    weights = {
        f"weights/stablecodec_ft{name}.pkl": json.dumps(
            {"step": STEPS[place], "state_dict_codec": BOTTLENECK}
        )
        for place, name in enumerate(names)
    }
    public = {"weights/sd-turbo/config": "", "weights/elic_official.pth": "elic"}
    source = {
        "src/coder.py": CODER,
        "src/tensor.py": TENSOR,
        "src/compressai/__init__.py": "",
        "src/compressai/entropy_models.py": COMPRESSAI,
        "src/compress.py": STABLECODEC,
        "src/my_utils/testing_utils.py": STABLECODEC_ARGUMENTS,
        "src/torchvision/__init__.py": "",
        "src/torchvision/transforms.py": TORCHVISION_TRANSFORMS,
    }
    write(folder, {**source, **weights, **public})


def diffeic(folder: Path) -> None:
    source = {
        "coder.py": CODER,
        "tensor.py": TENSOR,
        "compressai/__init__.py": "",
        "compressai/entropy_models.py": COMPRESSAI,
        "inference_partition.py": DIFFEIC,
    }
    bottleneck = {f"preprocess_model.{name}": value for name, value in BOTTLENECK.items()}
    weights = {"weights/v2-1_512-ema-pruned.ckpt": json.dumps({"state_dict": {"sd": 1}})}
    for place, name in enumerate(("1_2_16", "1_2_8", "1_2_4", "1_2_2", "1_2_1")):
        weights[f"weights/{name}/lc.ckpt"] = json.dumps({"state_dict": {"step": STEPS[place], **bottleneck}})
    write(folder, {**source, **weights, "configs/model/diffeic.yaml": "a model"})


def glc(folder: Path) -> None:
    import torch

    write(folder, {"src/models/image_model.py": GLC, "src/utils/test_utils.py": GLC_TOOLS})
    gains = torch.tensor([2.0, 6.0, 18.0, 54.0]).view(4, 1, 1, 1).expand(4, 12, 1, 1).clone()
    (folder / "weights").mkdir()
    torch.save({"q_enc": gains, "q_dec": gains}, folder / "weights" / "GLC_image")


MODULES = (coolchic, diffc, diffeic, dlf, glc, hific, onedc, perco, stablecodec)
CHECKOUTS = {module.__name__: module for module in MODULES}


def make(name: str, folder: Path) -> Path:
    """Write a stand-in checkout with its environment's Python, and return the folder."""
    folder.mkdir()
    CHECKOUTS[name](folder)
    write(folder, {".venv/bin/python": f'#!/bin/sh\nexec "{sys.executable}" -W error "$@"\n'})
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    return folder

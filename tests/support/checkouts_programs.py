"""Stand-ins for the neighbours whose own programs are called: see `checkouts`."""

from __future__ import annotations

DIFFC = """
import argparse, pathlib
import numpy as np
from PIL import Image
import coder
parser = argparse.ArgumentParser()
for option in ("--config", "--image_path", "--image_dir", "--input_path", "--input_dir", "--output_dir"):
    parser.add_argument(option)
parser.add_argument("--recon_timestep", type=int)
given = parser.parse_args()
assert open(given.config).read()
folder = pathlib.Path(given.output_dir)
folder.mkdir(exist_ok=True, parents=True)
if "decompress" in __file__:
    path = pathlib.Path(given.input_path)
    coded = path.read_bytes()
    pixels = coder.unpack(coded[2:], int.from_bytes(coded[:2], "big"))
    Image.fromarray(pixels).save(folder / f"{path.stem}_decompressed.png")
else:
    path = pathlib.Path(given.image_path)
    step = 1 + given.recon_timestep // 10
    pixels = np.asarray(Image.open(path))
    (folder / f"{path.stem}.diffc").write_bytes(step.to_bytes(2, "big") + coder.pack(pixels, step))
"""

COOLCHIC = """
import argparse, os, pathlib
import numpy as np
from PIL import Image
import coder
parser = argparse.ArgumentParser()
for option in ("--input", "--output", "--workdir"):
    parser.add_argument(option)
parser.add_argument("--lmbda", type=float)
parser.add_argument("--n_itr", type=int)
given = parser.parse_args()
if "decode" in __file__:
    coded = pathlib.Path(given.input).read_bytes()
    Image.fromarray(coder.unpack(coded[1:], coded[0])).save(given.output)
else:
    assert given.n_itr >= 2000, "at least 2000 iterations"
    os.chdir(given.workdir)
    assert not os.listdir(".")  # the real one would take the trained network that lies there
    pathlib.Path("0000-frame_encoder.pt").touch()
    step = {0.02: 64, 0.004: 32, 0.001: 16, 0.0004: 8, 0.0001: 4}[given.lmbda]
    pixels = np.asarray(Image.open(given.input))
    pathlib.Path(given.output).write_bytes(bytes([step]) + coder.pack(pixels, step))
"""

ONEDC = """
import argparse, os, pathlib
import numpy as np
from PIL import Image
import coder
parser = argparse.ArgumentParser()
parser.add_argument("--config_path", required=True)
parser.add_argument("--checkpoint_path", required=True)
parser.add_argument("--output_path")
parser.add_argument("--eval_image_path")
parser.add_argument("--decoder_only", action="store_true")
parser.add_argument("--decoder_bin_path", default="")
parser.add_argument("--decoder_out_path", default="")
given = parser.parse_args()
assert open(given.config_path).read() == "a model"
step = int(pathlib.Path(given.checkpoint_path, "model.safetensors").read_text())
if given.decoder_only:
    pixels = coder.unpack(pathlib.Path(given.decoder_bin_path).read_bytes(), step)
    Image.fromarray(pixels).save(given.decoder_out_path)
else:
    out = pathlib.Path(given.output_path)
    out.mkdir(exist_ok=False)
    (out / "stream").mkdir()
    (out / "recon").mkdir()
    for name in os.listdir(given.eval_image_path):
        pixels = np.asarray(Image.open(pathlib.Path(given.eval_image_path, name)).convert("RGB"))
        coded = coder.pack(pixels, step)
        stem = os.path.splitext(name)[0]
        (out / "stream" / f"{stem}.bin").write_bytes(coded)
        Image.fromarray(coder.unpack(coded, step)).save(out / "recon" / f"{stem}.png")
"""

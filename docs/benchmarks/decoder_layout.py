"""Compare decoders with their channels last and in the plain layout, in turns; write the record.

OMP_NUM_THREADS=1 python docs/benchmarks/decoder_layout.py PICTURE
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image as Pillow
from record_age import keep

from codecarena.bench.worker.device import cpu_model
from codecarena.codecs import registry
from codecarena.codecs.base import Picture
from codecarena.codecs.contract import largest_difference

RECORD = Path(__file__).with_suffix(".md")
ROUNDS = 3
CASES = {
    "hyperprior": {},
    "hfd": {},
    "latent": {},
    "layered": {},
}


def seconds(codec, stream):
    """Return the processor seconds of a decode, and the pixels."""
    began = time.process_time()
    pixels = codec.decode(stream)
    return time.process_time() - began, pixels


def row(name, parameters, pixels):
    """Return the record's line of a codec: megapixels are the picture's, or the canvas's of layered."""
    fast = registry.create(name, parameters)
    with mock.patch.object(torch, "channels_last", torch.contiguous_format):
        plain = registry.create(name, parameters)
    quality = fast.info.qualities[len(fast.info.qualities) // 2]
    stream = plain.encode(Picture(pixels), quality)
    megapixels = (512 * 512 if name == "layered" else pixels.shape[0] * pixels.shape[1]) / 1e6
    times: dict[str, list[float]] = {"plain": [], "last": []}
    for _ in range(ROUNDS):
        taken, expected = seconds(plain, stream)
        times["plain"].append(taken / megapixels)
        taken, decoded = seconds(fast, stream)
        times["last"].append(taken / megapixels)
    before, after = (statistics.median(values) for values in times.values())
    levels = largest_difference(expected, decoded)
    line = f"| {name} | {before:.2f} | {after:.2f} | {before / after:.2f} | {levels} |"
    print(line, flush=True)
    return line


def main():
    """Time every codec with weights of its own, and write the record."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    pixels = np.ascontiguousarray(np.array(Pillow.open(sys.argv[1]).convert("RGB"))[:512, :512])
    lines = [row(name, parameters, pixels) for name, parameters in CASES.items()]
    text = [
        "# Decoders with their channels last",
        "",
        f"{cpu_model()}, one thread, torch {torch.__version__}:",
        f"a 512 x 512 part of {Path(sys.argv[1]).name} at the middle quality, decoded by networks in either",
        "layout in turns in one process, both in inference mode;",
        f"medians of {ROUNDS}. Made by `decoder_layout.py`.",
        "",
        "| codec | plain, CPU-s/MP | last, CPU-s/MP | times faster | largest difference, levels |",
        "| --- | --- | --- | --- | --- |",
        *lines,
        "",
        "`layered` paints a canvas of 512 x 512. Encoders keep the plain layout, and write the same bytes.",
    ]
    keep(RECORD, "\n".join(text))


if __name__ == "__main__":
    main()

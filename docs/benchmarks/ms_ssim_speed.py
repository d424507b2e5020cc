"""Compare the time and value of MS-SSIM here and in pytorch-msssim on Kodak; write `ms_ssim_speed.md`.

    python docs/benchmarks/ms_ssim_speed.py FOLDER_OF_KODAK

Alternating calls in one process and one thread, the same decoded pictures, the original prepared once.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image as Pillow
from pytorch_msssim import ms_ssim
from record_age import keep

from codecarena.bench.metrics.ssim import MsSsim
from codecarena.bench.worker.device import cpu_model
from codecarena.codecs.base import Picture

REPEATS = 15
QUALITIES = (10, 50, 90)
NAMES = ("kodim01.png", "kodim13.png", "kodim20.png", "kodim23.png")


def jpeg(pixels, quality):
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Pillow.open(stream))


def planes(pixels, dtype):
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(dtype)


def milliseconds(function):
    start = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - start)


def rows(folder):
    metric = MsSsim()
    for name in NAMES:
        original = np.array(Pillow.open(folder / name).convert("RGB"))
        prepared = metric.prepare(Picture(original))
        for quality in QUALITIES:
            decoded = jpeg(original, quality)
            single = [planes(pixels, torch.float32) for pixels in (original, decoded)]
            double = [planes(pixels, torch.float64) for pixels in (original, decoded)]
            own, theirs = [], []
            for _ in range(REPEATS):
                own.append(milliseconds(lambda: metric.score(prepared, decoded)))  # noqa: B023 - called at once
                theirs.append(milliseconds(lambda: ms_ssim(*single)))  # noqa: B023
            score = metric.score(prepared, decoded)
            yield {
                "name": f"{name} q{quality}",
                "score": score,
                "from_float64": score - ms_ssim(*double).item(),
                "from_float32": score - ms_ssim(*single).item(),
                "ours": own,
                "theirs": theirs,
                "prepare": milliseconds(lambda: metric.prepare(Picture(original))),  # noqa: B023
            }


def record(folder):
    measured = list(rows(folder))
    median = {
        key: statistics.median(took for row in measured for took in row[key]) for key in ("ours", "theirs")
    }
    lines = [
        "# MS-SSIM: time and value",
        "",
        f"{cpu_model()}, one thread; {len(NAMES)} Kodak pictures of 768x512 as JPEG, RGB, the original",
        f"prepared once; medians of {REPEATS} alternating calls. Made by `ms_ssim_speed.py`",
        f"with OpenCV {cv2.__version__} and torch {torch.__version__}.",
        "",
        f"**Ours {median['ours']:.1f} ms, pytorch_msssim {median['theirs']:.0f} ms: "
        f"{median['theirs'] / median['ours']:.1f} times faster.** Preparing an original: "
        f"{statistics.median(row['prepare'] for row in measured):.0f} ms.",
        "",
        "| picture | MS-SSIM | minus theirs in float64 | minus theirs in float32 | ours, ms | theirs, ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in measured:
        lines.append(
            f"| {row['name']} | {row['score']:.7f} | {row['from_float64']:.0e} | {row['from_float32']:.0e} "
            f"| {statistics.median(row['ours']):.1f} | {statistics.median(row['theirs']):.0f} |"
        )
    lines += [
        "",
        "In float32 pytorch_msssim loses digits where a picture is bright and flat (kodim20 has a saturated",
        "sky), because it subtracts squares near 65,000; ours agrees with its float64 result.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    text = record(Path(sys.argv[1]))
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)

"""Count what is seen of an earlier coding of pictures whose past is known; write `picture_history.md`.

    CODECARENA_TEST_DATA=... python docs/benchmarks/picture_history.py [PICTURES]

Limits were set on every third picture of a source; those are left out here. At most PICTURES of a source
count.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from PIL import Image
from record_age import keep
from scipy.stats import beta

from codecarena.datasets.description.block_grids import GRID_FOUND
from codecarena.datasets.description.history import measure_history

SOURCES = {
    "Kodak": "natural; Photo CD scans, whose chroma has half the size",
    "hires": "natural; photographs as PNG, whose past is not known",
    "aigc": "AI-generated; PNG files of their generators",
}
FOLDERS = {"Kodak": "kodak", "hires": "hires", "aigc": "aigc"}
SIZE = (768, 512)
TREATMENTS = {
    "as they are": (None, {}),
    "JPEG 75": ("JPEG", {"quality": 75}),
    "JPEG 90": ("JPEG", {"quality": 90}),
    "JPEG 95": ("JPEG", {"quality": 95}),
    "JPEG 98": ("JPEG", {"quality": 98}),
    "WebP 50": ("WEBP", {"quality": 50}),
    "WebP 80": ("WEBP", {"quality": 80}),
    "AVIF 50": ("AVIF", {"quality": 50}),
    "AVIF 75": ("AVIF", {"quality": 75}),
    "JPEG 85, then 0.5 times": ("JPEG", {"quality": 85}),
}


def pictures(source: str, most: int) -> list[np.ndarray]:
    """Return the middle of those pictures of a source that no limit was set on."""
    paths = sorted(Path(os.environ["CODECARENA_TEST_DATA"], FOLDERS[source]).glob("*.png"))
    chosen = [path for place, path in enumerate(paths) if place % 3][:most]
    cut: list[np.ndarray] = []
    for path in chosen:
        with Image.open(path) as image:
            left, top = (max(0, (have - want) // 2) for have, want in zip(image.size, SIZE, strict=True))
            cut.append(np.asarray(image.convert("RGB").crop((left, top, left + SIZE[0], top + SIZE[1]))))
    return cut


def treated(pixels: np.ndarray, treatment: str) -> np.ndarray:
    """Return what a coding leaves of the pixels."""
    form, options = TREATMENTS[treatment]
    image = Image.fromarray(pixels)
    if form:
        whole = io.BytesIO()
        image.save(whole, form, **options)
        image = Image.open(whole).convert("RGB")
    if "then" in treatment:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    return np.asarray(image)


def shown(seen: int, of: int) -> str:
    """Return a count with Clopper and Pearson's 95 % interval of the share, in percent."""
    low = beta.ppf(0.025, seen, of - seen + 1) if seen else 0.0
    high = beta.ppf(0.975, seen + 1, of - seen) if seen < of else 1.0
    return f"{seen} of {of} ({100 * low:.0f}-{100 * high:.0f} %)"


def main(most: int) -> None:
    """Measure, and write the record."""
    nowhere = Path("no such file")
    rows: list[str] = []
    for source in SOURCES:
        originals = pictures(source, most)
        for treatment in TREATMENTS:
            measured = [
                measure_history(nowhere, treated(pixels, treatment)).descriptors for pixels in originals
            ]
            jpeg = sum(values["jpeg_quality"] < 100 for values in measured)
            blocks = sum(
                any(values[f"blocks_of_{side}"] >= least for side, least in GRID_FOUND.items())
                for values in measured
            )
            rows.append(
                f"| {source} | {treatment} | {shown(jpeg, len(measured))} | {shown(blocks, len(measured))} |"
            )
            print(rows[-1], flush=True)
    sources = "\n".join(f"- {name}: {about}." for name, about in SOURCES.items())
    keep(
        Path(__file__).with_suffix(".md"),
        f"""# What is seen of a picture's past

Cuts of {SIZE[0]}x{SIZE[1]} of the pictures that no limit was set on, at most {most} of a source, as they are
and after a coding, read as pixels alone. *JPEG*: `jpeg_quality` below 100. *Blocks*: `blocks_of_8` or
`blocks_of_4` at its limit, which tells of any lossy coding. In brackets the 95 % interval of the share. Made
by `picture_history.py`.

{sources}

| source | coded as | JPEG | blocks |
| --- | --- | --- | --- |
{chr(10).join(rows)}

Alarms on pictures *as they are* are false as far as their past is known: decoders of latents write blocks of
8 themselves. WebP is not taken for JPEG here, fine AVIF sometimes is; a JPEG that was made smaller is mostly
not seen as such, but by its blocks.
""",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)

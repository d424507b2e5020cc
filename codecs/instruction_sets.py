"""Let a process compute as on an older processor, and say whether it then does.

Sums of a network's convolutions come out a little different where vectors are shorter. A stream must decode
there too: what chooses a table of probabilities may not hang on a last digit.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from .base import CodecError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, eq=False)
class InstructionSet:
    """What restrains the libraries of a new process to the instructions of an older processor."""

    name: str
    environment: Mapping[str, str]
    """Read when the libraries are loaded: it must be there when a process starts."""


OLDER = (
    InstructionSet("AVX2", {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"}),
    InstructionSet(
        "SSE4.1",
        {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_CBWR": "COMPATIBLE",
            "OPENBLAS_CORETYPE": "Nehalem",
            "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL "
            "AVX512_ICL AVX512_SPR",
        },
    ),
)
"""PyTorch and its two libraries of matrices, NumPy and its one. Without MKL's own variable only convolutions
in float32 would change."""

PROBE = f"""
import sys
from {__package__}.instruction_sets import arithmetic
sys.stdout.write(arithmetic())
"""


def arithmetic() -> str:
    """Return what tells apart how processes add: hashes of convolutions in float64.

    Transposed ones too, which networks of scales and means are made of: each has its own code.
    """
    import hashlib

    import torch

    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(1, 24, 40, 40, generator=generator, dtype=torch.float64)
    weights = torch.randn(24, 24, 5, 5, generator=generator, dtype=torch.float64)
    sums = (
        torch.nn.functional.conv2d(pixels, weights, padding=2),
        torch.nn.functional.conv_transpose2d(pixels, weights, stride=2),
    )
    return hashlib.sha256(b"".join(values.numpy().tobytes() for values in sums)).hexdigest()


@cache
def changes_arithmetic(older: InstructionSet) -> bool:
    """Return whether a process under an instruction set adds otherwise than a plain one; asks one of each.

    Raises:
        CodecError: A process did not answer: PyTorch is missing, or does not load.
    """
    return _asked(None) != _asked(older)


@cache
def _asked(older: InstructionSet | None) -> str:
    plain = {name: value for name, value in os.environ.items() if name not in OLDER[-1].environment}
    ended = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=False,
        env=plain | dict(older.environment if older else {}),
    )
    if ended.returncode:
        last = ended.stderr.strip().splitlines()[-1:] or [f"exit status {ended.returncode}"]
        raise CodecError(f"a process under {older.name if older else 'no restraint'} failed: {last[0]}")
    return ended.stdout


def not_tested(older: InstructionSet) -> str:
    """Return the sentence for a setting that changes nothing here."""
    return (
        f"{older.name}: not tested, because under its settings this processor adds a float64 convolution up "
        "as without them"
    )

"""Find the device and the number format that a codec's parameters name, or say why they cannot be used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import torch

from .base import MissingBackendError, check_choice

if TYPE_CHECKING:
    from collections.abc import Generator

Module = TypeVar("Module", bound=torch.nn.Module)
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")
"""Of x86, of its tiles and of ARM, as `torch.cpu.get_capabilities` calls them."""


def find_device(name: str) -> torch.device:
    """Return the device of a name such as ``cpu`` or ``cuda:0``.

    Raises:
        MissingBackendError: There is no such device here, or PyTorch was built without it.
    """
    try:
        torch.zeros(1, device=name).item()  # there are devices without memory
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        reason = str(error).splitlines()[0]
        raise MissingBackendError(
            f"parameter 'device': {name!r} cannot be used here, 'cpu' always can: {reason}"
        ) from error
    return torch.device(name)


def find_dtype(name: str, device: torch.device, *, halves: bool = True) -> torch.dtype:
    """Return the number format of a name.

    Args:
        name: ``float32``, ``float16`` or ``bfloat16``.
        device: Where the networks run.
        halves: Whether the networks bear the narrow range of float16.

    Raises:
        CodecError: There is no such format.
        MissingBackendError: It is bfloat16 on a processor that has no instructions for it. In float32 under
            that name the codec's costs and pixels would be another's.
    """
    check_choice("dtype", name, [dtype for dtype in DTYPES if halves or dtype != "float16"])
    if name == "bfloat16" and device.type == "cpu" and not multiplies_in_bfloat16():
        raise MissingBackendError(
            "parameter 'dtype': 'bfloat16' cannot be used here, as this processor has no instructions for it "
            "(AVX512-BF16, AMX or ARM's) and takes many times as long without; 'float32' decodes its streams"
        )
    return DTYPES[name]


def multiplies_in_bfloat16() -> bool:
    """Return whether this machine's processor has instructions for bfloat16; no if PyTorch cannot tell."""
    ask = getattr(torch.cpu, "get_capabilities", dict[str, object])
    has = ask()
    return any(has.get(name) for name in BFLOAT16_INSTRUCTIONS)


@contextmanager
def inference() -> Generator[None]:
    """Run networks without gradients, and on a GPU as exactly as on a CPU.

    cuDNN would round the factors of convolutions to the 10 bits of TF32, and choose among algorithms whose
    sums differ from one call to the next.
    """
    flags = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.inference_mode(), flags:
        yield


def in_fast_layout(network: Module) -> Module:
    """Return a decoder's network, on a CPU with its channels last: convolutions take less time so.

    Their sums come out a little different, by less than a level of the pixels: it is for networks that make
    pixels, never for one that chooses a table or a mean.
    """
    if next(network.parameters()).device.type == "cpu":
        network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return network

"""Count the multiply-accumulates of a call of torch's operators."""

from __future__ import annotations

import sys
from collections.abc import Callable


def multiply_accumulates(call: Callable[[], object]) -> int | None:
    """Return the multiply-accumulates of a call by torch's FLOP counter, two FLOPs each.

    The counter knows convolutions, matrix products and attention; everything else counts nothing, and so do
    other processes. None where torch is not loaded or nothing of the kind ran.
    """
    if "torch" not in sys.modules:
        return None
    from torch.utils import flop_counter

    # The counter keeps torch's compiler from its own code, and imports the compiler for it: a second of a
    # processor in each process. Nothing is compiled here; it believes that this was done already.
    dispatch = getattr(getattr(flop_counter, "_FlopCounterMode", None), "__torch_dispatch__", None)
    if original := getattr(dispatch, "__wrapped__", None):
        original.__dynamo_disable = original

    with flop_counter.FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() // 2 or None

"""Load CompressAI's entropy bottlenecks whole, under whatever names a checkpoint has for their tensors.

CompressAI has named them `_matrix0`, `_matrices.0` and, from 1.2.7 on, `matrices.0`. Its own models translate
the names at their top level only: where a bottleneck is a part of a larger network, a loader that is not
strict leaves its 14 tensors random, and every rate is wrong without a word (DiffEIC issue 28, StableCodec
issue 20). This file also lies in other people's checkouts and runs in their Python, from 3.8 on.
"""

from __future__ import annotations

import re
from typing import Any

_TENSOR = re.compile(r"_?(matri|bias|factor)(?:x|ces|es|s)?\.?(\d+)")
_LOADED = "_codecarena_loaded"


class MismatchError(ValueError):
    """A checkpoint lacks tensors of an entropy bottleneck."""


def accept_any_names(bottleneck: Any) -> None:
    """Have a class of bottlenecks load any spelling of its tensors' names, and nothing by halves.

    Args:
        bottleneck: CompressAI's ``EntropyBottleneck``; calling this again changes nothing.
    """
    if hasattr(bottleneck, _LOADED):
        return
    # torch's own place for a class whose tensors have changed their names.
    load = bottleneck._load_from_state_dict

    def load_whole(self: Any, state: dict[str, Any], prefix: str, *others: Any) -> None:
        own = {_tensor(name): name for name, _ in self.named_parameters()}
        given = [name[len(prefix) :] for name in state if name.startswith(prefix)]
        for name in given:
            # A name that is not the network's own comes from the file; where a loader has merged the file
            # into the network's tensors, the network's own name holds what was there before.
            here = own.get(_tensor(name), name)
            if here != name:
                state[prefix + here] = state.pop(prefix + name)
        missing = [name for name in own.values() if prefix + name not in state]
        if given and missing:
            raise MismatchError(
                f"expected {len(own)} tensors of the entropy bottleneck {prefix.rstrip('.') or 'itself'}, "
                f"the checkpoint lacks {', '.join(missing)}: they would be random and every rate wrong"
            )
        load(self, state, prefix, *others)
        setattr(self, _LOADED, not missing)

    bottleneck._load_from_state_dict = load_whole
    setattr(bottleneck, _LOADED, False)


def check_loaded(network: Any) -> None:
    """Raise unless every entropy bottleneck of a network was loaded from a checkpoint.

    Args:
        network: A ``torch.nn.Module`` that was loaded after `accept_any_names`.

    Raises:
        MismatchError: One was not, and so is random.
    """
    for name, module in network.named_modules():
        if not getattr(module, _LOADED, True):
            raise MismatchError(
                f"the checkpoint holds no tensor of the entropy bottleneck {name or 'itself'}: "
                "it would be random and every rate wrong"
            )


def _tensor(name: str) -> object:
    """Return a name without its spelling."""
    match = _TENSOR.fullmatch(name)
    return match.groups() if match else name

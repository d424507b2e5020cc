"""CompressAI, imported without what nothing here uses: point clouds, data sets and losses.

`import compressai` imports all of its parts, and these bring torch_geometric, transformers and pandas with
them: more seconds and memory than the networks of a codec take. Here they are imported when they are used.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType
from typing import Any

from ..recipes.bottlenecks import accept_any_names

_PARTS_AT_FIRST_USE = ("datasets", "losses", "transforms")
_NAMES_AT_FIRST_USE = ("TRANSFORMS", "register_transform")
"""Of `compressai.registry.transforms`."""


def _import_compressai() -> None:
    """Import CompressAI with empty modules in the places of the parts, and take these away again."""
    parts = {f"compressai.{part}": ModuleType(part) for part in _PARTS_AT_FIRST_USE}
    transforms = ModuleType("compressai.registry.transforms")
    vars(transforms).update(dict.fromkeys(_NAMES_AT_FIRST_USE))
    stand_ins = parts | {"compressai.registry.transforms": transforms}
    sys.modules.update(stand_ins)
    try:
        package, registry = (importlib.import_module(name) for name in ("compressai", "compressai.registry"))
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
    for module, names in ((package, _PARTS_AT_FIRST_USE), (registry, ("transforms", *_NAMES_AT_FIRST_USE))):
        for name in names:
            vars(module).pop(name, None)

    def part_of_package(name: str) -> Any:  # whatever the part holds
        if name in _PARTS_AT_FIRST_USE:
            return importlib.import_module(f"compressai.{name}")
        raise AttributeError(f"module 'compressai' has no attribute {name!r}")

    def name_in_registry(name: str) -> Any:  # a table or a decorator
        if name in _NAMES_AT_FIRST_USE:
            return getattr(importlib.import_module("compressai.registry.transforms"), name)
        raise AttributeError(f"module 'compressai.registry' has no attribute {name!r}")

    vars(package)["__getattr__"] = part_of_package
    vars(registry)["__getattr__"] = name_in_registry


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    if "compressai" not in sys.modules:
        _import_compressai()
    from compressai import __version__ as compressai_version
    from compressai.ans import RansDecoder, RansEncoder
    from compressai.entropy_models import EntropyBottleneck, GaussianConditional
    from compressai.models import MeanScaleHyperprior
    from compressai.ops import quantize_ste
    from compressai.zoo.image import model_architectures, model_urls
    from compressai.zoo.pretrained import load_pretrained

accept_any_names(EntropyBottleneck)

__all__ = [
    "EntropyBottleneck",
    "GaussianConditional",
    "MeanScaleHyperprior",
    "RansDecoder",
    "RansEncoder",
    "compressai_version",
    "load_pretrained",
    "model_architectures",
    "model_urls",
    "quantize_ste",
]

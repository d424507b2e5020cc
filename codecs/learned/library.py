"""CompressAI, imported without the warnings of the libraries that it imports in turn."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from compressai import __version__ as compressai_version
    from compressai.ans import RansDecoder, RansEncoder
    from compressai.models import MeanScaleHyperprior
    from compressai.ops import quantize_ste
    from compressai.zoo.image import model_architectures, model_urls
    from compressai.zoo.pretrained import load_pretrained

__all__ = [
    "MeanScaleHyperprior",
    "RansDecoder",
    "RansEncoder",
    "compressai_version",
    "load_pretrained",
    "model_architectures",
    "model_urls",
    "quantize_ste",
]

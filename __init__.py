"""codecarena: which image codec, at which rate, looks best to people, and what it costs."""

from __future__ import annotations

__version__ = "0.1.0"

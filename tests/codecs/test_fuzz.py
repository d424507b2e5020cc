"""Damaged bitstreams give an error of ours or some picture: no other exception, dead process or hang."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fresh_process import FreshProcess

from codecarena.codecs import registry

ELSEWHERE = {"command", "hfd", "hyperprior", "illm", "latent", "layered", "zoo"}
"""Codecs whose streams are damaged elsewhere: test_fuzz_sealed.py, test_illm.py."""
PROGRAM = """
import random, warnings
from codecarena.codecs import contract, registry
from codecarena.codecs.base import CodecError, Picture, check_image
warnings.simplefilter("error")
name, count, last = arguments
codec = registry.create(name)
rng = random.Random(name)
qualities = codec.info.qualities
picture = contract.photograph()[:97, :131].copy()
streams = [codec.encode(Picture(picture), quality) for quality in {qualities[0], qualities[-1]}]
outcome = {"refused": 0, "decoded": 0}
for index in range(count):
    stream = bytearray(rng.choice(streams))
    kind = index % 5
    if kind == 0:
        del stream[rng.randrange(len(stream)):]
    elif kind == 1:
        stream[rng.randrange(min(64, len(stream)))] = rng.randrange(256)
    elif kind == 2:
        for _ in range(rng.randrange(1, 9)):
            stream[rng.randrange(len(stream))] ^= 1 << rng.randrange(8)
    elif kind == 3:
        start = rng.randrange(len(stream))
        stream[start:start + rng.randrange(1, 40)] = rng.randbytes(rng.randrange(40))
    else:
        other = rng.choice(streams)
        stream = bytearray(stream[:rng.randrange(len(stream))] + other[rng.randrange(len(other)):])
    open(last, "wb").write(stream)
    try:
        check_image(codec.decode(bytes(stream)))
        outcome["decoded"] += 1
    except CodecError:
        outcome["refused"] += 1
answer = outcome
"""


@pytest.mark.xdist_group("diffusers")
@pytest.mark.scaled
@pytest.mark.parametrize("name", [name for name in registry.entries() if name not in ELSEWHERE])
def test_damaged_streams_are_refused_or_decoded(
    name: str, tenth: Callable[[int], int], fuzzed_process: FreshProcess, tmp_path: Path
) -> None:
    if registry.find(name).missing:
        pytest.skip(f"codec {name} is {registry.find(name).missing}")
    count = 5000 if tenth(10) == 10 else 100  # twenty of each kind of damage
    # On a failure this file has the stream that did it.
    outcome = fuzzed_process.run(PROGRAM, name, count, str(tmp_path / "last"))
    assert outcome["refused"] + outcome["decoded"] == count
    assert outcome["refused"] > 0

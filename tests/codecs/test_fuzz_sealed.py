"""Damaged streams of our own format, half of them sealed again so that the damage reaches the decoder.

They are decoded in a child, whose death would fail the test. In use a worker that dies costs its cell alone:
tests/bench/test_faults.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import networks
import pytest
from fresh_process import FreshProcess

from codecarena.codecs.registry import Value

CASES: list[tuple[str, dict[str, Value]]] = [
    ("hyperprior", {}),
    ("hfd", {"mode": "flow"}),
    ("hfd", {"mode": "diffusion", "steps": 4}),
    ("latent", {}),
    ("layered", {"decoder": "sketch"}),
    ("layered", {"steps": 1, "guidance": 1.0}),
    ("zoo", {"arch": "bmshj2018-factorized"}),
    ("zoo", {"arch": "bmshj2018-hyperprior"}),
    ("zoo", {"arch": "mbt2018-mean"}),
]
"""The zoo's are small networks with random weights."""
SLOW = pytest.param("zoo", {"arch": "mbt2018"}, marks=pytest.mark.long)
"""It decodes one pixel of its latents after another."""

PROGRAM = """
import contextlib, random, time, warnings
from canvas import small_canvas
from codecarena.codecs import contract, registry
from codecarena.codecs.base import CodecError, Picture, check_image
from sealing import sealed
warnings.simplefilter("error")
name, parameters, count, last, on_small_canvas = arguments
canvas = contextlib.ExitStack()
if on_small_canvas:
    canvas.enter_context(small_canvas(64 * 64))
codec = registry.create(name, parameters)
rng = random.Random(name)
qualities = codec.info.qualities
picture = contract.photograph()[:97, :131].copy()
streams = [codec.encode(Picture(picture), quality) for quality in {qualities[0], qualities[-1]}]
outcome = {"refused": 0, "decoded": 0, "slowest_seconds": 0.0}
for index in range(count):
    stream = bytearray(rng.choice(streams))
    kind = index // 2 % 7
    if kind == 0:
        del stream[rng.randrange(len(stream)):]
    elif kind == 1:
        stream[rng.randrange(min(32, len(stream)))] = rng.randrange(256)
    elif kind == 2:
        for _ in range(rng.randrange(1, 9)):
            stream[rng.randrange(len(stream))] ^= 1 << rng.randrange(8)
    elif kind == 3:
        start = rng.randrange(len(stream))
        stream[start:start + rng.randrange(1, 40)] = rng.randbytes(rng.randrange(40))
    elif kind == 4:
        other = rng.choice(streams)
        stream = bytearray(stream[:rng.randrange(len(stream))] + other[rng.randrange(len(other)):])
    elif kind == 5:  # what a range decoder walks farthest on
        stream[rng.randrange(len(stream)):] = bytes([rng.choice([0, 255])]) * rng.randrange(2000)
    else:  # another size
        width, height = rng.choice([(1, 1), (64, 2000), (5000, 64), (600, 600), (16000000, 1)])
        stream[4:10] = width.to_bytes(3, "big") + height.to_bytes(3, "big")
    damaged = bytes(stream) if index % 2 else sealed(bytes(stream))
    open(last, "wb").write(damaged)
    started = time.monotonic()
    try:
        check_image(codec.decode(damaged))
        outcome["decoded"] += 1
    except CodecError:
        outcome["refused"] += 1
    outcome["slowest_seconds"] = max(outcome["slowest_seconds"], round(time.monotonic() - started, 2))
canvas.close()
# Not getrusage's figure: it begins with that of the process which started this one.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
outcome["peak_mib"] = int(peak.split()[1]) // 1024
answer = outcome
"""


@pytest.mark.xdist_group("diffusers")
@pytest.mark.scaled
@pytest.mark.parametrize(("name", "parameters"), [*CASES, SLOW], ids=lambda value: str(value))
def test_damaged_streams_are_refused_or_decoded(
    name: str,
    parameters: dict[str, Value],
    tenth: Callable[[int], int],
    fuzzed_process: FreshProcess,
    tmp_path: Path,
) -> None:
    count = 140  # ten of each kind of damage, sealed again and not
    given = dict(parameters)
    if full_size := tenth(10) == 10:
        count = 10_000
        fuzzed_process.close()  # the record wants the peak memory of each codec by itself
    elif name == "layered":
        given["edge_rows"] = 32  # a sixteenth of the cells, which are read one by one
    if name == "zoo":
        network = networks.untrained(str(parameters["arch"]))
        given["checkpoint"] = networks.save(network, tmp_path / "checkpoint.pth")
    # On a failure this file has the stream that did it.
    outcome = fuzzed_process.run(PROGRAM, name, given, count, str(tmp_path / "last"), not full_size)
    assert outcome["refused"] + outcome["decoded"] == count
    # Every stream that was not sealed again is refused, unless its damage changed no byte.
    assert outcome["refused"] >= 0.45 * count
    sys.stdout.write(f"record: {name} {parameters}: {count} damaged streams, {outcome}\n")

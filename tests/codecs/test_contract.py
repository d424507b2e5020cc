"""Every built-in codec passes the contract that third parties inherit, at its defaults and beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from canvas import small_canvas
from fresh_process import BuiltInContract, FreshProcess

from codecarena.codecs import registry
from codecarena.codecs.base import Image, Picture
from codecarena.codecs.contract import largest_difference, photograph

ELSEWHERE = {"command", "illm", "zoo"}
"""Codecs that need a file of their own to be made; their tests hold the contract too."""
CASES: list[tuple[str, dict[str, registry.Value]]] = [
    ("avif", {}),
    ("avif", {"speed": 9, "subsampling": "4:4:4", "threads": 2}),
    ("avif-rav1e", {"speed": 10}),
    ("avif-svt", {}),
    ("avif-svt", {"preset": 10, "bit_depth": 10}),
    ("heic", {}),
    ("heic", {"preset": "ultrafast", "subsampling": "4:4:4"}),
    ("hfd", {}),
    ("hfd", {"mode": "diffusion", "steps": 2, "start": 0.7}),
    ("hyperprior", {}),
    ("jpeg", {}),
    ("jpeg", {"subsampling": "4:4:4", "progressive": True}),
    ("jpeg2000", {}),
    ("jpeg2000", {"irreversible": False}),
    ("jpegli", {}),
    ("jpegli", {"decoder": "turbo"}),
    ("jpegxl", {}),
    ("jpegxl", {"effort": 3}),
    ("jpegxr", {}),
    ("latent", {}),
    ("layered", {"steps": 2, "guidance": 1.0}),
    ("layered", {"decoder": "sketch", "edge_rows": 64, "colour_rows": 16}),
    ("mozjpeg", {}),
    ("mozjpeg", {"subsampling": "4:4:4", "trellis": False, "progressive": False}),
    ("png", {}),
    ("vvc", {"preset": "faster"}),
    ("vvc", {"preset": "faster", "qpa": True}),
    ("webp", {}),
    ("webp", {"method": 6}),
]


class LayeredContract(BuiltInContract):
    """The contract on a small canvas; one whole canvas has a test of its own below."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def canvas(cls) -> Iterator[None]:
        with small_canvas():
            yield

    @pytest.fixture
    def decode_elsewhere(self, fresh_process: FreshProcess) -> Callable[[Sequence[bytes]], list[Image]]:
        """The process of the whole test session."""
        return lambda bitstreams: fresh_process.decode(
            self.codec_name, self.parameters, bitstreams, on_small_canvas=True
        )


def _title(name: str, parameters: dict[str, registry.Value]) -> str:
    words = [name, *(f"{key}={value}" for key, value in parameters.items())]
    return "Test_" + "_".join(words).replace("-", "_")


for _name, _parameters in CASES:
    _title_of_case = _title(_name, _parameters)
    globals()[_title_of_case] = type(
        _title_of_case,
        (LayeredContract if _name == "layered" else BuiltInContract,),
        {"codec_name": _name, "parameters": _parameters},
    )


def test_every_built_in_codec_is_among_the_cases() -> None:
    built_in = {name for name, entry in registry.entries().items() if entry.origin == "built-in"}
    assert built_in - ELSEWHERE == {name for name, _ in CASES}


def test_a_whole_canvas_comes_out_alike_in_another_process(fresh_process: FreshProcess) -> None:
    parameters: dict[str, registry.Value] = {"steps": 1, "guidance": 1.0}
    codec = registry.create("layered", parameters)
    bitstream = codec.encode(Picture(photograph(512, 512)), 3)
    (elsewhere,) = fresh_process.decode("layered", parameters, [bitstream])
    assert elsewhere.shape == (512, 512, 3)
    assert largest_difference(elsewhere, codec.decode(bitstream)) <= codec.info.tolerance_levels

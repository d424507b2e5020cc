"""A codec package of somebody else is found, used and tested like one of ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from installing import Installed

USE = """
import json
from codecarena.codecs import contract, registry
from codecarena.codecs.base import Picture
entry = registry.find("deflate")
codec = registry.create("deflate", {"level": 9})
decoded = codec.decode(codec.encode(Picture(contract.photograph()), 8))
print(json.dumps({
    "listed": "deflate" in registry.entries(),
    "summary": entry.summary,
    "origin": entry.origin,
    "missing": entry.missing,
    "label": registry.label("deflate", {"level": 9}),
    "lossless": bool((decoded == contract.photograph()).all()),
}))
"""


def test_installed_package_is_listed_and_used(third_party: Installed) -> None:
    ended = third_party.python("-c", USE)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {
        "listed": True,
        "summary": "from arena-deflate 1.0",
        "origin": "arena-deflate",
        "missing": None,
        "label": "deflate(level=9)",
        "lossless": True,
    }


def test_it_passes_the_contract_in_a_five_line_test(third_party: Installed) -> None:
    ended = third_party.python("-m", "pytest", "-p", "no:cacheprovider", "-q", "test_deflate.py")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout


def test_contract_fails_a_codec_that_reads_the_original(third_party: Installed) -> None:
    cheat = third_party.source / "test_cheat.py"
    cheat.write_text(
        "import arena_deflate, zlib\n"
        "from codecarena.codecs.contract import CodecContract\n"
        "kept = {}\n"
        "class Cheat(arena_deflate.Deflate):\n"
        "    def encode(self, picture, quality):\n"
        "        coded = super().encode(picture, quality)\n"
        "        kept[coded] = picture.pixels.copy()\n"
        "        return coded\n"
        "    def decode(self, bitstream, seed=None):\n"
        "        return kept[bitstream].copy() if bitstream in kept else super().decode(bitstream)\n"
        "arena_deflate.Deflate = Cheat\n"
        "class TestCheat(CodecContract):\n"
        "    codec_name = 'deflate'\n"
    )
    ended = third_party.python("-m", "pytest", "-p", "no:cacheprovider", "-q", "test_cheat.py")
    assert "1 failed" in ended.stdout
    assert "FAILED test_cheat.py::TestCheat::test_fresh_process_decodes_the_same_pixels" in ended.stdout


BREAK = """
import arena_deflate
from codecarena.codecs import registry
from codecarena.codecs.base import CodecError

def show():
    try:
        registry.create("deflate")
    except CodecError as error:
        print(error)

def broken(self, level=6):
    raise ZeroDivisionError("no level")

arena_deflate.Deflate.__init__ = broken
show()
del arena_deflate.Deflate
show()
registry.create("png")
"""


def test_broken_package_is_an_error_of_its_codec_alone(third_party: Installed) -> None:
    ended = third_party.python("-c", BREAK)
    assert ended.returncode == 0, ended.stderr
    constructor, missing_class = ended.stdout.splitlines()
    assert constructor == "codec deflate does not load: ZeroDivisionError('no level')"
    assert missing_class.startswith("codec 'deflate' (arena_deflate:Deflate, arena-deflate) does not load")

"""The process that decodes for all tests is another one, and says what went wrong in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fresh_process import FreshProcess

from codecarena.codecs import registry
from codecarena.codecs.base import Picture
from codecarena.codecs.classic.png import Png
from codecarena.codecs.contract import photograph


def test_it_knows_nothing_of_what_this_process_knows(
    fresh_process: FreshProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = registry.create("png")
    streams = [codec.encode(Picture(photograph(side, 7)), codec.info.qualities[0]) for side in (5, 9)]
    monkeypatch.setattr(Png, "decode", lambda *_: photograph(5, 7))
    assert np.array_equal(codec.decode(streams[1]), photograph(5, 7))
    decoded = fresh_process.decode("png", {}, streams)
    assert np.array_equal(decoded[0], photograph(5, 7))
    assert np.array_equal(decoded[1], photograph(9, 7))


def test_what_a_decoder_raises_fails_its_own_test_alone(fresh_process: FreshProcess) -> None:
    with pytest.raises(pytest.fail.Exception, match="CodecError"):
        fresh_process.decode("png", {}, [b"no picture"])
    assert fresh_process.run("answer = sum(arguments)", 2, 3) == 5


def test_a_death_fails_its_own_test_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = FreshProcess(tmp_path)
    try:
        with pytest.raises(pytest.fail.Exception, match="the process died"):
            process.run("import os; os._exit(3)")
        monkeypatch.setenv("ANYTHING", "at all")
        assert process.run("import os; answer = os.environ['ANYTHING']") == "at all"
    finally:
        process.close()

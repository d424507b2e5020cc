"""`codecarena verify --isa`: decoders whose pixels hang on the processor's instructions are found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cheats import write_cheat

from arena import call, run_record, write_pictures
from codecarena.bench.run.prepare import Options
from codecarena.bench.run.suite import load
from codecarena.bench.store.store import Store
from codecarena.bench.store.verifications import latest_verified
from codecarena.bench.store.writer import StoreWriter
from codecarena.bench.verify.verify import verify
from codecarena.codecs.instruction_sets import InstructionSet

pytestmark = pytest.mark.xdist_group("verify")

SUITE = """
name = "processors"
sets = "./pictures"
metrics = ["psnr"]
keep_decoded = true
"""
HANGS_ON_THE_PROCESSOR = """
elif kind == "processor":
    pixels = zlib.decompress(content)
    restraint = os.environ.get("ATEN_CPU_CAPABILITY")
    if restraint == "avx2":
        import cv2, numpy as np
        decoded = cv2.imdecode(np.frombuffer(pixels, np.uint8), cv2.IMREAD_COLOR)
        cv2.imwrite(written, decoded ^ 64)
    elif restraint == "default":
        sys.exit("the decoded symbols do not match their checksum")
    else:
        Path(written).write_bytes(pixels)
else:
    decoder"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite of a learned codec that decodes here alone, and has run."""
    folder = tmp_path_factory.mktemp("processors")
    write_pictures(folder / "pictures", 1, size=32)
    codec = write_cheat(folder, "processor", "processor", folder)
    program = folder / "cheat.py"
    program.write_text(program.read_text().replace("\nelse:\n    decoder", HANGS_ON_THE_PROCESSOR))
    recipe = folder / "processor.toml"
    recipe.write_text('family = "learned"\n' + recipe.read_text())
    (folder / "suite.toml").write_text(SUITE + codec)
    status, record = run_record("suite.toml", folder=folder)
    assert status == 0, record
    return folder


@pytest.mark.slow("starts three decoders behind walls and asks three processes how they add")
def test_the_worst_of_all_decodes_counts_and_names_the_instruction_set(ran: Path) -> None:
    ended = call("verify", "suite.toml", "--json", "--isa", "--no-encode", folder=ran)
    record = json.loads(ended.stdout)
    assert ended.returncode == 1
    under = {(row["codec"], row["instruction_set"]): row for row in record["instruction_sets"]}
    if len(under) < 2:
        pytest.skip(f"by design: {record['notes']}")
    counted = {
        key: [row[outcome] for outcome in ("identical", "differs", "failed")] for key, row in under.items()
    }
    assert counted == {
        ("processor", "AVX2"): [0, 1, 0],
        ("processor", "SSE4.1"): [0, 0, 1],
    }
    (codec,) = record["codecs"]
    (worst,) = codec["rows"]
    assert worst["outcome"] == "failed"
    assert worst["message"].startswith("under SSE4.1: ")
    store = Store(str(ran / "arena"))
    assert worst in [
        {name: getattr(row, name) for name in type(row).__slots__} for row in latest_verified(store).values()
    ]
    store.close()


def test_a_setting_that_changes_nothing_is_not_tested(ran: Path) -> None:
    loaded, _ = load(ran / "suite.toml")
    nothing = InstructionSet("nothing", {"CODECARENA_NO_SUCH_VARIABLE": "1"})
    writer = StoreWriter(str(ran / "arena"))
    try:
        report = verify(loaded, writer, Options(workers=1), lambda *_: None, encode=False, older=(nothing,))
    finally:
        writer.close()
    assert (report.count, report.wrong) == (1, 0)
    assert not report.older
    assert any(note.startswith("nothing: not tested") for note in report.notes)

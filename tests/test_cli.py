"""The command line as a new user meets it."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

from arena import call, call_process, command, run_record, write_pictures
from codecarena import __version__, cli
from codecarena.bench.store.store import Store

pytestmark = pytest.mark.xdist_group("command line")

ROOT = Path(__file__).parent.parent
SUITE = """
name = "small"
sets = "./pictures"
metrics = ["psnr", "ssim"]
[[codecs]]
name = "jpeg"
qualities = [10, 30, 50, 70, 90]
[[codecs]]
name = "webp"
qualities = [10, 30, 50, 70, 90]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    write_pictures(folder / "pictures", 2, size=48)
    (folder / "suite.toml").write_text(SUITE)
    assert run_record("suite.toml", folder=folder)[0] == 0
    return folder


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["codecs"], {"jpeg", "webp", "avif", "vvc", "command"}),
        (["metrics"], {"psnr", "ms-ssim", "ssimulacra2", "pyiqa:lpips"}),
        (["sets"], {"photos", "kodak"}),
        (["suites"], {"quick", "kodak-classic"}),
        (["recipes"], {"hific", "perco"}),
    ],
)
def test_every_list_is_a_table_and_json(words: list[str], expected: set[str], tmp_path: Path) -> None:
    rows = json.loads(call("list", *words, "--json", folder=tmp_path).stdout)
    assert expected <= {next(iter(row.values())) for row in rows}
    shown = call("list", *words, folder=tmp_path)
    assert shown.returncode == 0
    assert {name for name in expected if ":" not in name} <= set(shown.stdout.split())


def test_leaderboard_against_an_anchor_and_at_a_rate(ran: Path) -> None:
    shown = call("leaderboard", "--anchor", "jpeg", folder=ran)
    assert shown.returncode == 0, shown.stderr
    assert "webp" in shown.stdout
    assert "2/2" in shown.stdout
    (table,) = json.loads(call("leaderboard", "--at", "bpp=6", "--json", folder=ran).stdout)
    assert {row["codec"] for row in table["rows"]} == {"jpeg", "webp"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["leaderboard", "--anchor", "jpg"], "jpeg"),
        (["leaderboard", "--at", "bpp"], "bpp=0.25"),
        (["leaderboard", "--metric", "psrn"], "psnr"),
        (["leaderboard", "--set", "nowhere"], "pictures"),
        (["leaderboard", "--store", "nothing"], "codecarena run quick"),
        (["export", "xml", "out.xml"], "csv, parquet, json"),
        (["export", "csv", "no/such/folder/out.csv"], "out.csv"),
        (["sets", "fetch", "kodka"], "kodak"),
        (["run", "quick", "--store", "nonsense://x"], "nonsense"),
        (["run", "suite.toml", "--only", "colour=red"], "codec=NAME"),
        (["sheet", "out.png", "--picture", "pictur0000"], "picture0000"),
        (
            ["run", "suite.toml", "--force", "jpgeg", "--dry-run"],
            "--force jpgeg fits none of the suite's; did you mean 'jpeg'?",
        ),
        (["run", "suite.toml", "--only", "codec=jpeg,wepb", "--dry-run"], "did you mean 'webp'?"),
        (["run", "suite.toml", "--only", "set=pictures,more", "--dry-run"], "--only set=more fits none"),
        (["time", "suite.toml", "--force", "wepb"], "did you mean 'webp'?"),
        (
            ["leaderboard", "--at", "bpp=100"],
            "--at bpp=100: no codec reaches it; stored: jpeg 2.98…9.34, webp 2.80…7.92",
        ),
        (["leaderboard", "--at", "psnr=99", "--json"], "--at psnr=99: no codec reaches it; stored: jpeg "),
        (["export", "latex", "out.tex", "--at", "bpp=100"], "no codec reaches it; stored: "),
        (
            ["export", "csv", "o.csv", "--metric", "nope"],
            "--metric would change nothing: csv is to hold every",
        ),
        (
            ["export", "csv", "o.csv", "--anchor", "q", "--at", "bpp=z"],
            "--anchor and --at would change nothing",
        ),
        (["export", "parquet", "o", "--what", "rates", "--at", "bpp=1"], "is to hold the table rates"),
        (["export", "compressai", "out", "--metric", "psnr"], "leave it out"),
        (["leaderboard", "--speed", "--at", "bpp=1"], "leave it out"),
        (["run", "~nobody-here", "--dry-run"], "no suite '~nobody-here'"),
        (["run", "kodak-classic", "--data", "~nobody-here", "--dry-run"], "codecarena sets fetch kodak"),
        (["leaderboard", "--store", "~nobody-here"], "no store in "),
        (["leaderboard", "--store", "arena/arena.db"], "expected the store's folder, as "),
    ],
)
def test_a_mistake_gets_a_sentence_that_helps(ran: Path, words: list[str], said: str) -> None:
    ended = call(*words, folder=ran)
    assert ended.returncode == 2
    assert ended.stderr.startswith("codecarena: ")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "defect" not in ended.stderr


def test_a_choice_that_is_none_is_told_in_plain_words(ran: Path) -> None:
    ended = call("leaderboard", "--method", "nope", folder=ran)
    assert ended.returncode == 2
    assert "'nope' is not one of 'pchip'" in ended.stderr
    assert "Value error" not in ended.stderr


def test_version_and_help_have_their_usual_names(tmp_path: Path) -> None:
    assert call("--version", folder=tmp_path).stdout == f"codecarena {__version__}\n"
    for words in ((), ("list",), ("run",), ("study", "plan"), ("sets", "fetch"), ("store", "upgrade")):
        short, whole = call(*words, "-h", folder=tmp_path), call(*words, "--help", folder=tmp_path)
        assert (short.returncode, short.stdout) == (0, whole.stdout)
        assert "Usage: " in short.stdout


def test_export_writes_the_same_rows_as_csv_and_parquet(ran: Path) -> None:
    for form in ("csv", "parquet"):
        ended = call("export", form, f"out.{form}", folder=ran)
        assert ended.stdout == f"20 rows written to out.{form}\n", ended.stderr
    with (ran / "out.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    frame = pd.read_parquet(ran / "out.parquet")
    assert len(rows) == len(frame) == 20
    assert [float(row["psnr"]) for row in rows] == frame["psnr"].tolist()
    assert {"bits_per_pixel", "encode_seconds", "contended", "ssim"} <= set(frame.columns)


def test_doctor_loads_every_codec_that_is_here(tmp_path: Path) -> None:
    lines = json.loads(call("doctor", "--json", folder=tmp_path).stdout)
    status = {(line["kind"], line["name"]): line["status"] for line in lines}
    assert "libjpeg" in status["codec", "jpeg"]
    assert "codecarena sets fetch kodak" in status["set", "kodak"]
    assert "run quick" in status["store", "arena"]
    what, how = status["codec", "zoo"].splitlines()
    assert "are not there" in what
    assert how.startswith("place the file")
    assert not [line for line in lines if line["status"].startswith("broken")]
    assert not (tmp_path / "arena").exists(), "looking makes nothing"


def test_sets_fetch_without_a_network_says_what_to_place_where(tmp_path: Path) -> None:
    ended = call(
        "sets", "fetch", "kodak", "--mirror", "http://127.0.0.1:9/", "--data", tmp_path, folder=tmp_path
    )
    assert ended.returncode == 2
    assert "kodim01.png" in ended.stderr
    assert str(tmp_path / "kodak") in ended.stderr


def test_sets_fetch_says_where_the_pictures_are(test_data: Path, tmp_path: Path) -> None:
    ended = call("sets", "fetch", "kodak", "--data", test_data, folder=tmp_path)
    assert ended.stdout == f"24 pictures of kodak are here: {test_data / 'kodak'}\n", ended.stderr
    ended = call("sets", "fetch", "photos", "--data", tmp_path, folder=tmp_path)
    assert "skimage" in ended.stdout
    assert str(tmp_path) not in ended.stdout


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["list", "suites", "--json"], 0),
        (["leaderboard", "--at", "bpp=6"], 0),
        (["run", "suite.toml", "--help"], 0),
        (["run"], 2),
        (["export", "xml", "out.xml"], 2),
        (["run", "incomplete.toml", "--json"], 1),
    ],
)
def test_the_program_prints_and_ends_as_its_call_in_a_test_does(
    ran: Path, words: list[str], status: int
) -> None:
    missing = '[[codecs]]\nname = "command"\nparams = { recipe = "no.toml" }\n'
    (ran / "incomplete.toml").write_text(SUITE + missing)
    process, here = call_process(*words, folder=ran), call(*words, folder=ran)
    assert (process.returncode, process.stdout, process.stderr) == (status, here.stdout, here.stderr)
    assert here.returncode == status


def test_a_reader_that_leaves_early_is_no_error(ran: Path) -> None:
    listing = subprocess.Popen(
        command("list", "metrics", "--json"), cwd=ran, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert listing.stdout is not None
    listing.stdout.close()
    _, said = listing.communicate()
    assert b"Traceback" not in said
    assert b"Exception" not in said


def test_every_command_is_told_of_in_the_documents() -> None:
    pages = " ".join(path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    group = get_command(cli.app)
    for name, entry in group.commands.items():
        for word in [f"{name} {inner}" for inner in getattr(entry, "commands", {})] or [name]:
            assert f"codecarena {word}" in pages, f"no page speaks of: codecarena {word}"


def test_a_run_keeps_the_options_it_was_called_with(ran: Path) -> None:
    options = ["--only", "codec=jpeg,webp", "--only", "set=pictures", "--force", "jpeg", "--no-timing"]
    assert call("run", "suite.toml", *options, "-j", "1", "--json", folder=ran).returncode == 0
    assert call("score", "suite.toml", "-j", "1", "-m", "psnr-y", "--data", ".", folder=ran).returncode == 0
    opened = Store(str(ran / "arena"))
    scored, measured, first = opened.runs()
    opened.close()
    assert measured.call == ("run", *options)
    assert scored.call == ("score", "--metric", "psnr-y", "--data", str(ran))
    assert first.call == ("run",)

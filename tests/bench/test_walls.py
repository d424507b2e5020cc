"""What a codec's decoder may see and what is covered, from folders made up here."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from measuring import INFO, planned_codec

from codecarena.bench.records.cells import CellKey
from codecarena.bench.records.messages import CodecSpec
from codecarena.bench.store.verifications import StoredStream
from codecarena.bench.verify import decoder_view
from codecarena.bench.worker.changed_files import FolderChanges, Renewed, Span
from codecarena.bench.worker.sandbox import Walls

CLASSIC = planned_codec("classic-id")
LEARNED = planned_codec("learned-id", info=replace(INFO, family="learned"))


def stream(began: str, ended: str | None = None) -> StoredStream:
    return StoredStream(1, CellKey("p", "c", 1.0, 0), "", "", began, ended)


NOON, ONE = "2030-01-01T12:00:00+00:00", "2030-01-01T13:00:00+00:00"
NOON_SECONDS = 1893499200.0


def touched(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_caches_of_networks_are_where_the_environment_says_or_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    nowhere = {"CODECARENA_DATA": "", "CODECARENA_STORE": "", "PWD": "/tmp/work", "OLDPWD": "/tmp/home"}
    assert decoder_view.environment(CLASSIC) == nowhere
    assert decoder_view.environment(LEARNED) == nowhere | {
        "CODECARENA_WEIGHTS": str(tmp_path / "weights"),
        "HF_HOME": str(tmp_path / "hf"),
        "TORCH_HOME": str(tmp_path / "cache" / "torch"),
    }
    monkeypatch.delenv("HF_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/somebody")
    assert decoder_view.environment(LEARNED)["HF_HOME"] == "/somebody/.cache/huggingface"


@pytest.mark.parametrize(
    ("beside", "visible", "covered"),
    [
        ((), "..", {"."}),
        (("set.toml", "a.txt", "b.md", "c.json", "d.CSV"), "..", {"."}),
        (("decoder.py",), "..", {"a.png", "b.JPG"}),
        (("deep/c.png",), "..", {"a.png", "b.JPG"}),
        # The folder itself is to be seen: it cannot be covered as a whole.
        ((), ".", {"a.png", "b.JPG"}),
        ((), "elsewhere", set()),
    ],
)
def test_folders_of_pictures_are_covered_whole_where_nothing_else_lies_in_them(
    tmp_path: Path, beside: tuple[str, ...], visible: str, covered: set[str]
) -> None:
    folder = Path(os.path.realpath(tmp_path))
    pictures = touched(folder, "a.png", "b.JPG")
    touched(folder, *beside)
    outcome = decoder_view._covered_pictures(
        [*pictures, folder / "gone" / "c.png"], [Path(os.path.normpath(folder / visible))]
    )
    assert {path.relative_to(folder).as_posix() for path in outcome} == covered
    assert len(outcome) == len(covered)


def test_pictures_beside_what_must_be_seen_are_covered_one_by_one(tmp_path: Path) -> None:
    folder = Path(os.path.realpath(tmp_path))
    picture, code = touched(folder, "a.png", "code.txt")
    assert decoder_view._covered_pictures([picture], [folder, code]) == [picture]


def test_a_store_is_its_blobs_and_the_files_of_its_database(tmp_path: Path) -> None:
    folder = Path(os.path.realpath(tmp_path))
    store: Any = SimpleNamespace(
        blobs=SimpleNamespace(folder=folder / "blobs"), location=SimpleNamespace(file=folder / "arena.db")
    )
    names = ["blobs", "arena.db", "arena.db-wal", "arena.db-shm"]
    assert decoder_view._of_store(store) == [folder / name for name in names]
    store.location.file = None
    assert decoder_view._of_store(store) == [folder / "blobs"]


def test_parameters_that_are_paths_of_something_are_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched(tmp_path, "a", "b")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    given = [f"{tmp_path}/a", "~/b", f"{tmp_path}/none", "a", "./a", "4:2:0"]
    assert decoder_view._paths(given) == [tmp_path / "a", tmp_path / "b"]


RECIPE = """
name = "mine"
version = "1"
encode = ["{program}", "{{input}}", "{{output}}", "{{quality}}"]
decode = ["./decoder", "--table={{recipe_dir}}/table", "{{recipe_dir}}/table", "{table}", "{{input}}", "{{output}}"]
picture = "ppm"
decoded = "ppm"
environment = {{ MODEL = "{model}" }}
[quality]
name = "level"
worst = 1
best = 9
ladder = [1]
"""  # noqa: E501


def test_a_recipe_shows_its_folder_its_program_and_the_files_that_it_names(tmp_path: Path) -> None:
    home = tmp_path / "recipe"
    touched(home, "decoder", "table")
    touched(tmp_path, "model", "other/table", "encoder")
    (home / "mine.toml").write_text(
        RECIPE.format(program=tmp_path / "encoder", table=tmp_path / "other/table", model=tmp_path / "model")
    )
    spec = CodecSpec("command", (("recipe", str(home / "mine.toml")),))
    assert set(decoder_view._of_recipe(spec)) == {
        home,
        home / "table",
        tmp_path / "other/table",
        tmp_path / "model",
    }
    for other in ("bpg", "jpeg"):
        assert decoder_view._recipes(CodecSpec(other, spec.parameters)) == []
    assert decoder_view._recipes(CodecSpec("command", (("recipe", 7),))) == []
    assert decoder_view._recipes(CodecSpec("command", (("recipe", str(tmp_path / "none.toml")),))) == []


def test_the_span_begins_a_tick_before_the_first_encoder() -> None:
    assert decoder_view._began([stream(ONE), stream(NOON)]) == pytest.approx(NOON_SECONDS - 0.02)


@pytest.mark.parametrize(
    ("streams", "span"),
    [
        ([stream(NOON, ONE), stream(NOON, NOON)], Span(NOON_SECONDS - 0.02, NOON_SECONDS + 3600)),
        ([stream(NOON, NOON), stream(NOON)], Span(NOON_SECONDS - 0.02, math.inf)),
    ],
)
def test_the_systems_folders_are_looked_at_while_encoders_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streams: list[StoredStream], span: Span
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(decoder_view, "_settled", lambda: [tmp_path])
    monkeypatch.setattr(decoder_view, "_of_store", lambda _: ["the store"])
    monkeypatch.setattr(
        decoder_view, "appeared", lambda *words: asked.append(words) or FolderChanges(files=[tmp_path])
    )
    assert decoder_view.of_settled(None, streams).files == [tmp_path]  # type: ignore[arg-type]
    assert asked == [([Path(os.path.realpath(tmp_path))], span, ["the store"])]
    monkeypatch.setattr(decoder_view.os, "access", lambda _path, mode: mode != os.W_OK)
    decoder_view.of_settled(None, streams)  # type: ignore[arg-type]
    assert asked[1][0] == []
    assert decoder_view.of_settled(None, []) == FolderChanges()  # type: ignore[arg-type]


def test_the_walls_leave_out_what_the_encoder_left_among_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = Path(os.path.realpath(tmp_path))
    python, own, pictures, shown = (top / name for name in ("python", "own", "pictures", "shown"))
    for folder in (python, own, pictures, shown):
        folder.mkdir()
    (table,) = touched(top, "table")
    (picture,) = touched(pictures, "a.png")
    left = FolderChanges([Renewed(own, ("code.py",))], [own / "message"])
    settled = FolderChanges([Renewed(python, ())], [python / "message"])
    spans: list[Span] = []

    def look(folders: Any, span: Span, hidden: Any) -> FolderChanges:
        assert (list(folders), hidden) == ([own, table], [top / "blobs", pictures])
        spans.append(span)
        return left

    monkeypatch.setattr(decoder_view, "of_python", lambda: [python])
    monkeypatch.setattr(decoder_view, "_settled", lambda: [python])
    monkeypatch.setattr(decoder_view, "_of_codec", lambda _: [own, table, python, top / "none"])
    monkeypatch.setattr(decoder_view, "_of_store", lambda _: [top / "blobs"])
    monkeypatch.setattr(decoder_view, "appeared", look)
    given = (CLASSIC, None, [picture], [stream(NOON)], settled, [shown, top, top / "none"])
    # The parameter's file changed years before the encoders ran, then after.
    made, files = decoder_view.around(*given)  # type: ignore[arg-type]
    visible = (python, own, table, python, shown, top)
    assert made == Walls(visible, (top / "blobs", pictures), (*settled.renewed, *left.renewed))
    assert files == [own / "message", python / "message"]
    assert spans == [Span(NOON_SECONDS - 0.02, math.inf)]
    monkeypatch.setattr(decoder_view, "_changed", lambda path: NOON_SECONDS if path == table else 0.0)
    made, files = decoder_view.around(*given)  # type: ignore[arg-type]
    assert made.hidden == (top / "blobs", pictures, table)
    assert files == [table, own / "message", python / "message"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["tool", "{path}/opt/bin/tool"], {"recipe", "opt"}),
        (["{path}/opt/bin/tool", "plain"], {"recipe", "opt"}),
        (["./tool", "x"], {"recipe"}),
        (["tool", "{path}/data"], {"recipe", "data"}),
    ],
)
def test_a_program_of_a_recipe_is_shown_with_its_installation_and_a_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], shown: set[str]
) -> None:
    for program in touched(tmp_path, "opt/bin/tool", "recipe/tool"):
        program.chmod(0o755)
    touched(tmp_path, "data")
    filled = [word.format(path=tmp_path) for word in words]
    monkeypatch.setattr(decoder_view, "_recipes", lambda _: [(tmp_path / "recipe", filled, [])])
    assert {path.name for path in decoder_view._of_recipe(CodecSpec("command", ()))} == shown


def test_the_systems_folders_and_pythons_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_view, "of_python", lambda: [Path("/python")])
    monkeypatch.setattr(decoder_view, "SYSTEM", ("usr", "sys", "tools"))
    assert decoder_view._settled() == [Path("/usr"), Path("/tools"), Path("/python")]


def test_a_codec_in_one_file_is_the_folder_of_that_file(monkeypatch: pytest.MonkeyPatch) -> None:
    import csv

    codec: Any = SimpleNamespace(table=SimpleNamespace(spec=CodecSpec("any", ())))
    monkeypatch.setattr(decoder_view.registry, "find", lambda _: SimpleNamespace(path="csv:Codec"))
    assert decoder_view._of_codec(codec) == [Path(csv.__file__).parent]
    monkeypatch.setattr(
        decoder_view.registry, "find", lambda _: SimpleNamespace(path="no_such_module.part:Codec")
    )
    assert decoder_view._of_codec(codec) == []


def test_a_codec_is_the_folder_of_its_package_and_what_its_parameters_name(tmp_path: Path) -> None:
    (path,) = touched(tmp_path, "weights.bin")
    codec: Any = SimpleNamespace(table=SimpleNamespace(spec=CodecSpec("jpeg", (("a", str(path)), ("b", 3)))))
    outcome = decoder_view._of_codec(codec)
    assert outcome[-1] == path
    assert all((folder / "codecs").is_dir() for folder in outcome[:-1])
    assert len(outcome) > 1

"""What a folder holds, what is left out of it and who says so; the table beside its pictures."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arena import call, run_record
from codecarena.datasets.description import describe as describing
from codecarena.datasets.description.describe import describe
from codecarena.datasets.description.index_file import read_index
from codecarena.datasets.description.metadata import Metadata
from codecarena.datasets.folder import FolderContents, look_into
from codecarena.datasets.manifest import DatasetError, Manifest
from codecarena.datasets.sets.catalogue import _as_placed, open_set

SUITE = 'name = "s"\nsets = ["./set"]\nmetrics = ["psnr"]\n[[codecs]]\nname = "jpeg"\nqualities = [50]\n'
LATIN_1 = os.fsdecode(b"caf\xe9.png")
"""A name as old archives hold them, in the form in which Python has it."""


def picture(path: Path, level: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(level).integers(0, 255, (300, 280, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def odd_folder(folder: Path) -> Path:
    """Write a picture and what is none: other formats, odd names, links, text."""
    for level, name in enumerate(("a.png", "sub/b.png", LATIN_1, "bell\a.png", "elsewhere/c.png")):
        picture(folder / name, level)
    (folder / "elsewhere").rename(folder.parent / "elsewhere")
    for name in ("phone.heic", "y.JP2", "z.tga", "w.jxl", "w.exr", "raw.dng", "t.svg", ".hidden.png"):
        (folder / name).write_bytes(b"\0" + name.encode())
    (folder / "no ending").write_bytes((folder / "a.png").read_bytes())
    for name, text in (("README", b"text"), ("LICENCE.txt", "caf\xe9".encode("latin-1")), ("empty.csv", b"")):
        (folder / name).write_bytes(text)
    (folder / "linked").symlink_to(folder.parent / "elsewhere")
    (folder / "again").symlink_to("sub")
    (folder / "sub" / "circle").symlink_to("..")
    (folder / "lost.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "pipe.png")
    return folder


FORMAT, ENDING = "of a format that is not read (convert to PNG)", "with an ending that is no picture's"
TWICE = "a link to a folder whose pictures are counted already"
LEFT_OUT = {
    **dict.fromkeys(("phone.heic", "y.JP2", "z.tga", "w.jxl", "w.exr", "raw.dng", "t.svg"), FORMAT),
    "no ending": ENDING,
    LATIN_1: "with a name that is not UTF-8 (rename)",
    "bell\a.png": "with a control character in the name (rename)",
    "again": TWICE,
    "sub/circle": TWICE,
    "lost.png": "a link to nothing",
    "pipe.png": "neither file nor folder",
}


def test_one_rule_says_what_a_folder_holds(tmp_path: Path) -> None:
    contents = look_into(odd_folder(tmp_path / "set"))
    assert contents.pictures == ("a.png", "linked/c.png", "sub/b.png")
    assert contents.left_out == LEFT_OUT
    assert list(contents.left_out) == sorted(LEFT_OUT)
    assert contents.notes[0] == f"2 left out, {TWICE}: again, sub/circle"
    assert f"7 left out, {FORMAT}: phone.heic, raw.dng, t.svg, w.exr, w.jxl and 2 more" in contents.notes
    assert r"1 left out, with a name that is not UTF-8 (rename): caf\xe9.png" in contents.notes
    assert look_into(tmp_path / "none") == FolderContents(())


def test_a_run_measures_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    odd_folder(tmp_path / "set")
    (tmp_path / "s.toml").write_text(SUITE)
    status, record = run_record("s.toml", "--store", "arena", folder=tmp_path)
    assert status == 0
    assert (record["completed"], record["failed"]) == (3, 0)
    notes = "\n".join(record["notes"])  # type: ignore[arg-type]
    assert set(re.findall(r"\d left out", notes)) == {"7 left out", "2 left out", "1 left out"}
    assert r"set set: 1 left out, with a name that is not UTF-8 (rename): caf\xe9.png" in notes


def test_describe_finds_what_it_leaves_out(tmp_path: Path) -> None:
    odd_folder(tmp_path / "set")
    ended = call("sets", "describe", "set", "--kind", "natural", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert f"left out: phone.heic {FORMAT}" in ended.stdout
    assert r"left out: caf\xe9.png with a name that is not UTF-8 (rename)" in ended.stdout
    assert ended.stdout.count("left out: ") == len(LEFT_OUT)
    assert "3 pictures" in ended.stdout
    ended = call("sets", "describe", "set", "--force", "--json", folder=tmp_path)
    findings = json.loads(ended.stdout)["findings"]
    assert sum(finding["concern"] == "left out" for finding in findings) == len(LEFT_OUT)


def test_a_folder_without_a_picture_says_what_it_holds_instead(tmp_path: Path) -> None:
    (tmp_path / "phone.heic").write_bytes(b"\0")
    for look in (describe, lambda folder: open_set(str(folder))):
        with pytest.raises(DatasetError, match=r"no pictures in it or below(.|\n)*1 left out.*phone\.heic"):
            look(tmp_path)


def test_a_folder_whose_name_is_not_utf_8_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    picture(folder / "a.png")
    for described in (False, True):
        with pytest.raises(DatasetError, match="the folder's name is not UTF-8; rename it"):
            open_set(str(folder))
        if not described:
            assert call("sets", "describe", folder, folder=tmp_path).returncode == 0
    ended = call("sets", "describe", folder, "--out", "elsewhere.toml", folder=tmp_path)
    assert (ended.returncode, "caf\\xe9: the folder's name is not UTF-8" in ended.stderr) == (2, True)


def test_pictures_that_were_placed_have_the_names_they_have(tmp_path: Path) -> None:
    for name in ("what?.png", "a:b.png", "y.tga"):
        picture(tmp_path / "placed" / name)
    keys = {"name": "placed", "title": "t", "kind": "natural", "licence": "?", "citation": "?", "count": 2}
    opened = _as_placed(Manifest.model_validate(keys), tmp_path, "placed")
    assert [entry.name for entry in opened.pictures] == ["a:b.png", "what?.png"]
    assert opened.notes == (f"1 left out, {FORMAT}: y.tga",)


def test_commands_on_sets_name_what_their_folders_hold_besides(tmp_path: Path) -> None:
    for name in ("a.png", "y.tga"):
        picture(tmp_path / "set" / name)
    note = f"note 1 left out, {FORMAT}: y.tga"
    assert note in call("sets", "check", "set", "set", folder=tmp_path).stderr
    keys = 'name = "mine"\ntitle = "t"\nkind = "natural"\nlicence = "?"\ncitation = "?"\ncount = 1\n'
    (tmp_path / "mine.toml").write_text(keys)
    (tmp_path / "set").rename(tmp_path / "mine")
    ended = call("sets", "fetch", "mine.toml", "--data", tmp_path, folder=tmp_path)
    assert (ended.returncode, note in ended.stderr) == (0, True)


def test_metadata_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "a.png")

    def damaged(path: Path) -> Metadata:
        raise ValueError(f"{path}: metadata cannot be read (cut short)")

    monkeypatch.setattr(describing, "read_metadata", damaged)
    findings = {(finding.concern, finding.detail) for finding in describe(tmp_path).findings}
    assert ("metadata", "is not looked into: metadata cannot be read (cut short)") in findings
    assert ("unknown origin", "says nothing of a generator: taken as natural") in findings


# The table beside the pictures.


def indexed(folder: Path, content: str | bytes, name: str = "index.csv") -> dict[str, dict[str, str]]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_index(folder, ["a.png", "sub/b.png", "caf\xe9.png"]).rows


@pytest.mark.parametrize(
    "content",
    [
        "\ufefffile,prompt,generator\na.png,a cat,g\n",
        "file;prompt;generator\r\na.png;a cat;g\r\n",
        "\ufeffsep=;\r\nfile;prompt;generator\r\na.png;a cat;g\r\n",
        "file\tprompt\tgenerator\r\na.png\ta cat\tg\r\n".encode("utf-16"),
        "File,Prompt,Generator,\n./a.png,a cat,g,\n",
        ",file,prompt,generator\n0,a.png,a cat,g\n",
        "prompt,generator,file\n\na cat,g,a.png\n",
    ],
)
def test_an_index_is_read_however_it_was_saved(tmp_path: Path, content: str | bytes) -> None:
    assert indexed(tmp_path, content) == {"a.png": {"prompt": "a cat", "generator": "g"}}
    (tmp_path / "index.csv").unlink()
    assert indexed(tmp_path, content, "Index.CSV") == {"a.png": {"prompt": "a cat", "generator": "g"}}


def test_an_index_names_pictures_as_windows_and_macs_do(tmp_path: Path) -> None:
    rows = indexed(tmp_path, "file,kind\nsub\\b.png,AI-generated\ncafe\u0301.png,Natural\n")
    assert rows == {"sub/b.png": {"kind": "ai-generated"}, "caf\xe9.png": {"kind": "natural"}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("filename,kind\na.png,natural\n", "expected a column 'file' .* its columns are filename, kind"),
        ("", "its columns are none"),
        ("file,prompt\na.png,one, two\n", "line 2: expected 2 cells"),
        ("file,kind\na.png,natural\n./a.png,ai-generated\n", "line 3: a.png stands in line 2 already"),
        ("file,prompt\na.png,caf\xe9\n".encode("latin-1"), "line 2: expected UTF-8, got the byte 0xe9"),
    ],
)
def test_an_index_that_cannot_be_read_is_refused(tmp_path: Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        indexed(tmp_path, content)


def test_a_kind_that_is_not_read_is_never_natural_without_a_word(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.png")
    index = tmp_path / "set" / "index.csv"
    index.write_text("file,art\na.png,AI\nb.png,AI\n")
    ended = call("sets", "describe", "set", folder=tmp_path)
    assert "index: index.csv has no column 'kind' or 'generator'; its columns are file, art" in ended.stdout
    assert "index: index.csv names what is no picture of the folder: b.png (line 3)" in ended.stdout
    assert "1 picture without a word of a generator, taken as natural" in ended.stdout
    index.write_text("file,kind\na.png,fake\n")
    ended = call("sets", "describe", "set", "--force", folder=tmp_path)
    assert (ended.returncode, "expected" in ended.stderr or "'fake'" in ended.stderr) == (2, True)
    index.write_text("\ufefffile;kind\na.png;AI-generated\n")
    description = describe(tmp_path / "set")
    assert (description.manifest.kind, description.findings) == ("ai-generated", ())
    (tmp_path / "set" / "manifest.toml").unlink()
    (note,) = open_set(str(tmp_path / "set")).notes
    assert re.match("its index.csv counts once .*sets describe.* taken as natural", note)

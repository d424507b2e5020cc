"""Files and requests of strangers, by the hundred: each is read, or refused in words."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from giving import rows_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from studying import enter, invite, open_study

from codecarena.bench.run.suite import SuiteError, shipped
from codecarena.bench.run.suite import load as load_suite
from codecarena.datasets.manifest import DatasetError, load_manifest
from codecarena.datasets.sources.archives import ArchiveError, unpack
from codecarena.studies.design.plan import PlanError
from codecarena.studies.design.plan import load as load_plan
from codecarena.studies.organise.condition_mapping import ConditionMapping, read_mapping
from codecarena.studies.organise.interchange import InterchangeError
from codecarena.studies.organise.interchange_read import FORMATS, read
from codecarena.studies.organise.score_file import read_scores
from codecarena.studies.session.routes import ACTIONS, routes
from codecarena.studies.session.session import RaterService

EXAMPLES = 2000 if os.environ.get("CODECARENA_LONG") else 30
"""Of each kind; the same ones every time, so that a failure comes again."""
often = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

ODD = (
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b'"', b"'", b",", b";", b"[" * 2000, b"{}", b"nan",
    b"-inf", b"1e400", b"9" * 5000, b"-1", b"true", b"../../x", b"/etc/passwd", b"=1+1", b"\xed\xa0\x80",
    "\u202e\u2028".encode(), b"\\ud800", b"null", b"[[a]]\n", b"a.b = 1\n",
)  # fmt: skip


@st.composite
def damaged(draw: Callable[[Any], Any], whole: bytes) -> bytes:
    """Return a file with up to four parts of it left out, doubled, or something odd in their place."""
    content = whole
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(content)))
        end = min(len(content), begin + draw(st.integers(0, 40)))
        middle = draw(st.sampled_from(ODD) | st.binary(max_size=8) | st.just(content[begin:end] * 2))
        content = content[:begin] + middle + content[end:]
    return content


# Files

VOTES = {
    "csv": b"rater,picture,first,second,winner,kind,response_ms,count,sided\n"
    b"r1,p1,a,b,first,main,812.5,1,true\nr2,p1,b,a,none,repeat,,2,true\nr2,p2,a,b,second,golden,5,1,true\n",
    "aic": b"worker,img_num,codec_left,codec_right,dlevel_left,dlevel_right,response,response_time,is_trap\n"
    b"w1,1,1,2,3,4,left,2.5,0\nw2,1,2,1,4,0,not sure,3,1\n",
    "pwcmp": b"observer,session_id,scene,condition_A,condition_B,is_A_selected\no,1,s,a,b,1\no,1,s,b,a,0\n",
    "battles": b'{"question_id": "q", "model_a": "a", "model_b": "b", "winner": "tie", "judge": "j"}\n'
    b'{"question_id": 2, "model_a": "b", "model_b": "a", "winner": "model_a", "judge": "k", "tstamp": 1.5}\n',
    "mucped23": b"methodA,methodB,originalName,answerValue\na,b,o,a\nb,c,o,b\n",
}  # fmt: skip
SCORES = b"condition,picture,score,p99Low,p99Hi,bpp\na,p,1500,1400,1600,0.25\nb,p,1400,,,0.5\n"
MAPPING = (
    b'set = "photos"\nscale = "Elo"\nlevel = 99\n[columns]\nlow = "p99Low"\n[conditions]\n'
    b'"a" = { codec = "jpegli", setting = 55 }\n[pictures]\n"1" = "p1.png"\n'
)
MANIFEST = (
    b'name = "made"\ntitle = "Made"\nkind = "natural"\nlicence = "CC0-1.0"\ncitation = "Somebody"\n'
    b'[[pictures]]\nfile = "a.png"\ncaption = "c"\n'
)
PLAN = (
    b'name = "a"\ntitle = "t"\n[pictures]\nsets = ["x"]\ncrop = { rule = "detail", width = 64 }\n'
    b'[[conditions]]\ncodec = "c"\nqualities = [1, 2.5]\n[trials]\npresentation = "flip"\n[raters]\n'
    b'panel = "prolific"\n[consent]\nversion = "1"\ntext = "t"\n[stopping]\nraters = 3\n'
)


def _write(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("form", FORMATS)
def test_files_of_votes_are_read_or_refused(form: str, tmp_path: Path) -> None:
    @often
    @given(st.sampled_from(sorted(VOTES.values())).flatmap(damaged) | damaged(VOTES.get(form, VOTES["csv"])))
    def holds(content: bytes) -> None:
        file = _write(tmp_path, "votes", content)
        with suppress(InterchangeError):
            read(form, file)

    holds()


READERS: dict[str, tuple[bytes, Callable[[Path], object], type[Exception]]] = {
    "scores": (SCORES, lambda path: read_scores(path, ConditionMapping(scale="Elo")), InterchangeError),
    "mapping": (MAPPING, read_mapping, InterchangeError),
    "manifest": (MANIFEST, load_manifest, DatasetError),
    "suite": (shipped()["quick"].read_bytes(), load_suite, SuiteError),
    "plan": (PLAN, load_plan, PlanError),
}


@pytest.mark.parametrize("kind", READERS)
def test_tables_and_settings_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    whole, reader, refused = READERS[kind]
    reader(_write(tmp_path, "whole.toml", whole))  # as a whole it is one

    @often
    @given(damaged(whole))
    def holds(content: bytes) -> None:
        file = _write(tmp_path, "file.toml", content)
        with suppress(refused):
            reader(file)

    holds()


def _archive(kind: str) -> bytes:
    whole = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as opened:
            for name in ("set/a.png", "set/b.png", "readme"):
                opened.writestr(name, name.encode() * 20)
        return whole.getvalue()
    with tarfile.open(fileobj=whole, mode=kind) as opened:  # type: ignore[call-overload]
        for name in ("set/a.png", "set/b.png", "readme"):
            member = tarfile.TarInfo(name)
            member.size = 60
            opened.addfile(member, io.BytesIO(bytes(60)))
    return whole.getvalue()


@pytest.mark.parametrize("kind", ["zip", "w:", "w:gz", "w:xz", "w:bz2"])
def test_archives_are_unpacked_in_their_folder_or_refused_without_a_trace(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "below"
    place.mkdir()

    @often
    @given(damaged(_archive(kind)))
    def holds(content: bytes) -> None:
        archive = _write(tmp_path, "archive", content)
        folder = place / "unpacked"
        try:
            names = unpack(archive, folder, ["*"], (".png",))
        except ArchiveError:
            names = ()
        written = {path.relative_to(place).as_posix() for path in tmp_path.rglob("*.png")}
        assert written == {f"unpacked/{name}" for name in names}
        assert {path.name for path in tmp_path.iterdir()} == {"archive", "below"}
        for path in sorted(place.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    holds()


# Requests

UUID = "a3bb189e-8bf9-3888-9912-ace4e6543002"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["first", "none", "skip", "x" * 300, 2**70, -1e300, UUID]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KEYS = (
    "session", "trial", "client_uuid", "answer", "response_ms", "checksums", "display", "invitation", "study",
    "participant", "panel_session", "panel_study", "earlier", "version", "agreed", "of_age", "answers",
    "record", "token", "more",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Path, dict[str, object]]]:
    """Serve an open study; return who asks, the store, and what a rater under way would send."""
    store = tmp_path_factory.mktemp("store")
    open_study(store, pictures=2, raters='panel = "prolific"')
    service = RaterService(str(store))
    session = enter(service, *invite(store))
    seconds = [0.0]

    def clock() -> float:
        seconds[0] += 10
        return seconds[0]

    sent: dict[str, object] = {
        "session": session, "trial": getattr(service.next_trial(session), "trial", ""), "answer": "first",
        "client_uuid": "a3bb189e-8bf9-3888-9912-ace4e6543003", "response_ms": 1, "study": "small",
        "participant": "p", "version": "1", "agreed": True, "of_age": True, "answers": {}, "record": {},
    }  # fmt: skip
    with TestClient(Starlette(routes=routes(lambda: service, clock)), raise_server_exceptions=True) as client:
        yield client, store, sent
    service.close()


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_requests_are_answered_or_refused(
    action: str, site: tuple[TestClient, Path, dict[str, object]]
) -> None:
    client, store, whole = site

    @often
    @given(
        st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4),
        st.sets(st.sampled_from(KEYS), max_size=2),
        st.booleans(),
    )
    def holds(changed: dict[str, object], left_out: set[str], keeps_rater: bool) -> None:
        body = {key: value for key, value in {**whole, **changed}.items() if key not in left_out}
        if keeps_rater:
            body["session"] = whole["session"]
        answer = client.post(f"/study/{action}", content=json.dumps(body))
        assert answer.status_code in {200, 403, 404, 409, 410, 422}, answer.text
        assert isinstance(answer.json(), dict)

    holds()
    for client_uuid, response_ms in rows_of(store, "SELECT client_uuid, response_ms FROM study_votes"):
        assert len(client_uuid) == 36
        assert 0 <= response_ms <= 86_400_000


@often
@given(st.text(max_size=80))
def test_no_address_of_a_picture_breaks_anything(
    site: tuple[TestClient, Path, dict[str, object]], token: str
) -> None:
    client, *_ = site
    answer = client.get("/study/picture/" + quote(token, safe="", errors="replace"))
    assert answer.status_code in {404, 405}

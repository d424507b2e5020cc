"""Let 200 scripted raters vote every 3 s beside a benchmark run, kill the server once; write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/study_load.py [RATERS] [SECONDS]

Each robot does what a browser does: it gets the page with every module of it, opens the web socket and keeps
it, joins, consents, fetches the three pictures of each trial and votes every 3 s, again and again until the
vote is acknowledged. Robots and server share the machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from browsing import free_port, wait_until_healthy
from record_age import keep
from studying import invite, open_study

from arena import write_pictures
from codecarena.bench.worker.device import cores, cpu_model

MEASURES = ("reports/server/server.py", "studies/session/session.py")
"""What runs in processes of its own."""
RECORD = Path(__file__).with_suffix(".md")
JOIN_SECONDS = 60
VOTE_SECONDS = 3.0
TRIALS = (
    "training = 2\ngolden = 0\nidentical = 0\nrepeats = 0.0\nbreak_every = 0\nminimum_view_ms = 0\ngap_ms = 0"
)
SUITE = """
name = "load"
sets = ["./pictures"]
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = {qualities}
"""


@dataclass
class Tally:
    """What all robots together have seen, in milliseconds."""

    joining: list[float] = field(default_factory=list)
    voting: list[float] = field(default_factory=list)
    fetching: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    resent: int = 0
    sockets_lost: int = 0


class Connection:
    """One kept HTTP/1.1 connection: robots must cost the server's machine little."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return status and content as sent; `OSError` or `EOFError` where the server is away."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(body)}\r\n"
            # As every browser says; what is compressed is not read here.
            f"{'Accept-Encoding: gzip' if method == 'GET' else 'Accept: */*'}\r\n\r\n"
        )
        try:
            self.writer.write(head.encode() + body)
            lines = (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            lengths = [int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")]
            content = await self.reader.readexactly(lengths[0]) if lengths else await self._chunks()
        except (OSError, EOFError):
            self.writer.close()
            self.writer = None
            raise
        return int(lines[0].split()[1]), content

    async def _chunks(self) -> bytes:
        whole = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            whole += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)
        return whole


@dataclass
class Robot:
    """One rater."""

    port: int
    invitation: str
    files: list[str]
    tally: Tally
    random: random.Random

    async def post(self, action: str, **body: object) -> dict:
        """Ask until the server answers."""
        content = json.dumps(body).encode()
        while True:
            try:
                status, answer = await self.connection.ask("POST", f"/study/{action}", content)
            except (OSError, EOFError):
                status, answer = 503, b""
            if status < 500 and status != 429:
                break
            self.tally.resent += 1
            await asyncio.sleep(0.5)
        if status != 200:
            self.tally.errors.append(f"{action}: {status} {answer[:80]!r}")
            raise RuntimeError(action)
        return json.loads(answer)

    async def get(self, connection: Connection, path: str) -> None:
        """Get a file, again where the server is away, as whoever loads the page anew does."""
        while True:
            try:
                status, _ = await connection.ask("GET", path)
            except (OSError, EOFError):
                self.tally.resent += 1
                await asyncio.sleep(0.5)
                continue
            if status != 200:
                self.tally.errors.append(f"{path.split('/')[1]}: {status}")
            return

    async def pictures(self, step: dict) -> None:
        """Fetch the pictures of a trial."""
        for shown in step["pictures"]:
            began = time.perf_counter()
            resent = self.tally.resent
            await self.get(self.connection, f"/study/picture/{shown['token']}")
            if self.tally.resent == resent:
                self.tally.fetching.append(1000 * (time.perf_counter() - began))

    async def page(self) -> None:
        """Get the page as a browser without a cache does: six files at a time."""
        lanes = [Connection(self.port) for _ in range(6)]

        async def lane(number: int) -> None:
            for path in self.files[number::6]:
                await self.get(lanes[number], path)

        await asyncio.gather(*(lane(number) for number in range(6)))
        for connection in lanes:
            if connection.writer:
                connection.writer.close()

    async def hold_socket(self) -> None:
        """Run the page's script over the web socket and keep it open, as the page does."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ClientState_pb2 import ClientState
        from websockets import ConnectionClosed
        from websockets.asyncio.client import connect

        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        start = BackMsg(rerun_script=ClientState(query_string=f"invite={self.invitation}"))
        while True:
            try:
                async with connect(address, subprotocols=["streamlit"], max_size=None) as socket:
                    await socket.send(start.SerializeToString())
                    async for _ in socket:
                        self.drawn.set()
            except (OSError, EOFError, ConnectionClosed, Exception) as error:
                self.tally.sockets_lost += 1
                if not isinstance(error, OSError | ConnectionClosed):
                    self.tally.errors.append(f"web socket: {error!r}")
            await asyncio.sleep(1)

    async def live(self, starts: float, ends: float) -> None:
        """Come in at one time, vote until another."""
        self.connection, self.drawn = Connection(self.port), asyncio.Event()
        await asyncio.sleep(max(0, starts - time.monotonic()))
        began = time.perf_counter()
        await self.page()
        socket = asyncio.create_task(self.hold_socket())
        await self.drawn.wait()
        session = (await self.post("join", invitation=self.invitation))["session_token"]
        welcome = await self.post("welcome", session=session)
        version = welcome["consent_version"]
        stage = await self.post("consent", session=session, version=version, agreed=True, of_age=True)
        if stage["stage"] == "calibration":
            await self.post("calibration", session=session, record={})
        answer = await self.post("next", session=session)
        await self.pictures(answer["step"])
        self.tally.joining.append(1000 * (time.perf_counter() - began))
        if answer["upcoming"]:
            await self.pictures(answer["upcoming"])
        await self.votes(session, answer, ends)
        socket.cancel()

    async def votes(self, session: str, answer: dict, ends: float) -> None:
        """Vote every few seconds until the time is over."""
        shown = time.monotonic()
        due = shown + self.random.random() * VOTE_SECONDS
        while due < ends and answer["step"]["step"] == "trial":
            await asyncio.sleep(max(0, due - time.monotonic()))
            due += VOTE_SECONDS
            known = str(uuid.uuid4())
            began = time.perf_counter()
            resent = self.tally.resent
            looked_ms, shown = 1000 * (time.monotonic() - shown), time.monotonic()
            answer = await self.post(
                "vote", session=session, trial=answer["step"]["trial"], client_uuid=known,
                answer=self.random.choice(["first", "second", "none"]), response_ms=looked_ms,
                display={"device_pixel_ratio": 1, "window": [1280, 800]},
            )  # fmt: skip
            if self.tally.resent == resent:  # else it waited for a server that was killed
                self.tally.voting.append(1000 * (time.perf_counter() - began))
            self.tally.acknowledged.append(known)
            if answer["upcoming"]:
                await self.pictures(answer["upcoming"])


def files_of_page(port: int) -> list[str]:
    """Return what a browser fetches to show the rater's page, as the page itself names it."""
    from urllib.request import urlopen

    url = f"http://127.0.0.1:{port}"
    with urlopen(url) as answer:
        named = re.findall(r'(?:src|href)="\./([^"]+)"', answer.read().decode())
    # A description for programs: browsers do not follow such a link.
    named = [name for name in named if not name.startswith("_stcore/agent/")]
    folder = Path(__file__).parents[2] / "studies" / "trial" / "web"
    # Of the presentations only the study's own is fetched.
    web = [*sorted(path.name for path in folder.iterdir() if path.is_file()), "presentations/flip.js"]
    # A browser gets further modules once the first script asks for them; these are what Streamlit preloads.
    return ["/", *(f"/{name}" for name in named), *(f"/study/web/{name}" for name in web)]


def start_server(store: Path, port: int) -> subprocess.Popen[bytes]:
    """Start `codecarena serve --raters` and wait for it."""
    command = [
        sys.executable,
        "-m",
        "codecarena",
        "serve",
        "--raters",
        "--store",
        str(store),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_until_healthy(f"http://127.0.0.1:{port}", process)
    return process


def start_run(folder: Path, store: Path, cells: int) -> subprocess.Popen[bytes]:
    """Start a benchmark run of so many cells into the same store."""
    write_pictures(folder / "pictures", cells // 100)
    (folder / "load.toml").write_text(SUITE.format(qualities=list(range(1, 101))))
    command = [sys.executable, "-m", "codecarena", "run", "load.toml", "--store", str(store), "-j", "1"]
    with (folder / "run.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)


async def load(
    store: Path, port: int, raters: int, seconds: int, server: list[subprocess.Popen[bytes]]
) -> Tally:
    """Run the robots; kill the server in the middle and start it again."""
    tally = Tally()
    invitations = invite(store, raters)
    files = files_of_page(port)
    start = time.monotonic() + 1
    ends = start + JOIN_SECONDS + seconds
    robots = [
        Robot(port, invitation, files, tally, random.Random(place))
        for place, invitation in enumerate(invitations)
    ]
    lives = [
        asyncio.create_task(robot.live(start + place * JOIN_SECONDS / raters, ends))
        for place, robot in enumerate(robots)
    ]

    async def murder() -> None:
        await asyncio.sleep(1 + JOIN_SECONDS + seconds / 2)
        server[0].kill()
        server[0].wait()
        server[0] = await asyncio.to_thread(start_server, store, port)

    killing = asyncio.create_task(murder())
    for ended in await asyncio.gather(*lives, return_exceptions=True):
        if isinstance(ended, BaseException):
            tally.errors.append(repr(ended))
    await killing
    return tally


def stored(store: Path) -> tuple[set[str], int, int]:
    """Return the client UUIDs of all votes, how many votes are doubled, and how many cells there are."""
    connection = sqlite3.connect(store / "arena.db")
    uuids = {row[0] for row in connection.execute("SELECT client_uuid FROM study_votes")}
    doubled = connection.execute("SELECT count(*) - count(DISTINCT trial_id) FROM study_votes").fetchone()[0]
    cells = connection.execute("SELECT count(*) FROM measurements").fetchone()[0]
    connection.close()
    return uuids, doubled, cells


def line(what: str, milliseconds: list[float], limit: str = "") -> str:
    """Return one row of the record."""
    middle, most, rare = np.percentile(milliseconds, [50, 95, 99])
    return f"| {what} | {len(milliseconds)} | {middle:.0f} | {most:.0f} | {rare:.0f} | {limit} |"


def main() -> None:
    """Run the load, check what is stored, write the record."""
    given = [int(word) for word in sys.argv[1:]]
    raters, seconds = given or (200, 180)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, port = folder / "arena", free_port()
        open_study(store, conditions=6, pictures=12, size=256, trials=TRIALS)
        server = [start_server(store, port)]
        run = start_run(folder, store, 10_000)
        before = os.getloadavg()[0]
        tally = asyncio.run(load(store, port, raters, seconds, server))
        server[0].kill()
        status = run.wait()
        uuids, doubled, cells = stored(store)
        log = (folder / "run.log").read_text()
        if status:
            print(log[-2000:], file=sys.stderr)
    lost = len(set(tally.acknowledged) - uuids)
    lines = [
        "# A study under load",
        "",
        "Made by `.venv/bin/python docs/benchmarks/study_load.py`, whose first lines say what a robot does.",
        f"Machine: {cpu_model()}, {cores()} cores, shared by server, robots and benchmark run.",
        f"Load of the machine before the start, by others: {before:.1f}.",
        f"{raters} raters join within {JOIN_SECONDS} s and vote every {VOTE_SECONDS:g} s, {seconds} s more;",
        "pictures of 256 x 256; the server is killed (`kill -9`) half-way and started again.",
        "",
        "| what, ms | count | median | p95 | p99 | wanted |",
        "| --- | --- | --- | --- | --- | --- |",
        line("vote, acknowledged, with the next trial", tally.voting, "p95 < 250"),
        line("one picture", tally.fetching),
        line("page asked for, to the first trial's pictures", tally.joining, "p95 < 5000"),
        "",
        f"- {len(tally.acknowledged)} votes acknowledged, {lost} of them lost, {doubled} doubled",
        f"- {tally.resent} requests sent again while the server was away,"
        f" {tally.sockets_lost} attempts to open a web socket anew",
        f"- {len(tally.errors)} errors{''.join(f'; {error}' for error in sorted(set(tally.errors))[:5])}",
        f"- the benchmark run wrote {cells} cells into the same file meanwhile, exit status {status},"
        f" lock errors: {log.count('locked')}",
        "",
    ]
    keep(RECORD, "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()

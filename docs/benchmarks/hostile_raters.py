"""Let 20 scripted raters vote while strangers do what they can to stop them; write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/hostile_raters.py [SECONDS]

The raters share the address 127.0.0.1 and do what `study_load.py` says, first undisturbed, then, on a server
started anew, beside strangers at 127.0.0.2 to 127.0.0.9: 1,100 connections that say nothing or half a request
and are opened anew when they are closed, 20 uploads of 100 MiB without end, 1,000 invented participants of
the panel who vote at once and claim 2.5 s each, and on the dashboard of the same store a wrong password a
second from each address, while the organiser signs in every 5 s. All of them share the machine.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from browsing import free_port, wait_until_healthy
from record_age import keep
from study_load import TRIALS, Robot, Tally, files_of_page
from studying import invite, open_study

from codecarena.bench.worker.device import cores, cpu_model
from codecarena.reports.server.sign_in import VARIABLE, hash_password

MEASURES = (
    "reports/server/server.py", "studies/session/session.py", "studies/session/routes.py", "reports/app.py",
)  # fmt: skip
"""What runs in processes of its own."""
RECORD = Path(__file__).with_suffix(".md")
RATERS, JOIN_SECONDS = 20, 10
IDLE, UPLOADS, PARTICIPANTS = 1100, 20, 1000
STRANGERS = [f"127.0.0.{last}" for last in range(2, 10)]
PASSWORD = "correct horse battery staple"
HALVES = (b"", b"POST /study/vote HTTP/1.1\r\nHost: arena")


# Strangers


async def opened(port: int, place: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect from one of the strangers' addresses."""
    address = (STRANGERS[place % len(STRANGERS)], 0)
    return await asyncio.open_connection("127.0.0.1", port, local_addr=address)


async def idle(port: int, place: int, seen: Counter[str]) -> None:
    """Hold a connection that says nothing, or half a request; open it anew when it is closed."""
    while True:
        with suppress(OSError, EOFError):
            reader, writer = await opened(port, place)
            seen["idle connections"] += 1
            writer.write(HALVES[place % len(HALVES)])
            while await reader.read(4096):
                pass
            writer.close()
        await asyncio.sleep(0.5)


async def upload(port: int, place: int, seen: Counter[str]) -> None:
    """Send 100 MiB to Streamlit's upload route, again and again."""
    route = f"PUT /_stcore/upload_file/{uuid.uuid4()}/a"
    head = f"{route} HTTP/1.1\r\nHost: a\r\nContent-Length: {100 * 2**20}\r\n\r\n"
    while True:
        with suppress(OSError, EOFError):
            _, writer = await opened(port, place)
            seen["uploads begun"] += 1
            writer.write(head.encode())
            for _ in range(100):
                writer.write(bytes(2**20))
                await asyncio.wait_for(writer.drain(), 20)
        await asyncio.sleep(0.1)


async def post(port: int, place: int, action: str, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
    """Ask as a browser would, on a connection of its own."""
    reader, writer = await opened(port, place)
    content = json.dumps(body).encode()
    head = f"POST /study/{action} HTTP/1.1\r\nHost: a\r\nConnection: close"
    writer.write(f"{head}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(rest)


async def invented(port: int, place: int, seen: Counter[str]) -> None:
    """Take part under an invented id, and vote at once."""
    with suppress(OSError, EOFError, ValueError, IndexError, TimeoutError):
        participant = {"study": "small", "participant": f"invented{place}"}
        status, joined = await post(port, place, "join", participant)
        seen[f"participants answered {status}"] += 1
        if status != 200:
            return
        session = joined["session_token"]
        await post(
            port, place, "consent", {"session": session, "version": "1", "agreed": True, "of_age": True}
        )
        status, answer = await post(port, place, "next", {"session": session})
        while status == 200 and answer["step"]["step"] == "trial":
            vote = {"client_uuid": str(uuid.uuid4()), "answer": "first", "response_ms": 2500}
            vote |= {"session": session, "trial": answer["step"]["trial"]}
            status, answer = await post(port, place, "vote", vote)
            seen[f"votes of theirs answered {status}"] += 1


async def bots(port: int, seen: Counter[str]) -> None:
    """Invent participants, fifty at a time."""
    for first in range(0, PARTICIPANTS, 50):
        await asyncio.gather(*(invented(port, place, seen) for place in range(first, first + 50)))


async def try_passwords(port: int, address: str, password: str, pause: float, seen: Counter[str]) -> None:
    """Open the page Studies again and again, and try a password each time."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets import WebSocketException
    from websockets.asyncio.client import connect

    async def drawn(socket: Any, *until: str) -> tuple[dict[str, str], str]:
        """Return the ids of what stands on the page, and what it says, once it is drawn."""
        ids, said = {}, ""
        while True:
            message = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), 60))
            element = message.delta.new_element
            if element.HasField("text_input"):
                ids["password"] = element.text_input.id
            elif element.HasField("button"):
                ids[element.button.label] = element.button.id
            elif element.HasField("alert"):
                said = element.alert.body
            if message.WhichOneof("type") == "script_finished" and (said or all(map(ids.get, until))):
                return ids, said

    while True:
        with suppress(OSError, EOFError, TimeoutError, KeyError, WebSocketException):
            url = f"ws://127.0.0.1:{port}/_stcore/stream"
            async with connect(
                url, subprotocols=["streamlit"], max_size=None, local_addr=(address, 0)
            ) as socket:
                ask = BackMsg()
                ask.rerun_script.page_name = "studies"
                await socket.send(ask.SerializeToString())
                ids, _ = await drawn(socket, "password", "Sign in")
                began = time.monotonic()
                ask.rerun_script.widget_states.widgets.add(id=ids["password"], string_value=password)
                ask.rerun_script.widget_states.widgets.add(id=ids["Sign in"], trigger_value=True)
                await socket.send(ask.SerializeToString())
                ids, said = await drawn(socket, "Sign out")
                outcome = "let in" if "Sign out" in ids else said.split(".")[0] or "nothing"
                seen[outcome] += 1
                seen["longest, ms"] = max(seen["longest, ms"], round(1000 * (time.monotonic() - began)))
        await asyncio.sleep(pause)


def be_hostile(port: int, dashboard: int, seconds: float, outcome_queue: Any) -> None:
    """Do all of it for a while, in a process of its own."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    seen: Counter[str] = Counter()
    passwords: Counter[str] = Counter()

    async def all_at_once() -> None:
        doing = [idle(port, place, seen) for place in range(IDLE)]
        doing += [upload(port, place, seen) for place in range(UPLOADS)]
        doing += [bots(port, seen)]
        doing += [try_passwords(dashboard, address, "wrong", 1.0, passwords) for address in STRANGERS]
        await asyncio.wait([asyncio.create_task(each) for each in doing], timeout=seconds)
        outcome_queue.put((dict(seen), dict(passwords)))
        outcome_queue.close()
        outcome_queue.join_thread()
        os._exit(0)  # a thousand tasks that never end of themselves

    asyncio.run(all_at_once())


# The run


class Watched:
    """A server of ours with its log and the most memory it had."""

    def __init__(self, folder: Path, store: Path, *options: str) -> None:
        """Start it and wait for it."""
        self.port = free_port()
        self.log = folder / f"{self.port}.log"
        command = [
            sys.executable,
            "-m",
            "codecarena",
            "serve",
            "--store",
            str(store),
            "--port",
            str(self.port),
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        wait_until_healthy(f"http://127.0.0.1:{self.port}", self.process)
        self.memory_bytes = 0
        self.processor_seconds = 0.0
        """Since it answered."""

    async def watch(self) -> None:
        """Look twice a second at what it has used."""
        process = psutil.Process(self.process.pid)
        before = sum(process.cpu_times()[:2])
        while True:
            self.memory_bytes = max(self.memory_bytes, process.memory_info().rss)
            self.processor_seconds = sum(process.cpu_times()[:2]) - before
            await asyncio.sleep(0.5)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


async def honest(port: int, store: Path, seconds: float, *beside: Any) -> Tally:
    """Let the raters vote, with something else beside them; return what they saw."""
    tally, files, start = Tally(), files_of_page(port), time.monotonic() + 1
    robots = [
        Robot(port, invitation, files, tally, random.Random(place))
        for place, invitation in enumerate(invite(store, RATERS))
    ]
    lives = [
        robot.live(start + place * JOIN_SECONDS / RATERS, start + JOIN_SECONDS + seconds)
        for place, robot in enumerate(robots)
    ]
    others = [asyncio.create_task(each) for each in beside]
    for ended in await asyncio.gather(*lives, return_exceptions=True):
        if isinstance(ended, BaseException):
            tally.errors.append(repr(ended))
    for each in others:
        each.cancel()
    return tally


def counts(seen: dict[str, int]) -> str:
    """Return what was counted, in a line."""
    return ", ".join(f"{what}: {count:,}" for what, count in sorted(seen.items()))


def main() -> None:
    """Run both, write the record."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    before = os.getloadavg()[0]
    os.environ[VARIABLE] = hash_password(PASSWORD)
    with tempfile.TemporaryDirectory() as name, ExitStack() as ends:
        folder = Path(name)
        store = folder / "arena"
        open_study(store, conditions=6, pictures=12, size=256, trials=TRIALS, raters='panel = "prolific"\n')
        server = Watched(folder, store, "--raters")
        ends.callback(server.stop)
        quiet = asyncio.run(honest(server.port, store, seconds, server.watch()))
        quiet_memory, quiet_seconds = server.memory_bytes, server.processor_seconds
        server.stop()

        server, dashboard = Watched(folder, store, "--raters"), Watched(folder, store)
        ends.callback(server.stop)
        ends.callback(dashboard.stop)
        context = multiprocessing.get_context("spawn")
        outcome_queue, organiser = context.Queue(), Counter[str]()
        length = JOIN_SECONDS + seconds + 2
        hostile = context.Process(
            target=be_hostile, args=(server.port, dashboard.port, length, outcome_queue)
        )
        hostile.start()
        ends.callback(hostile.kill)
        signs_in = try_passwords(dashboard.port, "127.0.0.1", PASSWORD, 5.0, organiser)
        disturbed = asyncio.run(
            honest(server.port, store, seconds, server.watch(), dashboard.watch(), signs_in)
        )
        seen, passwords = outcome_queue.get(timeout=120)
        hostile.join()
        server.stop()
        dashboard.stop()
        log_bytes = server.log.stat().st_size + dashboard.log.stat().st_size
    rows = [
        (what, *np.percentile(before_them, [50, 95]), *np.percentile(beside_them, [50, 95]), limit)
        for what, before_them, beside_them, limit in (
            ("vote, with the next trial", quiet.voting, disturbed.voting, "p95 < 400 and at most 3 times"),
            ("one picture", quiet.fetching, disturbed.fetching, ""),
            ("page asked for, to the first pictures", quiet.joining, disturbed.joining, ""),
        )
    ]
    lines = [
        "# Strangers beside a study",
        "",
        "Made by `.venv/bin/python docs/benchmarks/hostile_raters.py`, whose first lines say who does what.",
        f"Machine: {cpu_model()}, {cores()} cores, shared by servers, raters and strangers.",
        f"Load of the machine before the start, by others: {before:.1f}.",
        f"{RATERS} raters, {seconds:g} s; servers without nginx in front.",
        "",
        "| what, ms | median undisturbed | p95 | median beside strangers | p95 | wanted |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {row[0]} | {row[1]:.0f} | {row[2]:.0f} | {row[3]:.0f} | {row[4]:.0f} | {row[5]} |"
            for row in rows
        ),
        "",
        f"- votes acknowledged: {len(quiet.acknowledged)} undisturbed, {len(disturbed.acknowledged)} beside"
        f" strangers; sent again: {disturbed.resent}; errors: {len(disturbed.errors)}"
        f"{''.join(f'; {error}' for error in sorted(set(disturbed.errors))[:5])}",
        f"- memory of the raters' server, MiB: {quiet_memory / 2**20:.0f} undisturbed,"
        f" {server.memory_bytes / 2**20:.0f} beside strangers (wanted: below 300);"
        f" of the dashboard: {dashboard.memory_bytes / 2**20:.0f}",
        f"- processor time in {JOIN_SECONDS + seconds:g} s: of the raters' server {quiet_seconds:.1f} s"
        f" undisturbed, {server.processor_seconds:.1f} s beside strangers; of the dashboard"
        f" {dashboard.processor_seconds:.1f} s",
        f"- both logs: {log_bytes:,} bytes (wanted: below 1 MB)",
        f"- strangers: {counts(seen)}",
        f"- wrong passwords: {counts(passwords)}",
        f"- the organiser: {counts(organiser)}",
        "",
    ]
    keep(RECORD, "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()

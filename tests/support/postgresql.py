"""A PostgreSQL server for tests alone: in a temporary folder, by a user without rights, on a free port."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

DEBIAN = Path("/usr/lib/postgresql")
NUMBERS = itertools.count()


def programs() -> Path | None:
    """Return the folder of the newest server's programs, None where there is no server."""
    binaries = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if binaries:
        return binaries[-1].parent
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    address: str
    """URL of its empty database."""
    control: tuple[str, ...]
    """The words of pg_ctl before its command."""
    settings: str
    folder: Path
    user: str | None

    def restart(self, mode: str) -> None:
        """Stop and start the server: ``fast`` ends its clients first, ``immediate`` is as a crash."""
        words = [*self.control, "-l", str(self.folder / "log"), "-o", self.settings, "-m", mode, "restart"]
        _call(words, self.folder, self.user)


@contextmanager
def server(binaries: Path) -> Iterator[Server]:
    """Start a server; it is gone, with all it held, afterwards."""
    with TemporaryDirectory(prefix="arena-postgresql-") as name:
        folder = Path(name)
        # The server refuses to run as root, and Debian's user for it comes with the package.
        user = "postgres" if os.getuid() == 0 else None
        if user:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        made = ["-D", str(folder / "data"), "-A", "trust", "-U", "arena", "-E", "UTF8", "--no-locale", "-N"]
        _call([str(binaries / "initdb"), *made], folder, user)
        settings = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=40"
        control = [str(binaries / "pg_ctl"), "-D", str(folder / "data"), "-w"]
        _call([*control, "-l", str(folder / "log"), "-o", settings, "start"], folder, user)
        try:
            address = f"postgresql://arena@127.0.0.1:{port}/postgres"
            yield Server(address, tuple(control), settings, folder, user)
        finally:
            _call([*control, "-m", "immediate", "stop"], folder, user)


def new_database(address: str) -> str:
    """Return the address of a new, empty database on a server."""
    from sqlalchemy import create_engine, text

    name = f"arena{next(NUMBERS)}"
    engine = create_engine(
        address.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return address.replace("/postgres", f"/{name}")


def _call(words: list[str], folder: Path, user: str | None) -> None:
    # Output goes to a file: the server would keep a pipe open for as long as it runs.
    with (folder / "output").open("a") as output:
        ended = subprocess.run(words, cwd=folder, user=user, stdout=output, stderr=output, check=False)
    assert ended.returncode == 0, (folder / "output").read_text()

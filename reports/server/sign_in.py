"""Check the organiser's password against a scrypt hash, and limit how often anybody may try."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ...bench.store.database import StoreError
from ...studies.session.rates import network_of
from ...text_file import TextFileError, parse_toml, read_text

VARIABLE = "CODECARENA_ORGANISER_PASSWORD_HASH"
"""Environment variable that holds the hash of the organiser's password."""
SHORTEST = 10
"""Characters of a password that somebody chose."""
COST, BLOCK, PARALLEL = 2**15, 8, 1
"""Of scrypt (RFC 7914): 32 MiB and about a tenth of a second a try."""
LONGEST_PAUSE_SECONDS = 60.0
MOST_CLIENTS = 10_000
"""Whose wrong tries are remembered; the one that has been quiet longest makes room."""
VISIT_SECONDS = 12 * 3600.0
"""How long a browser that signed in may come back without the password."""
TICKET_SECONDS = 60.0
"""How long a browser may take to exchange a ticket for its cookie."""
COOKIE = "codecarena_organiser"
"""Holds a visit's token, until the browser is closed: a page that is loaded again is a new session."""


class SignInError(StoreError):
    """A password, or the file that holds its hash, cannot be used; the message says why."""


def hash_password(password: str) -> str:
    """Return a salted scrypt hash of a password, as one line that names its own parameters.

    Raises:
        SignInError: It is shorter than `SHORTEST`.
    """
    if len(password) < SHORTEST:
        raise SignInError(f"the password has {len(password)} characters; expected {SHORTEST} or more")
    salt = secrets.token_bytes(16)
    parts = ("scrypt", str(COST), str(BLOCK), str(PARALLEL), _text(salt), _text(_scrypt(password, salt)))
    return ":".join(parts)


def matches(password: str, stored: str) -> bool:
    """Return whether a password is the one of a hash; a hash that cannot be read matches none."""
    try:
        name, cost, block, parallel, salt, expected = stored.strip().split(":")
        derived = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
        return name == "scrypt" and hmac.compare_digest(derived, base64.b64decode(expected))
    except ValueError:
        return False


def _scrypt(
    password: str, salt: bytes, cost: int = COST, block: int = BLOCK, parallel: int = PARALLEL
) -> bytes:
    memory = 256 * cost * block  # twice what RFC 7914 needs
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=memory)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def write_hash(password: str, out: Path) -> None:
    """Write a password's hash to a file that only its owner reads.

    Raises:
        SignInError: The password is too short, the file is there already or cannot be written.
    """
    line = hash_password(password)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(line + "\n")
    except FileExistsError as error:
        raise SignInError(f"{out} exists; name another file, or remove it") from error
    except OSError as error:
        raise SignInError(f"{out}: cannot be written ({error.strerror})") from error


def prepare(file: Path | None) -> str | None:
    """Make sure that the organiser can sign in; return the password that was made for this run, if any.

    Args:
        file: Holds the hash. Without it the environment does, and where nothing does a password is made.

    Raises:
        SignInError: The file cannot be read, or holds no hash.
    """
    if file is not None:
        os.environ[VARIABLE] = _read(file)
    if os.environ.get(VARIABLE) or _is_in_secrets():
        return None
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    os.environ[VARIABLE] = hash_password(password)
    return password


def _is_in_secrets() -> bool:
    """Return whether Streamlit's secrets say who the organiser is."""
    for folder in (Path.cwd(), Path.home()):
        try:
            secrets_file = folder / ".streamlit" / "secrets.toml"
            stored = parse_toml(read_text(secrets_file), secrets_file)
        except TextFileError:
            continue
        if "organiser" in stored:
            return True
    return False


def _read(file: Path) -> str:
    try:
        line = read_text(file).strip()
    except TextFileError as error:
        raise SignInError(f"{file}: cannot be read; make it: codecarena organiser-password {file}") from error
    if line.count(":") != 5 or not line.startswith("scrypt:"):
        raise SignInError(
            f"{file}: expected one line as `codecarena organiser-password {file}` writes it, not a password"
        )
    return line


class _Tries:
    """What one client has tried."""

    def __init__(self) -> None:
        self.wrong = 0
        self.open_at = 0.0
        self.checking = False


class Gate:
    """Checks passwords; after each wrong one, its client has to wait longer before the next counts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        # Each check takes a core a tenth of a second. Who has been wrong waits for others who have; a place
        # is kept for who has not.
        self._place_of_new, self._place_of_wrong = threading.Lock(), threading.Lock()
        self._visits: dict[bytes, tuple[str, float]] = {}
        """By the hash of a visit's token: the password's hash it was begun with, and when it ends."""
        self._tickets: dict[bytes, tuple[str, float]] = {}
        """By the hash of a ticket: the token that it is exchanged for, and until when."""

    def enter(self, password: str, stored: str, client: str = "") -> bool | float:
        """Return whether the password is right, or for how many seconds no try of this client counts.

        Args:
            password: As it was typed.
            stored: Hash of the right one.
            client: Address that the try comes from; empty on this machine. Nobody else has to wait for it.
        """
        with self._turn:
            tries = self._tries_of(network_of(client))
            left = tries.open_at - self._clock()
            if left > 0 or tries.checking:
                return left if left > 0 else 1.0
            tries.checking = True
        try:
            with self._place_of_wrong if tries.wrong else self._place_of_new:
                right = matches(password, stored)
        finally:
            tries.checking = False
        with self._turn:
            if right:
                tries.wrong = 0
                return True
            tries.wrong += 1
            # The first three slips of a finger cost nothing.
            if tries.wrong > 3:
                tries.open_at = self._clock() + min(2.0 ** (tries.wrong - 3), LONGEST_PAUSE_SECONDS)
            return False

    def _tries_of(self, client: str) -> _Tries:
        tries = self._tries.setdefault(client, _Tries())
        self._tries.move_to_end(client)
        if len(self._tries) > MOST_CLIENTS:
            self._tries.popitem(last=False)
        return tries

    def begin_visit(self, stored: str) -> str:
        """Return a token by which a browser that gave the password is known when it comes back.

        Args:
            stored: Hash of the password; under another one the token opens nothing.
        """
        token = secrets.token_urlsafe(32)
        with self._turn:
            now = self._clock()
            self._visits = {key: visit for key, visit in self._visits.items() if visit[1] > now}
            self._visits[_hashed(token)] = (stored, now + VISIT_SECONDS)
        return token

    def ticket_for(self, token: str) -> str:
        """Return what a page's script exchanges, once, for the cookie with a token that it never sees."""
        ticket = secrets.token_urlsafe(32)
        with self._turn:
            now = self._clock()
            self._tickets = {key: kept for key, kept in self._tickets.items() if kept[1] > now}
            self._tickets[_hashed(ticket)] = (token, now + TICKET_SECONDS)
        return ticket

    def exchange(self, ticket: str) -> str | None:
        """Return the token that a ticket stands for; None where it does not, or no more."""
        with self._turn:
            token, ends_at = self._tickets.pop(_hashed(ticket), (None, 0.0))
            return token if self._clock() < ends_at else None

    def is_visiting(self, token: str, stored: str) -> bool:
        """Return whether a token is of a visit that was begun with this password and has not ended."""
        with self._turn:
            begun_with, ends_at = self._visits.get(_hashed(token), ("", 0.0))
            return bool(stored) and begun_with == stored and self._clock() < ends_at

    def end_visit(self, token: str) -> None:
        """Forget a token."""
        with self._turn:
            self._visits.pop(_hashed(token), None)


@cache
def gate() -> Gate:
    """Return the one gate of this server."""
    return Gate()


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

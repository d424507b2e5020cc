"""Score decoded pictures of known text by the share of characters that an OCR program reads wrongly."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import cv2
import numpy as np

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .base import InapplicableError, MetricError, MissingMetricError
from .pixels import check_pair

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

PROGRAM = "tesseract"
LANGUAGES = {"LATIN": "eng", "GREEK": "ell", "CYRILLIC": "rus"}
"""Tesseract's model for the script that most letters of the known text belong to."""
_BEYOND_ASCII = "deu"
"""The model of Latin text with letters beyond English; eng+deu would read half of the umlauts as a, o, u."""
_MODELS = ("eng", "deu", "ell", "rus")
_INSTALL = "install Debian's tesseract-ocr, tesseract-ocr-deu, tesseract-ocr-ell and tesseract-ocr-rus"
_SECONDS = 60
_ENLARGED = 2
"""Tesseract wants letters of about 30 pixels; text of pictures is half that."""


class TextError:
    """Character error rate: edits that turn what Tesseract reads into the known text, per character of it.

    The Levenshtein distance over the length of the known text, at most 1; both with composed characters
    (NFKC, so a micro sign is the letter mu) and every run of white space as one blank. The picture is
    enlarged twice (cubic) and read as one block of text by the LSTM model of the text's script, in one
    thread.

    Levenshtein (1966); Smith, "An Overview of the Tesseract OCR Engine" (ICDAR 2007).
    """

    needs: Literal["pair", "decoded"] = "decoded"
    facts = MetricFacts(better="lower", lowest=0.0, highest=1.0, perfect=0.0)

    def __init__(self) -> None:
        """Look for the program and its models.

        Raises:
            MissingMetricError: One of them is not here; says what to install.
        """
        version, folder = _installed()
        models = [folder / f"{name}.traineddata" for name in _MODELS]
        if absent := [path.name for path in models if not path.is_file()]:
            raise MissingMetricError(f"cer needs {', '.join(absent)} in {folder}: {_INSTALL}")
        digests = "\n".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in models)
        self.identity = MetricIdentity(
            "cer",
            "tesseract",
            f"2, {version}",
            f"RGB, enlarged {_ENLARGED} times, one block, models {' '.join(_MODELS)}",
            hashlib.sha256(digests.encode()).hexdigest(),
        )

    def prepare(self, original: Picture) -> object:
        """Return the known text and its script.

        Raises:
            InapplicableError: No text is known to be in the picture.
        """
        text = normalised(original.text or "")
        if not text:
            raise InapplicableError(
                "cer compares text read with text known, and this picture has no known text"
            )
        return _Known(original.pixels, text, language(text))

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the character error rate, from 0 to 1."""
        known = cast("_Known", prepared)
        check_pair("cer", known.pixels, decoded)
        recognised = normalised(read_text(decoded, known.language))
        return min(1.0, edits(known.text, recognised) / len(known.text))


@dataclass(frozen=True, slots=True)
class _Known:
    pixels: Image
    text: str
    language: str


def normalised(text: str) -> str:
    """Return text with composed characters (NFKC) and one blank for every run of white space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()


def language(text: str) -> str:
    """Return Tesseract's model for the commonest script of a text; the English one where it has no letter.

    Raises:
        MetricError: Most letters are of a script that this metric knows no model for.
    """
    # The first word of a letter's Unicode name is its script: LATIN SMALL LETTER A.
    scripts = [unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha()]
    script = max(sorted(set(scripts)), key=scripts.count, default="LATIN")
    if script not in LANGUAGES:
        raise MetricError(
            f"cer reads {', '.join(LANGUAGES)} text; most letters of {text[:40]!r} are {script}"
        )
    if script == "LATIN" and any(letter.isalpha() and not letter.isascii() for letter in text):
        return _BEYOND_ASCII
    return LANGUAGES[script]


def edits(first: str, second: str) -> int:
    """Return the Levenshtein distance: the fewest characters to insert, delete or replace."""
    row = np.arange(len(second) + 1)
    places = np.arange(len(second) + 1)
    codes = np.array([ord(letter) for letter in second], dtype=np.int64)
    for count, letter in enumerate(first, start=1):
        replaced = row[:-1] + (codes != ord(letter))
        best = np.minimum(row + 1, np.concatenate([[count], replaced]))
        # Insertions run along the row: each place is at most one more than the one before it.
        row = np.minimum.accumulate(best - places) + places
    return int(row[-1])


def read_text(pixels: Image, models: str) -> str:
    """Return what Tesseract reads in a picture.

    Raises:
        MetricError: The program fails or hangs.
    """
    height, width = pixels.shape[:2]
    size = (_ENLARGED * width, _ENLARGED * height)
    enlarged = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    content = b"P6\n%d %d\n255\n" % size + np.ascontiguousarray(enlarged).tobytes()
    command = [PROGRAM, "stdin", "stdout", "-l", models, "--oem", "1", "--psm", "6", "--dpi", "300"]
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MetricError(f"{PROGRAM} did not read a picture of {width}x{height}: {error}") from error
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()[-300:]
        raise MetricError(f"{PROGRAM} ended with status {done.returncode}: {message}")
    return done.stdout.decode(errors="replace")


@cache
def _installed() -> tuple[str, Path]:
    """Return the program's version and the folder of its models."""
    if shutil.which(PROGRAM) is None:
        raise MissingMetricError(f"cer needs the program {PROGRAM}: {_INSTALL}")
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    listed = subprocess.run([PROGRAM, "--list-langs"], capture_output=True, text=True, check=True)
    # List of available languages in "/usr/share/tesseract-ocr/5/tessdata/" (5):
    folder = re.search(r'"(.*)"', listed.stdout + listed.stderr)
    if folder is None:
        raise MissingMetricError(f"{PROGRAM} does not say where its models lie: {listed.stdout[:80]!r}")
    first = (version.stdout or version.stderr).splitlines()[0]
    return first, Path(folder[1])

"""Programs that are codecs, some of which cheat: their bitstreams do not hold the picture."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = """
import hashlib, os, socket, sys, zlib
from pathlib import Path
kind, role, given, written, place = sys.argv[1:6]
content = Path(given).read_bytes()
if kind == "path":
    # The encoder looks for the file that its picture came from and sends the file's name.
    if role == "encode":
        import cv2
        pixels = cv2.imread(given)
        names = [one for one in sorted(Path(place).iterdir()) if (cv2.imread(str(one)) == pixels).all()]
        Path(written).write_text(str(names[0]))
    else:
        Path(written).write_bytes(Path(content.decode()).read_bytes())
elif kind == "stash":
    # The encoder puts a copy of its picture where the decoder finds it again.
    if role == "encode":
        name = hashlib.sha256(content).hexdigest()[:8]
        Path(place, name).write_bytes(content)
        Path(written).write_text(name)
    else:
        Path(written).write_bytes(Path(place, content.decode()).read_bytes())
elif kind == "names":
    # The picture is in the names of empty files.
    folder = Path(place, "names")
    if role == "encode":
        folder.mkdir(exist_ok=True)
        key, text = hashlib.sha256(content).hexdigest()[:8], content.hex()
        for start in range(0, len(text), 200):
            (folder / f"{key}.{start:08}.{text[start:start + 200]}").touch()
        Path(written).write_text(key)
    else:
        parts = sorted(one.name for one in folder.iterdir() if one.name.startswith(content.decode()))
        Path(written).write_bytes(bytes.fromhex("".join(one.split(".")[2] for one in parts)))
elif kind == "socket":
    # A process stays behind and hands the picture to whoever asks.
    line = socket.socket(socket.AF_UNIX)
    if role == "encode":
        name = hashlib.sha256(content).hexdigest()[:8]
        line.bind(str(Path(place, name + ".socket")))
        line.listen()
        line.settimeout(120)
        Path(written).write_text(name)
        if not os.fork():
            os.setsid()
            try:
                while True:
                    line.accept()[0].sendall(content)
            finally:
                os._exit(0)
    else:
        line.connect(str(Path(place, content.decode() + ".socket")))
        Path(written).write_bytes(b"".join(iter(lambda: line.recv(65536), b"")))
elif role == "encode":
    noise = os.urandom(4) if kind == "noisy" else b""
    Path(written).write_bytes(zlib.compress(content) + noise)
elif kind == "shaky":
    # Each decode is up to one level off, as on machines that round differently.
    import cv2, numpy as np
    pixels = cv2.imdecode(np.frombuffer(zlib.decompress(content), np.uint8), cv2.IMREAD_COLOR)
    noise = np.random.default_rng().integers(-1, 2, pixels.shape)
    cv2.imwrite(written, (pixels + noise).clip(0, 255).astype(np.uint8))
else:
    decoder = zlib.decompressobj()
    Path(written).write_bytes(decoder.decompress(content))
"""

RECIPE = """
name = "{name}"
version = "1"
tolerance_levels = {levels}
encode = ["{python}", "{program}", "{kind}", "encode", "{{input}}", "{{output}}", "{place}", "{{quality}}"]
decode = ["{python}", "{program}", "{kind}", "decode", "{{input}}", "{{output}}", "{place}"]
[quality]
name = "level"
worst = 1
best = 9
ladder = [1]
"""


def write_cheat(folder: Path, name: str, kind: str, place: Path, levels: int = 0) -> str:
    """Write a program and the recipe that calls it; return the suite's table for it.

    Args:
        folder: For both files.
        name: The codec's.
        kind: ``path``, ``stash``, ``names``, ``socket``, ``noisy``, whose encoder writes other bytes each
            time, ``shaky``, whose decoder gives slightly other pixels each time, or ``honest``.
        place: The folder that the program looks into, or leaves its copies in.
        levels: How far two decodes may differ, as the recipe declares it.
    """
    program = folder / "cheat.py"
    program.write_text(PROGRAM)
    recipe = folder / f"{name}.toml"
    recipe.write_text(
        RECIPE.format(
            name=name, kind=kind, python=sys.executable, program=program, place=place, levels=levels
        )
    )
    return f'[[codecs]]\nname = "command"\nparams = {{ recipe = "{recipe.name}" }}\n'

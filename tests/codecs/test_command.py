"""The command codec, with real programs: the documented recipes, and programs that misbehave."""

from __future__ import annotations

import re
import signal
import stat
import sys
import textwrap
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from fresh_process import BuiltInContract

from codecarena.codecs import pictures, registry
from codecarena.codecs.base import Codec, CodecError, Image, MissingBackendError, Picture
from codecarena.codecs.contract import photograph

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"

BPG = """
import sys, zlib
if "-h" in sys.argv:
    print("BPG Image Encoder version 0.9.8")
    sys.exit(1)
import PIL.Image
*options, source = sys.argv[1:]
given = dict(zip(options[::2], options[1::2], strict=True))
assert set(given) <= {"-q", "-f", "-b", "-o"}
if "enc" in sys.argv[0]:
    step = int(given["-q"]) + 1
    image = PIL.Image.open(source)
    coded = zlib.compress(image.point(lambda level: level // step).tobytes())
    open(given["-o"], "wb").write(bytes([step]) + image.width.to_bytes(2) + image.height.to_bytes(2) + coded)
else:
    coded = open(source, "rb").read()
    step, size = coded[0], (int.from_bytes(coded[1:3]), int.from_bytes(coded[3:5]))
    image = PIL.Image.frombytes("RGB", size, zlib.decompress(coded[5:]))
    image.point(lambda level: min(level * step + step // 2, 255)).save(given["-o"])
"""

VTM = """
import array, sys, zlib
words = iter(sys.argv[1:])
given = dict(word.split("=") if word[:2] == "--" else (word, next(words)) for word in words)
assert set(given) <= {"-c", "-i", "-b", "-q", "-f", "-o", "-d", "--ConformanceWindowMode"}
if "Encoder" in sys.argv[0]:
    assert open(given["-c"]).read() and given["-f"] == "1" and given["-o"] == ""
    header, frame, samples = open(given["-i"], "rb").read().split(b"\\n", 2)
    step = 4 * int(given["-q"]) + 1
    levels = array.array("H", (sample // step for sample in array.array("H", samples)))
    open(given["-b"], "wb").write(b"%d\\n%s\\n%s" % (step, header, zlib.compress(levels.tobytes())))
else:
    step, header, coded = open(given["-b"], "rb").read().split(b"\\n", 2)
    assert header.startswith(b"YUV4MPEG2")
    half = int(step) // 2
    levels = array.array("H", zlib.decompress(coded))
    samples = array.array("H", (min(level * int(step) + half, 1023) for level in levels))
    open(given["-o"], "wb").write(header + b"\\nFRAME\\n" + samples.tobytes())
"""


PACKAGES = str(Path(PIL.__file__).parents[1])


def program(path: Path, source: str) -> Path:
    """Write a Python program that can be started by its path.

    Without `site`, which looks through every installed package: a test starts a hundred of them.
    """
    beginning = f"#!{sys.executable} -IS\nimport sys\nsys.path.append({PACKAGES!r})\n"
    path.write_text(beginning + textwrap.dedent(source))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def documented(name: str) -> str:
    """Return the recipe of that name on the documentation page."""
    recipes = [
        text for text in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.S) if f'"{name}"' in text
    ]
    assert len(recipes) == 1
    return recipes[0]


class _Documented(BuiltInContract):
    recipe_name = ""

    @classmethod
    def install(cls, folder: Path) -> None:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def codec(cls, tmp_path_factory: pytest.TempPathFactory):
        folder = tmp_path_factory.mktemp(cls.recipe_name)
        recipe = folder / f"{cls.recipe_name}.toml"
        recipe.write_text(documented(cls.recipe_name))
        with pytest.MonkeyPatch.context() as search_path:
            search_path.setenv("PATH", str(folder), prepend=":")
            cls.install(folder)
            cls.codec_name, cls.parameters = "command", {"recipe": str(recipe)}
            yield registry.create(cls.codec_name, cls.parameters)


class TestBpgRecipe(_Documented):
    recipe_name = "bpg"

    @classmethod
    def install(cls, folder: Path) -> None:
        program(folder / "bpgenc", BPG)
        program(folder / "bpgdec", BPG)

    def test_version_is_what_the_program_says(self, codec: Codec) -> None:
        assert codec.info.version.startswith("BPG Image Encoder version 0.9.8, recipe ")


class TestVtmRecipe(_Documented):
    recipe_name = "vtm"

    @classmethod
    def install(cls, folder: Path) -> None:
        program(folder / "EncoderAppStatic", VTM)
        program(folder / "DecoderAppStatic", VTM)
        (folder / "encoder_intra_vtm.cfg").write_text("Profile : main_10\n")


class TestHevcRecipe(_Documented):
    recipe_name = "hevc"

    @classmethod
    def install(cls, folder: Path) -> None:
        ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
        (folder / "ffmpeg").symlink_to(ffmpeg)

    # x265 refuses the smallest sizes, and FFmpeg decodes a raw HEVC file that was cut off.
    test_any_size_survives = None
    test_fresh_process_decodes_the_same_pixels = None
    test_breakdown_adds_up = None
    test_cut_off_bitstream_is_refused = None

    def test_best_setting_is_close_to_the_original(self, codec: Codec, ladder: list[bytes]) -> None:
        error = codec.decode(ladder[-1]).astype(float) - photograph()
        assert np.sqrt((error**2).mean()) < 5


GOOD = """
name = "mine"
version = "1"
encode = ["./enc", "{quality}", "{input}", "{output}"]
decode = ["./dec", "{input}", "{output}"]
picture = "ppm"
decoded = "ppm"
[quality]
name = "q"
worst = 1
best = 9
ladder = [1, 5, 9]
"""
COPY = "import shutil, sys\nshutil.copy(sys.argv[-2], sys.argv[-1])\n"


def make(folder: Path, encoder: str = COPY, decoder: str = COPY, recipe: str = GOOD) -> Codec:
    """Return a command codec of these two programs."""
    program(folder / "enc", encoder)
    program(folder / "dec", decoder)
    path = folder / "mine.toml"
    path.write_text(recipe)
    return registry.create("command", {"recipe": str(path)})


@pytest.fixture
def pixels() -> Image:
    return photograph(20, 30)


def test_two_programs_are_a_codec(tmp_path: Path, pixels: Image) -> None:
    codec = make(tmp_path)
    assert np.array_equal(codec.decode(codec.encode(Picture(pixels), 5)), pixels)


def test_picture_is_gone_before_the_decoder_starts(tmp_path: Path, pixels: Image) -> None:
    notes = tmp_path / "notes"
    encoder = f"""
        import os, pathlib, sys
        pathlib.Path({str(notes)!r}).write_text(sys.argv[-2])
        pathlib.Path(sys.argv[-1]).write_bytes(b"coded")
    """
    decoder = f"""
        import os, pathlib, sys
        seen = pathlib.Path({str(notes)!r})
        picture = pathlib.Path(seen.read_text())
        seen.write_text(f"{{picture.exists()}} {{picture.parent.exists()}} {{sorted(os.listdir())}}")
        pathlib.Path(sys.argv[-1]).write_bytes(b"P6 1 1 255 abc")
    """
    codec = make(tmp_path, encoder, decoder)
    codec.decode(codec.encode(Picture(pixels), 5))
    assert notes.read_text() == "False False ['bitstream.bin']"


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("import sys; sys.exit('no such profile')", "ended with exit status 1; it said: no such profile"),
        ("pass", r"ended well but wrote no bitstream\.bin"),
        ("import sys; open(sys.argv[-1], 'w')", r"wrote no bitstream\.bin"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
        ("import sys; sys.exit(sys.stdin.read() and 3 or 4)", "exit status 4"),
    ],
)
def test_failing_encoder_is_named(tmp_path: Path, pixels: Image, encoder: str, message: str) -> None:
    codec = make(tmp_path, encoder)
    with pytest.raises(CodecError, match=message) as caught:
        codec.encode(Picture(pixels), 5)
    assert str(tmp_path / "enc") in str(caught.value)


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        ("import sys; sys.exit(7)", "decoder .*dec ended with exit status 7"),
        ("pass", r"wrote no decoded\.ppm"),
        (
            "import sys; open(sys.argv[-1], 'w').write('P6 nonsense')",
            "wrote an unusable picture: damaged or cut short",
        ),
        ("import sys; open(sys.argv[-1], 'wb').write(b'P6 9 9 255 abc')", "wrote an unusable picture"),
    ],
)
def test_failing_decoder_is_named(tmp_path: Path, pixels: Image, decoder: str, message: str) -> None:
    codec = make(tmp_path, decoder=decoder)
    with pytest.raises(CodecError, match=message):
        codec.decode(codec.encode(Picture(pixels), 5))


WRITES = """
    import sys
    import numpy as np, PIL.Image, PIL.PngImagePlugin
    picture = PIL.Image.open(sys.argv[-2]).convert("RGB")
    chunks = PIL.PngImagePlugin.PngInfo()
    {change}
    picture.save(sys.argv[-1], "PNG", pnginfo=chunks)
"""
PNG_RECIPE = GOOD.replace('decoded = "ppm"', 'decoded = "png"')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "picture = PIL.Image.fromarray(np.asarray(picture.convert('L')).astype(np.uint16) * 257)",
            "16 bits",
        ),
        ("picture.putalpha(128)", "has transparent pixels"),
        ("picture = picture.convert('LA'); picture.putalpha(254)", "has transparent pixels"),
        ("chunks.add(b'cICP', bytes([9, 16, 0, 1]))", "primaries 9 and transfer 16"),
        ("chunks.add(b'cICP', bytes([1, 13, 0, 0]))", "narrow-range samples"),
    ],
)
def test_a_decoders_picture_is_refused_where_an_original_would_be(
    tmp_path: Path, pixels: Image, change: str, message: str
) -> None:
    """16 bits were clipped to white, half-opaque pixels counted as lossless."""
    codec = make(tmp_path, decoder=WRITES.format(change=change), recipe=PNG_RECIPE)
    with pytest.raises(CodecError, match=f"dec wrote an unusable picture: .*{message}"):
        codec.decode(codec.encode(Picture(pixels), 5))


@pytest.mark.parametrize(
    "change", ["pass", "picture.putalpha(255)", "chunks.add(b'gAMA', (45455).to_bytes(4, 'big'))"]
)
def test_a_decoders_opaque_picture_is_taken(tmp_path: Path, pixels: Image, change: str) -> None:
    codec = make(tmp_path, decoder=WRITES.format(change=change), recipe=PNG_RECIPE)
    assert np.array_equal(codec.decode(codec.encode(Picture(pixels), 5)), pixels)


def test_a_decoders_grey_picture_has_three_equal_channels(tmp_path: Path, pixels: Image) -> None:
    codec = make(tmp_path, decoder=WRITES.format(change="picture = picture.convert('L')"), recipe=PNG_RECIPE)
    decoded = codec.decode(codec.encode(Picture(pixels), 5))
    assert np.array_equal(decoded[..., 0], np.array(PIL.Image.fromarray(pixels).convert("L")))
    assert (decoded[..., :1] == decoded).all()


def test_only_the_end_of_a_long_complaint_is_kept(tmp_path: Path, pixels: Image) -> None:
    codec = make(tmp_path, "import sys; sys.exit('x' * 10**6 + ' the reason')")
    with pytest.raises(CodecError, match="the reason") as caught:
        codec.encode(Picture(pixels), 5)
    assert len(str(caught.value)) < 2000


def test_programs_die_with_their_process_group(tmp_path: Path, pixels: Image) -> None:
    same = "import os, sys; sys.exit(os.getpgrp() != os.getpgid(os.getppid()))"
    codec = make(tmp_path, same)
    with pytest.raises(CodecError, match="ended well"):
        codec.encode(Picture(pixels), 5)


def test_seed_environment_and_fractions_reach_the_programs(tmp_path: Path, pixels: Image) -> None:
    recipe = GOOD.replace('"{input}", "{output}"]\npicture', '"{seed}", "{input}", "{output}"]\npicture')
    recipe = recipe.replace('version = "1"', 'version = "1"\nstochastic = true\ndefault_seed = 4')
    recipe = recipe.replace("ladder", "step = 0.25\nladder") + "[environment]\nDEPTH = '12'\n"
    encoder = "import os, sys; open(sys.argv[-1], 'w').write(sys.argv[1] + ' ' + os.environ['DEPTH'])"
    decoder = "import sys; open(sys.argv[-1], 'wb').write(b'P6 1 1 255\\n' + bytes([int(sys.argv[1])] * 3))"
    codec = make(tmp_path, encoder, decoder, recipe)
    bitstream = codec.encode(Picture(pixels), 2.25)
    assert bitstream == b"2.25 12"
    assert [int(codec.decode(bitstream, seed)[0, 0, 0]) for seed in (None, 9)] == [4, 9]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "mine"', "", "name: Field required"),
        ('picture = "ppm"', 'pictures = "ppm"', "pictures: unknown key; did you mean 'picture'?"),
        ('name = "q"', 'nam = "q"', "quality.nam: unknown key; did you mean 'name'?"),
        ("{quality}", "{qality}", "encode: unknown placeholder {qality}; did you mean {quality}?"),
        ('"{quality}", ', "", "encode: the placeholder {quality} is missing"),
        ("[1, 5, 9]", "[1, 5, 10]", "quality: ladder: 10 is no step between 1 and 9"),
        ("[1, 5, 9]", "[5, 1, 9]", "quality: ladder: expected settings from worst to best"),
        ('"ppm"', '"bmp"', "picture: Input should be 'png', 'ppm' or 'y4m'"),
        ("worst = 1", 'worst = "low"', "quality.worst: Input should be a valid number"),
        ('version = "1"', "", "expected either version or version_command"),
        ("[quality]", "[quality", "cannot read the recipe"),
    ],
)
def test_bad_recipe_names_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        make(tmp_path, recipe=GOOD.replace(old, new, 1))
    assert message in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_missing_recipe_and_missing_program_are_named(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match=r"nowhere\.toml"):
        registry.create("command", {"recipe": str(tmp_path / "nowhere.toml")})
    with pytest.raises(MissingBackendError, match="no-such-encoder on the search path"):
        make(tmp_path, recipe=GOOD.replace("./enc", "no-such-encoder"))


def test_identity_follows_the_recipe_and_not_its_folder(tmp_path: Path) -> None:
    def identity(folder: str, recipe: str = GOOD) -> str:
        place = tmp_path / folder
        place.mkdir()
        codec = make(place, recipe=recipe)
        complete = registry.parameters("command", {"recipe": str(place / "mine.toml")})
        assert registry.label("command", complete) == "command(recipe=mine.toml)"
        return registry.codec_id(codec.info, complete)

    assert identity("here") == identity("there")
    assert identity("changed", GOOD.replace("{quality}", "-q{quality}")) != identity("again")


def test_y4m_is_exact_to_a_level(tmp_path: Path) -> None:
    colours = np.random.default_rng(3).integers(0, 256, (40, 51, 3), dtype=np.uint8)
    path = tmp_path / "picture.y4m"
    pictures.write(Picture(colours), path)
    assert np.abs(pictures.read(path).astype(int) - colours).max() <= 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"YUV4MPEG2 W4 H4 C444p10\nFRAME\nshort",
        b"YUV4MPEG2 W2 H2 C420\nFRAME\n" + b"\0" * 24,
        b"YUV4MPEG2 W1 H1 C444p10 XCOLORRANGE=LIMITED\nFRAME\n" + b"\0" * 6,
        b"YUV4MPEG2 W99999999 H99999999 C444p10\nFRAME\n",
    ],
)
def test_bad_y4m_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "picture.y4m"
    path.write_bytes(data)
    with pytest.raises(CodecError):
        pictures.read(path)


def test_killed_by_an_unnamed_signal_is_told(tmp_path: Path, pixels: Image) -> None:
    number = signal.SIGRTMIN + 3
    codec = make(tmp_path, f"import os; os.kill(os.getpid(), {number})")
    with pytest.raises(CodecError, match=f"was killed by signal {int(number)}"):
        codec.encode(Picture(pixels), 5)

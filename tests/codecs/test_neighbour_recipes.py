"""The neighbours' ready recipes, each against a stand-in with the interface of its repository."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from checkouts import CHECKOUTS, make
from scipy.stats import norm

from arena import call
from codecarena.codecs import recipe_install, registry
from codecarena.codecs.base import Codec, CodecError, Image, MissingBackendError, Picture
from codecarena.codecs.contract import photograph

PICTURE = photograph(75, 102)


WITH_TORCH = {"glc": pytest.mark.slow("a process for each picture coded, and each loads torch")}


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=WITH_TORCH.get(name, ())) for name in sorted(CHECKOUTS)]
)
def checkout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in's checkout with the ready recipe in it."""
    folder = make(request.param, tmp_path_factory.mktemp("neighbours") / request.param)
    assert recipe_install.install(request.param, folder) == folder / f"{request.param}.toml"
    return folder


@pytest.fixture(scope="module")
def codec(checkout: Path) -> Codec:
    return registry.create("command", {"recipe": str(checkout / f"{checkout.name}.toml")})


@pytest.fixture(scope="module")
def streams(codec: Codec) -> list[bytes]:
    """The picture at the worst and at the best setting of the ladder."""
    return [codec.encode(Picture(PICTURE), codec.info.qualities[place]) for place in (0, -1)]


@pytest.fixture(scope="module")
def decoded(codec: Codec, streams: list[bytes]) -> list[Image]:
    return [codec.decode(stream) for stream in streams]


def error(decoded: Image) -> float:
    return float(np.sqrt(((decoded.astype(float) - PICTURE) ** 2).mean()))


def test_every_ready_recipe_has_a_stand_in() -> None:
    assert set(recipe_install.summaries()) == set(CHECKOUTS)


def test_a_picture_of_odd_size_goes_through_and_more_bytes_bring_it_nearer(
    checkout: Path, codec: Codec, streams: list[bytes], decoded: list[Image]
) -> None:
    worst, best = decoded
    assert worst.shape == best.shape == PICTURE.shape
    assert len(streams[0]) < len(streams[1])
    assert error(best) < error(worst)
    assert codec.info.name == checkout.name
    assert codec.info.family == ("learned" if checkout.name == "coolchic" else "generative")
    assert codec.info.version.startswith("commit ")


def test_no_stream_is_a_pickle(streams: list[bytes]) -> None:
    assert not [stream for stream in streams if b"\x80\x04\x95" in stream]


def test_only_a_stochastic_decoder_takes_the_seed(
    codec: Codec, streams: list[bytes], decoded: list[Image]
) -> None:
    if codec.info.stochastic:
        assert not np.array_equal(codec.decode(streams[0], seed=6), decoded[0])
    assert np.array_equal(codec.decode(streams[0]), decoded[0])


def test_a_stream_cut_short_is_an_error(codec: Codec, streams: list[bytes]) -> None:
    with pytest.raises(CodecError, match=r"decoder .* ended with exit status 1; it said: "):
        codec.decode(streams[0][:-3])


def test_the_range_coder_for_glc_is_exact_and_near_the_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(recipe_install.RECIPES))
    coder = importlib.import_module("glc_codec")
    random = np.random.default_rng(4)
    which = random.integers(0, 40, 5000)
    scales = np.array(coder.SCALES)[which]
    values = np.rint(random.normal(0, scales)).astype(int)
    far = np.array([-32768, 32767, 700, -1])
    integers = [*zip(values.tolist(), which.tolist(), strict=True), *((value, 3) for value in far.tolist())]
    intervals = [coder.bits(9000, 14), *(interval for pair in integers for interval in coder.integer(*pair))]
    stream = coder.write(intervals)
    reader = coder.Reader(stream)
    assert reader.bits(14) == 9000
    assert [reader.integer(gaussian) for _, gaussian in integers] == [value for value, _ in integers]
    reader.check_end()
    chances = norm.cdf((values + 0.5) / scales) - norm.cdf((values - 0.5) / scales)
    assert 8 * len(stream) < -1.01 * np.log2(chances).sum() + 14 + 4 * 40 + 64
    with pytest.raises(SystemExit, match="damaged"):
        coder.Reader(stream).check_end()


def test_missing_weights_are_named(tmp_path: Path) -> None:
    folder = make("hific", tmp_path / "hific")
    recipe_install.install("hific", folder)
    (folder / "weights" / "hific_hi.pt").unlink()
    codec = registry.create("command", {"recipe": str(folder / "hific.toml")})
    with pytest.raises(CodecError, match=r"no weights .*hific_hi\.pt: place them there; docs/recipes\.md"):
        codec.encode(Picture(PICTURE), 3)


def test_a_checkpoint_without_a_part_of_its_bottleneck_is_refused(tmp_path: Path) -> None:
    """The repository's own loader is not strict and would leave that part random: DiffEIC issue 28."""
    folder = make("diffeic", tmp_path / "diffeic")
    codec = registry.create("command", {"recipe": str(recipe_install.install("diffeic", folder))})
    weights = folder / "weights" / "1_2_1" / "lc.ckpt"
    whole = json.loads(weights.read_text())["state_dict"]
    bottleneck = [name for name in whole if "bottleneck" in name]
    for lacking, said in ((bottleneck[:1], r"lacks matrices\.0: "), (bottleneck, "holds no tensor of")):
        kept = {name: value for name, value in whole.items() if name not in lacking}
        weights.write_text(json.dumps({"state_dict": kept}))
        with pytest.raises(CodecError, match=rf"checkpoint {said}.*random and every rate wrong"):
            codec.encode(Picture(PICTURE), 5)


@pytest.mark.parametrize("name", sorted(CHECKOUTS))
def test_a_recipe_names_the_python_of_the_users_environment(name: str, tmp_path: Path) -> None:
    python = tmp_path / "env with spaces" / "bin" / "python"
    recipe = tomllib.loads(recipe_install.install(name, tmp_path, python).read_text())
    assert {recipe[key][0] for key in ("encode", "decode", "version_command")} == {str(python)}
    with pytest.raises(MissingBackendError, match="env with spaces"):
        registry.create("command", {"recipe": str(tmp_path / f"{name}.toml")})


def test_installing_again_changes_nothing_and_a_changed_file_is_left_alone(tmp_path: Path) -> None:
    recipe = recipe_install.install("glc", tmp_path)
    assert recipe_install.install("glc", tmp_path) == recipe
    recipe.write_text("# mine\n")
    with pytest.raises(CodecError, match=r"glc\.toml is there and differs"):
        recipe_install.install("glc", tmp_path)
    assert recipe.read_text() == "# mine\n"


def test_mistakes_get_a_sentence(tmp_path: Path) -> None:
    ended = call("recipe", "hiffic", tmp_path, folder=tmp_path)
    assert (ended.returncode, "did you mean 'hific'?" in ended.stderr) == (2, True)
    ended = call("recipe", "hific", tmp_path / "nowhere", folder=tmp_path)
    assert (ended.returncode, "clone the repository first" in ended.stderr) == (2, True)


def test_the_command_line_lists_and_installs_and_a_suite_runs_what_it_says(tmp_path: Path) -> None:
    rows = json.loads(call("list", "recipes", "--json", folder=tmp_path).stdout)
    assert {row["recipe"] for row in rows} == set(CHECKOUTS)
    make("hific", tmp_path / "hific")
    ended = call("recipe", "hific", "hific", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout.split("in a suite: ")[1].strip()
    assert tomllib.loads(said.replace(", params", "\nparams"))["params"]["recipe"].endswith("hific.toml")


def test_the_wrappers_need_no_python_newer_than_the_repositories(tmp_path: Path) -> None:
    code = "import ast, sys; [ast.parse(open(path).read(), feature_version=(3, 8)) for path in sys.argv[1:]]"
    paths = sorted(map(str, recipe_install.RECIPES.glob("*.py")))
    assert len(paths) == len(CHECKOUTS) + len(recipe_install.SHARED)
    subprocess.run([sys.executable, "-c", code, *paths], check=True)

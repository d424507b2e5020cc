"""Every parameter of every built-in codec changes bytes or pixels, or a sentence says why it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from canvas import small_canvas

from codecarena.codecs import registry
from codecarena.codecs.base import CodecError, MissingBackendError, Picture
from codecarena.codecs.classic.jpeg import Jpeg
from codecarena.codecs.contract import CodecContract, assert_each_shows, largest_difference, photograph

Choices = Mapping[str, tuple[registry.Value, ...] | str]

DEVICE = "only the CPU is everywhere; the tests of a GPU ask for another"
THREADS = (
    "their number leaves the bytes alone, by the encoder's design; that it is handed over is tested below"
)
OWN_WEIGHTS = "a file of the user's own; its tests make one"
PUBLISHED = "published weights, which are not here; tests with stand-ins for them ask for it"
OTHER_BACKEND = "only with another back-end: the embedded one refuses it"
OF_DIFFUSION = "only with mode = diffusion; see `NOT_ALONE`"
DTYPE = "see test_bfloat16"

CHOICES: dict[str, Choices] = {
    "avif": {"speed": (10,), "subsampling": ("4:2:2", "4:4:4"), "threads": (2,)},
    "avif-rav1e": {"speed": (10,), "bit_depth": (10,), "threads": THREADS},
    "avif-svt": {"preset": (12,), "bit_depth": (10,), "threads": THREADS},
    "command": {"recipe": "a file; the tests of recipes make many"},
    "heic": {"preset": ("ultrafast",), "subsampling": ("4:2:2", "4:4:4"), "threads": (2,)},
    "hfd": {
        "mode": ("diffusion",),
        "steps": (2,),
        "noise": (0.1,),
        "start": OF_DIFFUSION,
        "groups": (True,),
        "autoencoder": PUBLISHED,
        "autoencoder_weights": OWN_WEIGHTS,
        "arch": PUBLISHED,
        "decoder": OWN_WEIGHTS,
        "seed": (5,),
        "device": DEVICE,
        "dtype": DTYPE,
    },
    "hyperprior": {"weights": OWN_WEIGHTS, "device": DEVICE, "dtype": DTYPE},
    "illm": {"qualities": PUBLISHED, "repository": PUBLISHED, "device": DEVICE, "dtype": PUBLISHED},
    "jpeg": {"subsampling": ("4:2:2", "4:4:4"), "optimize": (True,), "progressive": (True,)},
    "jpeg2000": {"irreversible": (False,)},
    "jpegli": {"decoder": ("turbo",)},
    "jpegxl": {"effort": (3,), "threads": THREADS},
    "jpegxr": {},
    "latent": {
        "backend": PUBLISHED,
        "weights": PUBLISHED,
        "denoiser": OTHER_BACKEND,
        "faithful": OTHER_BACKEND,
        "posterior": OTHER_BACKEND,
        "dithering": (0.0, 0.5),
        "steps": (0, 1),
        "seed": "of the faithful decoder and of posterior = sample, which need another back-end",
        "device": DEVICE,
        "dtype": ("bfloat16",),
    },
    "layered": {
        "decoder": ("sketch",),
        "structure": PUBLISHED,
        "edge_rows": (64,),
        "colour_rows": (4,),
        "canny_sigma": (2.0,),
        "canny_low": (20.0,),
        "canny_high": (160.0,),
        "keypoints": "a file, with structure = openpose; its tests make one",
        "detector": PUBLISHED,
        "caption": ("none",),
        "text": ("a harbour",),
        "caption_model": PUBLISHED,
        "seed": (5,),
        "device": DEVICE,
        "dtype": DTYPE,
        "steps": (2,),
        "guidance": (3.0,),
        **dict.fromkeys(
            ("scheduler", "negative_prompt", "canvas_area", "base", "sketch_adapter", "pose_adapter"),
            OTHER_BACKEND,
        ),
        **dict.fromkeys(
            (
                "colour_adapter",
                "edge_controlnet",
                "pose_controlnet",
                "structure_scale",
                "colour_scale",
                "strength",
            ),
            OTHER_BACKEND,
        ),
    },
    "mozjpeg": {
        "subsampling": ("4:4:4",),
        "trellis": (False,),
        "deringing": (False,),
        "progressive": (False,),
        "quant_table": (0, 2),
    },
    "png": {"compress_level": (1, 9)},
    "vvc": {"preset": ("faster",), "qpa": (True,), "threads": THREADS},
    "webp": {"method": (0, 6)},
    "zoo": dict.fromkeys(("arch", "metric", "checkpoint", "qualities", "dtype"), PUBLISHED)
    | {"device": DEVICE},
}
NOT_ALONE: list[tuple[str, dict[str, registry.Value], str, tuple[registry.Value, ...]]] = [
    ("hfd", {"mode": "diffusion", "steps": 2}, "start", (0.6,)),
    ("hfd", {"mode": "diffusion", "steps": 2}, "noise", (1.0,)),
    ("mozjpeg", {"trellis": False}, "progressive", (False,)),
]
"""Parameters that do something only beside others."""
DRAWN = [("hfd", "noise", 0.1), ("latent", "steps", 0), ("layered", "guidance", 3.0)]
"""Parameters of decoders, which stand in the stream: there they change bytes, and pixels must follow."""


@pytest.fixture(scope="module", autouse=True)
def canvas() -> Iterator[None]:
    """A canvas of few pixels for the layered codec: what a parameter changes shows on any."""
    with small_canvas(64 * 64):
        yield


@pytest.fixture(autouse=True)
def _bfloat16(any_processor_multiplies_in_bfloat16: None) -> None:
    """What a format changes is asked on every processor."""


def skip_where_missing(name: str) -> None:
    if missing := registry.find(name).missing:
        pytest.skip(missing)


def test_the_table_has_every_built_in_codec() -> None:
    assert set(CHOICES) == {entry.name for entry in registry.entries().values() if entry.origin == "built-in"}


@pytest.mark.parametrize("name", CHOICES)
def test_the_table_has_every_parameter(name: str) -> None:
    skip_where_missing(name)
    needed: dict[str, registry.Value] = {"recipe": ""} if name == "command" else {}
    assert set(CHOICES[name]) == set(registry.parameters(name, needed))


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        (name, key)
        for name, table in CHOICES.items()
        for key, value in table.items()
        if not isinstance(value, str)
    ],
)
def test_each_choice_of_a_parameter_shows(name: str, changed: str) -> None:
    skip_where_missing(name)
    values = CHOICES[name][changed]
    assert not isinstance(values, str)
    beside: dict[str, registry.Value] = {}
    if name == "layered" and changed != "edge_rows":
        beside = {"edge_rows": 32}  # a sixteenth of the cells, which are coded one by one
    assert_each_shows(name, beside, changed, values)


@pytest.mark.parametrize(("name", "beside", "changed", "values"), NOT_ALONE)
def test_each_choice_of_a_parameter_shows_beside_others(
    name: str, beside: dict[str, registry.Value], changed: str, values: tuple[registry.Value, ...]
) -> None:
    skip_where_missing(name)
    assert_each_shows(name, beside, changed, values)


@pytest.mark.parametrize(("name", "changed", "value"), DRAWN)
def test_what_a_stream_tells_the_decoder_changes_the_picture(
    name: str, changed: str, value: registry.Value
) -> None:
    skip_where_missing(name)
    codecs = [registry.create(name, given) for given in ({}, {changed: value})]
    quality = codecs[0].info.qualities[0]  # where most is left to the decoder
    first, second = (codec.decode(codec.encode(Picture(photograph(48, 64)), quality)) for codec in codecs)
    assert largest_difference(first, second) > codecs[0].info.tolerance_levels


QUICK: dict[str, dict[str, registry.Value]] = {
    "hfd": {"steps": 1},
    "layered": {"steps": 1, "guidance": 1.0},
    "latent": {"steps": 1},
    "vvc": {"preset": "faster"},
}


def declared(name: str, parameter: str, most: int = 16) -> list[registry.Value]:
    """Return the choices of a parameter, or four of more than `most`, as a codec names them for another."""
    default = registry.parameters(name, {})[parameter]
    with pytest.raises(CodecError) as refused:
        registry.create(name, {parameter: "no such choice"})
    listed = re.search(rf"parameter '{parameter}' must be one of (.*), got", str(refused.value))
    words = listed[1].split(", ") if listed else []
    kind = {bool: lambda word: word == "True", int: int}.get(type(default), str)
    few = words if len(words) <= most else [words[0], words[1], words[len(words) // 2], words[-1]]
    return [kind(word) for word in few]


ONLY_BESIDE = "need backend|Train a decoder for it"
"""What a codec says of a choice that needs another parameter or a file of one's own."""
CHOOSING = [
    (name, parameter)
    for name, table in CHOICES.items()
    for parameter in table
    if name not in ("command", "illm", "zoo")  # these need files; their own tests choose
    and parameter not in ("device", "dtype")  # devices are not everywhere; dtypes have a test of their own
]


@pytest.mark.scaled
@pytest.mark.parametrize(("name", "parameter"), CHOOSING)
def test_every_declared_choice_codes(name: str, parameter: str, tenth: Callable[[int], int]) -> None:
    """Of more than eight choices, which are numbers from a least to a most, all under `make long`."""
    skip_where_missing(name)
    try:
        choices = declared(name, parameter, most=16 if tenth(10) == 10 else 8)
    except pytest.fail.Exception:
        pytest.skip("by design: takes any text, its own tests choose")
    quick = {} if parameter == "decoder" else QUICK.get(name, {})
    default = registry.parameters(name, {})[parameter]
    picture = Picture(photograph(23, 37))
    for choice in choices:
        if choice == default:
            continue  # the contract is held at the defaults
        try:
            codec = registry.create(name, quick | {parameter: choice})
        except CodecError as refused:
            if not isinstance(refused, MissingBackendError) and not re.search(ONLY_BESIDE, str(refused)):
                raise
            continue
        quality = codec.info.qualities[len(codec.info.qualities) // 2]
        bitstream = codec.encode(picture, quality)
        assert codec.encode(picture, quality) == bitstream, choice
        assert codec.decode(bitstream).shape == (23, 37, 3), choice


def test_declared_choices_are_read_from_what_a_codec_says() -> None:
    assert declared("jpeg", "subsampling") == ["4:4:4", "4:2:2", "4:2:0"]
    assert declared("jpeg", "optimize") == [False, True]
    assert declared("webp", "method") == list(range(7))
    assert declared("webp", "method", most=6) == [0, 1, 3, 6]


@pytest.mark.parametrize(
    ("name", "word"), [("avif-rav1e", "-threads 5"), ("avif-svt", "lp=5:"), ("vvc", "-threads 5")]
)
def test_threads_that_leave_the_bytes_alone_reach_the_encoder(
    name: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_where_missing(name)
    from codecarena.codecs.classic import ffmpeg

    codec = registry.create(name, {"threads": 5})
    names: list[str] = []

    def encode(*arguments: Any) -> bytes:
        names.append(" ".join(arguments[3]))
        raise CodecError("enough")

    monkeypatch.setattr(ffmpeg, "encode", encode)
    with pytest.raises(CodecError, match="enough"):
        codec.encode(Picture(photograph(48, 64)), codec.info.qualities[0])
    assert word in names[0]


def test_threads_of_jpeg_xl_reach_libjxl(monkeypatch: pytest.MonkeyPatch) -> None:
    import imagecodecs

    codec, given = registry.create("jpegxl", {"threads": 5}), dict[str, Any]()

    def encode(_pixels: object, **options: Any) -> bytes:
        given.update(options)
        raise ValueError("enough")

    monkeypatch.setattr(imagecodecs, "jpegxl_encode", encode)
    with pytest.raises(CodecError):
        codec.encode(Picture(photograph(48, 64)), codec.info.qualities[0])
    assert given["numthreads"] == 5


class Deaf(Jpeg):
    """A JPEG codec that is told a subsampling and does not use it."""

    def __init__(self, subsampling: str = "4:2:0") -> None:
        super().__init__()
        self.subsampling = subsampling


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        (None, "skipped"),
        ({}, "names every constructor keyword"),
        ({"subsampling": ("4:4:4",), "more": ""}, "names every constructor keyword"),
        ({"subsampling": ("4:4:4",)}, "neither bytes nor pixels tell subsampling = '4:2:0' from '4:4:4'"),
        ({"subsampling": "it is told and not used"}, ""),
    ],
)
def test_the_contract_refuses_a_parameter_that_is_told_and_not_used(
    choices: Choices | None, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = registry.Entry("deaf", "nowhere:Deaf", "told and not used")
    monkeypatch.setattr(registry, "entries", lambda: {"deaf": entry})
    monkeypatch.setattr(registry, "codec_class", lambda _: Deaf)

    class Contract(CodecContract):
        codec_name = "deaf"

    Contract.choices = choices
    check = Contract().test_every_parameter_changes_something_or_says_why_not
    if outcome == "skipped":
        with pytest.raises(pytest.skip.Exception, match="name other values"):
            check()
    elif outcome:
        with pytest.raises(AssertionError, match=outcome):
            check()
    else:
        check()

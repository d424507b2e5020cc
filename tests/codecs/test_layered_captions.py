"""Where the caption of the layered codec comes from, and what the template says of a picture."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from codecarena.codecs.base import CodecError, MissingBackendError, Picture
from codecarena.codecs.contract import SIZES, photograph
from codecarena.codecs.generative.layered.codec import Layered
from codecarena.codecs.generative.layered.coding.captions import COLOUR_NAMES, caption_for, template_caption
from codecarena.codecs.generative.layered.coding.text import MOST_BYTES
from codecarena.codecs.generative.layered.detectors import LearnedDetector
from codecarena.codecs.generative.layered.stream import inspect


def flat(*colours: tuple[int, int, int]) -> np.ndarray:
    """A picture of 100 x 60 pixels in horizontal bands."""
    return np.repeat(np.array(colours, np.uint8), 60 // len(colours), axis=0)[:, None].repeat(100, axis=1)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((5, 5, 9), "black"),
        ((70, 72, 70), "dark grey"),
        ((128, 128, 128), "grey"),
        ((200, 200, 198), "light grey"),
        ((250, 250, 250), "white"),
        ((200, 20, 20), "red"),
        ((250, 140, 20), "orange"),
        ((110, 70, 30), "brown"),
        ((240, 230, 40), "yellow"),
        ((40, 150, 50), "green"),
        ((30, 200, 200), "cyan"),
        ((30, 60, 200), "blue"),
        ((130, 40, 200), "purple"),
        ((250, 120, 180), "pink"),
    ],
)
def test_colours_have_their_names(colour: tuple[int, int, int], name: str) -> None:
    assert name in COLOUR_NAMES
    assert f"mostly {name}, {name} at the top, {name} at the bottom, few edges" in template_caption(
        flat(colour)
    )


def test_template_says_what_the_picture_is() -> None:
    sky_over_grass = template_caption(flat((120, 170, 250), (120, 170, 250), (60, 140, 40)))
    assert sky_over_grass == (
        "a wide picture, medium brightness, low contrast, mostly blue and green, blue at the top, "
        "green at the bottom, few edges"
    )
    noise = np.random.default_rng(0).integers(0, 2, (90, 30, 1)).repeat(3, axis=2).astype(np.uint8) * 255
    assert template_caption(noise).startswith("a tall picture")
    assert template_caption(noise).endswith("many edges")
    assert "very dark" in template_caption(flat((9, 9, 9)))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_template_speaks_of_any_size(size: tuple[int, int]) -> None:
    assert "mostly" in template_caption(np.ascontiguousarray(photograph()[: size[0], : size[1]]))


def test_sources_come_in_their_order() -> None:
    with_prompt, without = Picture(photograph(), caption="a prompt"), Picture(photograph())
    template = template_caption(photograph())
    assert caption_for(with_prompt, "auto", "mine", None) == "mine"
    assert caption_for(with_prompt, "auto", "", None) == "a prompt"
    assert caption_for(without, "auto", "", None) == template
    assert caption_for(with_prompt, "template", "", None) == template
    assert caption_for(without, "prompt", "", None) == ""
    assert caption_for(with_prompt, "none", "mine", None) == ""


def test_long_prompts_are_cut_between_words() -> None:
    kept = caption_for(Picture(photograph(), caption="größe " * 900), "auto", "", None)
    assert MOST_BYTES - 12 < len(kept.encode()) <= MOST_BYTES
    assert set(kept.split()) == {"größe"}


@pytest.mark.parametrize("caption", [" " * 3000, "\n" * 2001, " " + "x" * 3000, "山" * 5000], ids=len)
def test_long_prompts_without_a_place_to_cut_are_cut_too(caption: str) -> None:
    kept = caption_for(Picture(photograph(), caption=caption), "auto", "", None)
    assert len(kept.encode()) <= MOST_BYTES
    assert kept in caption


def test_missing_libraries_and_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(MissingBackendError, match="nowhere"):
        Layered(decoder="sketch", caption="blip", caption_model=f"{tmp_path}/nowhere")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingBackendError, match="pip install torch transformers"):
        Layered(decoder="sketch", caption="blip")
    monkeypatch.setitem(sys.modules, "controlnet_aux", None)
    for structure in ("pidinet", "hed", "openpose"):
        with pytest.raises(MissingBackendError, match="pip install controlnet_aux"):
            Layered(decoder="sketch", structure=structure)


def test_a_captioner_of_the_blip_family_runs_from_a_folder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With random weights its words mean nothing, but they are the same ones each time."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    tiny = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", *(f"word{index}" for index in range(40))]
    special = {"bos_token_id": 5, "pad_token_id": 0, "eos_token_id": 3, "sep_token_id": 3}
    language = {**tiny, **special, "vocab_size": len(words), "encoder_hidden_size": 16, "projection_dim": 16}
    config = transformers.BlipConfig(
        text_config=language, vision_config={**tiny, "image_size": 32, "patch_size": 16}
    )
    torch.manual_seed(1)
    transformers.BlipForConditionalGeneration(config).save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    images = transformers.BlipImageProcessor(size={"height": 32, "width": 32})
    tokens = transformers.BertTokenizerFast(vocab_file=str(tmp_path / "vocab.txt"))
    transformers.BlipProcessor(images, tokens).save_pretrained(tmp_path)
    capfd.readouterr()
    codec = Layered(decoder="sketch", caption="blip", caption_model=str(tmp_path))
    said = inspect(codec.encode(Picture(photograph()), 1)).caption
    assert capfd.readouterr() == ("", "")
    assert said == inspect(codec.encode(Picture(photograph()), 1)).caption
    assert said is not None
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CodecError, match="does not load"):
        Layered(decoder="sketch", caption="blip", caption_model=str(tmp_path))


def test_learned_edges_run_from_a_folder(tmp_path: Path) -> None:
    package = pytest.importorskip("controlnet_aux", reason="by design: no extra installs controlnet_aux")
    torch = pytest.importorskip("torch")
    network = package.hed.ControlNetHED_Apache2()
    torch.save(network.state_dict(), tmp_path / "ControlNetHED.pth")
    detected = LearnedDetector("hed", str(tmp_path)).edges(photograph(), 28, 40)
    assert detected.shape == (28, 40)
    assert detected.dtype == np.bool_

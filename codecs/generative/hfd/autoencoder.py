"""HFD's first stage: the learned codec of the stream, and the qualities that a decoder was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ...base import CodecError
from ...bitstream import Header, Kind, seal, unseal

if TYPE_CHECKING:
    from ...base import CodecInfo, Image, Picture
    from ...pretrained import Weights


class LearnedCodec(Protocol):
    """What `Hyperprior` and `Zoo` have in common."""

    info: CodecInfo

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the sealed stream of a picture."""
        ...

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:
        """Return the pixels."""
        ...

    def quality_of(self, payload: bytes) -> float:
        """Return the quality that a stream's payload was encoded at."""
        ...

    def weights_id(self, quality: float) -> bytes:
        """Return the id of the weights that a quality's streams name."""
        ...


KINDS = {"hyperprior": Kind.HYPERPRIOR, "zoo": Kind.ZOO}


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """A learned codec, and the qualities at which a decoder knows its pictures."""

    name: str
    codec: LearnedCodec
    qualities: tuple[float, ...]
    """From worst to best; the decoder's rates."""

    @classmethod
    def of_decoder(cls, name: str, codec: LearnedCodec, decoder: Weights) -> Autoencoder:
        """Return the autoencoder with the qualities that a decoder was trained on.

        Args:
            name: Of the autoencoder, as the decoder's metadata must have it.
            codec: The autoencoder with its weights.
            decoder: Its metadata hold the qualities and the fingerprint of the pictures it was trained on.

        Raises:
            CodecError: The decoder was trained on pictures of other weights.
        """
        check_name(name, decoder)
        said = decoder.metadata
        qualities = tuple(float(number) for number in said.get("qualities", "").split(",") if number)
        here = fingerprint(codec, qualities)
        if not qualities or said.get("autoencoder_weights") != here:
            raise CodecError(
                f"{decoder.path} was trained on pictures of the weights {said.get('autoencoder_weights')}; "
                f"this autoencoder has {here}. Train a decoder for it: python -m codecarena.codecs.training"
            )
        return cls(name, codec, qualities)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the payload of the autoencoder's stream.

        Raises:
            CodecError: The decoder does not know pictures of this quality.
        """
        if not self.qualities[0] <= quality <= self.qualities[-1]:
            raise CodecError(
                f"the decoder was trained on qualities {self.qualities[0]:g} to {self.qualities[-1]:g} "
                f"of the autoencoder, got {quality:g}"
            )
        _, payload = unseal(self.codec.encode(picture, quality), KINDS[self.name])
        return payload

    def decode(self, payload: bytes, width: int, height: int) -> tuple[Image, float]:
        """Return the coarse picture, and its rate: 0 for the first quality, with fractions between two.

        Args:
            payload: Latents as `encode` wrote them.
            width: Of the picture, pixels.
            height: Of the picture, pixels.
        """
        quality = self.codec.quality_of(payload)
        header = Header(KINDS[self.name], width, height, self.codec.weights_id(quality))
        return self.codec.decode(seal(header, payload)), self._rate(quality)

    def _rate(self, quality: float) -> float:
        if not self.qualities[0] <= quality <= self.qualities[-1]:
            raise CodecError(f"stream is damaged: its quality {quality:g} is none that the decoder knows")
        above = next(index for index, known_quality in enumerate(self.qualities) if known_quality >= quality)
        if above == 0:
            return 0.0
        low, high = self.qualities[above - 1], self.qualities[above]
        return above - (high - quality) / (high - low)


def check_name(name: str, decoder: Weights) -> None:
    """Raise `CodecError` unless a decoder was trained on pictures of an autoencoder, whatever its weights."""
    known = decoder.metadata.get("autoencoder")
    if known != name:
        raise CodecError(
            f"{decoder.path} was trained on pictures of the autoencoder {known!r}, not of {name!r}. "
            f"Train a decoder for it: python -m codecarena.codecs.training hfd --autoencoder {name}, "
            "and name its file in the parameter 'decoder'"
        )


def fingerprint(codec: LearnedCodec, qualities: tuple[float, ...]) -> str:
    """Return what identifies the weights that a codec has at some qualities."""
    ids = dict.fromkeys(codec.weights_id(quality).hex() for quality in qualities)
    return ",".join(ids)


def open_codec(
    name: str,
    weights: str = "",
    arch: str = "",
    qualities: str = "all",
    device: str = "cpu",
    dtype: str = "float32",
) -> LearnedCodec:
    """Return a learned codec: its load step.

    Args:
        name: ``hyperprior`` or ``zoo``.
        weights: A file of the user's own; empty for the embedded or published ones.
        arch: Of the zoo.
        qualities: Of the zoo: those to load.
        device: Of the transforms.
        dtype: Of the transforms.

    Raises:
        CodecError: There is no such autoencoder, or its weights are not there.
    """
    if name == "hyperprior":
        from ...learned.hyperprior import Hyperprior

        return Hyperprior(weights, device, dtype)
    if name == "zoo":
        from ...learned.zoo import Zoo

        return Zoo(arch or "mbt2018-mean", "mse", weights or None, qualities, device, dtype)
    raise CodecError(f"parameter 'autoencoder' must be one of {', '.join(KINDS)}, got {name!r}")

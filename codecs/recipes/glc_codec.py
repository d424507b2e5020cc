"""GLC as a pair of programs: the repository's network, and a range coder of ours for its symbols.

Interface as read in jzyustc/GLC, src/models/image_model.py and common_model.py at 2700453e: `GLC_Image` and
its `forward_four_part_prior`, which calls `process_with_mask` four times. The repository only estimates its
rate and writes no bitstream. Here `process_with_mask` is replaced: the encoder's collects the integers and
the scales of their Gaussians, the decoder's reads the same integers back, pass by pass. The networks of
scales and means run in double precision: from float32, only processors of the encoder's kind would decode.
"""

from __future__ import annotations

import bisect
import importlib
import math
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import codec_checkout as checkout

MULTIPLE = 64
"""The repository pads both sides to a multiple of this; hyper-latents are that much smaller."""
LATENT = 16
"""How much smaller the latents are."""
INDEX_BITS = 14
"""Of a codebook of 16,384."""
TOTAL = 1 << 16
"""Sum of the frequencies of one distribution."""
ESCAPE_BITS = 16
PRIOR = (
    "hyper_dec",
    "y_prior_fusion",
    "y_spatial_prior_reduction",
    "y_spatial_prior_adaptor_1",
    "y_spatial_prior_adaptor_2",
    "y_spatial_prior_adaptor_3",
    "y_spatial_prior",
)
"""Networks whose numbers choose a Gaussian or its mean."""


def distributions() -> tuple[list[float], list[list[int]], list[int]]:
    """Return the scales of 64 Gaussians, each one's cumulative frequencies, and each one's reach.

    The integers from minus to plus the reach have a frequency each, and the last one is the escape's.
    """
    scales = [0.11 * (256 / 0.11) ** (step / 63) for step in range(64)]
    reaches = [math.ceil(5 * scale) for scale in scales]
    cumulative: list[list[int]] = []
    for place, scale in enumerate(scales):
        reach = reaches[place]
        ends = [math.erf((value - 0.5) / scale / math.sqrt(2)) / 2 for value in range(-reach, reach + 2)]
        spare = TOTAL - 2 * reach - 2
        widths = [1 + int(spare * (after - before)) for before, after in pairs(ends)] + [1]
        widths[reach] += TOTAL - sum(widths)
        cumulative.append([0, *accumulate(widths)])
    return scales, cumulative, reaches


def pairs(values: list[float]) -> list[tuple[float, float]]:
    """Return neighbours."""
    return [(values[place], values[place + 1]) for place in range(len(values) - 1)]


SCALES, CUMULATIVE, REACHES = distributions()
BETWEEN = [math.sqrt(low * high) for low, high in pairs(SCALES)]


def write(intervals: list[tuple[int, int]]) -> bytes:
    """Return the intervals as rANS (Duda 2009): 32 bits of state, 16-bit words."""
    state, words = TOTAL, []
    for start, width in reversed(intervals):
        while state >= width << 16:
            words.append(state & 0xFFFF)
            state >>= 16
        state = ((state // width) << 16) + state % width + start
    words += [state & 0xFFFF, state >> 16]
    return b"".join(word.to_bytes(2, "big") for word in reversed(words))


class Reader:
    """Takes back what `write` wrote."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._position = 4
        self._state = int.from_bytes(stream[:4], "big")

    def _advance(self, start: int, width: int) -> None:
        self._state = width * (self._state >> 16) + (self._state & 0xFFFF) - start
        while self._state < TOTAL:
            word = self._stream[self._position : self._position + 2]
            if len(word) < 2:
                sys.exit("the stream is cut short or damaged")
            self._state = self._state << 16 | int.from_bytes(word, "big")
            self._position += 2

    def bits(self, count: int) -> int:
        """Return the next number of that many bits, at most 16."""
        value = (self._state & 0xFFFF) >> (16 - count)
        self._advance(value << (16 - count), 1 << (16 - count))
        return value

    def integer(self, which: int) -> int:
        """Return the next integer of a Gaussian."""
        cumulative, reach = CUMULATIVE[which], REACHES[which]
        place = bisect.bisect_right(cumulative, self._state & 0xFFFF) - 1
        self._advance(cumulative[place], cumulative[place + 1] - cumulative[place])
        return place - reach if place <= 2 * reach else self.bits(ESCAPE_BITS) - (1 << ESCAPE_BITS - 1)

    def check_end(self) -> None:
        """End the program unless the stream ends here, in the state that `write` began with."""
        if self._state != TOTAL or self._position != len(self._stream):
            sys.exit("the stream is damaged, or was written where the network computes other numbers")


def bits(value: int, count: int) -> tuple[int, int]:
    """Return the interval of a number of that many bits."""
    return value << (16 - count), 1 << (16 - count)


def integer(value: int, which: int) -> list[tuple[int, int]]:
    """Return the interval of an integer, or the escape's and the integer's own."""
    cumulative, reach = CUMULATIVE[which], REACHES[which]
    place = value + reach if abs(value) <= reach else 2 * reach + 1
    interval = (cumulative[place], cumulative[place + 1] - cumulative[place])
    if abs(value) <= reach:
        return [interval]
    return [interval, bits(value + (1 << ESCAPE_BITS - 1), ESCAPE_BITS)]


def load() -> tuple[Any, Any, Any]:
    """Return torch, the repository's image tools and its network."""
    torch = importlib.import_module("torch")
    tools = importlib.import_module("src.utils.test_utils")
    tools.init_func()
    torch.backends.cudnn.deterministic = True
    model = importlib.import_module("src.models.image_model").GLC_Image(inplace=True)
    model.load_state_dict(tools.get_state_dict(checkout.weight("GLC_image")), strict=True)
    for name in PRIOR:
        getattr(model, name).double()
    return torch, tools, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def which(scales: Any) -> list[int]:
    """Return the place of the Gaussian for each scale."""
    return [bisect.bisect_left(BETWEEN, scale) for scale in scales.tolist()]


def latents(model: Any, y: Any, indices: Any, shape: tuple[int, int]) -> Any:
    """Return the quantised latents, float32, coding or decoding them by `process_with_mask` on the way.

    Args:
        model: The authors' network.
        y: Latents to code, (1, channels, rows, columns); only their shape counts in a decoder.
        indices: Of the codebook, one a hyper-latent; they give the prior.
        shape: Rows and columns of the hyper-latents, a `MULTIPLE`th of the padded picture's.
    """
    z = model.z_vq.get_quan_feat(indices, (1, *shape, y.shape[1]))
    prior = model.y_prior_fusion(model.hyper_dec(z.double()))
    adaptors = (
        model.y_spatial_prior_adaptor_1,
        model.y_spatial_prior_adaptor_2,
        model.y_spatial_prior_adaptor_3,
    )
    decoded = model.forward_four_part_prior(
        y.double(),
        prior,
        *adaptors,
        model.y_spatial_prior,
        y_spatial_prior_reduction=model.y_spatial_prior_reduction,
    )[2]
    return decoded.float()


def encode(picture: Path, stream: Path, quality: int) -> None:
    """Write size and quality, the codebook's indices, and the integers of the four passes.

    Args:
        picture: A PNG, 8-bit RGB.
        stream: The file to write.
        quality: A rung of the recipe's ladder.
    """
    torch, tools, model = load()
    device = next(model.parameters()).device
    image = importlib.import_module("PIL.Image").open(picture).convert("RGB")
    width, height = image.size
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(1, height, width, 3)
    x = tools.from_0_1_to_minus1_1(pixels.permute(0, 3, 1, 2).float() / 255.0).to(device)
    x = torch.nn.functional.pad(x, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
    collected: list[tuple[int, int]] = []
    original = model.process_with_mask

    def collect(y: Any, scales: Any, means: Any, mask: Any) -> Any:
        processed = original(y, scales, means, mask)
        chosen = mask.bool().expand_as(scales)
        values = processed[1][chosen].round().int().tolist()
        for place, gaussian in enumerate(which(scales[chosen])):
            collected.extend(integer(values[place], gaussian))
        return processed

    model.process_with_mask = collect
    with torch.no_grad():
        y = model.enc(model.vqgan.encoder(x), model.q_enc[quality : quality + 1])
        indices = model.z_vq.get_indices(model.hyper_enc(y))
        collected.extend(bits(index, INDEX_BITS) for index in indices.flatten().tolist())
        latents(model, y, indices, (x.shape[2] // MULTIPLE, x.shape[3] // MULTIPLE))
    stream.write_bytes(checkout.framed(height, width, quality, write(collected)))


def decode(stream: Path, picture: Path, seed: int) -> None:  # noqa: ARG001 - nothing is drawn
    """Write the reconstruction.

    Args:
        stream: A file that `encode` wrote.
        picture: The PNG to write.
        seed: Changes nothing.
    """
    height, width, quality, payload = checkout.unframed(stream.read_bytes())
    torch, tools, model = load()
    device = next(model.parameters()).device
    reader = Reader(payload)
    rows, columns = -(-height // MULTIPLE), -(-width // MULTIPLE)

    def read(y: Any, scales: Any, means: Any, mask: Any) -> Any:
        chosen = mask.bool().expand_as(scales)
        integers = torch.zeros_like(y)
        values = [reader.integer(gaussian) for gaussian in which(scales[chosen])]
        integers[chosen] = torch.tensor(values, dtype=y.dtype, device=device)
        return integers, integers, integers + means * mask, scales * mask

    model.process_with_mask = read
    with torch.no_grad():
        indices = torch.tensor([[reader.bits(INDEX_BITS)] for _ in range(rows * columns)], device=device)
        side = MULTIPLE // LATENT
        y = torch.zeros(1, model.q_dec.shape[1], rows * side, columns * side, device=device)
        y_hat = latents(model, y, indices, (rows, columns))
        reader.check_end()
        pixels = model.vqgan.generator(model.dec(y_hat, model.q_dec[quality : quality + 1])).clamp(-1, 1)
    tools.write_image(str(picture), pixels[:, :, :height, :width])


if __name__ == "__main__":
    checkout.run(encode, decode)

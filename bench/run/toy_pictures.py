"""Sample pictures of codecarena's toy generator, the latent flow that two of its codecs hold."""

from __future__ import annotations

import importlib.util
from functools import cache, cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...codecs.generative.autoencoder import LatentAutoencoder
    from ...codecs.generative.latent_flow import Conditions, LatentFlow
    from ...datasets.manifest import Sampling

STEPS = 16
GUIDANCE = 1.5
_LABELS_EVERY = 4
"""Pixels of the picture to a cell of the seeded layout."""
_COLOURS_EVERY = 16


class ToySampler:
    """The embedded latent flow, loaded when the first picture is asked for.

    Its pictures come out of the very weights that the embedded `latent` and `layered` codecs decode with. It
    paints from noise under a layout drawn from the seed, because without one it paints fog.
    """

    method = f"layout 1, {STEPS} steps, guidance {GUIDANCE}"

    @property
    def generator(self) -> str:
        """Name with the weights in it, as those codecs give it."""
        from ...codecs.generative.toy import generator_name

        return generator_name()

    def sample(self, caption: str | None, how: Sampling) -> NDArray[np.uint8]:
        """Return a picture, (height, width, 3), sRGB; the same each time on one build of torch."""
        import torch

        from ...codecs.planes import to_pixels

        autoencoder, flow = self._networks
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # sums in another order would be other pixels
        try:
            with torch.no_grad():
                drawn = torch.Generator("cpu").manual_seed(how.seed)
                noise = torch.randn(1, 4, how.height // 8, how.width // 8, generator=drawn)
                conditions = _conditions(caption, how, noise)
                latents = flow.sample(noise, conditions, STEPS, guidance=GUIDANCE)
                return to_pixels(autoencoder.decode(latents)[0], -1)
        finally:
            torch.set_num_threads(threads)

    @cached_property
    def _networks(self) -> tuple[LatentAutoencoder, LatentFlow]:
        from ...codecs.generative.latent.embedded import load_networks

        autoencoder, flow, _ = load_networks()
        return autoencoder, flow


@cache
def sampler() -> ToySampler | None:
    """Return the one sampler of this process; None where its libraries are not installed."""
    absent = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
    return None if absent else ToySampler()


def layout(how: Sampling) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what a picture is painted from: colours (rows, columns, 3), 0 to 1, and edges (2 x), 0 or 1.

    A sky, a ground behind a ragged horizon, and some ellipses, all of seeded place and colour.
    """
    import numpy as np

    rng = np.random.default_rng(how.seed)
    height, width = how.height // _LABELS_EVERY, how.width // _LABELS_EVERY
    down, across = np.mgrid[:height, :width] / max(height, width)
    ragged = np.cumsum(rng.normal(0, 0.012, width))
    labels = (down > height / max(height, width) * rng.uniform(0.3, 0.7) + ragged).astype(np.int64)
    for count in range(int(rng.integers(2, 7))):
        centre, radius = rng.uniform(0.1, 0.9, 2), rng.uniform(0.05, 0.25, 2)
        inside = ((down - centre[0]) / radius[0]) ** 2 + ((across - centre[1]) / radius[1]) ** 2 < 1
        labels[inside] = count + 2
    palette = rng.uniform(0.1, 0.9, (8, 3)) * 0.6 + rng.uniform(0.1, 0.9, (8, 1)) * 0.4
    light = 0.75 + 0.4 * rng.uniform(-1, 1) * (down - 0.5) + 0.4 * rng.uniform(-1, 1) * (across - 0.5)
    colours = palette[labels] * light[..., None] + rng.normal(0, 0.02, (height, width, 3))
    side = _COLOURS_EVERY // _LABELS_EVERY
    coarse = colours.reshape(height // side, side, width // side, side, 3).mean((1, 3))
    edges = np.zeros((height, width), np.float32)
    edges[1:] = labels[1:] != labels[:-1]
    edges[:, 1:] = np.maximum(edges[:, 1:], labels[:, 1:] != labels[:, :-1])
    return coarse.clip(0, 1).astype(np.float32), edges


def _conditions(caption: str | None, how: Sampling, like: object) -> Conditions:
    import torch

    from ...codecs.generative.latent_flow import Conditions, text_counts

    assert isinstance(like, torch.Tensor)
    colours, edges = (torch.from_numpy(array) for array in layout(how))
    return Conditions.of(
        colours.permute(2, 0, 1)[None] * 2 - 1, edges[None, None], text_counts(caption), like
    )

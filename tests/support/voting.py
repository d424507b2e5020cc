"""Votes of small studies: given one by one, or drawn where z and k are better than m and a."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from codecarena.studies.scale.votes import VoteRecord, Votes, from_records


def votes_of(*rows: tuple[str, str, str, int]) -> Votes:
    """Return votes of rater, picture, sides and outcome."""
    return from_records(
        VoteRecord(rater, picture, *sides, outcome) for rater, picture, sides, outcome in rows
    )


def random_votes(raters: int = 6, pictures: int = 4, names: str = "mzak", seed: int = 0) -> Votes:
    """Return a vote of each rater on each pair of each picture; z and k are better than m and a."""
    random = np.random.default_rng(seed)
    worth = dict(zip("mzak", (-0.4, 0.9, -1.0, 0.5), strict=True))
    rows: list[tuple[str, str, str, int]] = []
    for rater in range(raters):
        for picture in range(pictures):
            for first, second in permutations(names, 2):
                if random.random() < 0.5:
                    won = random.random() < 1 / (1 + np.exp(worth[second] - worth[first]))
                    rows.append((f"r{rater}", f"p{picture}", first + second, 1 if won else -1))
    return votes_of(*rows)

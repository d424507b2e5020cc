"""Check which conditions the votes link, and whether the likelihood has a maximum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from .models import FloatArray, Model
from .pair_counts import FIRST, SECOND, TIE, IntArray, PairCounts

_MARGIN = 1e-7
"""What a linear programme's optimum must exceed to count as above zero; its rows add up to 1 or more."""


def components(pairs: PairCounts) -> IntArray:
    """Return the component of every condition, shape (conditions,), numbered by size, the largest 0.

    Two conditions are linked when votes compared them; only within a component is there one scale.
    """
    used = pairs.counts.sum(0) > 0
    _, label = connected_components(_graph(pairs, pairs.first[used], pairs.second[used]), directed=False)
    sizes = np.bincount(label)
    return np.argsort(np.argsort(-sizes, kind="stable"))[label].astype(np.int64)


def win_components(pairs: PairCounts, counts: FloatArray, ties: bool) -> int:
    """Return into how many sets the conditions fall within which chains of wins lead from each to each.

    Where it exceeds the number of components some set always won against the rest, and its distance has no
    maximum likelihood (Ford 1957). A tie counts both ways.

    Args:
        pairs: The pairs.
        counts: Shape (3, pairs).
        ties: Whether 'no preference' is an outcome of the model.
    """
    tied = counts[TIE] > 0 if ties else np.zeros(counts.shape[1], bool)
    down, up = (counts[FIRST] > 0) | tied, (counts[SECOND] > 0) | tied
    tails = np.concatenate([pairs.first[down], pairs.second[up]])
    heads = np.concatenate([pairs.second[down], pairs.first[up]])
    return int(connected_components(_graph(pairs, tails, heads), connection="strong")[0])


def _graph(pairs: PairCounts, tails: IntArray, heads: IntArray) -> sparse.csr_matrix:
    size = len(pairs.conditions)
    return sparse.csr_matrix((np.ones(len(tails)), (tails, heads)), (size, size))


def order_is_confounded(pairs: PairCounts) -> bool:
    """Return whether an order effect looks exactly like distances between the conditions.

    So it is where no chain of pairs leads back to its start with unequal turns to either side: each pair
    always shown the same way round, for one.
    """
    used = pairs.counts.sum(0) > 0
    design = pairs.signs[:, used].T.toarray()
    side = pairs.side[used]
    fitted = design @ np.linalg.lstsq(design, side, rcond=None)[0]
    return bool(np.abs(side - fitted).max(initial=0.0) < 1e-8)


def is_separated(pairs: PairCounts, model: Model, order: bool) -> bool:
    """Return whether the likelihood rises for ever in some direction, so that it has no maximum.

    A linear programme looks for a direction along which no vote becomes less likely and some become more
    so (Albert and Anderson 1984, for models with ties the same with the tie parameter as one more
    coordinate). Equals strong connection of wins where there is neither an order effect nor a tie.

    Args:
        pairs: The counts.
        model: Which answers there are.
        order: Whether an order effect is fitted, too.
    """
    if _is_held(pairs, model, order):
        return False
    rows = _directions(pairs, model, order)
    height = len(rows.indptr) - 1
    if not height:
        return True
    optimum = linprog(-np.asarray(rows.sum(0)).ravel(), A_ub=-rows, b_ub=np.zeros(height), bounds=(-1.0, 1.0))
    return bool(optimum.status != 0 or -optimum.fun > _MARGIN)


def _is_held(pairs: PairCounts, model: Model, order: bool) -> bool:
    """Return whether pairs with votes both ways hold every parameter, so that no programme need look.

    Along a direction that makes no vote less likely the difference of such a pair stands still. In a model
    with ties it does where votes of one pair went both ways and some pair was tied, since the tie parameter
    then stands still as well; so do the differences of tied pairs.
    """
    held = (pairs.counts[FIRST] > 0) & (pairs.counts[SECOND] > 0)
    if model.ties:
        tied = pairs.counts[TIE] > 0
        if not (held.any() and tied.any()):
            return False
        held |= tied
    holding = pairs.with_counts(pairs.counts * held)
    linked = components(holding).max() == components(pairs).max()
    return bool(linked and not (order and order_is_confounded(holding)))


def _directions(pairs: PairCounts, model: Model, order: bool) -> sparse.csr_matrix:
    """Return one row for every outcome that was seen: the direction must not fall below 0 on any."""
    size = len(pairs.conditions)
    width = size + int(order) + int(model.ties)
    difference = sparse.vstack([pairs.signs, pairs.side[None]]) if order else pairs.signs
    difference = sparse.csr_matrix(sparse.csr_matrix(difference).T)
    won, tied, lost = (pairs.counts[outcome] > 0 for outcome in (FIRST, TIE, SECOND))
    if not model.ties:
        return sparse.csr_matrix(sparse.vstack([difference[won], -difference[lost]]))
    # A win stays likely where the difference grows at least as fast as the threshold, and a tie where it
    # grows at most as fast; Davidson's log nu is half a threshold and, growing with a tie, never falls.
    blocks = [
        _beside(difference[won], -1.0),
        _beside(-difference[lost], -1.0),
        _beside(difference[tied], 1.0),
        _beside(-difference[tied], 1.0),
        _beside(difference[won], 0.0),
        _beside(-difference[lost], 0.0),
    ]
    return sparse.csr_matrix(sparse.vstack(blocks)).reshape((-1, width))


def _beside(rows: sparse.csr_matrix, value: float) -> sparse.csr_matrix:
    return sparse.csr_matrix(sparse.hstack([rows, np.full((len(rows.indptr) - 1, 1), value)]))


def linked_pictures(
    picture: IntArray, first: IntArray, second: IntArray, wanted: NDArray[np.bool_]
) -> list[int]:
    """Return the pictures whose own votes do not link all of their wanted conditions.

    Args:
        picture: Shape (votes,).
        first: Shape (votes,): condition.
        second: Shape (votes,).
        wanted: Shape (pictures, conditions): what must be linked; other conditions may serve as links.
    """
    size = wanted.shape[1]
    broken: list[int] = []
    for index, needed in enumerate(wanted):
        mine = picture == index
        graph = sparse.csr_matrix((np.ones(mine.sum()), (first[mine], second[mine])), (size, size))
        _, label = connected_components(graph, directed=False)
        if len(np.unique(label[needed])) > 1:
            broken.append(index)
    return broken

"""Scores and predictions of (user, item) pairs.

    score(u, i) = p_u · q_i + b_i                      what rankings sort by
    prediction(u, i) = mean + b_u + score(u, i)        on the rating scale

Terms that a model does not have are left out.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant import retrieval
from alternant.errors import DataError
from alternant.model.choosing import ChosenRows, choose
from alternant.model.folding import FoldedIn

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

UnknownInPairs = Literal["error", "fallback", "nan"]

_PAIRS_AT_ONCE = 1 << 19
"""Bounds what is in memory beside the ids and the answer."""


def score(model: "Snapshot", users: Any, items: Any, *, n_threads: int | None) -> NDArray[np.float32] | float:
    """Score pairs; see :meth:`FactorModel.score`."""
    u, i = choose(model, "users", users), choose(model, "items", items)
    u_index, i_index = paired(u, i, users)
    return _result(_scores(model, u, u_index, i_index, n_threads), u, i)


def predict(
    model: "Snapshot",
    users: Any,
    items: Any,
    *,
    unknown: str,
    clip: bool,
    n_threads: int | None,
) -> NDArray[np.float32] | float:
    """Predict pairs; see :meth:`FactorModel.predict`."""
    if unknown not in ("error", "fallback", "nan"):
        raise DataError(f'unknown must be "error", "fallback" or "nan", got {unknown!r}')
    mark = unknown != "error"
    u, i = choose(model, "users", users, mark_unknown=mark), choose(model, "items", items, mark_unknown=mark)
    u_index, i_index = paired(u, i, users)
    values = predictions(model, u, u_index, i_index, n_threads=n_threads)
    if unknown == "nan":
        values[(u_index < 0) | (i_index < 0)] = np.nan
    return _result(clipped(model, values) if clip else values, u, i)


def predictions(
    model: "Snapshot",
    u: ChosenRows,
    u_index: NDArray[np.int32],
    i_index: NDArray[np.int32],
    *,
    n_threads: int | None,
) -> NDArray[np.float32]:
    """Return mean + b_u + b_i + p·q, float32, shape (n_pairs,), less the terms of what is unknown (-1)."""
    values = np.empty(len(u_index), np.float32)
    for begin in range(0, len(values), _PAIRS_AT_ONCE):
        part = slice(begin, begin + _PAIRS_AT_ONCE)
        values[part] = _predicted(model, u, u_index[part], i_index[part], n_threads)
    return values


def _predicted(
    model: "Snapshot",
    u: ChosenRows,
    u_index: NDArray[np.int32],
    i_index: NDArray[np.int32],
    n_threads: int | None,
) -> NDArray[np.float64]:
    known = (u_index >= 0) & (i_index >= 0)
    if known.all():
        values = _scores(model, u, u_index, i_index, n_threads).astype(np.float64)
        # The sums below, to the same bits: (mean + bias) + score.
        values += (
            model.mean if model.item_biases is None else u.table[u_index, -1].astype(np.float64) + model.mean
        )
        return values
    values = np.full(len(u_index), model.mean, np.float64)
    if model.item_biases is not None:
        only_item, has_user = (i_index >= 0) & ~known, u_index >= 0
        values[only_item] += model.item_biases[i_index[only_item]]
        values[has_user] += u.table[u_index[has_user], -1]
    values[known] += _scores(model, u, u_index[known], i_index[known], n_threads)
    return values


def clipped(model: "Snapshot", values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values within the range of the training values; NaN stays."""
    if model.value_range is None:
        raise DataError("clip=True needs the range of the training values, and this model holds none")
    return np.clip(values, np.float32(model.value_range[0]), np.float32(model.value_range[1]))


def _scores(
    model: "Snapshot",
    u: ChosenRows,
    u_index: NDArray[np.int32],
    i_index: NDArray[np.int32],
    n_threads: int | None,
) -> NDArray[np.float32]:
    last: retrieval.LastColumn = "stored" if model.item_biases is None else "one"
    return retrieval.pair_scores(
        u.table, model.item_table, u_index, i_index, left_last=last, n_threads=n_threads
    )


def paired(u: ChosenRows, i: ChosenRows, users: Any) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return both indices at one length: a single id or folded-in user goes with all of the others."""
    if len(u) == len(i):
        return u.index, i.index
    if u.is_scalar or (isinstance(users, FoldedIn) and len(u) == 1):
        return np.repeat(u.index, len(i)), i.index
    if i.is_scalar:
        return u.index, np.repeat(i.index, len(u))
    raise DataError(
        "users and items must have the same length or one of them be a single id, "
        f"got {len(u)} and {len(i)}; for all pairs use model.complete"
    )


def _result(values: NDArray[np.float32], u: ChosenRows, i: ChosenRows) -> NDArray[np.float32] | float:
    return float(values[0]) if u.is_scalar and i.is_scalar else values

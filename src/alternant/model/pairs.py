"""Scores and predictions of (user, item) pairs.

    score(u, i) = p_u · q_i + b_i                      what rankings sort by
    prediction(u, i) = mean + b_u + score(u, i)        on the rating scale,
                       + d_(u, day) where a time is given, of a day that the user has entries on

Terms that a model does not have are left out. Where the values were transformed before the fit (by log or
normalize), predictions are transformed back; scores are not.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant import retrieval
from alternant.days import day_of
from alternant.errors import DataError
from alternant.interactions import unix_seconds
from alternant.model.choosing import ChosenRows, choose
from alternant.model.folding import FoldedIn
from alternant.preparation import undone, user_means, value_steps

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
    times: Any,
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
    day_biases = None if times is None else _day_biases(u, u_index, times)
    values = predictions(model, u, u_index, i_index, day_biases=day_biases, n_threads=n_threads)
    if unknown == "nan":
        values[(u_index < 0) | (i_index < 0)] = np.nan
    return _result(clipped(model, values) if clip else values, u, i)


def predictions(
    model: "Snapshot",
    u: ChosenRows,
    u_index: NDArray[np.int32],
    i_index: NDArray[np.int32],
    *,
    day_biases: NDArray[np.float32] | None = None,
    n_threads: int | None,
) -> NDArray[np.float32]:
    """Return mean + b_u + b_i + p·q, less the terms of what is unknown (-1), on the scale of the raw values:
    float32, shape (n_pairs,).

    `day_biases`, float32 of shape (n_pairs,), are added before transforms are undone.
    """
    values = np.empty(len(u_index), np.float32)
    for begin in range(0, len(values), _PAIRS_AT_ONCE):
        part = slice(begin, begin + _PAIRS_AT_ONCE)
        of_days = None if day_biases is None else day_biases[part]
        found = _predicted(model, u, u_index[part], i_index[part], of_days, n_threads)
        values[part] = raw_values(model, u, u_index[part], found)
    return values


def _predicted(
    model: "Snapshot",
    u: ChosenRows,
    u_index: NDArray[np.int32],
    i_index: NDArray[np.int32],
    day_biases: NDArray[np.float32] | None,
    n_threads: int | None,
) -> NDArray[np.float64]:
    known = (u_index >= 0) & (i_index >= 0)
    if known.all():
        scores = _scores(model, u, u_index, i_index, n_threads)
        # The sums below, to the same bits: (mean + biases) + score.
        if model.item_biases is None and day_biases is None:
            return scores + np.float64(model.mean)
        rest = np.full(len(scores), model.mean, np.float64)
        if model.item_biases is not None:
            rest += u.table[u_index, -1]
        if day_biases is not None:
            rest += day_biases
        return rest + scores
    values = np.full(len(u_index), model.mean, np.float64)
    if model.item_biases is not None:
        only_item, has_user = (i_index >= 0) & ~known, u_index >= 0
        values[only_item] += model.item_biases[i_index[only_item]]
        values[has_user] += u.table[u_index[has_user], -1]
    if day_biases is not None:
        values += day_biases
    values[known] += _scores(model, u, u_index[known], i_index[known], n_threads)
    return values


def raw_values(
    model: "Snapshot", u: ChosenRows, u_index: NDArray[np.int32], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Undo transforms of values, where they can be undone: float64, shape (n_pairs,).

    An unknown user's values are undone as those of a user of average mean.
    """
    fitted = model.preparation
    if fitted is None or not value_steps(fitted.preparation):
        return values
    if u.is_stored:
        stored = fitted.user_constants
        means = {name.removesuffix("_mean"): each for name, each in stored.items() if name.endswith("_mean")}
    elif u.entries is not None:
        means = user_means(fitted.preparation, u.entries)
    else:
        means = {}
    has_entries = model.user_counts > 0
    of_pairs = {}
    for name, each in means.items():
        usual = float(fitted.user_constants[f"{name}_mean"][has_entries].mean()) if has_entries.any() else 1.0
        known = (u_index >= 0) & (u.counts[u_index] > 0) if len(u.counts) else np.zeros(len(u_index), bool)
        of_pairs[name] = np.where(known, each[u_index] if len(each) else 1.0, usual)
    return undone(fitted.preparation, values, of_pairs)


def _day_biases(u: ChosenRows, u_index: NDArray[np.int32], times: Any) -> NDArray[np.float32]:
    """Return the bias of each pair's day, 0 where it is unknown: float32, shape (n_pairs,)."""
    if u.day_biases is None:
        raise DataError(
            "times are for models with biases of days, and this one has none; leave them out, or fit with "
            'day_bias_regularization="auto"'
        )
    seconds = unix_seconds(times)
    if len(seconds) == 1:
        seconds = np.repeat(seconds, len(u_index))
    if len(seconds) != len(u_index):
        raise DataError(
            f"times must be one time, or one for each of {len(u_index)} pairs, got {len(seconds)}"
        )
    return u.day_biases.at(u_index, day_of(seconds))


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

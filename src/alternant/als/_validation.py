"""How good a model is on held-out entries while it is being fitted: one number by the name of its metric."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alternant import retrieval
from alternant._words import counted
from alternant.als._heldout import HeldOut, Relevant, held_out
from alternant.days import day_of
from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.metrics import RANKING_METRICS, mae, ranking_metrics, rmse
from alternant.model import FactorModel
from alternant.model.choosing import choose, listable
from alternant.model.pairs import clipped, predictions

logger = logging.getLogger("alternant.als")

Metric = str | Callable[[FactorModel, Interactions], float]

_ERRORS = {"rmse": rmse, "mae": mae}
_LISTS = tuple(name for name in RANKING_METRICS if name not in ("auc", "linear_ndcg", "exponential_ndcg"))
_RANKED = re.compile(rf"({'|'.join(_LISTS)})@([1-9][0-9]*)")


@dataclass(frozen=True, eq=False)
class Validator:
    """A metric on held-out entries.

    name : what it is called in messages
    larger_is_better : bool
    measure : from a model to its value
    """

    name: str
    larger_is_better: bool
    measure: Callable[[FactorModel], float]


def check_metric(metric: Metric, kind: Literal["explicit", "implicit"]) -> str:
    """Return the name of a metric; refuse what is none, and errors of ratings for models without."""
    if callable(metric):
        return getattr(metric, "__name__", type(metric).__name__)
    name = str(metric).lower()
    if name == "auto":
        return "rmse" if kind == "explicit" else "ndcg@20"
    if name in _ERRORS and kind == "implicit":
        raise DataError(
            f"{name} compares predictions with ratings, and scores of an implicit model are none; "
            'take a metric of lists, such as "ndcg@20"'
        )
    if name not in _ERRORS and _RANKED.fullmatch(name) is None:
        raise DataError(
            'validation_metric must be "auto", "rmse", "mae", a function of a model and interactions, or '
            f"{', '.join(_LISTS)} with the length of the list as in ndcg@20, got {metric!r}"
        )
    return name


def validator(
    validation: Interactions,
    metric: Metric,
    train: Interactions,
    *,
    kind: Literal["explicit", "implicit"],
    all_count: bool = False,
    n_threads: int,
) -> Validator:
    """Return what measures models that are fitted to `train` on entries of `validation`.

    Parameters
    ----------
    kind : of the model
    all_count : an entry of an implicit model is relevant whatever its value

    Raises
    ------
    DataError
        No such metric, no entries, no values where the metric needs them, or no entry of known ids.
    """
    name = check_metric(metric, kind)
    if not isinstance(validation, Interactions):
        raise DataError(f"validation must be Interactions, got {type(validation).__name__}")
    if validation.n_entries == 0:
        raise DataError("validation must not be empty: there is nothing to measure")
    if callable(metric):
        given = metric
        return Validator(name, True, lambda model: float(given(model, validation)))
    if name in _ERRORS and not validation.has_values:
        raise DataError(f"{name} needs values (ratings), and validation has none; name the value column")
    found = held_out(validation, train)
    if name in _ERRORS:
        error, values = _ERRORS[name], np.asarray(found.values)
        return Validator(name, False, lambda model: error(_predicted(model, found, n_threads), values))
    k = int(name.partition("@")[2])
    relevant = found.relevant(train.by_user, positive=kind == "implicit" and not all_count)
    if len(relevant.users) == 0:
        raise DataError(f"{name} needs a user with entries in interactions and in validation; there is none")
    if relevant.n_left_out:
        logger.info("%s without training entries left out", counted(relevant.n_left_out, "validation user"))
    return Validator(name, True, lambda model: _of_lists(name, k, model, relevant, n_threads))


def _predicted(model: FactorModel, found: HeldOut, n_threads: int) -> NDArray[np.float32]:
    """Predict held-out entries, within the range of the training values: float32, shape (n,)."""
    users = choose(model, "users", ())
    days = None
    if model.day_biases is not None and found.times is not None:
        days = model.day_biases.at(found.users, day_of(found.times))
    values = predictions(model, users, found.users, found.items, day_biases=days, n_threads=n_threads)
    return clipped(model, values)


def _of_lists(name: str, k: int, model: FactorModel, relevant: Relevant, n_threads: int) -> float:
    """Average a metric of users' lists of the best k items that they have not seen.

    Every item with training entries may be listed.
    """
    queries = model.user_table[relevant.users]
    if model.item_biases is not None:
        queries[:, -1] = 1
    seen = model.history.by_user  # type: ignore[union-attr]  # a model that is being fitted has it
    block = seen.block(0, seen.n_rows)
    packed = retrieval.pack(
        model.item_table,
        candidates=listable(model, "items", exclude=None, candidates=None, min_entries=1),
        n_queries=len(queries),
        n_threads=n_threads,
    )
    offsets, items, _ = retrieval.top_k(
        queries,
        packed,
        k,
        exclude_offsets=block.offsets,
        exclude_indices=block.indices,
        exclude_rows=relevant.users,
        n_threads=n_threads,
    )
    lists = ranking_metrics(
        offsets, items, relevant.offsets, relevant.items, metrics=name, n_items=model.n_items
    )
    return float(lists[name].mean())

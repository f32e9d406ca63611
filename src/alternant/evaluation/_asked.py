"""What is asked of models: the names of the measures, sorted by kind, and what is relevant."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.evaluation.baselines import Queries
from alternant.interactions import EntryRows
from alternant.metrics import CATALOGUE_METRICS, RANKING_METRICS, RATING_METRICS
from alternant.splitting import Split

_SMALLER_IS_BETTER = ("rmse", "mae")
_NEITHER = CATALOGUE_METRICS
_DEFAULT_LISTS = (
    "ndcg",
    "recall",
    "precision",
    "hit_rate",
    "average_precision",
    "reciprocal_rank",
    "coverage",
    "gini",
    "novelty",
)


def higher_is_better(metric: str) -> bool:
    """Return whether a larger value of a metric is the better one.

    Raises
    ------
    DataError : a metric of the catalogue, which is neither better nor worse, or an unknown name

    Examples
    --------
    >>> higher_is_better("ndcg@20"), higher_is_better("rmse")
    (True, False)
    """
    name = metric.partition("@")[0].removeprefix("sampled_")
    if name in _NEITHER:
        raise DataError(f"{metric} describes lists; a larger one is neither better nor worse")
    if name not in RANKING_METRICS and name not in RATING_METRICS:
        raise DataError(f"no metric {metric!r}")
    return name not in _SMALLER_IS_BETTER


@dataclass(frozen=True)
class Asked:
    """Names of measures of lists, of the catalogue and of ratings, and the longest list; None: all items."""

    lists: tuple[str, ...]
    catalogue: tuple[str, ...]
    ratings: tuple[str, ...]
    k: int | None

    @property
    def ranks(self) -> bool:
        """Whether lists are needed."""
        return bool(self.lists or self.catalogue)

    @property
    def primary(self) -> str:
        """The measure that models are compared by."""
        return next(iter(self.lists + self.ratings + self.catalogue))


def asked(metrics: str | Iterable[str] | None, k: int, *, implicit: bool) -> Asked:
    """Sort the names of measures; those of lists without a length get ``@k``, and None the usual ones.

    Raises
    ------
    DataError : an unknown name, or an error of ratings asked of an implicit model
    """
    k = _settings.integer("k", k, 1)
    if metrics is None:
        names: tuple[str, ...] = _DEFAULT_LISTS if implicit else RATING_METRICS
    else:
        names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    found: dict[str, list[str]] = {"lists": [], "catalogue": [], "ratings": []}
    for text in names:
        name = str(text).partition("@")[0]
        if name in RATING_METRICS:
            if implicit:
                raise DataError(
                    f"{name} compares predictions with ratings, and scores of an implicit model are none; "
                    "take a metric of lists, such as ndcg@20"
                )
            if text != name:
                raise DataError(f"{name} has no length of a list, got {text!r}")
            found["ratings"].append(name)
        elif name in RANKING_METRICS or name in CATALOGUE_METRICS:
            which = "lists" if name in RANKING_METRICS else "catalogue"
            found[which].append(text if "@" in text else f"{text}@{k}")
        else:
            known = ", ".join((*RANKING_METRICS, *CATALOGUE_METRICS, *RATING_METRICS))
            raise DataError(f"no metric {text!r}; expected one of {known}")
    if not any(found.values()):
        raise DataError("metrics must name at least one")
    lengths = [text.partition("@")[2] for text in found["lists"] + found["catalogue"]]
    for length in lengths:
        if not (length.isascii() and length.isdecimal() and int(length) > 0):
            raise DataError(f"a metric's list must have a positive length, as in ndcg@20, got {length!r}")
    return Asked(
        lists=tuple(dict.fromkeys(found["lists"])),
        catalogue=tuple(dict.fromkeys(found["catalogue"])),
        ratings=tuple(dict.fromkeys(found["ratings"])),
        k=max(map(int, lengths), default=None),
    )


@dataclass(frozen=True, eq=False)
class Relevant:
    """What users are to be shown.

    users : int32, shape (n,), positions of those for whom something is relevant, ascending
    offsets, items : ragged positions of the relevant items
    gains : float64, shape of `items`, their values (1 where there are none)
    """

    users: NDArray[np.int32]
    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    gains: NDArray[np.float64]


def relevant(split: Split, relevant_from: float | None, *, implicit: bool) -> Relevant:
    """Return the relevant entries of the test part: of values from `relevant_from` on.

    None: all; those with a value above 0 where the model is implicit, since others are dislikes.
    """
    entries = split.test.entries()
    values = entries.values
    keep = np.ones(len(entries.user_index), np.bool_)
    if relevant_from is not None:
        least = _settings.number("relevant_from", relevant_from, "a number or None", lambda _: True)
        if values is None:
            raise DataError("relevant_from needs values, and the test part has none")
        keep = values >= least
    elif implicit and values is not None:
        keep = values > 0
    users, counts = np.unique(entries.user_index[keep], return_counts=True)
    if len(users) == 0:
        raise DataError(
            "no entry of the test part is relevant: there is nothing to find; lower relevant_from, or take "
            "another split"
        )
    offsets = np.zeros(len(users) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    gains = np.ones(int(offsets[-1])) if values is None else np.maximum(values[keep].astype(np.float64), 0)
    return Relevant(users.astype(np.int32), offsets, entries.item_index[keep], gains)


def queries(split: Split, users: NDArray[np.int32]) -> Queries:
    """Return users with what is known of them: their history where they have one, else training entries."""
    rows, index = split.train.by_user, users
    if split.history is not None:
        held = split.history.by_user
        both = EntryRows(
            np.concatenate([rows.offsets, rows.offsets[-1] + held.offsets[1:]]),
            np.concatenate([rows.block(0, rows.n_rows).indices, held.block(0, held.n_rows).indices]),
            rows.n_columns,
        )
        rows, index = both, np.where(held.counts[users] > 0, users + rows.n_rows, users).astype(np.int32)
    else:
        rows = EntryRows(rows.offsets, rows.block(0, rows.n_rows).indices, rows.n_columns)
    return Queries(users, rows.chosen(index))

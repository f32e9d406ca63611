"""The names of measures, with the length of list that they look at: "ndcg@20"."""

from collections.abc import Iterable
from dataclasses import dataclass

from alternant import _settings
from alternant.errors import DataError

RANKING_METRICS = (
    "precision",
    "recall",
    "truncated_recall",
    "hit_rate",
    "ndcg",
    "linear_ndcg",
    "exponential_ndcg",
    "average_precision",
    "truncated_average_precision",
    "reciprocal_rank",
    "auc",
)
"""Measures of a user's list against what is relevant for the user; `ranking_metrics` defines them."""

CATALOGUE_METRICS = (
    "coverage",
    "gini",
    "novelty",
    "popularity",
    "popularity_lift",
    "intra_list_similarity",
)
"""Measures of all lists together, which ask what is listed, not whether it is relevant."""

RATING_METRICS = ("rmse", "mae", "r_squared")
"""Measures of predicted ratings."""


@dataclass(frozen=True)
class Measure:
    """One measure, and how many places of a list it looks at (None: all)."""

    name: str
    k: int | None

    def __str__(self) -> str:
        return self.name if self.k is None else f"{self.name}@{self.k}"


def measures(names: str | Iterable[str], allowed: tuple[str, ...]) -> tuple[Measure, ...]:
    """Read names like "ndcg@20"; refuse what is not among `allowed`.

    Examples
    --------
    >>> measures(["ndcg@20", "auc"], RANKING_METRICS)
    (Measure(name='ndcg', k=20), Measure(name='auc', k=None))
    """
    found = []
    for text in [names] if isinstance(names, str) else list(names):
        name, at, k = str(text).partition("@")
        if name not in allowed:
            raise DataError(
                f"no metric {text!r}; expected one of {', '.join(allowed)}, with the length of the list as "
                "in ndcg@20"
            )
        if at and not (k.isascii() and k.isdecimal() and int(k) > 0):
            raise DataError(f"a metric's list must have a positive length, as in ndcg@20, got {text!r}")
        found.append(Measure(name, _settings.integer("k", int(k), 1) if at else None))
    return tuple(dict.fromkeys(found))

"""What is minimised, in one library's words and in another's, and the value of that for anybody's factors.

Implicit: Σ_stored (1 + α v)(1 − x·y)² + Σ_others (x·y)² + λ (‖X‖² + ‖Y‖²) for ratings v, which implicit,
irspack, cmfrec, LensKit and alternant can all be asked for exactly (docs/reference/conversion.md); Spark
multiplies λ by a row's count.

Explicit: Σ (v − mean − b_u − b_i − x·y)² + Σ λ n (‖x‖² + b²) of both sides, which cmfrec and alternant can
be asked for; LensKit fits its biases beforehand and Spark has none, so that their value is that of another
sum.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alternant import Interactions
from alternant.ids import IdMap
from alternant.objective import ExplicitObjective, ImplicitObjective, Objective, Ridge
from alternant.preparation import Preparation
from benchmarks.made_data import Ratings

ALPHA = 10.0
IMPLICIT_RIDGE = 10.0
EXPLICIT_RIDGE = 0.05
START_SCALE = 0.1


@dataclass(frozen=True, eq=False)
class Factors:
    """What an engine found: float32 tables of shapes (n_users, k) and (n_items, k), and biases where it has
    them."""

    users: np.ndarray
    items: np.ndarray
    user_biases: np.ndarray | None = None
    item_biases: np.ndarray | None = None


def alternant_settings(work: str) -> dict[str, Any]:
    """Return the keyword arguments of ImplicitALS or ExplicitALS."""
    if work == "implicit":
        return {
            "form": "hkv",
            "value": "confidence",
            "alpha": ALPHA,
            "unobserved_weight": 1.0,
            "regularization": IMPLICIT_RIDGE,
            "regularization_exponent": 0.0,
        }
    return {"regularization": EXPLICIT_RIDGE, "regularization_exponent": 1.0, "link": False}


def starts(ratings: Ratings, n_factors: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the random factors of users and items that every engine which takes a start begins with:
    float32.

    Rows without entries are 0: other libraries would count them in the first Gramian, alternant leaves them
    out.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    scale = np.float32(START_SCALE / np.sqrt(n_factors))
    found = []
    for counts in (np.bincount(ratings.items, minlength=ratings.n_items), np.diff(ratings.offsets)):
        table = rng.standard_normal((len(counts), n_factors), dtype=np.float32) * scale
        table[counts == 0] = 0.0
        found.append(table)
    return found[1], found[0]


def interactions_of(ratings: Ratings) -> Interactions:
    """Return alternant's own form of the data."""
    return Interactions.from_codes(
        IdMap.from_range(ratings.n_users),
        IdMap.from_range(ratings.n_items),
        user_index=ratings.users(),
        item_index=ratings.items,
        values=ratings.values,
    )


def _objective(work: str, interactions: Interactions, n_factors: int) -> Objective:
    n_users = int(np.count_nonzero(interactions.by_user.counts))
    n_items = int(np.count_nonzero(interactions.by_item.counts))
    if work == "implicit":
        ridge = Ridge.plain(IMPLICIT_RIDGE, 0.0)
        return ImplicitObjective(
            n_factors=n_factors,
            form="hkv",
            unobserved_weight=1.0,
            user_ridge=ridge,
            item_ridge=ridge,
            n_users=n_users,
            n_items=n_items,
        )
    ridge = Ridge.plain(EXPLICIT_RIDGE, 1.0)
    values = interactions.by_user.values
    assert values is not None  # made by interactions_of
    return ExplicitObjective(
        n_factors=n_factors,
        user_ridge=ridge,
        item_ridge=ridge,
        biases=True,
        mean=float(values.mean(dtype=np.float64)),
    )


class Judge:
    """The value of the shared objective for anybody's factors, in float64, over one table of data."""

    def __init__(self, work: str, ratings: Ratings) -> None:
        self.work = work
        interactions = interactions_of(ratings)
        if work == "implicit":
            interactions = Preparation(value="confidence", scale=ALPHA).fit(interactions).interactions
        self._data = interactions

    def value(self, factors: Factors) -> float:
        """Return the objective per stored entry."""
        objective = _objective(self.work, self._data, factors.users.shape[1])
        tables = [
            np.column_stack([table, np.zeros(len(table)) if biases is None else biases]).astype(np.float32)
            if objective.has_biases
            else np.asarray(table, np.float32)
            for table, biases in (
                (factors.users, factors.user_biases),
                (factors.items, factors.item_biases),
            )
        ]
        return objective.total(self._data, tables[0], tables[1]) / self._data.n_entries

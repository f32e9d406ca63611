"""The transforms: each with its settings and its formula. How they are written in text is _parsing.py's.

A value transform changes the magnitudes v ≥ 0 of all entries (float64, shape (n,), in place). An entry that
is not there (a zero, where zeros are removed) has v = 0, and keeps it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant._settings import number
from alternant.preparation._constants import Float64, Source

# The lowest inverse document frequency. An item that all users have stays an item of the model, though it
# says next to nothing; 0 would remove it, and a negative number turn likes into dislikes.
LOWEST_IDF = 1e-6

COUNTS = "counts"  # of the entries that are there before the transforms


@dataclass(frozen=True, eq=False)
class Stage:
    """What a transform may look at: where the numbers come from, which entries are there, its own name."""

    source: Source
    present: NDArray[np.bool_] | None
    name: str

    def user_counts(self) -> Float64:
        """Return n_u: float64, shape (n_users,)."""
        return self.source.array(
            "users", COUNTS, lambda: self.source.count("users", self.present), counts=COUNTS
        )

    def idf(self) -> Float64:
        """Return max(log N − log(1 + n_i), LOWEST_IDF): float64, shape (n_items,).

        N is the number of users with entries in the fit.
        """
        source = self.source

        def n_users() -> float:
            return max(1.0, float(np.count_nonzero(source.count("users", self.present))))

        def item_counts() -> Float64:
            return source.count("items", self.present)

        n = source.number("n_users", n_users)
        source.array("items", COUNTS, item_counts, counts=COUNTS)
        return source.array(
            "items",
            "idf",
            lambda: np.maximum(np.log(n) - np.log(1 + item_counts()), LOWEST_IDF),
            counts=COUNTS,
        )


@dataclass(frozen=True)
class Log:
    """v ← log(1 + v/ε), as Hu, Koren and Volinsky (doi:10.1109/ICDM.2008.22) write confidences."""

    epsilon: float = 1.0

    def __post_init__(self) -> None:
        number("epsilon of log", self.epsilon, "a positive number", lambda x: x > 0)

    def change(self, v: Float64, stage: Stage) -> None:
        """Change `v` in place."""
        v /= self.epsilon
        np.log1p(v, out=v)


@dataclass(frozen=True)
class BM25:
    """v ← v·(k1 + 1) / (k1·(1 − b + b·L_u/L̄) + v) · idf_i: a user's history is a document.

    Items are its terms. L_u = Σ v of the user; L̄ is the mean of L_u over the users with entries; idf_i as in
    :meth:`Stage.idf`. The formula is that of implicit.nearest_neighbours.bm25_weight, which differs:

    1. There the rows of the matrix are the documents, whichever way round it is given; here always users.
    2. There N and L̄ count rows without entries too.
    3. There an idf may be 0 or negative (an item that nearly every user has); here it is at least LOWEST_IDF.
    4. There stored zeros count as entries; here not where they are removed (`present`).
    """

    k1: float = 100.0
    b: float = 0.8

    def __post_init__(self) -> None:
        number("k1 of bm25", self.k1, "a positive number", lambda x: x > 0)
        number("b of bm25", self.b, "a number from 0 to 1", lambda x: 0 <= x <= 1)

    def change(self, v: Float64, stage: Stage) -> None:
        """Change `v` in place."""
        source = stage.source
        stage.user_counts()
        lengths = source.array(
            "users", f"{stage.name}_length", lambda: source.sums("users", v), counts=COUNTS
        )

        def average_length() -> float:
            n_users = np.count_nonzero(stage.user_counts())
            total = float(lengths.sum())
            return total / n_users if total > 0 else 1.0

        average = source.number(f"{stage.name}_average_length", average_length)
        norms = self.k1 * (1 - self.b + self.b * (lengths / average))
        below = norms[source.index("users")]
        below += v
        v *= self.k1 + 1
        # Where b = 1 and all values of a user are 0 this is 0/0: they stay 0.
        np.divide(v, below, out=v, where=below > 0)
        v *= stage.idf()[source.index("items")]


@dataclass(frozen=True)
class TFIDF:
    """v ← √v · idf_i, with idf_i as in :meth:`Stage.idf`.

    The formula of implicit.nearest_neighbours.tfidf_weight, which differs as that of :class:`BM25` does.
    """

    def change(self, v: Float64, stage: Stage) -> None:
        """Change `v` in place."""
        np.sqrt(v, out=v)
        v *= stage.idf()[stage.source.index("items")]


@dataclass(frozen=True)
class Normalize:
    """v ← v / (Σ_j v_uj / n_u): the mean value of each user's entries becomes 1."""

    def change(self, v: Float64, stage: Stage) -> None:
        """Change `v` in place."""
        source = stage.source
        counts = stage.user_counts()
        means = source.array(
            "users",
            f"{stage.name}_mean",
            lambda: source.sums("users", v) / np.maximum(counts, 1),
            counts=COUNTS,
        )
        # Only where all values of a user have become 0 (below the smallest float) is the mean 0.
        v /= np.where(means > 0, means, 1.0)[source.index("users")]


@dataclass(frozen=True)
class HalfLife:
    """w ← w · 2^(−(reference − time) / (days · 86,400)).

    The reference is the latest time of the fit where none is given. Later times (of histories folded in
    afterwards, or with an early reference) follow the same formula, so that their factor exceeds 1: the ratio
    of two entries depends on their times alone, and a user's newest entries do not all count the same.
    """

    days: float
    reference: float | None = None

    def __post_init__(self) -> None:
        number("days of half_life", self.days, "a positive number", lambda x: x > 0)

    def factors(self, times: NDArray[np.int64], reference: float) -> Float64:
        """Return what to multiply weights by: float64, shape (n,)."""
        exponents = times.astype(np.float64)
        exponents -= reference
        exponents /= self.days * 86_400
        np.exp2(exponents, out=exponents)
        return exponents


ValueTransform = Log | BM25 | TFIDF | Normalize
Transform = ValueTransform | HalfLife

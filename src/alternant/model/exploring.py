"""Rank items by a score that is raised where the model is unsure, or drawn from what it holds possible.

With σ(u, i) of :mod:`alternant.model.uncertainty` and a weight c:

    "ucb"        score + c σ
    "thompson"   score + c σ ε,   ε standard normal, keyed by (seed, user's id, item's id)

All candidates take part, exactly. Bounds on σ that cost O(width) a pair tell which of them can be among the
best k; only of these σ is computed, from inverses that all pairs of a user, and of an item, share.

Cost for m users at once and n candidates: O(m n width) for bounds, one system for each user and for each item
that comes into question, and 2 width² for each pair that does. Memory: 4 arrays of PAIRS_AT_ONCE numbers,
and the inverses of some rows at a time.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant import _settings, retrieval
from alternant.errors import DataError
from alternant.kernels import dense, random, resolve_threads
from alternant.model.choosing import ChosenRows
from alternant.model.curvature import ceilings, half_inverses
from alternant.model.folding import FoldedIn
from alternant.model.uncertainty import ModelSystems, SideSystems, systems_of

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

PAIRS_AT_ONCE = 1 << 22
COLUMNS_AT_ONCE = 1024
_SLACK = 1e-5  # of float32 sums, relative to the sum of their magnitudes
_GOLDEN = 0x9E3779B97F4A7C15
_MOST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Exploration:
    """How to explore: `how` is "ucb" or "thompson", `weight` c, `seed` of the draws."""

    how: str
    weight: float
    seed: int


def exploration(explore: Any, weight: Any, seed: Any) -> Exploration | None:
    """Return checked settings; None where nothing is explored, as with a weight of 0."""
    weight = _settings.number("explore_weight", weight, "a number of at least 0", lambda x: x >= 0)
    if explore is None:
        return None
    _settings.choice("explore", explore, ("ucb", "thompson"))
    if seed is not None:
        seed = _settings.integer("seed", seed, 0, 2**64 - 1)
    elif explore == "thompson":
        raise DataError(
            'explore="thompson" draws at random and needs seed=, an integer; another seed is another draw'
        )
    return Exploration(explore, weight, seed or 0) if weight > 0.0 else None


@dataclass(frozen=True, eq=False)
class Explorer:
    """A model's candidates, ready to be ranked for users.

    candidates : int32, shape (n,), positions of items, ascending
    vectors : float32, shape (n, width), their rows with 1 in the place of a bias
    inverse, direction : float32, shape (n, width), the bounds of their systems
    hashes : uint64, shape (n_rows,), of the ids of the users' table
    """

    model: "Snapshot"
    systems: ModelSystems
    users: SideSystems
    chosen: ChosenRows
    how: Exploration
    candidates: Int32
    vectors: Float32
    inverse: Float32
    direction: Float32
    hashes: NDArray[np.uint64]
    n_threads: int

    def lists(self, index: Int32, k: int, seen: tuple[Int64, Int32] | None) -> tuple[Int64, Int32, Float32]:
        """Return the best k of rows `index`: offsets, positions of items, and explored scores."""
        at_once = max(1, PAIRS_AT_ONCE // max(len(self.candidates), 1))
        parts = []
        for begin in range(0, len(index), at_once):
            some = slice(begin, min(begin + at_once, len(index)))
            left_out = None
            if seen is not None:
                offsets = seen[0][some.start : some.stop + 1]
                left_out = offsets - offsets[0], seen[1][offsets[0] : offsets[-1]]
            parts.append(self._batch(index[some], k, left_out))
        counts = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64)
        offsets = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        if not parts:
            return offsets, np.zeros(0, np.int32), np.zeros(0, np.float32)
        return (
            offsets,
            np.concatenate([part[1] for part in parts]),
            np.concatenate([part[2] for part in parts]),
        )

    def _batch(self, index: Int32, k: int, seen: tuple[Int64, Int32] | None) -> tuple[Int64, Int32, Float32]:
        """Return the lengths of the lists of a batch of users, their items and explored scores."""
        n = len(self.candidates)
        rows = self.chosen.table[index]
        if self.model.problem.has_biases:
            rows[:, -1] = 1.0
        draws = self._draws(index)
        upper = self._upper(index, rows, draws)
        if seen is not None:
            column = np.searchsorted(self.candidates, seen[1]).astype(np.int64)
            is_candidate = column < n
            is_candidate[is_candidate] = self.candidates[column[is_candidate]] == seen[1][is_candidate]
            user = np.repeat(np.arange(len(index)), np.diff(seen[0]))
            upper[user[is_candidate], column[is_candidate]] = -np.inf
        # What seems best first: then whatever cannot reach the k-th of these is out of question.
        n_first = min(n, max(4 * k, 64))
        first = np.argpartition(-upper, n_first - 1, axis=1)[:, :n_first] if n else np.zeros((len(index), 0))
        user, item = np.repeat(np.arange(len(index)), n_first), first.reshape(-1).astype(np.int64)
        allowed = upper[user, item] > -np.inf
        user, item = user[allowed], item[allowed]
        found = self._explored(index, rows, draws, user, item)
        order, counts = _best(user, item, found, k, len(index))
        kth = np.full(len(index), -np.inf, np.float32)
        full = counts == k
        kth[full] = found[order][np.cumsum(counts)[full] - 1]
        upper[user, item] = -np.inf
        more_user, more_item = np.nonzero((upper >= kth[:, None]) & (upper > -np.inf))
        if len(more_user):
            found = np.concatenate([found, self._explored(index, rows, draws, more_user, more_item)])
            user, item = np.concatenate([user, more_user]), np.concatenate([item, more_item])
            order, counts = _best(user, item, found, k, len(index))
        return counts, self.candidates[item[order]], found[order]

    def _draws(self, index: Int32) -> Float32 | None:
        """Return ε of each pair of a batch: float32, shape (n_users, n_candidates)."""
        if self.how.how == "ucb":
            return None
        items = self.model.item_ids.hashes[self.candidates]
        found = np.empty((len(index), len(items)), np.float32)
        for row, user_hash in enumerate(self.hashes[index].tolist()):
            found[row] = random.standard_normal(
                items,
                1,
                seed=(user_hash + self.how.seed * _GOLDEN) % 2**64,
                purpose=random.Purpose.EXPLORE,
                side=random.Side.USERS,
                n_threads=self.n_threads,
            )[:, 0]
        return found

    def _upper(self, index: Int32, rows: Float32, draws: Float32 | None) -> Float32:
        """Return what the explored scores of a batch cannot exceed: float32, shape (n_users, n)."""
        threads = self.n_threads
        own_inverse, own_direction = ceilings(self.users, index)
        turned = self.systems.turned(rows, n_threads=threads)
        with np.errstate(over="ignore"):  # infinite, as their bounds are then
            squares = turned * turned
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        stored = self.model.item_table
        scale = self.how.weight * np.sqrt(self.systems.variance)
        upper = np.empty((len(rows), len(self.candidates)), np.float32)
        for begin in range(0, len(self.candidates), COLUMNS_AT_ONCE):
            part = slice(begin, begin + COLUMNS_AT_ONCE)

            def product(left: Float32, right: Float32, part: slice = part) -> Float32:
                return dense.multiply(left, np.ascontiguousarray(right.T), n_threads=threads)

            vectors, table = self.vectors[part], stored[self.candidates[part]]
            with np.errstate(invalid="ignore", over="ignore"):
                most = product(own_inverse, vectors * vectors) + product(squares, self.inverse[part])
                variance = most * np.float32(1.0 + _SLACK * vectors.shape[1])
                variance -= product(own_direction, vectors) ** 2
                variance -= product(turned, self.direction[part]) ** 2
                # Differences of float32 sums: never below what rounding leaves open.
                np.maximum(variance, _SLACK * most, out=variance)
                variance[np.isnan(variance)] = np.inf
                reach = np.sqrt(variance) * np.float32(scale * 1.001)
                if draws is not None:
                    gain = np.maximum(draws[:, part], 0.0)
                    reach = np.where(gain > 0.0, reach * gain, 0.0)
                score = product(rows, table)
                score += _SLACK * lengths[:, None] * np.sqrt(np.einsum("ij,ij->i", table, table))
                upper[:, part] = np.minimum(score + reach, _MOST)
        return upper

    def _explored(
        self, index: Int32, rows: Float32, draws: Float32 | None, user: Int64, item: Int64
    ) -> Float32:
        """Return explored scores of pairs of a batch: float32, shape (n_pairs,)."""
        turned = self.systems.turned(rows, n_threads=self.n_threads)
        variance = self._variance(self.users, index, self.vectors, user, item)
        variance += self._variance(self.systems.items, self.candidates, turned, item, user)
        scores = retrieval.pair_scores(
            rows, self.model.item_table, user, self.candidates[item], n_threads=self.n_threads
        )
        reach = self.how.weight * np.sqrt(self.systems.variance * variance)
        if draws is not None:
            reach *= draws[user, item]
        return np.clip(scores + reach, -_MOST, _MOST).astype(np.float32)

    def _variance(
        self, side: SideSystems, index: Int32, others: Float32, own: Int64, other: Int64
    ) -> Float64:
        """Return |C q|² of pairs, q the row `other` of `others`: float64, shape (n_pairs,)."""
        found = np.empty(len(own))
        order = np.argsort(own, kind="stable")
        wanted, starts = np.unique(own[order], return_index=True)
        ends = np.append(starts[1:], len(own))
        for part, halves in half_inverses(side, index[wanted], n_threads=self.n_threads):
            for half, start, end in zip(halves, starts[part], ends[part], strict=True):
                pairs = order[start:end]
                with np.errstate(invalid="ignore"):
                    halved = dense.multiply(others[other[pairs]], half.T, n_threads=1).astype(np.float64)
                    found[pairs] = np.einsum("ij,ij->i", halved, halved)
        found[np.isnan(found)] = np.inf  # a direction without ridge or entries
        return found


def explorer(
    model: "Snapshot",
    users: Any,
    chosen: ChosenRows,
    ranked: Int32 | None,
    how: Exploration,
    *,
    n_threads: int | None,
) -> Explorer:
    """Return what ranks the candidates of a model that holds its history."""
    if model.draws is not None:
        raise DataError(
            "explore is not for sampled models, which have no row systems; leave it out, or rank by "
            "predictions and model.uncertainty of your own candidates"
        )
    threads = resolve_threads(n_threads)
    systems = systems_of(model, n_threads=threads)
    side, ids = systems.users, model.user_ids
    if isinstance(users, FoldedIn):
        side = replace(side, rows=model.prepared(users.history, own="users").by_user)
        ids = users.ids
    candidates = np.arange(model.n_items, dtype=np.int32) if ranked is None else ranked
    vectors = model.item_table[candidates]
    if model.problem.has_biases:
        vectors[:, -1] = 1.0
    inverse, direction = ceilings(systems.items, candidates)
    return Explorer(
        model, systems, side, chosen, how, candidates, vectors, inverse, direction, ids.hashes, threads
    )


def _best(user: Int64, item: Int64, scores: Float32, k: int, n_users: int) -> tuple[Int64, Int64]:
    """Return the order of the best k pairs of each user, ties by item, and how many each has."""
    order = np.lexsort((item, -scores, user))
    counts = np.bincount(user, minlength=n_users)
    firsts = np.cumsum(counts) - counts
    place = np.arange(len(order)) - np.repeat(firsts, counts)
    return order[place < k], np.minimum(counts, k)

"""How sure a model is of a pair: standard deviations from the curvature of its row systems.

With A_u the system that user u was solved from under the items, B_i that of item i under the users, and v
and p their rows (1 in the place of a bias),

    variance of a score  =  σ² (vᵀ A_u⁻¹ v + pᵀ B_i⁻¹ p),

the two sides taken as independent. σ² is the noise of one entry of weight 1: of explicit models the residual
sum of squares over the entries' free dimensions, nnz (1 − e_users / nnz) (1 − e_items / nnz), where
e = Σ (width − tr A⁻¹D) counts the dimensions that a side's rows take up and the product takes off what both
sides count.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant._settings import choice
from alternant.days import UserDays
from alternant.errors import DataError
from alternant.interactions import EntryRows
from alternant.kernels import dense
from alternant.kernels.rows import EntryTerm, solve_rows
from alternant.model.choosing import choose
from alternant.model.folding import FoldedIn
from alternant.model.pairs import paired
from alternant.objective import FixedSide, Objective, Side

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

ENTRIES_AT_ONCE = 1 << 20
ROWS_AT_ONCE = 1 << 16
EXACT_BELOW = 2_000
N_PROBES = 8


@dataclass(frozen=True, eq=False)
class SideSystems:
    """The row systems of one side.

    rows : EntryRows, prepared
    fixed : FixedSide, the other side
    """

    objective: Objective
    side: Side
    rows: EntryRows
    fixed: FixedSide

    def solve(self, index: NDArray[np.int32], right: Float32, *, n_threads: int) -> Float32:
        """Return A⁻¹h of each row of `index`, for h a row of `right`: float32, shape (n, width).

        Rows without entries, which are outside the objective, have their ridge alone; infinity where it is 0.
        """
        found = np.empty_like(right)
        table = self.fixed.table
        if self.objective.has_biases:
            table = table.copy()
            table[:, -1] = 0.0  # read as 1; its value would be taken off targets, which are 0 here
        for part in _parts(self.rows.counts[index]):
            rows = self.rows.chosen(index[part])
            block, shard = rows.block(0, rows.n_rows), table
            if self.side == "users" and self.objective.day_ridge is not None:
                spread = UserDays.of(rows).spread(
                    0, rows.n_rows, table, ridge=self.objective.day_ridge, n_threads=n_threads
                )
                block, shard = spread.block, spread.table
            # Wanted of the entries: what they weigh.
            terms = replace(
                self.objective.row_terms(self.side, block, self.fixed),
                b=EntryTerm(0.0),
                h=np.ascontiguousarray(right[part]),
            )
            # Rows without entries are solved below: these numbers keep the kernel from calling them singular.
            failure = solve_rows(
                block,
                replace(terms, ridge=np.where(rows.counts > 0, terms.ridge, 1.0)),
                shards=[shard],
                out=found[part],
                losses=np.empty(rows.n_rows),
                penalties=np.empty(rows.n_rows),
                n_threads=n_threads,
            )
            if failure is not None:
                raise DataError(
                    f"a row of the {self.side} has no unique solution, and so no uncertainty; raise "
                    "regularization"
                )
            empty = rows.counts == 0
            if empty.any():
                diagonal = self.objective.diagonal(self.side, rows.counts[empty])
                with np.errstate(divide="ignore", invalid="ignore"):
                    alone = np.where(right[part][empty] == 0.0, 0.0, right[part][empty] / diagonal)
                found[part][empty] = alone
        return found

    def dimensions(self, *, n_threads: int) -> float:
        """Return Σ (width − tr A⁻¹D) over the rows with entries.

        Traces are exact for fewer than `EXACT_BELOW` rows, else estimated from `N_PROBES` Rademacher probes
        of a fixed seed.
        """
        index = np.flatnonzero(self.rows.counts).astype(np.int32)
        width = self.objective.width
        root = np.sqrt(self.objective.diagonal(self.side, self.rows.counts[index]))
        trace = 0.0
        exact = len(index) < EXACT_BELOW
        rng = np.random.default_rng(0)
        for probe in range(width if exact else N_PROBES):
            if exact:
                right = np.zeros((len(index), width), np.float32)
                right[:, probe] = root[:, probe]
            else:
                right = (root * rng.choice([-1.0, 1.0], (len(index), width))).astype(np.float32)
            found = self.solve(index, right, n_threads=n_threads)
            trace += float(np.einsum("ij,ij->", right.astype(np.float64), found.astype(np.float64)))
        return width * len(index) - (trace if exact else trace / N_PROBES)

    def day_dimensions(self, *, n_threads: int) -> float:
        """Return what the biases of users' days take up beyond the rows.

        That is Σ_days (β − λ β² ȳᵀA⁻¹ȳ) with β = W / (W + λ) and the mean row ȳ of a day; the second term is
        estimated from `N_PROBES` Rademacher probes of a fixed seed.
        """
        ridge = self.objective.day_ridge
        if ridge is None:
            return 0.0
        days, rng, total = UserDays.of(self.rows), np.random.default_rng(0), 0.0
        for part in _parts(self.rows.counts):
            spread = days.spread(part.start, part.stop, self.fixed.table, ridge=ridge, n_threads=n_threads)
            total += float(spread.shrinkage.sum())
            means = spread.row_means.astype(np.float64)
            if self.objective.has_biases:
                means[:, -1] = 1.0
            means *= np.sqrt(ridge) * spread.shrinkage[:, None]
            index = np.arange(part.start, part.stop, dtype=np.int32)
            for _ in range(N_PROBES):
                right = np.zeros((len(index), self.objective.width))
                np.add.at(right, spread.owner, means * rng.choice([-1.0, 1.0], len(means))[:, None])
                found = self.solve(index, right.astype(np.float32), n_threads=n_threads)
                total -= float(np.einsum("ij,ij->", right, found.astype(np.float64))) / N_PROBES
        return total


def _parts(counts: NDArray[np.int64]) -> Iterator[slice]:
    """Yield consecutive rows of at most ENTRIES_AT_ONCE entries (or one row that has more)."""
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        limit = (ends[begin - 1] if begin else 0) + ENTRIES_AT_ONCE
        end = min(max(begin + 1, int(np.searchsorted(ends, limit, side="right"))), begin + ROWS_AT_ONCE)
        end = min(end, len(counts))
        yield slice(begin, end)
        begin = end


@dataclass(frozen=True, eq=False)
class ModelSystems:
    """The systems of both sides of a model, and the noise of an entry; made once per model.

    users, items : SideSystems
    user_rows : float32, shape (n_users, width), the users in the basis that items are solved in
    rotation : float32, shape (width, width), which turned them; or None
    variance : σ²; 1 in implicit models
    """

    users: SideSystems
    items: SideSystems
    rotation: Float32 | None
    variance: float

    def turned(self, rows: Float32, *, n_threads: int) -> Float32:
        """Return users' rows in the basis that items are solved in."""
        if self.rotation is None:
            return rows
        return dense.multiply(np.ascontiguousarray(rows), self.rotation, n_threads=n_threads)


def model_systems(model: "Snapshot", *, n_threads: int) -> ModelSystems:
    """Return the systems of a model that holds its history."""
    if model.draws is not None:
        raise DataError("a sampled model has no row systems; its uncertainty is the spread of its draws")
    if model.history is None:
        raise DataError(
            "uncertainty needs the history that the model was fitted on, and this one was saved without; "
            "save it with its history, or fit again"
        )
    problem = model.problem
    prepared = model.prepared(model.history, own="both")
    users = SideSystems(problem, "users", prepared.by_user, model.fixed_items)
    fixed, rotation = model.fix_users(n_threads=n_threads)
    items = SideSystems(problem, "items", prepared.by_item, fixed)
    variance = 1.0
    if not problem.has_unobserved:
        n = prepared.n_entries
        if n == 0:
            raise DataError(
                "uncertainty needs entries to tell the noise from, and the history of this model has none; "
                "fit again"
            )
        squares = problem.data_loss(model.without_days(prepared), model.user_table, model.item_table)
        free = float(n)
        taken = users.dimensions(n_threads=n_threads) + users.day_dimensions(n_threads=n_threads)
        for dimensions in (taken, items.dimensions(n_threads=n_threads)):
            free *= max(1.0 - dimensions / n, 1.0 / n)
        variance = squares / free
    return ModelSystems(users, items, rotation, variance)


def systems_of(model: "Snapshot", *, n_threads: int) -> ModelSystems:
    """Return the systems of a model, which are made once and kept with it."""
    systems: ModelSystems | None = model.__dict__.get("_systems")
    if systems is None:
        # Kept as a cached property would be: the model never changes.
        systems = model.__dict__["_systems"] = model_systems(model, n_threads=n_threads)
    return systems


def pair_uncertainty(
    model: "Snapshot", users: Any, items: Any, *, of: str, n_threads: int
) -> Float32 | float:
    """Return standard deviations of pairs; see :meth:`FactorModel.uncertainty`."""
    choice("of", of, ("score", "rating"))
    systems = systems_of(model, n_threads=n_threads)
    u, i = choose(model, "users", users), choose(model, "items", items)
    u_index, i_index = paired(u, i, users)
    user_side = systems.users
    if isinstance(users, FoldedIn):
        user_side = replace(user_side, rows=model.prepared(users.history, own="users").by_user)
    item_rows, user_rows = model.item_table[i_index], u.table[u_index]
    if model.problem.has_biases:
        item_rows[:, -1] = user_rows[:, -1] = 1.0
    variance = np.zeros(len(u_index))
    for side, index, rows in (
        (user_side, u_index, item_rows),
        (systems.items, i_index, systems.turned(user_rows, n_threads=n_threads)),
    ):
        solved = side.solve(index, rows, n_threads=n_threads)
        variance += np.einsum("ij,ij->i", rows.astype(np.float64), solved.astype(np.float64))
    if of == "rating":
        variance += 1.0
    found = np.sqrt(systems.variance * np.maximum(variance, 0.0)).astype(np.float32)
    return float(found[0]) if u.is_scalar and i.is_scalar else found

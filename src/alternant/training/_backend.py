"""Where half-sweeps are computed: local threads here, a cluster later, over the same kernels."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from alternant.days import UserDays
from alternant.interactions import Interactions
from alternant.kernels import dense
from alternant.objective import FixedSide, Float64, Objective, Side, Table, other, rows_of
from alternant.prior import (
    PriorPart,
    coefficient_penalty,
    prior_mean,
    solve_coefficients,
)
from alternant.solvers import (
    Solved,
    fix_side,
    row_penalties,
    row_ridges,
    side_gramian,
    solve_side,
    turn_start,
)
from alternant.training._state import SideState, State, state_of
from alternant.training._tables import Tables


@dataclass(frozen=True, eq=False)
class HalfSolved:
    """What a half-sweep leaves.

    state : State, both sides, in one basis
    data : float, the objective without any penalty, at the tables of `state`
    unobserved : float, the part of `data` that all pairs have, stored or not
    penalty : float, the penalties of the side that was solved: of its rows, and of its coefficients
    """

    state: State
    data: float
    unobserved: float
    penalty: float


class Backend(Protocol):
    """What the loop needs of a backend."""

    @property
    def n_users(self) -> int:
        """The number of users, those without entries included."""

    def half_sweep(self, side: Side, state: State, out: Table) -> HalfSolved:
        """Solve every row of `side` into `out` with the other side fixed, then its coefficients."""

    def penalty(self, side: Side, state: SideState) -> float:
        """Return the penalties of a side: of its rows, and of its coefficients."""


@dataclass(frozen=True, eq=False)
class LocalBackend:
    """Half-sweeps on this machine's threads, row block by row block.

    Attributes
    ----------
    interactions : Interactions, prepared
    user_parts, item_parts : the parts of the prior means
    days : UserDays of `interactions`, where the objective has biases of days; else None
    max_entries : the size of a row block in entries; None: all rows at once. Neither it nor `n_threads`
        changes a bit of any result.
    """

    interactions: Interactions
    objective: Objective
    n_threads: int
    user_parts: Sequence[PriorPart] = ()
    item_parts: Sequence[PriorPart] = ()
    days: UserDays | None = None
    max_entries: int | None = None
    exact: bool = True
    tables: Tables = field(default_factory=Tables)

    @property
    def n_users(self) -> int:
        """The number of users, those without entries included."""
        return self.interactions.n_users

    def parts(self, side: Side) -> Sequence[PriorPart]:
        """Return the parts of a side's prior means."""
        return self.user_parts if side == "users" else self.item_parts

    def half_sweep(self, side: Side, state: State, out: Table) -> HalfSolved:
        """Solve every row of `side` into `out` with the other side fixed, then its coefficients."""
        that, before, fixed_state = other(side), state.of(side), state.of(other(side))
        fixed, rotation = fix_side(
            self.objective,
            that,
            fixed_state.table,
            rows_of(self.interactions, that).counts,
            gramian=fixed_state.gramian,
            exact=self.exact,
            make=self.tables.take,
            n_threads=self.n_threads,
        )
        start, counts = before.table, rows_of(self.interactions, side).counts
        if not self.exact:
            start = turn_start(start, rotation, counts, make=self.tables.take, n_threads=self.n_threads)
        before = self._turned(side, before, start, rotation)
        fixed_state = self._turned(that, fixed_state, fixed.table, rotation)
        solved = self.solve(side, fixed, before, out, day_biases=state.users.day_biases)
        coefficients = self._coefficients(side, before, solved.table)
        gram = side_gramian(self.objective, side, solved.table, counts, n_threads=self.n_threads)
        this = self._with_mean(
            side, SideState(solved.table, coefficients, gramian=gram, day_biases=solved.day_biases)
        )
        return HalfSolved(
            state_of(side, this, fixed_state),
            float(solved.losses.sum()) - float(solved.penalties.sum()),
            self._unobserved(fixed, gram),
            self.penalty(side, this) if this.coefficients else float(solved.penalties.sum()),
        )

    def _turned(self, side: Side, state: SideState, table: Table, rotation: Table | None) -> SideState:
        """Return a side with `table`, its coefficients and means turned as the fixed side's table was."""
        state = replace(state, table=table, gramian=None)
        if rotation is not None:
            mean = state.mean
            if mean is not None:
                (mean,) = rotated((mean,), rotation, n_threads=self.n_threads)
            coefficients = rotated(state.coefficients, rotation, n_threads=self.n_threads)
            state = replace(state, coefficients=coefficients, mean=mean)
        return self._with_mean(side, state)

    def _with_mean(self, side: Side, state: SideState) -> SideState:
        if state.mean is not None or not state.coefficients:
            return state
        return replace(state, mean=prior_mean(self.parts(side), state.coefficients, n_threads=self.n_threads))

    def solve(
        self,
        side: Side,
        fixed: FixedSide,
        before: SideState,
        out: Table,
        *,
        day_biases: npt.NDArray[np.float32] | None = None,
    ) -> Solved:
        """Solve every row of `side` into `out`, under the coefficients in `before`.

        Users are solved together with the biases of their days; of items, `day_biases` says what these are.
        """
        interactions, days = self.interactions, self.days
        rows = rows_of(interactions, side)
        if days is not None and side == "items" and day_biases is not None:
            rows = days.taken_off(rows, day_biases)
        return solve_side(
            self.objective,
            side,
            rows,
            fixed,
            mean=self._with_mean(side, before).mean,
            start=before.table,
            out=out,
            max_entries=self.max_entries,
            ids=interactions.user_ids if side == "users" else interactions.item_ids,
            n_threads=self.n_threads,
            days=days if side == "users" else None,
        )

    def penalty(self, side: Side, state: SideState) -> float:
        """Return the penalties of a side: of its rows, and of its coefficients."""
        parts, counts = self.parts(side), rows_of(self.interactions, side).counts
        mean = self._with_mean(side, state).mean
        rows = row_penalties(self.objective, side, state.table, counts, mean, n_threads=self.n_threads)
        total = float(rows.sum()) + coefficient_penalty(parts, state.coefficients)
        if self.objective.day_ridge is not None and state.day_biases is not None:
            total += self.objective.day_ridge * float(np.sum(np.square(state.day_biases, dtype=np.float64)))
        return total

    def _coefficients(self, side: Side, before: SideState, table: Table) -> tuple[Table, ...]:
        if not before.coefficients:
            return ()
        counts = rows_of(self.interactions, side).counts
        return solve_coefficients(
            self.parts(side),
            before.coefficients,
            table,
            row_ridges(self.objective, side, counts),
            mean=before.mean,
            has_bias=self.objective.has_biases,
            n_threads=self.n_threads,
        )

    def unobserved(self, side: Side, fixed: FixedSide, table: Table) -> float:
        """Return α₀ Σ s v p² over all pairs, from both sides' Gramians."""
        counts = rows_of(self.interactions, side).counts
        return self._unobserved(
            fixed, side_gramian(self.objective, side, table, counts, n_threads=self.n_threads)
        )

    def _unobserved(self, fixed: FixedSide, gram: Float64 | None) -> float:
        if gram is None:
            return 0.0
        if fixed.omega is not None:
            total = np.sum(np.diagonal(gram) * fixed.omega)
        elif fixed.gram is not None:
            total = np.sum(gram * fixed.gram)
        else:
            return 0.0
        return self.objective.unobserved_factor * float(total)


def rotated(coefficients: tuple[Table, ...], rotation: Table | None, *, n_threads: int) -> tuple[Table, ...]:
    """Return coefficients in the basis that tables were turned into; a bias column stays."""
    if rotation is None:
        return coefficients
    return tuple(dense.multiply(each, rotation, n_threads=n_threads) for each in coefficients)

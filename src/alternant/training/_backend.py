"""Where half-sweeps are computed: local threads here, a cluster later, over the same kernels."""

from dataclasses import dataclass
from typing import Protocol

from alternant.interactions import Interactions
from alternant.objective import ExplicitObjective, Side, Table, rows_of
from alternant.solvers import Solved, solve_side


class Backend(Protocol):
    """What the loop needs of a backend."""

    def half_sweep(self, side: Side, fixed_table: Table, out: Table) -> Solved:
        """Solve every row of `side` into `out`, the other side fixed."""


@dataclass(frozen=True, eq=False)
class LocalBackend:
    """Half-sweeps on this machine's threads, row block by row block.

    max_entries : the size of a row block in entries; None: all rows at once. Neither it nor `n_threads`
    changes a bit of any result.
    """

    interactions: Interactions
    objective: ExplicitObjective
    n_threads: int
    max_entries: int | None = None

    def half_sweep(self, side: Side, fixed_table: Table, out: Table) -> Solved:
        """Solve every row of `side` into `out`, the other side fixed."""
        interactions = self.interactions
        return solve_side(
            self.objective,
            side,
            rows_of(interactions, side),
            fixed_table,
            out=out,
            max_entries=self.max_entries,
            ids=interactions.user_ids if side == "users" else interactions.item_ids,
            n_threads=self.n_threads,
        )

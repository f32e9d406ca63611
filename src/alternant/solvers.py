"""Solve one side of a model given the other, in row blocks; a row without a solution is named by its id."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alternant.errors import DivergedError, SingularSystemError
from alternant.ids import IdMap
from alternant.interactions import EntryRows
from alternant.kernels import resolve_threads
from alternant.kernels.rows import RowFailure, solve_rows
from alternant.objective import ExplicitObjective, Side, Table

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Solved:
    """One side, solved.

    table : float32, shape (n_rows, width); rows without entries are 0
    losses : float64, shape (n_rows,), each row's part of the objective, its own penalty included
    penalties : float64, shape (n_rows,), each row's penalty alone
    """

    table: Table
    losses: Float64
    penalties: Float64


def solve_side(
    objective: ExplicitObjective,
    side: Side,
    rows: EntryRows,
    fixed_table: Table,
    *,
    out: Table | None = None,
    max_entries: int | None = None,
    ids: IdMap | None = None,
    n_threads: int | None = None,
    stop: npt.NDArray[np.int32] | None = None,
) -> Solved:
    """Solve every row of one side exactly, the other side's table fixed.

    Parameters
    ----------
    rows : EntryRows
        The side's entries; ``rows.n_columns`` is the number of rows of `fixed_table`.
    fixed_table : float32, shape (n_fixed, width)
    out : float32, shape (n_rows, width), optional
        Where to write; overwritten. None: a new array.
    max_entries : int, optional
        The size of a row block; the result does not depend on it. None: all rows at once.
    ids : IdMap, optional
        The labels of the rows, for error messages.
    n_threads : int, optional
        None: what the machine offers. The result does not depend on it.

    Raises
    ------
    SingularSystemError
        A row has no unique solution: its id, its number of entries and the setting to raise.
    DivergedError
        A row's solution is not finite.
    """
    n_threads = resolve_threads(n_threads)
    table = np.empty((rows.n_rows, objective.width), np.float32) if out is None else out
    solved = Solved(table, np.empty(rows.n_rows), np.empty(rows.n_rows))
    for block in rows.blocks(max_entries):
        part = slice(block.begin, block.end)
        failure = solve_rows(
            block,
            objective.row_terms(side, block),
            shards=[fixed_table],
            out=solved.table[part],
            losses=solved.losses[part],
            penalties=solved.penalties[part],
            n_threads=n_threads,
            stop=stop,
        )
        if failure is not None:
            raise _error(failure, objective, side, block.begin + failure.row, rows, ids)
    return solved


def _error(
    failure: RowFailure,
    objective: ExplicitObjective,
    side: Side,
    row: int,
    rows: EntryRows,
    ids: IdMap | None,
) -> SingularSystemError | DivergedError:
    what = "user" if side == "users" else "item"
    name = f"{what} {ids.decode([row]).tolist()[0]!r}" if ids is not None else f"{what} at position {row}"
    count = int(rows.counts[row])
    entries = f"{count:,} interaction{'' if count == 1 else 's'}"
    if failure.kind == "singular":
        setting = "regularization" if side == "users" else "regularization or item_regularization"
        return SingularSystemError(
            f"no unique solution for {name} ({entries}): "
            f"raise {setting} (now {objective.ridge(side).slope!r})"
        )
    return DivergedError(
        f"the factors of {name} ({entries}) are not finite: values of this size do not fit float32; "
        "scale the values down or raise regularization"
    )

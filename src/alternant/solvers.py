"""Solve one side of a model given the other, in row blocks; a row without a solution is named by its id."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from alternant.errors import DivergedError, SingularSystemError
from alternant.ids import IdMap
from alternant.interactions import EntryRows
from alternant.kernels import dense, resolve_threads
from alternant.kernels.prior import RowRidges, mean_penalties, mean_terms
from alternant.kernels.rows import RowFailure, solve_rows
from alternant.objective import Counts, FixedSide, Float64, Objective, Side, Table


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


def fix_side(
    objective: Objective, side: Side, table: Table, counts: Counts, *, n_threads: int
) -> tuple[FixedSide, Table | None]:
    """Make `side`'s table ready to be held fixed.

    Where pairs that are not stored count, the table is turned into the eigenbasis of its Gramian (scores do
    not change, as the other side is solved afresh), strongest direction first; with coordinate descent, which
    a rotation would break, the Gramian stays in full.

    Returns
    -------
    FixedSide
    rotation : float32, shape (width, width), by which the table was multiplied; or None
    """
    if not objective.has_unobserved:
        return FixedSide(table), None
    weights = objective.unobserved_scale(side, counts)
    gram = _gramian(table, weights, n_threads)
    if objective.by_descent:
        return FixedSide(table, gram=gram.astype(np.float32), unobserved=weights), None
    _, vectors = dense.symmetric_eigen(gram)
    rotation = vectors.T.astype(np.float32)
    rotated = dense.multiply(table, rotation, n_threads=n_threads)
    omega = np.diagonal(_gramian(rotated, weights, n_threads))
    least = np.finfo(np.float32).eps * max(float(omega.max(initial=0.0)), 0.0)
    return FixedSide(rotated, omega=np.maximum(omega, least), unobserved=weights), rotation


def _gramian(table: Table, weights: Float64 | None, n_threads: int) -> Float64:
    if weights is not None:
        table = table * np.sqrt(weights).astype(np.float32)[:, None]
    return dense.gramian(np.ascontiguousarray(table), n_threads=n_threads)


def row_ridges(objective: Objective, side: Side, counts: Counts) -> RowRidges:
    """Return the ridge D of each row of `side` with `counts` entries; 0 of rows without."""
    ridge = objective.ridge(side)
    rho, kappa = ridge.multipliers(objective.n_factors, bias=objective.has_biases)
    active = counts > 0
    slopes = np.where(active, ridge.powers(objective.sizes(side, counts)), 0.0)
    return RowRidges(slopes, active.astype(np.float64), rho, kappa)


def row_penalties(
    objective: Objective,
    side: Side,
    table: Table,
    counts: Counts,
    mean: Table | None,
    *,
    losses: Float64 | None = None,
    n_threads: int,
) -> Float64:
    """Return :meth:`Objective.penalties` by the kernels: float64, shape (n_rows,).

    Parameters
    ----------
    losses : float64, shape (n_rows,), optional
        What the row kernels returned for x, which takes xᵀDx − 2hᵀx for its penalty; overwritten by the
        losses under the prior mean.
    """
    if mean is None:
        return objective.penalties(side, table, counts)
    ridges = row_ridges(objective, side, counts)
    penalties = mean_penalties(table, mean, ridges, losses=losses, n_threads=n_threads)
    l1 = objective.l1_of(side, counts)
    if l1 is not None:
        factors = np.abs(table[:, : objective.n_factors], dtype=np.float64).sum(axis=1)
        penalties += np.where(counts > 0, l1 * factors, 0.0)
    return penalties


def solve_side(
    objective: Objective,
    side: Side,
    rows: EntryRows,
    fixed: FixedSide,
    *,
    mean: Table | None = None,
    start: Table | None = None,
    out: Table | None = None,
    max_entries: int | None = None,
    ids: IdMap | None = None,
    n_threads: int | None = None,
    stop: npt.NDArray[np.int32] | None = None,
) -> Solved:
    """Solve every row of one side exactly, the other side fixed.

    Parameters
    ----------
    rows : EntryRows
        The side's prepared entries; ``rows.n_columns`` is the number of fixed rows.
    fixed : FixedSide
    mean : float32, shape (n_rows, width), optional
        The rows' prior means; None: 0.
    start : float32, shape (n_rows, width), optional
        Where coordinate descent starts; None: 0. Other rows need none.
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
        counts = np.diff(block.offsets)
        terms = objective.row_terms(side, block, fixed)
        if mean is not None:
            ridges = row_ridges(objective, side, counts)
            terms = replace(terms, h=mean_terms(mean[part], ridges, n_threads=n_threads))
        if objective.by_descent:
            terms = replace(terms, nonnegative=objective.nonnegative, l1=objective.l1_of(side, counts))
        failure = solve_rows(
            block,
            terms,
            shards=[fixed.table],
            start=start[part] if start is not None and objective.by_descent else None,
            out=solved.table[part],
            losses=solved.losses[part],
            penalties=solved.penalties[part],
            n_threads=n_threads,
            stop=stop,
        )
        if failure is not None:
            raise _error(failure, objective, side, block.begin + failure.row, rows, ids)
        if mean is not None:
            solved.penalties[part] = row_penalties(
                objective,
                side,
                table[part],
                counts,
                mean[part],
                losses=solved.losses[part],
                n_threads=n_threads,
            )
    return solved


def _error(
    failure: RowFailure,
    objective: Objective,
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

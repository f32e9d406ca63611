"""Solve one side of a model given the other, in row blocks; a row without a solution is named by its id."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from alternant.days import ENTRIES_AT_ONCE, UserDays
from alternant.errors import DivergedError, SingularSystemError
from alternant.ids import IdMap
from alternant.interactions import EntryRows
from alternant.kernels import dense, resolve_threads
from alternant.kernels.prior import RowRidges, mean_penalties, mean_terms
from alternant.kernels.rows import RowFailure, least_iterative_entries, solve_rows
from alternant.objective import Counts, FixedSide, Float64, Objective, Side, Table

MakeTable = Callable[[tuple[int, ...]], Table]


@dataclass(frozen=True, eq=False)
class Solved:
    """One side, solved.

    table : float32, shape (n_rows, width); rows without entries are 0
    losses : float64, shape (n_rows,), each row's part of the objective, its own penalty included
    penalties : float64, shape (n_rows,), each row's penalty alone, that of its days' biases with it
    day_biases : float32, shape (n_days,), or None; of the rows' days, where they were solved for
    """

    table: Table
    losses: Float64
    penalties: Float64
    day_biases: npt.NDArray[np.float32] | None = None


def side_gramian(
    objective: Objective, side: Side, table: Table, counts: Counts, *, n_threads: int
) -> Float64 | None:
    """Return Σ v y yᵀ over a side's rows, its part of the pairs that are not stored; None where these are
    unknown: float64, shape (width, width)."""
    if not objective.has_unobserved:
        return None
    weights = objective.unobserved_scale(side, counts)
    return dense.gramian(table, weights=weights, n_threads=n_threads)


def fix_side(
    objective: Objective,
    side: Side,
    table: Table,
    counts: Counts,
    *,
    gramian: Float64 | None = None,
    exact: bool = True,
    make: MakeTable | None = None,
    n_threads: int,
) -> tuple[FixedSide, Table | None]:
    """Make `side`'s table ready to be held fixed.

    Where pairs that are not stored count, the table is turned into the eigenbasis of its Gramian (scores do
    not change, as the other side is solved afresh), strongest direction first; with coordinate descent, which
    a rotation would break, the Gramian stays in full.

    Unless `exact`, rows of the other side may be solved by steps from where they are, and the table of a
    model of known pairs is turned, too: into the eigenbasis of Σ n_i y_i y_iᵀ / Σ n_i, where most of its row
    systems are nearly diagonal.

    Parameters
    ----------
    gramian : what :func:`side_gramian` returns for this table, where it is known
    make : callable(shape), optional
        Makes the float32 table that a turned one is written to; None: NumPy does.

    Returns
    -------
    FixedSide
    rotation : float32, shape (width, width), by which the table was multiplied; or None
    """
    k = objective.n_factors
    if not objective.has_unobserved:
        if exact or objective.by_descent:
            return FixedSide(table), None
        shares = counts / max(int(counts.sum()), 1)
        moments, vectors = dense.symmetric_eigen(
            dense.gramian(table, weights=shares, n_columns=k, n_threads=n_threads), n_threads=n_threads
        )
        rotation = vectors.T.astype(np.float32)
        spread = np.append(np.maximum(moments, 0.0), np.ones(table.shape[1] - k))  # a bias is multiplied by 1
        turned = dense.multiply(table, rotation, out=_made(make, table.shape), n_threads=n_threads)
        return FixedSide(turned, spread=spread), rotation
    weights = objective.unobserved_scale(side, counts)
    gram = dense.gramian(table, weights=weights, n_threads=n_threads) if gramian is None else gramian
    if objective.by_descent:
        return FixedSide(table, gram=gram.astype(np.float32), unobserved=weights), None
    moments, vectors = dense.symmetric_eigen(gram, n_threads=n_threads)
    rotation = vectors.T.astype(np.float32)
    rotated = dense.multiply(table, rotation, out=_made(make, table.shape), n_threads=n_threads)
    if exact:
        moments = np.diagonal(dense.gramian(rotated, weights=weights, n_threads=n_threads))
    least = np.finfo(np.float32).eps * max(float(moments.max(initial=0.0)), 0.0)
    omega = np.maximum(moments, least)
    mean = omega / max(int(np.count_nonzero(counts)), 1)
    return FixedSide(rotated, omega=omega, unobserved=weights, spread=None if exact else mean), rotation


def turn_start(
    table: Table,
    rotation: Table | None,
    counts: Counts,
    *,
    make: MakeTable | None = None,
    n_threads: int,
) -> Table:
    """Return a side's rows in the basis that the other side was turned into, those that steps start from.

    Parameters
    ----------
    table : float32, shape (n_rows, width); the columns beyond the rotation's are biases, which stay
    counts : int64, shape (n_rows,), entries of each row
    make : as of :func:`fix_side`

    Returns
    -------
    float32, shape (n_rows, width); rows that are solved without a start are undefined
    """
    if rotation is None or not table.any():
        return table
    used = counts >= least_iterative_entries(table.shape[1])
    turned = _made(make, table.shape)
    if 2 * np.count_nonzero(used) > len(used):
        return dense.multiply(table, rotation, out=turned, n_threads=n_threads)
    rows = np.flatnonzero(used)
    turned[rows] = dense.multiply(table[rows], rotation, n_threads=n_threads)
    return turned


def _made(make: MakeTable | None, shape: tuple[int, ...]) -> Table:
    return np.empty(shape, np.float32) if make is None else make(shape)


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
    days: UserDays | None = None,
) -> Solved:
    """Solve every row of one side, the other side fixed: exactly, unless `fixed` has a spread.

    Parameters
    ----------
    rows : EntryRows
        The side's prepared entries; ``rows.n_columns`` is the number of fixed rows.
    fixed : FixedSide
    mean : float32, shape (n_rows, width), optional
        The rows' prior means; None: 0.
    start : float32, shape (n_rows, width), optional
        Where coordinate descent, or the steps under a `fixed` with a spread, start; None: 0. Rows that are
        solved exactly need none.
    out : float32, shape (n_rows, width), optional
        Where to write; overwritten. None: a new array.
    max_entries : int, optional
        The size of a row block; the result does not depend on it. None: all rows at once.
    ids : IdMap, optional
        The labels of the rows, for error messages.
    n_threads : int, optional
        None: what the machine offers. The result does not depend on it.
    days : UserDays of `rows`, optional
        Solve for the biases of the rows' days, too, exactly and together with the rows.

    Raises
    ------
    SingularSystemError
        A row has no unique solution: its id, its number of entries and the setting to raise.
    DivergedError
        A row's solution is not finite.
    """
    n_threads = resolve_threads(n_threads)
    table = np.empty((rows.n_rows, objective.width), np.float32) if out is None else out
    iterative = fixed.spread is not None
    day_ridge, day_biases = objective.day_ridge, None
    if days is not None:
        day_biases = np.empty(len(days.days), np.float32)
        max_entries = ENTRIES_AT_ONCE if max_entries is None else min(max_entries, ENTRIES_AT_ONCE)
    solved = Solved(table, np.empty(rows.n_rows), np.empty(rows.n_rows), day_biases)
    for block in rows.blocks(max_entries):
        fixed_table, spread = fixed.table, None
        if days is not None and day_ridge is not None:
            spread = days.spread(block.begin, block.end, fixed.table, ridge=day_ridge, n_threads=n_threads)
            block, fixed_table = spread.block, spread.table
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
            shards=[fixed_table],
            start=start[part] if start is not None and (objective.by_descent or iterative) else None,
            iterative=iterative,
            spread=fixed.spread,
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
        if spread is not None and day_ridge is not None and day_biases is not None:
            found = spread.biases(solved.table[part], center=objective.center, has_bias=objective.has_biases)
            day_biases[spread.part] = found
            solved.penalties[part] += spread.penalties(found, ridge=day_ridge)
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

"""Solve the row systems of one block of rows. Knows arrays only: which model they come from is objective.py's
business."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from alternant import _kernels
from alternant.errors import DataError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EntryTerm:
    """One number per stored entry: `array` where given, else ``constant + slope · value``.

    array : float32, shape (n_entries,), in the order of the block's entries; or None
    """

    constant: float = 0.0
    slope: float = 0.0
    array: Float32 | None = None


@dataclass(frozen=True)
class RowTerms:
    """What turns a block of entries and a fixed side into row systems, for each row u:

        (w0_u · G + Σ_e a_e y_e y_eᵀ + λ_u · diag(ρ) + diag(κ)) x_u = Σ_e b_e y_e + h_u

    Attributes
    ----------
    a, b : EntryTerm
        With `b_is_target`, b holds targets t: b_e = a_e · t_e, and row losses count Σ a t² in.
    ridge : float64, shape (n_rows,)
        λ_u ≥ 0.
    rho, kappa : float64, shape (width,)
        One multiplier and one constant per column.
    bias_column : bool
        The last column of the fixed side is its own bias: read as 1, and its value taken off the target.
    w0 : float64, shape (n_rows,), optional
    omega : float64, shape (width,), optional
        G = diag(omega), in the eigenbasis of G.
    gram : float32, shape (width, width), optional
        G in full, where there is no eigenbasis to go to.
    h : float32, shape (n_rows, width), optional
    nonnegative : bool
        All x_c ≥ 0.
    l1 : float64, shape (n_rows,), optional
        An L1 penalty for each row, at least 0.

    With `nonnegative` or `l1`, x_u minimises

        xᵀ M x − 2 cᵀ x + l1_u Σ_c |x_c|,    M and c the system's matrix and right side,

    instead; a bias column is neither held above 0 nor penalised by l1. M must be positive definite, or
    semidefinite with a minimum.
    """

    a: EntryTerm
    b: EntryTerm
    ridge: Float64
    rho: Float64
    kappa: Float64
    b_is_target: bool = False
    bias_column: bool = False
    w0: Float64 | None = None
    omega: Float64 | None = None
    gram: Float32 | None = None
    h: Float32 | None = None
    nonnegative: bool = False
    l1: Float64 | None = None

    def __post_init__(self) -> None:
        if self.bias_column and self.w0 is not None:
            raise DataError("bias_column and w0 cannot be combined: the unobserved part has no bias")
        if self.l1 is None:
            return
        if self.l1.shape != self.ridge.shape:
            raise DataError(
                f"l1 must have one number per row, shape {self.ridge.shape!r}, got shape {self.l1.shape!r}"
            )
        if not np.all((self.l1 >= 0) & np.isfinite(self.l1)):
            raise DataError("l1 must be finite and at least 0 in every row")


@dataclass(frozen=True)
class RowFailure:
    """The first row of a block that could not be solved, and why: ``"singular"`` or ``"not finite"``."""

    row: int
    kind: str


class Block(Protocol):
    """The entries of consecutive rows as CSR; offsets[0] need not be 0, the entry arrays start at it.

    offsets : int64, shape (n_rows + 1,)
    indices : int32, shape (n_entries,)
    values : float32, shape (n_entries,), or None (ones)
    """

    @property
    def offsets(self) -> npt.NDArray[np.int64]: ...
    @property
    def indices(self) -> npt.NDArray[np.int32]: ...
    @property
    def values(self) -> Float32 | None: ...


def least_iterative_entries(width: int) -> int:
    """Return how many entries a row must have to be solved by steps from its start."""
    return _kernels.least_iterative_entries(width)


def solve_rows(
    block: Block,
    terms: RowTerms,
    *,
    shards: list[Float32],
    out: Float32,
    losses: Float64,
    penalties: Float64,
    n_threads: int,
    start: Float32 | None = None,
    iterative: bool = False,
    spread: Float64 | None = None,
    stop: npt.NDArray[np.int32] | None = None,
) -> RowFailure | None:
    """Solve every row of `block`, into `out`, `losses` and `penalties`.

    Without limits (see :class:`RowTerms`) by Cholesky, to float32 accuracy, unless `iterative`.
    With `nonnegative` or `l1` by coordinate descent in float64, until no coordinate is further from the
    minimum over it alone, in units of 1 / √M_cc, than 1e-7 · √(Σ c_c² / M_cc); then x is rounded to float32.
    No row ends above its start. Where M is singular there may be many minima, of which one is found; a column
    of M that is all 0 is left at 0 if that is a minimum. A row whose M is singular but for rounding may stop
    unsettled after 1,000 cycles, at the lowest objective so far.

    Parameters
    ----------
    shards : list of float32 arrays, shape (rows, width)
        The fixed side. All but the last have one power-of-two number of rows; one array is one shard.
    out : float32, shape (n_rows, width)
        Written; the caller owns it. Rows without entries become 0 where h is None or 0.
    losses : float64, shape (n_rows,)
        Written: each row's part of the objective, its own penalty included (l1's too).
    penalties : float64, shape (n_rows,)
        Written: Σ_c (λ_u ρ_c + κ_c) x_c² + l1_u Σ_c |x_c| of each row, the second sum without a bias column.
    n_threads : int
        The result does not depend on it.
    start : float32, shape (n_rows, width), optional
        Where descent starts; None: at 0. Clipped to x ≥ 0 with `nonnegative`; a start that is settled already
        comes back unchanged. Also where the steps of `iterative` start; rows solved by Cholesky ignore it.
    iterative : bool
        Rows may be solved by a few steps of conjugate gradients from their start: for sweeps, of which each
        starts where the last one ended, not for answers. Rows that would need many, or have fewer than
        :func:`least_iterative_entries` entries, are solved exactly all the same.
    spread : float64, shape (width,), optional
        The mean of y_c² over the entries' fixed rows y, which makes the steps shorter ways; None: 0.
    stop : int32, shape (1,), optional
        Set to non-zero from another thread to stop between chunks: :class:`InterruptedError` is raised then.

    Returns
    -------
    RowFailure or None
        The first row that has no finite solution, or, with limits, whose M was seen to be indefinite.
        `out` is undefined then.

    Raises
    ------
    DataError
        Offsets or indices that point outside the arrays.
    KeyboardInterrupt
        Within a fraction of a second of Ctrl-C; `out` is undefined then.
    """
    failure, row, stopped = _kernels.solve_rows(
        block.offsets,
        block.indices,
        block.values,
        a=terms.a.array,
        a_constant=terms.a.constant,
        a_slope=terms.a.slope,
        b=terms.b.array,
        b_constant=terms.b.constant,
        b_slope=terms.b.slope,
        b_is_target=terms.b_is_target,
        shards=shards,
        bias_column=terms.bias_column,
        w0=terms.w0,
        ridge=terms.ridge,
        omega=terms.omega,
        gram=terms.gram,
        rho=terms.rho,
        kappa=terms.kappa,
        h=terms.h,
        nonnegative=terms.nonnegative,
        l1=terms.l1,
        start=start,
        iterative=iterative,
        spread=spread,
        out=out,
        losses=losses,
        penalties=penalties,
        n_threads=n_threads,
        stop=stop,
    )
    if failure == 3:
        raise DataError(
            f"offsets of row {row} do not fit {block.indices.size:,} entries: the data is damaged"
        )
    if failure == 4:
        n_fixed = sum(len(shard) for shard in shards)
        raise DataError(
            f"row {row} has an index outside the {n_fixed:,} rows of the other side: the data is damaged"
        )
    if stopped:
        raise InterruptedError("stopped between two chunks of rows")
    return None if failure == 0 else RowFailure(row, "singular" if failure == 1 else "not finite")

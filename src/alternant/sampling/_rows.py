"""Draws of the rows of one side from their posterior, the other side fixed, with the solver of rows.

With targets t_e = x·y_e + b_e + noise of variance σ²/w_e, and N(m, Λ⁻¹) as the prior of a row, a draw of it
is the exact solution of perturbed least squares:

    (Σ w y yᵀ + σ²Λ) x = Σ w (t + σ w^−½ ε − b) y + σ²Λ x⁰,     ε ~ N(0, 1),  x⁰ ~ N(m, Λ⁻¹)

Without the perturbation, that is with ε = 0 and x⁰ = m, it is the mean of the posterior. It is solved in the
eigenbasis of Λ, where the ridge is diagonal. No BLAS or LAPACK: the same bits for any number of threads.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from alternant.errors import DivergedError
from alternant.interactions import EntryRows, RowBlock
from alternant.kernels import dense, random
from alternant.kernels.rows import EntryTerm, RowTerms, solve_rows
from alternant.objective import Float64, Side, Table

ENTRIES_AT_ONCE = 1 << 20
_ODD = np.uint64(0x9E3779B97F4A7C15)

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class NormalPrior:
    """The prior of the rows of one side, N(mean + shift of the row, precision⁻¹).

    Attributes
    ----------
    mean : float64, shape (width,)
    precision : float64, shape (width, width)
    """

    mean: Float64
    precision: Float64


def draw_side(
    side: Side,
    rows: EntryRows,
    fixed: Table,
    prior: NormalPrior,
    *,
    noise: float,
    shifts: Table | None = None,
    mean: float = 0.0,
    scale: float = 1.0,
    row_hashes: Hashes,
    fixed_hashes: Hashes,
    seed: int,
    sweep: int,
    perturbed: bool = True,
    max_entries: int | None = ENTRIES_AT_ONCE,
    n_threads: int,
) -> Table:
    """Draw every row of one side from its posterior, the other side fixed.

    Parameters
    ----------
    rows : EntryRows
        The side's entries; their targets are (value − mean) / scale.
    fixed : float32, shape (n_fixed, width)
        The other side, its biases last.
    noise : float
        σ, in the units of the targets.
    shifts : float32, shape (n_rows, width), optional
        What is added to the prior's mean, row by row: what a link or attributes say. None: 0.
    row_hashes, fixed_hashes : uint64, shapes (n_rows,) and (n_fixed,)
        The hashes of the ids of both sides: they say which random numbers a row and an entry get.
    perturbed : bool
        False: return the mean of the posterior instead of a draw.
    max_entries : int, optional
        The size of a row block. The result does not depend on it, nor on `n_threads`.

    Returns
    -------
    float32, shape (n_rows, width), biases last; rows without entries are draws from the prior (its means)

    Raises
    ------
    DivergedError
        A draw is not finite.
    """
    width = fixed.shape[1]
    numbers = partial(
        random.standard_normal,
        seed=seed,
        side=random.Side.USERS if side == "users" else random.Side.ITEMS,
        sweep=sweep,
        n_threads=n_threads,
    )
    precisions, basis = dense.symmetric_eigen(prior.precision)
    rotation = basis.astype(np.float32)
    known = fixed.copy()
    known[:, -1] = 1.0  # what a row's own bias is multiplied by
    known = dense.multiply(known, rotation.T, n_threads=n_threads)
    centre = np.einsum("ij,j->i", basis, prior.mean)
    ridge = noise**2 * precisions
    turned = None if shifts is None else dense.multiply(shifts, rotation.T, n_threads=n_threads)
    table = np.empty((rows.n_rows, width), np.float32)
    for block in rows.blocks(max_entries):
        part = slice(block.begin, block.end)
        # Rows' deviations from the prior mean, and entries' from their targets, in standard deviations.
        start = np.zeros((block.end - block.begin, width), np.float32)
        disturbance = np.zeros(len(block.indices), np.float32)
        if perturbed:
            entry_hashes = np.repeat(row_hashes[part] * _ODD, np.diff(block.offsets))
            entry_hashes ^= fixed_hashes[block.indices]
            start = numbers(row_hashes[part], width, purpose=random.Purpose.PRIOR_DRAW)
            disturbance = numbers(entry_hashes, 1, purpose=random.Purpose.NOISE)[:, 0]
        n_rows = block.end - block.begin
        pulled = centre + start / np.sqrt(precisions)
        if turned is not None:
            pulled += turned[part]
        terms = RowTerms(
            a=EntryTerm(1.0) if block.weights is None else EntryTerm(array=block.weights),
            b=EntryTerm(array=_perturbed(block, fixed[:, -1], disturbance, noise, mean, scale)),
            b_is_target=True,
            ridge=np.ones(n_rows),
            rho=ridge,
            kappa=np.zeros(width),
            h=(pulled * ridge).astype(np.float32),
        )
        failure = solve_rows(
            block,
            terms,
            shards=[known],
            out=table[part],
            losses=np.empty(n_rows),
            penalties=np.empty(n_rows),
            n_threads=n_threads,
        )
        if failure is not None:
            raise DivergedError(
                f"the draw of the {side[:-1]} at position {block.begin + failure.row} is {failure.kind}: "
                "values of this size do not fit float32; scale the values down"
            )
    return dense.multiply(table, rotation, n_threads=n_threads)


def _perturbed(
    block: RowBlock, biases: Table, disturbance: Table, noise: float, mean: float, scale: float
) -> Table:
    """Return the targets less the fixed side's bias, plus noise: float32, shape (n_entries,)."""
    spread = noise if block.weights is None else _over_root(noise, block.weights)
    left = targets(block, mean, scale) - biases[block.indices] + spread * disturbance
    return left.astype(np.float32)


def _over_root(noise: float, weights: Table) -> Float64:
    """Return σ w^−½; 0 where the weight is 0, as such an entry says nothing."""
    found: Float64 = np.divide(
        noise, np.sqrt(weights, dtype=np.float64), out=np.zeros(len(weights)), where=weights > 0.0
    )
    return found


def targets(block: RowBlock, mean: float, scale: float) -> Float64:
    """Return (value − mean) / scale of each entry: float64, shape (n_entries,)."""
    if block.values is None:
        return np.full(len(block.indices), (1.0 - mean) / scale)
    found: Float64 = (block.values.astype(np.float64) - mean) / scale
    return found

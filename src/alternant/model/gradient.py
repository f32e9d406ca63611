"""How far a model is from a point where no table can be better: the gradient of its objective, in float64."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alternant.interactions import EntryRows, Interactions
from alternant.kernels import csr
from alternant.model.priors import prior_parts
from alternant.objective import Side, other, products, rows_of
from alternant.prior import prior_mean

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

Float64 = NDArray[np.float64]

# An entry takes a row of float64 factors on each side.
ENTRIES_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class GradientNorms:
    """The norm of each side's gradient over that at rows of 0, the other side as it is.

    users : about 0 after a fit, which solves them last
    items : small after a fit that converged
    """

    users: float
    items: float


def relative_gradient(model: "Snapshot", prepared: Interactions) -> GradientNorms:
    """Return the relative norms of the gradient wrt both tables, the coefficients of priors, and the biases
    of days, as they are."""
    prepared = model.without_days(prepared)
    pulls, starts = _entry_coefficients(model, prepared)
    by_user, by_item = prepared.by_user, prepared.by_item
    item_pulls, item_starts = csr.transpose(
        by_user.offsets, by_user.indices, n_columns=by_user.n_columns, carried=(pulls, starts["items"])
    )[2]
    return GradientNorms(
        _relative(model, "users", by_user, prepared, pulls, starts["users"]),
        _relative(model, "items", by_item, prepared, item_pulls, item_starts),
    )


def _entry_coefficients(model: "Snapshot", prepared: Interactions) -> tuple[Float64, dict[Side, Float64]]:
    """Return what each entry adds to the gradient of its rows, over −2, as a multiple of the other row.

    Returns
    -------
    float64, shape (n_entries,), entries by user : at the tables
    the same, for each side : where that side's rows are 0
    """
    problem, k = model.problem, model.n_factors
    users, items = model.user_table, model.item_table
    pulls = np.empty(prepared.n_entries)
    starts: dict[Side, Float64] = {
        "users": np.empty(prepared.n_entries),
        "items": np.empty(prepared.n_entries),
    }
    begin = 0
    for each in problem.weighed_blocks(prepared, ENTRIES_AT_ONCE):
        block = each.block
        part = slice(begin, begin + len(block.indices))
        begin = part.stop
        p = products(block, users[:, :k], items[:, :k])
        left = each.targets - problem.center
        of_user, of_item = np.zeros(len(p)), np.zeros(len(p))
        if problem.has_biases:
            biases = users[block.begin : block.end, k].astype(np.float64)
            of_user, of_item = np.repeat(biases, np.diff(block.offsets)), items[block.indices, k]
        pulls[part] = each.confidence * (left - p - of_user - of_item)
        if not problem.stored_in_both:
            # The Gramian counts all pairs; take off those that are stored.
            pulls[part] += each.unobserved * p
        starts["users"][part] = each.confidence * (left - of_item)
        starts["items"][part] = each.confidence * (left - of_user)
    return pulls, starts


def _relative(
    model: "Snapshot",
    side: Side,
    rows: EntryRows,
    prepared: Interactions,
    pulls: Float64,
    starts: Float64,
) -> float:
    table, fixed, prior = (
        (model.user_table, model.item_table, model.user_prior)
        if side == "users"
        else (model.item_table, model.user_table, model.item_prior)
    )
    problem, k = model.problem, model.n_factors
    active = rows.counts > 0
    x = table[active].astype(np.float64)
    diagonal = problem.diagonal(side, rows.counts[active])
    parts = prior_parts(problem, side, rows, prior.features)
    mean = prior_mean(parts, prior.coefficients, n_threads=1)
    m = np.zeros_like(x) if mean is None else mean[active].astype(np.float64)
    gradient = diagonal * (x - m) - row_sums(rows, pulls, fixed, has_bias=problem.has_biases)[active]
    start = -diagonal * m - row_sums(rows, starts, fixed, has_bias=problem.has_biases)[active]
    if problem.has_unobserved:
        scale = problem.unobserved_scale(side, rows.counts)
        w0 = problem.unobserved_factor * (1.0 if scale is None else scale[active][:, None])
        gram = problem.unobserved_gramian(other(side), fixed, rows_of(prepared, other(side)).counts)
        gradient += w0 * np.einsum("ij,jk->ik", x, gram)
    l1 = problem.l1_of(side, rows.counts[active])
    if problem.by_descent:
        half = np.zeros(len(x)) if l1 is None else l1 / 2.0
        gradient[:, :k] = _constrained(gradient[:, :k], x[:, :k], half[:, None], problem.nonnegative)
    size = float(np.sqrt(np.sum(gradient * gradient)))
    at_start = float(np.sqrt(np.sum(start * start)))
    return size / at_start if at_start > 0.0 else size


def _constrained(gradient: Float64, x: Float64, l1: Float64, nonnegative: bool) -> Float64:
    """Return the least subgradient of the smooth part + l1·|x|, in x ≥ 0 where asked (both over 2)."""
    if nonnegative:
        return np.where(x > 0.0, gradient + l1, np.minimum(gradient + l1, 0.0))
    at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0.0)
    return np.where(x != 0.0, gradient + np.sign(x) * l1, at_zero)


def row_sums(
    rows: EntryRows, coefficients: Float64, table: NDArray[np.float32], *, has_bias: bool
) -> Float64:
    """Return Σ coefficient · (row of the other side, 1) of each row: float64, shape (n_rows, width).

    Examples
    --------
    >>> rows = EntryRows(np.array([0, 2, 2, 3]), np.array([0, 1, 1], np.int32), n_columns=2)
    >>> row_sums(rows, np.array([1.0, 2.0, 3.0]), np.array([[1], [10]], np.float32), has_bias=False).tolist()
    [[21.0], [0.0], [30.0]]
    """
    sums = np.zeros((rows.n_rows, table.shape[1]))
    for block in rows.blocks(ENTRIES_AT_ONCE):
        begin = int(block.offsets[0])
        terms = table[block.indices].astype(np.float64)
        if has_bias:
            terms[:, -1] = 1.0
        terms *= coefficients[begin : begin + len(terms), None]
        filled = np.flatnonzero(np.diff(block.offsets))
        if len(filled):
            sums[block.begin + filled] = np.add.reduceat(terms, block.offsets[filled] - begin, axis=0)
    return sums

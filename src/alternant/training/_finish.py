"""How every fit ends: the items in their canonical basis, and one exact user pass with what the model will
store."""

from dataclasses import dataclass

import numpy as np

from alternant.kernels import dense
from alternant.objective import FixedSide, Objective, Table
from alternant.solvers import Solved, fix_side
from alternant.training._backend import LocalBackend, rotated
from alternant.training._state import SideState, State


@dataclass(frozen=True, eq=False)
class Finished:
    """What a model keeps.

    items : FixedSide, the item table and the Gramian that the user pass was solved under
    users : Solved, the user pass
    omega : float64, shape (n_factors,), the eigenvalues of the items' Gramian, strongest first
    user_coefficients, item_coefficients : of the prior means, in the basis of the tables
    """

    items: FixedSide
    users: Solved
    omega: np.ndarray[tuple[int], np.dtype[np.float64]]
    user_coefficients: tuple[Table, ...]
    item_coefficients: tuple[Table, ...]


def finish(backend: LocalBackend, objective: Objective, state: State, *, n_threads: int) -> Finished:
    """Turn the item factors into the eigenbasis of their Gramian, strongest direction first, and solve the
    users.

    Scores do not change; keeping the first k′ columns becomes a good truncation. The bias column stays, and
    coefficients turn along. Non-negative and L1 factors stay as they are: a rotation would break them. Since
    the user pass is the same one that folds in a history, folding in a stored user's history gives the stored
    vector, to the bit.
    """
    table, k = state.items.table, objective.n_factors
    counts = backend.interactions.by_item.counts
    fixed, rotation = fix_side(objective, "items", table, counts, n_threads=n_threads)
    if fixed.omega is None and not objective.by_descent:
        factors = np.ascontiguousarray(table[:, :k])
        _, vectors = dense.symmetric_eigen(dense.gramian(factors, n_threads=n_threads))
        rotation = vectors.T.astype(np.float32)
        canonical = table.copy()
        canonical[:, :k] = dense.multiply(factors, rotation, n_threads=n_threads)
        fixed = FixedSide(canonical)
    user_coefficients = rotated(state.users.coefficients, rotation, n_threads=n_threads)
    item_coefficients = rotated(state.items.coefficients, rotation, n_threads=n_threads)
    users = backend.solve(
        "users",
        fixed,
        SideState(np.zeros_like(state.users.table), user_coefficients),
        np.empty_like(state.users.table),
    )
    return Finished(fixed, users, _spectrum(fixed, k, n_threads), user_coefficients, item_coefficients)


def _spectrum(fixed: FixedSide, k: int, n_threads: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if fixed.omega is not None:
        return fixed.omega
    factors = np.ascontiguousarray(fixed.table[:, :k])
    return np.diagonal(dense.gramian(factors, n_threads=n_threads)).copy()

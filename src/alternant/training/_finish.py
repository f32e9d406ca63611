"""How every fit ends: the items in their canonical basis, and one exact user pass with what the model will
store."""

from dataclasses import dataclass

import numpy as np

from alternant.kernels import dense
from alternant.objective import ExplicitObjective, Float64, Table
from alternant.solvers import Solved
from alternant.training._backend import Backend


@dataclass(frozen=True, eq=False)
class Finished:
    """The tables that a model keeps.

    item_table : float32, shape (n_items, width)
    users : Solved, the user pass with the items fixed
    omega : float64, shape (n_factors,), the eigenvalues of the items' Gramian, strongest first
    """

    item_table: Table
    users: Solved
    omega: Float64


def finish(
    backend: Backend, objective: ExplicitObjective, item_table: Table, *, n_users: int, n_threads: int
) -> Finished:
    """Rotate the item factors into the eigenbasis of their Gramian, strongest direction first, and solve the
    users.

    Scores do not change; keeping the first k′ columns becomes a good truncation. The bias column stays. Since
    the user pass is the same one that folds in a history, folding in a stored user's history gives the stored
    vector, to the bit.
    """
    k = objective.n_factors
    factors = np.ascontiguousarray(item_table[:, :k])
    _, vectors = dense.symmetric_eigen(dense.gramian(factors, n_threads=n_threads))
    rotated = item_table.copy()
    rotated[:, :k] = dense.multiply(factors, vectors.T.astype(np.float32), n_threads=n_threads)
    omega = np.diagonal(dense.gramian(np.ascontiguousarray(rotated[:, :k]), n_threads=n_threads)).copy()
    users = backend.half_sweep("users", rotated, np.empty((n_users, objective.width), np.float32))
    return Finished(rotated, users, omega)

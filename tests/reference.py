"""Alternating least squares in plain float64: dense loops, ``np.linalg.solve``, ``argsort``. Everything fast
is tested against this file.

Ratings are a dense array with NaN for the unknown cells. A table holds a row's factors and, with biases, its
bias in the last column.
"""

import numpy as np


def ridge(counts, *, regularization, exponent=0.0, constant=0.0):
    """λ·n^ν + c of each row."""
    return regularization * np.asarray(counts, float) ** exponent + constant


def design(fixed, biases):
    """The fixed side as the columns of a row's regression, and what its own biases already explain."""
    if not biases:
        return fixed, np.zeros(len(fixed))
    return np.hstack([fixed[:, :-1], np.ones((len(fixed), 1))]), fixed[:, -1]


def solve_side(ratings, fixed, penalties, *, mean=0.0, biases=False, weights=None):
    """Solve every row of `ratings` given the fixed side; `penalties`, shape (rows, width), are each row's
    diagonal D."""
    columns, explained = design(fixed, biases)
    out = np.zeros((len(ratings), fixed.shape[1]))
    for u, row in enumerate(ratings):
        known = np.flatnonzero(~np.isnan(row))
        if known.size:
            y, w = columns[known], np.ones(known.size) if weights is None else weights[u, known]
            target = row[known] - mean - explained[known]
            out[u] = np.linalg.solve((y.T * w) @ y + np.diag(penalties[u]), y.T @ (w * target))
    return out


def predict(users, items, *, mean=0.0, biases=False):
    """The completed matrix."""
    if not biases:
        return mean + users @ items.T
    return mean + users[:, :-1] @ items[:, :-1].T + users[:, -1:] + items[:, -1]


def objective(ratings, users, items, user_penalties, item_penalties, *, mean=0.0, biases=False, weights=None):
    """Σ w (r − prediction)² + Σ of both sides' penalties · squares."""
    square = (ratings - predict(users, items, mean=mean, biases=biases)) ** 2
    square = square if weights is None else square * weights
    return np.nansum(square) + np.sum(user_penalties * users**2) + np.sum(item_penalties * items**2)


def solve_row(y, a, b, diagonal, *, gram=None, h=None):
    """The general row system: (G + Σ a y yᵀ + D) x = Σ b y + h."""
    y, a, b = (np.asarray(v, float) for v in (y, a, b))
    system = (y.T * a) @ y + np.diag(diagonal) + (0.0 if gram is None else gram)
    return np.linalg.solve(system, y.T @ b + (0.0 if h is None else h)), system


def rank(scores, k, *, exclude=()):
    """The k best indices: score descending, index ascending."""
    scores = np.array(scores, float)
    order = np.argsort(-scores, kind="stable")
    return [int(i) for i in order if i not in set(exclude)][:k]


def least_coordinate(system, rhs, x, c, *, l1=0.0, nonnegative=False):
    """Where xᵀ M x − 2 rhsᵀ x + l1 |x_c| over x_c alone is least."""
    free, shrink = x[c] - (system[c] @ x - rhs[c]) / system[c, c], l1 / 2 / system[c, c]
    if free > shrink:
        return free - shrink
    return 0.0 if nonnegative or free >= -shrink else free + shrink


def descend(system, rhs, *, l1=0.0, nonnegative=False, bias_column=False):
    """Minimise xᵀ M x − 2 rhsᵀ x + l1 Σ |x_c|, in x ≥ 0 where asked, by coordinate descent until it stands
    still; a bias column is under neither."""
    x = np.zeros(len(rhs))
    for _ in range(10000):
        before = x.copy()
        for c in range(len(x)):
            bias = bias_column and c == len(x) - 1
            x[c] = least_coordinate(
                system, rhs, x, c, l1=0.0 if bias else l1, nonnegative=nonnegative and not bias
            )
        if np.max(np.abs(x - before)) <= 1e-12 * np.max(np.abs(x)):
            return x
    raise ArithmeticError("coordinate descent does not stand still")

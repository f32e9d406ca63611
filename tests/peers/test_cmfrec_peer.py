"""cmfrec's CMF minimises our explicit objective (and "missing-as-zero"), its CMF_implicit our form "hkv".

It has no function for the loss of an ALS fit, so its loss is written out here in its own settings; that it is
what its solver minimises is tested on its solutions. It takes no start, but the same seed gives the same
sweeps.
"""

import numpy as np
import pytest

from peers.objectives import explicit_objective, implicit_objective
from peers.problems import N_FACTORS, is_minimum, random_factors, small_data

sparse = pytest.importorskip("scipy.sparse")
cmfrec = pytest.importorskip("cmfrec")

pytestmark = pytest.mark.nightly
FIT = {"use_cg": False, "use_float": False, "nthreads": 1, "precompute_for_predictions": False}


def six(lambda_):
    """user_bias, item_bias, A, B, C, D."""
    return np.broadcast_to(np.asarray(lambda_, np.float64), 6)


def converted_settings(
    *,
    lambda_=10.0,
    user_bias=True,
    item_bias=True,
    center=True,
    scale_lam=False,
    scale_bias_const=False,
    data=None,
):
    """Return ExplicitALS's keyword arguments; the defaults are CMF's.

    `data` is needed with `scale_bias_const`, and tells whether there are weights. ValueError: settings
    that have no equivalent.
    """
    bias_u, bias_i, users, items = six(lambda_)[:4]
    if user_bias != item_bias:
        raise ValueError("biases of one side only")
    if scale_lam and data is not None and np.any(data.weights[data.stored] != 1):
        raise ValueError("scale_lam multiplies by a row's sum of weights, we by its number of entries")
    settings = {
        "regularization": users,
        "item_regularization": items,
        "regularization_exponent": 1.0 if scale_lam else 0.0,
        "biases": user_bias,
        "center": center,
    }
    if not user_bias:
        return settings
    if scale_lam and scale_bias_const:
        n_entries = data.stored.sum()
        bias_u, bias_i = bias_u * n_entries / len(data.stored), bias_i * n_entries / data.stored.shape[1]
    elif (bias_u, bias_i) == (users, items):
        return settings
    elif scale_lam:
        raise ValueError("scaled biases with another λ than the factors'")
    if not np.isclose(bias_u, bias_i):
        raise ValueError("biases with a ridge of their own that differs between users and items")
    return settings | {"bias_regularization": bias_u}


def converted_implicit_settings(*, lambda_=1.0, alpha=1.0):
    """Return ImplicitALS's keyword arguments; the defaults are those of CMF_implicit."""
    _, _, users, items = six(lambda_)[:4]
    return {
        "form": "hkv",
        "value": "confidence",
        "alpha": alpha,
        "unobserved_weight": 1.0,
        "regularization": users,
        "item_regularization": items,
        "regularization_exponent": 0.0,
    }


def converted_na_as_zero_settings(*, lambda_):
    """Return ImplicitALS's keyword arguments for CMF(NA_as_zero=True) without mean and biases.

    A weight w of ours is the w of theirs.
    """
    return converted_implicit_settings(lambda_=lambda_) | {"form": "missing-as-zero", "value": "target"}


def cmf_loss(
    data, users, items, user_biases, item_biases, *, lambda_, scale_lam=False, scale_bias_const=False
):
    weights = data.weights
    mean = np.sum(weights * data.values) / np.sum(weights)
    residual = data.values - mean - user_biases[:, None] - item_biases - users @ items.T
    user_sums, item_sums = weights.sum(axis=1), weights.sum(axis=0)
    of_users, of_items = (user_sums, item_sums) if scale_lam else (1.0, 1.0)
    of_biases = (np.mean(user_sums), np.mean(item_sums)) if scale_bias_const else (of_users, of_items)
    lam = six(lambda_)
    return (
        np.sum(weights * residual**2)
        + lam[0] * np.sum(of_biases[0] * user_biases**2)
        + lam[1] * np.sum(of_biases[1] * item_biases**2)
        + lam[2] * np.sum(of_users * np.sum(users**2, axis=1))
        + lam[3] * np.sum(of_items * np.sum(items**2, axis=1))
    )


def coo(data):
    # By column: when 3.5.1 solves items, it takes the weights of a sparse matrix in the order given.
    columns, rows = np.nonzero(data.stored.T)
    matrix = sparse.coo_matrix((data.values[rows, columns], (rows, columns)), shape=data.stored.shape)
    return matrix, data.weights[rows, columns]


def bias_lambdas(data):
    """λ of the biases that `scale_bias_const` makes equal to 0.9 on both sides."""
    return 0.9 * np.array(data.stored.shape) / data.stored.sum()


CASES = [
    {"lambda_": 0.8},
    {"lambda_": [0.5, 0.3, 0.5, 0.3, 0, 0]},
    {"lambda_": [0.9, 0.9, 0.5, 0.3, 0, 0]},
    {"lambda_": [0.1, 0.07, 0.1, 0.07, 0, 0], "scale_lam": True},
    {"lambda_": "equal biases", "scale_lam": True, "scale_bias_const": True},
]


def resolved(case, data):
    if case["lambda_"] == "equal biases":
        return case | {"lambda_": [*bias_lambdas(data), 0.1, 0.07, 0, 0]}
    return case


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_explicit_loss_is_ours(case, weighted):
    data = small_data(1, weighted=weighted)
    case = resolved(case, data)
    if weighted and case.get("scale_lam"):
        with pytest.raises(ValueError, match="sum of weights"):
            converted_settings(**case, data=data)
        return
    tables = random_factors(1)
    ours = explicit_objective(converted_settings(**case, data=data), data, *tables)
    assert cmf_loss(data, *tables, **case) == pytest.approx(ours, rel=1e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_explicit_loss_is_what_its_solver_minimises(case, weighted):
    data = small_data(2, weighted=weighted)
    case = resolved(case, data)
    matrix, weights = coo(data)

    def fitted(n_sweeps):
        peer = cmfrec.CMF(k=N_FACTORS, niter=n_sweeps, random_state=3, **FIT, **case)
        peer.fit(matrix, W=weights if weighted else None)
        # One array a side, as users and items are solved jointly with their biases.
        return np.c_[peer.A_, peer.user_bias_], np.c_[peer.B_, peer.item_bias_]

    def loss(users, items):
        return cmf_loss(data, users[:, :-1], items[:, :-1], users[:, -1], items[:, -1], **case)

    users_before, _ = fitted(4)
    users, items = fitted(5)
    # It solves the items first, so the items of sweep 5 answer the users of sweep 4.
    assert is_minimum(lambda y: loss(users_before, y), items)
    assert is_minimum(lambda x: loss(x, items), users)


@pytest.mark.parametrize("alpha", [1.0, 2.5])
def test_its_implicit_solver_minimises_ours(alpha):
    data = small_data(4)
    lambda_ = [0, 0, 0.5, 0.3, 0, 0]
    settings = converted_implicit_settings(lambda_=lambda_, alpha=alpha)

    def fitted(n_sweeps):
        peer = cmfrec.CMF_implicit(
            k=N_FACTORS, lambda_=lambda_, alpha=alpha, niter=n_sweeps, random_state=3, **FIT
        )
        peer.fit(coo(data)[0])
        return peer.A_, peer.B_

    users_before, _ = fitted(4)
    users, items = fitted(5)
    assert is_minimum(lambda y: implicit_objective(settings, data, users_before, y), items)
    assert is_minimum(lambda x: implicit_objective(settings, data, x, items), users)


def test_the_implicit_loss_is_ours():
    data, alpha, lambda_ = small_data(5), 2.5, 0.4
    users, items, *_ = random_factors(5)
    confidence = np.where(data.stored, 1 + alpha * data.values, 1.0)
    theirs = np.sum(confidence * (data.stored - users @ items.T) ** 2)
    theirs += lambda_ * (np.sum(users**2) + np.sum(items**2))
    ours = implicit_objective(converted_implicit_settings(lambda_=lambda_, alpha=alpha), data, users, items)
    assert theirs == pytest.approx(ours, rel=1e-5)


def test_its_missing_as_zero_solver_minimises_ours():
    data = small_data(6, negative=True, weighted=True)
    lambda_ = [0, 0, 0.5, 0.3, 0, 0]
    settings = converted_na_as_zero_settings(lambda_=lambda_)
    matrix, weights = coo(data)

    def fitted(n_sweeps):
        peer = cmfrec.CMF(
            k=N_FACTORS,
            lambda_=lambda_,
            NA_as_zero=True,
            user_bias=False,
            item_bias=False,
            center=False,
            niter=n_sweeps,
            random_state=3,
            **FIT,
        )
        peer.fit(matrix, W=weights)
        return peer.A_, peer.B_

    users_before, _ = fitted(4)
    users, items = fitted(5)
    assert is_minimum(lambda y: implicit_objective(settings, data, users_before, y), items)
    assert is_minimum(lambda x: implicit_objective(settings, data, x, items), users)

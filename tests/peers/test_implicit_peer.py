"""implicit's AlternatingLeastSquares minimises our form "missing-as-zero"."""

import numpy as np
import pytest

from peers.objectives import implicit_objective
from peers.problems import N_FACTORS, is_minimum, random_factors, small_data

sparse = pytest.importorskip("scipy.sparse")
pytest.importorskip("implicit")
from implicit.cpu import _als  # noqa: E402
from implicit.cpu.als import AlternatingLeastSquares  # noqa: E402

pytestmark = pytest.mark.nightly
REGULARIZATION, ALPHA = 0.3, 1.7


def converted_settings(*, regularization=0.01, alpha=1.0):
    """Return ImplicitALS's keyword arguments; the defaults are implicit's."""
    return {
        "form": "missing-as-zero",
        "value": "confidence",
        "alpha": alpha,
        "unobserved_weight": 1.0,
        "regularization": regularization,
        "regularization_exponent": 0.0,
    }


def loss_and_its_divisor(data, user_factors, item_factors, *, regularization, alpha):
    confidences = sparse.csr_matrix((alpha * data.values).astype(np.float32))
    loss = _als.calculate_loss(confidences, user_factors, item_factors, regularization, num_threads=1)
    return loss, np.abs(alpha * data.values).sum() + np.sum(~data.stored)


@pytest.mark.parametrize("seed", range(3))
def test_its_loss_is_ours(seed):
    data = small_data(seed, negative=True)
    users, items, *_ = random_factors(seed)
    settings = {"regularization": REGULARIZATION, "alpha": ALPHA}
    loss, divisor = loss_and_its_divisor(data, users, items, **settings)
    # Its loss counts c where it should count c·0² for a dislike, a constant that the solver knows nothing of.
    dislikes = ALPHA * np.abs(data.values[data.values < 0]).sum()
    assert dislikes > 0
    ours = implicit_objective(converted_settings(**settings), data, users, items)
    assert loss * divisor - dislikes == pytest.approx(ours, rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_its_solver_minimises_ours_from_a_start_that_we_set(seed):
    data = small_data(seed, negative=True)
    users, items, *_ = random_factors(seed)
    peer = AlternatingLeastSquares(
        factors=N_FACTORS,
        regularization=REGULARIZATION,
        alpha=ALPHA,
        dtype=np.float64,
        use_cg=False,
        iterations=1,
        num_threads=1,
    )
    peer.user_factors, peer.item_factors = users.copy(), items.copy()
    peer.fit(sparse.csr_matrix(data.values.astype(np.float32)), show_progress=False)
    settings = converted_settings(regularization=REGULARIZATION, alpha=ALPHA)
    assert is_minimum(lambda x: implicit_objective(settings, data, x, items), peer.user_factors)
    assert is_minimum(lambda y: implicit_objective(settings, data, peer.user_factors, y), peer.item_factors)

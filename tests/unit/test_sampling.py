"""Draws of rows, priors, coefficients and noise: against closed forms, and the same bits for any threads."""

import numpy as np
import pytest

from alternant import Interactions
from alternant.prior import attribute_part, link_part
from alternant.sampling import (
    PENALTY,
    NormalPrior,
    _coefficients,
    _hyper,
    _inverses,
    coefficient_sampler,
    draw_noise,
    draw_prior,
    draw_side,
    squared_residuals,
)

NOISE = 0.7
WIDTH = 3


def ratings(n_users=40, n_items=30, n_entries=500, seed=1, weights=False):
    rng = np.random.default_rng(seed)
    cells = rng.choice(n_users * n_items, n_entries, replace=False)
    users, items = cells // n_items, cells % n_items
    signal = rng.normal(size=(n_users, 2))[users] * rng.normal(size=(n_items, 2))[items]
    values = 3.0 + signal.sum(axis=1) + rng.normal(scale=0.3, size=n_entries)
    return Interactions.from_arrays(
        users, items, values, weights=rng.uniform(0.5, 3.0, n_entries) if weights else None
    )


def tiny(weights):
    """Return three users with 4, 1 and 0 entries, a fixed side and a prior that is not diagonal."""
    rng = np.random.default_rng(3)
    data = Interactions.from_arrays(
        [0, 0, 0, 0, 1],
        [0, 1, 2, 3, 1],
        [1.0, 3.0, 2.0, 5.0, 4.0],
        weights=[1.0, 2.0, 0.5, 4.0, 3.0] if weights else None,
    ).grown(user_labels=[2], item_labels=[])
    fixed = rng.normal(size=(4, WIDTH)).astype(np.float32)
    root = rng.normal(size=(WIDTH, WIDTH))
    return data, fixed, NormalPrior(np.array([0.5, -1.0, 0.3]), root @ root.T + 0.5 * np.eye(WIDTH))


def closed_form(data, fixed, prior, row, *, mean, scale):
    """Return mean and covariance of a row's posterior."""
    rows = data.by_user
    part = slice(rows.offsets[row], rows.offsets[row + 1])
    index = rows.indices[part]
    known = fixed[index].astype(np.float64)
    targets = (rows.values[part].astype(np.float64) - mean) / scale - known[:, -1]
    known[:, -1] = 1.0
    precisions = np.ones(len(index)) if rows.weights is None else rows.weights[part].astype(np.float64)
    precisions = precisions / NOISE**2
    covariance = np.linalg.inv((known.T * precisions) @ known + prior.precision)
    return covariance @ (known.T @ (precisions * targets) + prior.precision @ prior.mean), covariance


def draws_of(data, fixed, prior, sweeps, **settings):
    return np.stack(
        [
            draw_side(
                "users",
                data.by_user,
                fixed,
                prior,
                noise=NOISE,
                row_hashes=data.user_ids.hashes,
                fixed_hashes=data.item_ids.hashes,
                seed=5,
                sweep=sweep,
                **({"n_threads": 1} | settings),
            )
            for sweep in range(sweeps)
        ]
    ).astype(np.float64)


@pytest.mark.parametrize("weights", [False, True])
def test_draws_have_the_mean_and_covariance_of_the_posterior(weights):
    data, fixed, prior = tiny(weights)
    n = 6000
    draws = draws_of(data, fixed, prior, n, mean=2.0, scale=1.5)
    for row in range(3):
        mean, covariance = closed_form(data, fixed, prior, row, mean=2.0, scale=1.5)
        errors = np.sqrt(np.diagonal(covariance) / n)
        assert np.all(np.abs(draws[:, row].mean(axis=0) - mean) < 4.5 * errors)
        spread = np.sqrt(np.multiply.outer(np.diagonal(covariance), np.diagonal(covariance)) * 2 / n)
        assert np.all(np.abs(np.cov(draws[:, row].T) - covariance) < 4.5 * spread)


@pytest.mark.parametrize("weights", [False, True])
def test_means_of_the_posterior_are_exact(weights):
    data, fixed, prior = tiny(weights)
    found = draws_of(data, fixed, prior, 1, mean=2.0, scale=1.5, perturbed=False)[0]
    for row in range(3):
        expected, _ = closed_form(data, fixed, prior, row, mean=2.0, scale=1.5)
        np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-5)


def test_draws_of_different_rows_and_sweeps_are_independent():
    data, fixed, prior = tiny(False)
    draws = draws_of(data, fixed, prior, 3000)
    between_rows = np.corrcoef(draws[:, 0].T, draws[:, 2].T)[:WIDTH, WIDTH:]
    between_sweeps = np.corrcoef(draws[1:, 0].T, draws[:-1, 0].T)[:WIDTH, WIDTH:]
    assert np.abs(between_rows).max() < 4.5 / np.sqrt(3000)
    assert np.abs(between_sweeps).max() < 4.5 / np.sqrt(3000)


def test_draws_do_not_depend_on_threads_or_blocks():
    data = ratings(weights=True)
    _, _, prior = tiny(False)
    fixed = np.random.default_rng(0).normal(size=(data.n_items, WIDTH)).astype(np.float32)
    expected = draws_of(data, fixed, prior, 2)
    np.testing.assert_array_equal(draws_of(data, fixed, prior, 2, n_threads=3), expected)
    np.testing.assert_array_equal(draws_of(data, fixed, prior, 2, max_entries=17), expected)


def test_the_numbers_of_an_entry_belong_to_its_ids():
    """A user's draw stays as it was when another user joins."""
    data = Interactions.from_arrays([7, 7, 9], ["a", "b", "b"], [1.0, 2.0, 3.0])
    more = Interactions.from_arrays([3, 7, 7, 9], ["b", "a", "b", "b"], [5.0, 1.0, 2.0, 3.0])
    _, fixed, prior = tiny(False)
    before = draws_of(data, fixed[data.item_ids.encode(["a", "b"])], prior, 1)[0]
    after = draws_of(more, fixed[more.item_ids.encode(["a", "b"])], prior, 1)[0]
    np.testing.assert_array_equal(after[more.user_ids.encode([7, 9])], before[data.user_ids.encode([7, 9])])


def test_entries_of_weight_0_say_nothing():
    _, fixed, prior = tiny(False)
    known = Interactions.from_arrays([0, 0], [0, 1], [1.0, 2.0], weights=[1.0, 0.0])
    other = Interactions.from_arrays([0, 0], [0, 1], [1.0, 9.0], weights=[1.0, 0.0])
    np.testing.assert_array_equal(draws_of(known, fixed[:2], prior, 3), draws_of(other, fixed[:2], prior, 3))


def test_priors_have_the_mean_of_their_posterior():
    """Normal-Wishart: E Λ = (ν₀ + n) W_n, E μ = n x̄ / (β₀ + n)."""
    rng = np.random.default_rng(2)
    table = (rng.normal(size=(50, WIDTH)) @ rng.normal(size=(WIDTH, WIDTH)) + [1.0, 0.0, -2.0]).astype(
        np.float32
    )
    exact = table.astype(np.float64)
    centre, strength = exact.mean(axis=0), _hyper.PRIOR_STRENGTH
    inverse = np.eye(WIDTH) + (exact - centre).T @ (exact - centre)
    inverse += strength * 50 / (strength + 50) * np.outer(centre, centre)
    expected = (WIDTH + 50) * np.linalg.inv(inverse)
    generator = np.random.default_rng(4)
    found = [draw_prior(table, generator, n_threads=1) for _ in range(4000)]
    precisions = np.stack([each.precision for each in found])
    means = np.stack([each.mean for each in found])
    assert np.all(np.abs(precisions.mean(axis=0) - expected) < 4.5 * precisions.std(axis=0) / np.sqrt(4000))
    assert np.all(
        np.abs(means.mean(axis=0) - 50 * centre / (strength + 50)) < 4.5 * means.std(axis=0) / np.sqrt(4000)
    )
    # Given Λ, the mean has covariance Λ⁻¹ / (β₀ + n).
    root = np.linalg.cholesky(precisions)
    steps = np.einsum("nji,nj->ni", root, means - 50 * centre / (strength + 50)) * np.sqrt(strength + 50)
    np.testing.assert_allclose(np.cov(steps.T), np.eye(WIDTH), atol=4.5 * np.sqrt(2 / 4000))


def test_noise_has_the_mean_of_its_posterior():
    generator = np.random.default_rng(0)
    precisions = np.array([draw_noise(80.0, 100, generator) for _ in range(4000)]) ** -2.0
    assert abs(precisions.mean() - 51.0 / 41.0) < 4.5 * precisions.std() / np.sqrt(4000)


def test_squared_residuals_count_weights():
    data = ratings(weights=True)
    rng = np.random.default_rng(0)
    users, items = (rng.normal(size=(n, WIDTH)).astype(np.float32) for n in (data.n_users, data.n_items))
    rows = data.by_user
    index = rows.row_index()
    fitted = (
        np.sum(users[index, :-1] * items[rows.indices, :-1], axis=1)
        + users[index, -1]
        + items[rows.indices, -1]
    )
    expected = np.sum(rows.weights * ((rows.values - 2.0) / 1.5 - fitted) ** 2)
    assert squared_residuals(rows, users, items, mean=2.0, scale=1.5, n_threads=1) == pytest.approx(
        expected, rel=1e-5
    )


# -- coefficients --------------------------------------------------------------------------------------


def features_of(n_rows, n_features, seed=0, density=0.3):
    """Return the rows of a link, and attributes of the same rows, with Φ of each in float64."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((n_rows, n_features)) < density)
    data = Interactions.from_arrays(users, items).grown(user_labels=[], item_labels=[])
    link = link_part(data.by_user, None, ridge=PENALTY)
    full = np.zeros((data.n_users, data.n_items))
    full[data.by_user.row_index(), data.by_user.indices] = 1.0
    return data, link, full / np.sqrt(full.sum(axis=1, keepdims=True))


@pytest.fixture(params=["inverse", "conjugate gradients"])
def way(request, monkeypatch):
    """Both ways to apply the inverse."""
    monkeypatch.setattr(_coefficients, "MOST_INVERTED", 100 if request.param == "inverse" else 0)


def sampler_of(n_rows, n_features, attributes=False):
    """Return a sampler and its Φ in float64."""
    data, link, full = features_of(n_rows, n_features)
    parts, hashes = [link], [data.item_ids.hashes]
    if attributes:
        rng = np.random.default_rng(1)
        numbers = rng.normal(size=(data.n_users, 2)).astype(np.float32)
        rows = Interactions.from_arrays(
            np.repeat(np.arange(data.n_users), 2), np.tile([0, 1], data.n_users), numbers.ravel()
        ).by_user
        parts.append(attribute_part(rows, ridge=PENALTY, fitted=False))
        hashes.append(np.arange(2, dtype=np.uint64))
        full = np.concatenate([full, numbers], axis=1)
    return coefficient_sampler(parts, data.user_ids.hashes, hashes, n_threads=1), full


@pytest.mark.parametrize(("n_rows", "n_features"), [(5, 8), (9, 4)])
@pytest.mark.parametrize("attributes", [False, True])
def test_coefficients_have_the_mean_and_covariance_of_the_posterior(way, n_rows, n_features, attributes):
    """In the dense posterior: N((ΦᵀΦ + τ)⁻¹ΦᵀR, (ΦᵀΦ + τ)⁻¹ ⊗ Λ⁻¹), whichever side is inverted."""
    sampler, full = sampler_of(n_rows, n_features, attributes)
    _, _, prior = tiny(False)
    rows = np.random.default_rng(2).normal(size=(len(full), WIDTH)).astype(np.float32)
    n = 5000
    draws = np.stack(
        [
            np.concatenate(
                sampler.draw(rows, prior.precision, side="users", seed=3, sweep=sweep, n_threads=1)
            )
            for sweep in range(n)
        ]
    ).reshape(n, -1)
    inverse = np.linalg.inv(full.T @ full + PENALTY * np.eye(full.shape[1]))
    mean = (inverse @ full.T @ rows).ravel()
    covariance = np.kron(inverse, np.linalg.inv(prior.precision))
    errors = np.sqrt(np.diagonal(covariance))
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 4.5 * errors / np.sqrt(n))
    spread = np.multiply.outer(errors, errors) * np.sqrt(2 / n)
    assert np.all(np.abs(np.cov(draws.T) - covariance) < 4.8 * spread)


@pytest.mark.parametrize(("n_rows", "n_features"), [(5, 8), (9, 4)])
def test_rows_are_whitened_by_their_covariance(way, n_rows, n_features):
    sampler, full = sampler_of(n_rows, n_features)
    rows = np.random.default_rng(2).normal(size=(len(full), WIDTH)).astype(np.float32)
    expected = np.linalg.solve(np.eye(len(full)) + full @ full.T / PENALTY, rows)
    np.testing.assert_allclose(sampler.whitened(rows, n_threads=1), expected, atol=1e-5)


def test_priors_of_rows_with_shifts_have_the_mean_of_their_posterior():
    """With D = (I + ΦΦᵀ/τ)⁻¹: E Λ = (ν₀ + n) W_n, E μ = XᵀD1 / (β₀ + 1ᵀD1)."""
    sampler, full = sampler_of(9, 4)
    n = len(full)
    table = np.random.default_rng(2).normal(size=(n, WIDTH), loc=[1.0, 0.0, -2.0]).astype(np.float32)
    d = np.linalg.inv(np.eye(n) + full @ full.T / PENALTY)
    weight, strength = d.sum(), _hyper.PRIOR_STRENGTH
    centre = table.T @ d.sum(axis=1) / weight
    left = table - centre
    inverse = np.eye(WIDTH) + left.T @ d @ left
    inverse += strength * weight / (strength + weight) * np.outer(centre, centre)
    generator = np.random.default_rng(4)
    found = [draw_prior(table, generator, coefficients=sampler, n_threads=1) for _ in range(4000)]
    precisions, means = np.stack([p.precision for p in found]), np.stack([p.mean for p in found])
    expected = (WIDTH + n) * np.linalg.inv(inverse)
    assert np.all(np.abs(precisions.mean(axis=0) - expected) < 4.5 * precisions.std(axis=0) / np.sqrt(4000))
    expected = weight * centre / (strength + weight)
    assert np.all(np.abs(means.mean(axis=0) - expected) < 4.5 * means.std(axis=0) / np.sqrt(4000))


@pytest.mark.parametrize("n", [1, 100, 333])
def test_roots_of_inverses_are_found_by_halves(n):
    root = np.random.default_rng(0).normal(size=(n, n)) / np.sqrt(n)
    matrix = np.eye(n) + root @ root.T
    found = _inverses.inverse_root(matrix.astype(np.float32), n_threads=1)
    np.testing.assert_allclose(found.T @ found, np.linalg.inv(matrix), atol=3e-6)
    np.testing.assert_array_equal(found, _inverses.inverse_root(matrix.astype(np.float32), n_threads=3))

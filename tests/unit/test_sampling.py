"""Gibbs sampling of ratings: against closed forms, and the same bits for any number of threads."""

import numpy as np
import pytest

from alternant import Interactions
from alternant.als._sampled import Sampled, sample_explicit
from alternant.errors import DataError
from alternant.training import _sampling
from alternant.training._sampling import (
    NormalPrior,
    draw_noise,
    draw_prior,
    draw_side,
    scores,
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
    centre, strength = exact.mean(axis=0), _sampling.PRIOR_STRENGTH
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
    assert squared_residuals(rows, users, items, mean=2.0, scale=1.5) == pytest.approx(expected, rel=1e-5)


def test_sampling_gives_the_same_bits_for_1_and_3_threads():
    data = ratings()
    users, items = np.arange(20), np.arange(20)
    one, three = (
        sample_explicit(
            data, n_factors=4, n_samples=6, burn_in=2, n_kept=3, n_threads=n, pairs=(users, items)
        )
        for n in (1, 3)
    )
    for name in ("user_tables", "item_tables", "item_means", "sigmas", "pair_means", "pair_deviations"):
        np.testing.assert_array_equal(getattr(one, name), getattr(three, name))
    assert one.user_tables.shape == (3, 40, 5)


def test_tracked_pairs_are_the_average_over_samples():
    users, items = np.arange(20), np.arange(20)
    found = sample_explicit(
        ratings(), n_factors=4, n_samples=6, burn_in=2, n_kept=6, n_threads=1, pairs=(users, items)
    )
    every = [
        found.mean + scores(each, other, users, items)
        for each, other in zip(found.user_tables, found.item_tables, strict=True)
    ]
    np.testing.assert_allclose(found.pair_means, np.mean(every, axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.pair_deviations, np.std(every, axis=0, ddof=1), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.predict(users, items)[1], np.std(every, axis=0, ddof=1), rtol=1e-6)


def test_predictions_agree_with_the_average_over_many_samples():
    """Means of the items given the users average to what draws of the items average to."""
    data = ratings(n_users=12, n_items=9, n_entries=80)
    users, items = np.repeat(np.arange(12), 9), np.tile(np.arange(9), 12)
    found = sample_explicit(
        data, n_factors=2, n_samples=1500, burn_in=50, n_kept=1500, n_threads=1, pairs=(users, items)
    )
    mean, deviation = found.predict(users, items)
    # Draws are not independent along the chain, so this is far wider than their number suggests.
    assert np.all(np.abs(mean - found.pair_means) < 0.15 * deviation)
    assert np.abs(mean - found.pair_means).max() > 0.0


def test_kept_samples_are_evenly_spaced_and_end_with_the_last():
    every, some = (
        sample_explicit(ratings(), n_factors=2, n_samples=6, burn_in=1, n_kept=n, n_threads=1) for n in (6, 3)
    )
    np.testing.assert_array_equal(some.user_tables, every.user_tables[[1, 3, 5]])


@pytest.mark.parametrize(("n_samples", "expected"), [(3, 3), (23, 20)])
def test_at_most_20_samples_are_kept_unless_told(n_samples, expected):
    assert sample_explicit(ratings(), n_factors=2, n_samples=n_samples, burn_in=0).n_kept == expected


def test_sampling_finds_the_signal_and_the_noise():
    data = ratings(n_users=120, n_items=80, n_entries=5000)
    found = sample_explicit(data, n_factors=4, n_samples=40, n_threads=1)
    assert 0.25 < found.sigmas[-20:].mean() < 0.35  # 0.3 was put in
    rows = data.by_user
    left = rows.values - found.predict(rows.row_index(), rows.indices)[0]
    assert np.sqrt(np.mean(left**2)) < 0.3 < 0.5 * rows.values.std()


def test_values_times_16_give_predictions_times_16():
    """Up to rounding."""
    data = ratings()
    rows = data.by_user
    larger = Interactions.from_arrays(
        data.user_ids.decode(rows.row_index()), data.item_ids.decode(rows.indices), rows.values * 16
    )
    users, items = np.arange(20), np.arange(20)
    settings = {"n_factors": 2, "n_samples": 3, "burn_in": 1, "n_kept": 3, "n_threads": 1}
    np.testing.assert_allclose(
        sample_explicit(larger, **settings).predict(users, items)[0],
        sample_explicit(data, **settings).predict(users, items)[0] * 16,
        rtol=1e-4,
    )


def test_equal_values_are_predicted():
    data = Interactions.from_arrays([0, 0, 1], [0, 1, 0], [4.0, 4.0, 4.0])
    found = sample_explicit(data, n_factors=2, n_samples=5, burn_in=2, n_kept=5)
    assert isinstance(found, Sampled)
    assert np.isfinite(found.user_tables).all()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"n_kept": 9}, "n_kept must be an integer from 1 to 5, got 9"),
        ({"n_samples": 0}, "n_samples must be a positive integer, got 0"),
        ({"burn_in": -1}, "burn_in must be an integer of at least 0, got -1"),
        ({"n_factors": 0}, "n_factors must be a positive integer, got 0"),
    ],
)
def test_refusals(setting, message):
    with pytest.raises(DataError, match=message):
        sample_explicit(ratings(), **({"n_samples": 5, "n_kept": 1} | setting))


def test_refuses_interactions_without_values():
    with pytest.raises(DataError, match="sampling needs values"):
        sample_explicit(Interactions.from_arrays([1, 2], [1, 2], weights=[1.0, 2.0]))

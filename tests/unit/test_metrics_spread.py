"""Intervals, the worst off, comparisons, groups, and the sampled protocol."""

import itertools

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.metrics import (
    bootstrap_interval,
    compare,
    quantile_groups,
    r_squared,
    sampled_metrics,
    worst_share,
)


def test_intervals_cover_the_true_mean_95_percent_of_the_time():
    """Of 1500 samples of 150 users with a skewed measure; 93 to 97 % may cover."""
    rng = np.random.default_rng(0)
    samples = rng.beta(0.6, 2.4, (1500, 150))
    covered = 0
    for seed, values in enumerate(samples):
        found = bootstrap_interval(values, n_resamples=400, seed=seed)
        covered += found.low <= 0.2 <= found.high
    assert 0.93 <= covered / len(samples) <= 0.97


def test_intervals_depend_on_the_seed_only():
    values = np.random.default_rng(1).random(50)
    first, again, other = (bootstrap_interval(values, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.low != other.low
    assert first.value == pytest.approx(values.mean())
    assert bootstrap_interval([*values, np.nan], seed=1) == first


def test_a_lower_level_is_a_narrower_interval():
    values = np.random.default_rng(1).random(50)
    wide, narrow = bootstrap_interval(values, level=0.99), bootstrap_interval(values, level=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_worst_off_are_those_with_the_least():
    values = np.random.default_rng(2).permutation(10) / 10
    assert worst_share(values) == pytest.approx(0.1)
    assert worst_share(values, share=1) == pytest.approx(0.45)
    assert worst_share([0.5], share=0.1) == 0.5


def test_p_is_the_share_of_signs_that_are_as_large():
    """Against all 2^10 signs of ten differences."""
    rng = np.random.default_rng(3)
    differences = rng.normal(0.4, 1, 10)
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=10)]
    exact = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12)
    found = compare(differences, np.zeros(10), n_resamples=20_000)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))
    assert found.difference == pytest.approx(differences.mean())


def test_alike_models_differ_by_chance():
    values = np.random.default_rng(0).random(30)
    assert compare(values, values) == (0.0, 0.0, 0.0, 1.0, 30)


def test_p_is_below_5_percent_for_alike_models_5_percent_of_the_time():
    rng = np.random.default_rng(5)
    p = [compare(rng.random(40), rng.random(40), n_resamples=199, seed=seed).p for seed in range(600)]
    assert 0.03 <= np.mean(np.array(p) <= 0.05) <= 0.075


def test_users_without_both_values_do_not_take_part():
    assert compare([1.0, np.nan, 0.5], [0.5, 1.0, np.nan]).n_users == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap_interval([]), "the mean of no users is undefined"),
        (lambda: bootstrap_interval([np.nan]), "the mean of no users is undefined"),
        (lambda: bootstrap_interval([[1.0]]), r"one number for each user, got shape \(1, 1\)"),
        (lambda: bootstrap_interval([1.0], level=1), "level must be a number between 0 and 1, got 1"),
        (lambda: bootstrap_interval([1.0], n_resamples=0), "n_resamples must be a positive integer, got 0"),
        (lambda: worst_share([1.0], share=0), "share must be a number above 0 and at most 1, got 0"),
        (lambda: compare([1.0], [1.0, 2.0]), r"same users, got \(1,\) and \(2,\)"),
        (
            lambda: sampled_metrics([1.0], [[1.0]], metrics="ndcg@5"),
            "no metric 'ndcg@5'; expected one of sampled_",
        ),
    ],
)
def test_settings_out_of_range_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_groups_are_quantiles_and_equal_counts_stay_together():
    counts = np.array([5, 0, 1, 1, 1, 1, 2, 9])
    groups = quantile_groups(counts, chosen=np.ones(8, bool))
    assert groups.labels == ("0", "1", "2–5", "9")
    assert groups.of.tolist() == [2, 0, 1, 1, 1, 1, 2, 3]
    some = quantile_groups(counts, chosen=counts > 1, n_groups=1)
    assert some.labels == ("2–9",)
    assert some.of.tolist() == [0, -1, -1, -1, -1, -1, 0, 0]


def test_sampled_metrics_come_with_a_warning_and_rank_ties_last():
    with pytest.warns(UserWarning, match="do not estimate those of the whole catalogue"):
        found = sampled_metrics(
            [1.0, 1.0, 1.0],
            [[2.0, 0.0], [1.0, 0.0], [0.0, np.nan]],
            metrics=["sampled_hit_rate@1", "sampled_ndcg@2"],
        )
    assert found["sampled_hit_rate@1"].tolist() == [0, 0, 1]
    assert found["sampled_ndcg@2"].tolist() == pytest.approx([1 / np.log2(3), 1 / np.log2(3), 1])
    with pytest.warns(UserWarning, match="sampled items"):
        first = sampled_metrics(
            [1.0], [[1.0]], metrics="sampled_hit_rate@1", relevant_first=np.array([[True]])
        )
    assert first["sampled_hit_rate@1"].tolist() == [1.0]


def test_r_squared_compares_with_the_mean():
    actual = [1.0, 2.0, 3.0, 4.0]
    assert r_squared(actual, actual) == 1.0
    assert r_squared([2.5] * 4, actual) == 0.0
    assert r_squared([4.0, 3.0, 2.0, 1.0], actual) == pytest.approx(-3.0)
    assert np.isnan(r_squared([1.0], [2.0]))

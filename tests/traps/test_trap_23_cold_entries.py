"""Trap 23: validation rows leak into training features; cold rows make the averaged RMSE NaN."""

import numpy as np
import pytest

from alternant import ExplicitALS, Interactions
from alternant.errors import DataError
from alternant.evaluation import evaluate
from alternant.splitting import predefined_split, random_split
from alternant.synthetic import catalogue


@pytest.fixture(scope="module")
def split():
    ratings = catalogue(n_users=80, n_items=40, n_entries=1500).interactions
    test = Interactions.from_arrays([1_000_000, 1_000_000], ratings.item_ids.labels[:2], [4.0, 5.0])
    parts = random_split(ratings)
    entries = parts.test.entries()
    users = np.append(ratings.user_ids.labels[entries.user_index], test.user_ids.labels[[0, 0]])
    items = np.append(ratings.item_ids.labels[entries.item_index], test.item_ids.labels[[0, 1]])
    values = np.append(entries.values, [4.0, 5.0])
    return predefined_split(parts.train, Interactions.from_arrays(users, items, values))


def test_trap_23_cold_entries_are_counted_and_reported_apart(split):
    report = evaluate(ExplicitALS(n_factors=4), split, n_resamples=50)
    assert report.facts["cold users"] == 1
    assert report.facts["test entries of cold users or items"] >= 2
    for metric in ("rmse", "mae", "r_squared"):
        assert np.isfinite(report[metric])
    parts = {row.group: row for row in report.slices if row.by == "entry" and row.model == report.model}
    assert parts["cold user or item"].n + parts["warm"].n == split.test.n_entries
    total = sum(row.n * row.value**2 for row in parts.values()) / split.test.n_entries
    assert report["rmse"] == pytest.approx(np.sqrt(total))


def test_trap_23_a_model_that_has_seen_the_test_part_is_refused(split):
    whole = Interactions.from_arrays(*columns(split.train, split.test))
    with pytest.raises(DataError, match=r"the model was trained on 133 of 133 entries of the test part"):
        evaluate(ExplicitALS(n_factors=4).fit(whole), split)


def columns(*parts):
    rows = [part.entries() for part in parts]
    users = [part.user_ids.labels[row.user_index] for part, row in zip(parts, rows, strict=True)]
    items = [part.item_ids.labels[row.item_index] for part, row in zip(parts, rows, strict=True)]
    return np.concatenate(users), np.concatenate(items), np.concatenate([row.values for row in rows])

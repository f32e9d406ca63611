"""Recommendations batch by batch, and straight into files."""

import numpy as np
import polars as pl
import pytest

from alternant.errors import DataError, UnknownIdError
from small_models import random_history, random_model

COLUMNS = ["user_id", "item_id", "rank", "score", "source"]


def some_model(**more):
    return random_model(random_history(50, 90, **more), n_factors=5)


@pytest.mark.parametrize("batch_size", [1, 7, 49, 50, 1000])
def test_batches_hold_the_lists_of_one_call(batch_size):
    model = some_model()
    limits = {"exclude": [3, 4], "candidates": np.arange(80), "min_entries": 2}
    whole = model.recommend(model.user_ids.labels, 6, **limits)
    parts = list(model.recommend_batches(k=6, batch_size=batch_size, **limits))
    assert [len(part) for part in parts[:-1]] == [batch_size] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= batch_size
    for name in ("query_id", *COLUMNS):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))


def test_users_of_choice_and_the_fallback():
    model = some_model(strings=True)
    asked = ["u007", "nobody", "u001"]
    limits = {"candidates": ["i003", "i005", "i009", "i011"], "exclude_seen": False, "min_entries": 0}
    parts = list(model.recommend_batches(asked, 3, batch_size=2, unknown="fallback", **limits))
    whole = model.recommend(asked, 3, unknown="fallback", **limits)
    assert [part.query_id.tolist() for part in parts] == [["u007", "nobody"], ["u001"]]
    assert np.concatenate([part.item_id for part in parts]).tolist() == whole.item_id.tolist()
    assert np.concatenate([part.source for part in parts]).tolist() == whole.source.tolist()
    assert "fallback" in whole.source
    batches = model.recommend_batches(asked, 3)
    with pytest.raises(UnknownIdError, match="no user 'nobody' in this model"):
        next(batches)


def test_users_without_entries_are_not_everybody():
    data = random_history(50, 90)
    model = random_model(data)
    counts = np.where(np.arange(50) % 5 == 0, 0, data.by_user.counts)
    model = random_model(data, user_counts=counts)
    asked = [part.query_id for part in model.recommend_batches(batch_size=16)]
    assert np.concatenate(asked).tolist() == [u for u in range(50) if u % 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"users": "u001"}, "users must be a sequence of ids, got str"),
        ({"users": iter(["u001"])}, "users must be a sequence of ids, got list_iterator"),
        ({"min_entries": -1}, "min_entries must be"),
    ],
)
def test_arguments_are_checked_at_once(arguments, message):
    with pytest.raises(DataError, match=message):
        some_model(strings=True).recommend_batches(**arguments)


def test_folded_in_users_are_no_batch():
    model = some_model()
    with pytest.raises(DataError, match="expected user ids, got folded-in users"):
        model.recommend_batches(model.fold_in({3: 4.0}))


@pytest.mark.parametrize("name", ["lists.parquet", "lists.pq", "LISTS.CSV"])
@pytest.mark.parametrize("strings", [True, False])
def test_a_file_holds_all_lists(tmp_path, name, strings):
    model = some_model(strings=strings)
    whole = model.recommend(model.user_ids.labels, 4)
    said = []
    n_rows = model.recommend_to(
        tmp_path / name, k=4, batch_size=20, progress=lambda done, of: said.append((done, of))
    )
    read = pl.read_csv if name.endswith("CSV") else pl.read_parquet
    frame = read(tmp_path / name)
    assert frame.columns == COLUMNS
    assert (n_rows, said) == (len(frame), [(20, 50), (40, 50), (50, 50)])
    for column in COLUMNS:
        got = frame[column].to_numpy()
        want = getattr(whole, column)
        np.testing.assert_array_equal(got.astype(np.float32) if column == "score" else got, want)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_nobody_is_a_file_without_rows(tmp_path):
    model = some_model()
    assert model.recommend_to(tmp_path / "none.csv", users=[]) == 0
    assert (tmp_path / "none.csv").read_text().strip() == ",".join(COLUMNS)
    everything_seen = model.recommend_to(tmp_path / "none.parquet", candidates=[], batch_size=20)
    assert everything_seen == 0
    assert pl.read_parquet(tmp_path / "none.parquet").columns == COLUMNS


def test_the_old_file_stays_where_a_batch_fails(tmp_path):
    file = tmp_path / "lists.csv"
    file.write_text("old")
    model = some_model()
    with pytest.raises(UnknownIdError, match="no user 99"):
        model.recommend_to(file, [*range(20), 99], batch_size=20)
    assert file.read_text() == "old"
    with pytest.raises(DataError, match=r"ends in \.parquet, \.pq or \.csv, got '.*lists\.txt'"):
        model.recommend_to(tmp_path / "lists.txt")
    assert [each.name for each in tmp_path.iterdir()] == ["lists.csv"]

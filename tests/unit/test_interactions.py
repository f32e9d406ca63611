"""Interactions: what is read from frames and arrays, merged, dropped, refused, and in which words."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

from alternant.als import ExplicitALS
from alternant.errors import DataError, UnknownIdError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions
from alternant.splitting import k_fold, random_split
from alternant.weighting import select

TABLE = {
    "user": ["bob", "ann", "bob", "eve"],
    "item": [30, 10, 10, 20],
    "stars": [3.5, 0.0, 5.0, -1.0],
    "weight": [1.0, 2.0, 0.5, 4.0],
    "when": [datetime.datetime(2020, 1, day) for day in (1, 2, 3, 4)],
}
MAKERS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table, None: dict}


def rows(interactions):
    """All entries by label, as a set of tuples."""
    e = interactions.entries()
    columns = [
        interactions.user_ids.labels[e.user_index].tolist(),
        interactions.item_ids.labels[e.item_index].tolist(),
    ]
    columns += [array.tolist() for array in (e.values, e.weights, e.times) if array is not None]
    return sorted(zip(*columns, strict=True))


@pytest.mark.parametrize("frame_type", MAKERS, ids=str)
def test_every_frame_gives_the_same_interactions(frame_type):
    frame = MAKERS[frame_type](TABLE)
    data = Interactions.from_frame(frame, value="stars", weight="weight", time="when")
    day = 86400
    start = 18262 * day
    assert rows(data) == [
        ("ann", 10, 0.0, 2.0, start + day),
        ("bob", 10, 5.0, 0.5, start + 2 * day),
        ("bob", 30, 3.5, 1.0, start),
        ("eve", 20, -1.0, 4.0, start + 3 * day),
    ]
    assert data.frame_type == frame_type
    assert type(data.to_frame()).__module__.startswith(frame_type or "pandas")
    assert data.has_values
    assert data.has_weights
    assert data.has_times
    assert repr(data) == "Interactions(3 users × 3 items, 4 entries; values, weights, times)"


@pytest.mark.parametrize("frame_type", ["pandas", "polars", "pyarrow"])
def test_to_frame_and_back(frame_type):
    data = Interactions.from_frame(TABLE, value="stars", weight="weight", time="when")
    again = Interactions.from_frame(data.to_frame(frame_type), value="value", weight="weight", time="time")
    assert rows(again) == rows(data)


def test_both_orientations_hold_the_same_entries():
    data = Interactions.from_arrays(TABLE["user"], TABLE["item"], TABLE["stars"])
    assert data.by_user.indices.tolist() == [0, 0, 2, 1]
    assert data.by_item.indices.tolist() == [0, 1, 2, 1]
    assert data.by_item.values.tolist() == [0.0, 5.0, -1.0, 3.5]
    assert data.by_user.counts.tolist() == [1, 2, 1]
    assert data.by_item.n_rows == data.by_user.n_columns == 3
    assert data.density == 4 / 9


def test_summary_counts_what_might_surprise():
    users = ["bob", "ann", "bob", "eve", "bob", "bob"]
    data = Interactions.from_arrays(
        users,
        [30, 10, 10, 20, 30, 40],
        [3.5, 0.0, 5.0, -1.0, 4.5, np.nan],
        duplicates="mean",
        on_invalid="drop",
        user_ids=["ann", "bob", "eve", "zoe"],
    )
    summary = data.summary()
    assert (summary.n_users, summary.n_active_users, summary.n_items, summary.n_entries) == (4, 3, 3, 4)
    assert (summary.n_merged, summary.n_dropped, summary.n_zero, summary.n_negative) == (1, 1, 1, 1)
    assert (summary.value_min, summary.value_mean, summary.value_max) == (-1.0, 2.0, 5.0)
    assert str(summary) == (
        "4 entries: 4 users (1 without entries) × 3 items, 33.3 % of all pairs\n"
        "values -1 to 5, mean 2\n"
        "1 value is 0, 1 value is negative, 1 row merged into another, 1 row dropped"
    )


@pytest.mark.parametrize(
    ("policy", "value", "weight", "time"),
    [("sum", 9.0, 6.0, 30), ("mean", 3.0, 2.0, 20), ("max", 5.0, 3.0, 30), ("last", 1.0, 3.0, 30)],
)
def test_duplicates_follow_the_policy(policy, value, weight, time):
    data = Interactions.from_arrays(
        ["a", "a", "b", "a"],
        [1, 1, 1, 1],
        [5, 1, 7, 3],
        weights=[2, 3, 1, 1],
        times=[10, 30, 5, 20],
        duplicates=policy,
    )
    assert rows(data) == [("a", 1, value, weight, time), ("b", 1, 7.0, 1.0, 5)]
    assert data.report.n_merged == 2


def test_the_last_of_equal_times_and_without_times_is_the_last_row():
    for times in (None, [4, 4, 4]):
        data = Interactions.from_arrays([1, 1, 1], [1, 1, 1], [5, 6, 7], times=times, duplicates="last")
        assert data.by_user.values.tolist() == [7.0]


def test_without_values_counts_become_the_values_unless_there_are_weights():
    users, items = [1, 1, 2], [1, 1, 1]
    assert Interactions.from_arrays(users, items).by_user.values.tolist() == [2.0, 1.0]
    assert Interactions.from_arrays([1, 2], [1, 1]).by_user.values.tolist() == [1.0, 1.0]
    assert not Interactions.from_arrays(users, items, duplicates="last").has_values
    weighted = Interactions.from_arrays(users, items, weights=[1, 5, 2])
    assert not weighted.has_values
    assert weighted.by_user.weights.tolist() == [6.0, 2.0]


def test_events_become_weights():
    frame = {"user": [1, 1, 2, 3], "item": [7, 7, 7, 7], "type": ["view", "buy", "view", "bot"]}
    data = Interactions.from_frame(frame, event="type", event_weights={"view": 1, "buy": 5, "bot": 0})
    assert rows(data) == [(1, 7, 6.0), (2, 7, 1.0)]
    assert data.report.n_zero_weight == 1
    with pytest.raises(
        DataError, match="no weight for event 'bot': event_weights has 'view', 'buy'; give it one, 0"
    ):
        Interactions.from_frame(frame, event="type", event_weights={"view": 1, "buy": 5})
    with pytest.raises(DataError, match="weight and event both set the weight: pass one of them"):
        Interactions.from_frame(frame, event="type", event_weights={}, weight="item")
    with pytest.raises(DataError, match="event and event_weights belong together"):
        Interactions.from_frame(frame, event="type")


def test_rows_that_count_for_nothing_leave_no_ids_behind():
    data = Interactions.from_arrays(
        ["a", "b", "c"], ["x", "y", "z"], [1, np.nan, 2], weights=[1, 1, 0], on_invalid="drop"
    )
    assert rows(data) == [("a", "x", 1.0, 1.0)]
    assert (data.n_users, data.n_items) == (1, 1)
    assert (data.report.n_rows_read, data.report.n_dropped, data.report.n_zero_weight) == (3, 1, 1)


def test_a_catalogue_keeps_its_ids_and_refuses_others():
    catalogue = ["z", "y", "x"]
    data = Interactions.from_arrays([1, 2], ["x", "x"], [1, np.nan], item_ids=catalogue, on_invalid="drop")
    assert data.item_ids.labels.tolist() == ["x", "y", "z"]
    assert data.by_item.counts.tolist() == [1, 0, 0]
    assert data.n_users == 1
    message = r"no item 'w' in item_ids \(3 items\); add it to item_ids or drop its rows"
    with pytest.raises(UnknownIdError, match=message):
        Interactions.from_arrays([1], ["w"], item_ids=data.item_ids)


def test_no_rows_at_all():
    for data in (
        Interactions.from_arrays([], [], []),
        Interactions.from_frame(
            pl.DataFrame({"user": [], "item": []}, schema={"user": pl.String, "item": pl.Int64})
        ),
        Interactions.from_arrays([1], [1], [np.nan], on_invalid="drop"),
    ):
        assert (data.n_users, data.n_items, data.n_entries, data.density) == (0, 0, 0, 0.0)
        assert data.summary().value_mean is None
        assert str(data.summary()).startswith("0 entries: 0 users × 0 items, 0 % of all pairs")
        assert list(data.by_user.blocks()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"users": [1, 2], "items": [1]}, "users and items must have the same length, got 2 and 1"),
        ({"values": [1]}, r"values must have one element per row \(2\), got 1"),
        ({"values": ["a", "b"]}, "values must be numbers, got str; convert them to floats"),
        ({"values": [1j, 2j]}, "values must be numbers, got complex128"),
        (
            {"values": np.array(["2020", "2021"], dtype="M8[Y]")},
            "values must be numbers, got datetime64.*as time",
        ),
        (
            {"times": ["2020-01-01", "x"]},
            "times must be numbers, got str; pass integers, datetimes or Unix seconds",
        ),
        (
            {"times": [True, False]},
            "times must be numbers, got bool; pass integers, datetimes or Unix seconds",
        ),
        ({"duplicates": "add"}, "duplicates must be one of error, sum, mean, max, last or None, got 'add'"),
        ({"on_invalid": "ignore"}, "on_invalid must be 'error' or 'drop', got 'ignore'"),
        ({"users": ["a", None]}, "user ids must not be null, got null in row 1; drop the row"),
        ({"users": np.zeros((2, 1), int)}, r"users must be one-dimensional, got an array of shape \(2, 1\)"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, message):
    arguments = {"users": ["u", "v"], "items": ["i", "j"], **arguments}
    with pytest.raises(DataError, match=message):
        Interactions.from_arrays(**arguments)


def test_times_of_every_kind():
    stamps = [datetime.datetime(1970, 1, 2), datetime.datetime(1969, 12, 31, 23, 59, 59, 1)]
    for times in (stamps, np.array(stamps, dtype="M8[ns]"), pl.Series(stamps), [86400.9, -0.1], [86400, -1]):
        data = Interactions.from_arrays([1, 2], [1, 1], times=times)
        assert data.by_user.times.tolist() == [86400, -1]


def test_times_beyond_int64_are_refused():
    with pytest.raises(DataError, match="times must fit in 64 bits, got 1e"):
        Interactions.from_arrays([1], [1], times=[1e300])
    with pytest.raises(DataError, match="times must fit in 64-bit signed integers, got 18446744073709551615"):
        Interactions.from_arrays([1], [1], times=np.array([2**64 - 1], dtype=np.uint64))


def test_row_blocks_are_views_of_whole_rows():
    data = Interactions.from_arrays([1, 1, 1, 2, 4, 4], [1, 2, 3, 1, 2, 3], user_ids=[1, 2, 3, 4])
    for max_entries in (1, 2, 3, 4, 100, None):
        blocks = list(data.by_user.blocks(max_entries))
        assert [block.begin for block in blocks] == [0, *(block.end for block in blocks[:-1])]
        assert blocks[-1].end == 4
        assert np.concatenate([block.indices for block in blocks]).tolist() == [0, 1, 2, 0, 1, 2]
        for block in blocks:
            assert len(block.indices) == len(block.values) == block.offsets[-1] - block.offsets[0]
            assert block.end - block.begin == 1 or max_entries is None or len(block.indices) <= max_entries
            assert block.indices.base is not None
    with pytest.raises(DataError, match="max_entries must be a positive integer or None, got 0"):
        next(data.by_user.blocks(0))
    with pytest.raises(DataError, match=r"a row block must lie within \[0, 4\), got \[2, 5\)"):
        data.by_user.block(2, 5)
    with pytest.raises(DataError, match=r"values must have shape \(1,\), got \(2,\)"):
        EntryRows(np.array([0, 1]), np.zeros(1, np.int32), 1, values=np.zeros(2, np.float32))


def test_interactions_are_immutable():
    data = Interactions.from_arrays([1], [1], [1], weights=[1], times=[1])
    for side in (data.by_user, data.by_item):
        for array in (side.offsets, side.indices, side.values, side.weights, side.times):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    with pytest.raises(AttributeError, match="cannot assign"):
        data.by_user = None


def test_callers_arrays_stay_theirs():
    values, times = np.array([1, 2], dtype=np.float32), np.array([3, 4])
    Interactions.from_arrays([1, 2], [1, 2], values, times=times)
    values[0], times[0] = 9, 9


def test_take_keeps_ids_or_prunes_them():
    data = Interactions.from_arrays(TABLE["user"], TABLE["item"], TABLE["stars"])
    some = data.take([3, 0])
    assert (some.n_users, some.n_items, some.n_entries) == (3, 3, 2)
    pruned = data.take(np.array([True, False, False, True]), prune=True)
    assert rows(pruned) == rows(some) == [("ann", 10, 0.0), ("eve", 20, -1.0)]
    assert (pruned.n_users, pruned.n_items) == (2, 2)
    assert data.take([]).n_entries == 0
    for entries, message in [
        ([4], r"entries must be a mask or positions in \[0, 4\)"),
        ([0.5], r"entries must be a mask or positions in \[0, 4\)"),
        ([1, 1], "positions of entries must be distinct"),
        ([True], r"a mask of entries must have shape \(4,\), got \(1,\)"),
    ]:
        with pytest.raises(DataError, match=message):
            data.take(entries)


def test_matrix_labels():
    matrix = [[np.nan, 1.0], [2.0, 3.0]]
    data = Interactions.from_matrix(matrix, users=["z", "a"], items=IdMap.from_range(2))
    assert rows(data) == [("a", 0, 2.0), ("a", 1, 3.0), ("z", 1, 1.0)]
    with pytest.raises(DataError, match="users must name each row or column once, got 'z' 2 times"):
        Interactions.from_matrix(matrix, users=["z", "z"])


def test_parts_that_do_not_fit_together_are_refused():
    data = Interactions.from_arrays([1, 2, 3], [1, 2, 1], [1, 2, 3])
    with pytest.raises(DataError, match=r"by_user must have the shape of the ids, \(3, 2\), got \(2, 3\)"):
        Interactions(data.user_ids, data.item_ids, data.by_item, data.by_user, data.report)
    with pytest.raises(DataError, match=r"by_item must have the shape of the ids, \(2, 3\), got \(3, 2\)"):
        Interactions(data.user_ids, data.item_ids, data.by_user, data.by_user, data.report)


# -- what was once accepted, or refused in words that misled -------------------------------------------


def test_what_has_no_order_is_no_column():
    for unordered in ({1, 2}, frozenset([1, 2]), {1: 3.0, 2: 4.0}):
        with pytest.raises(DataError, match=r"users must be an array or a sequence, got a \w+, whose order"):
            Interactions.from_arrays(unordered, ["x", "y"])
    history = {"x": 1.0, "y": 2.0}
    assert Interactions.from_arrays([1, 1], history.keys(), history.values()).n_entries == 2


def test_integers_beyond_64_bits_are_not_floats():
    """NumPy makes float64 of [2**63, -1]; the advice was then to convert with .astype('int64')."""
    with pytest.raises(DataError, match=r"user ids must be integers or strings, got integers beyond 64 bits"):
        Interactions.from_arrays([2**63, -1], ["x", "y"])


def test_weights_added_up_beyond_float32():
    with pytest.raises(DataError, match=r"weights added up over duplicates must stay below 3\.4e\+38"):
        Interactions.from_arrays([1, 1], [1, 1], [1, 1], weights=[3e38, 3e38], duplicates="sum")


def test_weights_of_events_are_numbers():
    frame = {"user": [1], "item": [1], "type": ["buy"]}
    with pytest.raises(DataError, match=r"the weight of an event must be a number, got 'x' for 'buy'"):
        Interactions.from_frame(frame, event="type", event_weights={"buy": "x"})
    with pytest.raises(DataError, match=r"event_weights must map event types to numbers, got \['buy'\]"):
        Interactions.from_frame(frame, event="type", event_weights=["buy"])


def test_a_categorical_column_is_called_by_what_it_holds():
    """Seen to be called int8, the type of its codes."""
    stars = pl.Series(["a", "b"], dtype=pl.Categorical)
    with pytest.raises(DataError, match=r"values must be numbers, got \w*string\w*; convert"):
        Interactions.from_arrays([1, 2], [1, 2], stars)


def test_arrow_text_that_is_not_utf_8():
    """Accepted once; reading the labels then raised a UnicodeDecodeError."""
    offsets = pa.py_buffer(np.array([0, 1], np.int32).tobytes())
    ids = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(b"\xff")])
    for column in (ids, ids.dictionary_encode()):
        with pytest.raises(DataError, match=r"user ids must be valid UTF-8: 'utf-8' codec can't decode byte"):
            Interactions.from_arrays(column, [1])


def test_a_sparse_matrix_with_indices_out_of_range():
    """A negative column was once taken for one counted from the end, by NumPy's rules."""
    negative = sp.coo_array(([1.0, 2.0], ([0, 1], [0, 1])), shape=(2, 2))
    negative.coords[1][0] = -1
    with pytest.raises(DataError, match=r"columns of the matrix must lie in \[0, 2\), got -1 in row 0"):
        Interactions.from_matrix(negative)
    for change in ({"indices": [0, 7]}, {"indptr": [0, 100, 2]}):
        matrix = sp.csr_array(np.eye(2))
        for name, numbers in change.items():
            setattr(matrix, name, np.array(numbers, np.int32))
        with pytest.raises(DataError, match=r"matrix is not a sound csr_array: "):
            Interactions.from_matrix(matrix)


def test_codes_belong_to_maps():
    with pytest.raises(DataError, match=r"user_ids must be an IdMap, got list; use from_arrays for labels"):
        Interactions.from_codes(["a"], IdMap.from_range(1), user_index=[0], item_index=[0])


@pytest.mark.parametrize("function", [select, random_split, k_fold, ExplicitALS().fit])
def test_what_is_no_interactions(function):
    with pytest.raises(DataError, match=r"interactions must be Interactions, got dict; make them with"):
        function({"user": [1], "item": [2]})

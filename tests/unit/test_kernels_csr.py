"""The row kernels against NumPy's sorts, for any number of threads."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.kernels import csr


@pytest.fixture(scope="module", params=[0, 1, 5_000, 600_000])
def entries(request):
    """Users, items (some absent, pairs repeat) and their numbers."""
    rng = np.random.default_rng(3)
    n = request.param
    users = (400 * rng.random(n) ** 2).astype(np.int32)
    items = (3000 * rng.random(n) ** 3).astype(np.int32)
    return users, items, 401, 3000


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_entries_are_sorted_by_row_column_and_input_order(entries, n_threads):
    users, items, n_users, n_items = entries
    numbers = np.arange(len(users)), np.arange(len(users), dtype=np.float32)
    offsets, indices, [order, floats], n_repeats = csr.sort_entries(
        users, items, n_rows=n_users, n_columns=n_items, carried=numbers, n_threads=n_threads
    )
    expected = np.lexsort((items, users))
    assert np.array_equal(order, expected)
    assert floats.dtype == np.float32
    assert np.array_equal(floats, expected)
    assert np.array_equal(indices, items[expected])
    assert np.array_equal(np.diff(offsets), np.bincount(users, minlength=n_users))
    assert n_repeats == len(users) - len(set(zip(users.tolist(), items.tolist(), strict=True)))


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_transposing_sorts_by_column_then_row(entries, n_threads):
    users, items, n_users, n_items = entries
    pairs = np.unique(users.astype(np.int64) * n_items + items)
    rows, columns = (pairs // n_items).astype(np.int32), (pairs % n_items).astype(np.int32)
    offsets = np.searchsorted(rows, np.arange(n_users + 1))
    numbers = np.arange(len(pairs)), np.arange(len(pairs), dtype=np.float32)
    out_offsets, out_indices, [order, floats] = csr.transpose(
        offsets, columns, n_columns=n_items, carried=numbers, n_threads=n_threads
    )
    expected = np.lexsort((rows, columns))
    assert np.array_equal(order, expected)
    assert np.array_equal(out_indices, rows[expected])
    assert np.array_equal(np.diff(out_offsets), np.bincount(columns, minlength=n_items))
    assert floats.dtype == np.float32
    assert np.array_equal(floats, expected)


@pytest.mark.parametrize(
    ("offsets", "indices", "row"),
    [
        ([0, 2, 3], [1, 0, 2], 0),
        ([0, 2, 3], [1, 1, 2], 0),
        ([0, 2, 3], [0, 1, 5], 1),
        ([0, 2, 3], [0, 1, -1], 1),
        ([1, 2, 3], [0, 1, 2], 0),
        ([0, 2, 1], [0, 1, 2], 1),
        ([0, 2, 4], [0, 1, 2], 1),
        ([0, 1, 2], [0, 1, 2], 2),
        ([0, -1, 3], [0, 1, 2], 0),
    ],
)
def test_damaged_rows_are_refused(offsets, indices, row):
    offsets, indices = np.array(offsets), np.array(indices, dtype=np.int32)
    with pytest.raises(DataError, match=f"row {row} of 2 is damaged: offsets must start at 0"):
        csr.check_rows(offsets, indices, n_columns=5)
    with pytest.raises(ValueError, match="rows must be sorted, without duplicates and in range"):
        csr.transpose(offsets, indices, n_columns=5)


def test_sound_rows_pass():
    csr.check_rows(np.array([0, 2, 2, 3]), np.array([0, 4, 1], dtype=np.int32), n_columns=5)


def test_positions_out_of_range_are_refused():
    zero = np.zeros(1, dtype=np.int32)
    with pytest.raises(ValueError, match=r"rows must lie in \[0, n_rows\)"):
        csr.sort_entries(zero + 2, zero, n_rows=2, n_columns=2)
    with pytest.raises(ValueError, match=r"columns must lie in \[0, n_columns\)"):
        csr.sort_entries(zero, zero - 1, n_rows=2, n_columns=2)
    for carried in (np.zeros(2), np.zeros(1, dtype=np.int16)):
        with pytest.raises(ValueError, match="what is carried must"):
            csr.sort_entries(zero, zero, n_rows=2, n_columns=2, carried=[carried])

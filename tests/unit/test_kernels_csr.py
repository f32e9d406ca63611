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


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
@pytest.mark.parametrize("n_rows", [2049, 70_000, 2_000_000])
def test_rows_of_any_number_share_buckets(n_rows, n_threads):
    """Many rows, one of them with a third of all entries."""
    rng = np.random.default_rng(n_rows)
    rows = (n_rows * rng.random(200_000) ** 2).astype(np.int32)
    rows[rng.random(200_000) < 0.3] = n_rows // 3
    columns = rng.integers(0, 1000, 200_000).astype(np.int32)
    number = np.arange(200_000)
    offsets, indices, [order], n_repeats = csr.sort_entries(
        rows, columns, n_rows=n_rows, n_columns=1000, carried=[number], n_threads=n_threads
    )
    expected = np.lexsort((columns, rows))
    assert np.array_equal(order, expected)
    assert np.array_equal(indices, columns[expected])
    assert np.array_equal(offsets, np.searchsorted(rows[expected], np.arange(n_rows + 1)))
    assert n_repeats == 200_000 - len(np.unique(rows.astype(np.int64) * 1000 + columns))


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
@pytest.mark.parametrize("fault", ["none", "a column", "a row", "a repeat"])
def test_entries_that_are_sorted_already(fault, n_threads):
    """Three chunks of entries; the fault lies at the border of two."""
    n, border = 600_000, 1 << 18
    numbers = np.arange(n) * 3
    rows, columns = (numbers // 1000 + 2).astype(np.int32), (numbers % 1000).astype(np.int32)
    if fault == "a column":
        rows[border - 1] = rows[border]
        columns[border - 1] = (
            998 if 1000 * (rows[border] - 2) % 3 == 0 else 999
        )  # which the row does not have
    if fault == "a row":
        rows[border] = 0
    if fault == "a repeat":
        rows[border], columns[border] = rows[border - 1], columns[border - 1]
    n_rows = int(rows.max()) + 5  # the first rows and the last are empty
    offsets, indices, [order], n_repeats = csr.sort_entries(
        rows, columns, n_rows=n_rows, n_columns=1000, carried=[np.arange(n)], n_threads=n_threads
    )
    expected = np.lexsort((columns, rows))
    assert np.array_equal(order, expected)
    assert np.array_equal(indices, columns[expected])
    assert np.array_equal(offsets, np.searchsorted(rows[expected], np.arange(n_rows + 1)))
    assert n_repeats == (fault == "a repeat")


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

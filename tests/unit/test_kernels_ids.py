"""The numbering kernels: threads change nothing, and columns that lie are refused."""

import numpy as np
import pyarrow as pa
import pytest

from alternant._arrow import read_arrow
from alternant.kernels import ids as kernels


@pytest.fixture(scope="module")
def many():
    """Enough rows for several chunks a thread, 30,000 distinct labels."""
    rng = np.random.default_rng(7)
    return rng.integers(-15_000, 15_000, size=700_000)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_integers_with_any_number_of_threads(many, n_threads):
    labels, expected = np.unique(many, return_inverse=True)
    distinct, codes = kernels.factorise(many, n_threads=n_threads)
    assert np.array_equal(distinct, labels)
    assert np.array_equal(codes, expected)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_strings_with_any_number_of_threads(many, n_threads, kind):
    words = np.array([f"user {i} of a long name" if i % 2 else str(i) for i in range(-15_000, 15_000)])
    order = np.argsort(words)  # NumPy sorts by code points
    expected = np.argsort(order)[many + 15_000]
    column = read_arrow(
        pa.chunked_array([pa.array(words[part + 15_000], kind) for part in np.array_split(many, 3)])
    )
    [(offsets, data)], codes = kernels.factorise(column.whole().strings, n_threads=n_threads)
    present = np.unique(expected)
    assert np.array_equal(present[codes], expected)
    assert data.tobytes().decode() == "".join(words[order][present])
    assert np.array_equal(np.diff(offsets), [len(word) for word in words[order][present]])


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_find_with_any_number_of_threads(many, n_threads):
    labels = np.unique(many)
    slots, repeated = kernels.build_index(labels)
    assert repeated is None
    queries = np.concatenate([many, [99_999]])
    positions, n_unknown = kernels.find(queries, labels, slots, n_threads=n_threads)
    assert n_unknown == 1
    assert positions[-1] == -1
    assert np.array_equal(labels[positions[:-1]], many)


BYTES = np.frombuffer(b"abcdef", dtype=np.uint8)
VIEW = np.frombuffer(np.array([20, 0, 0, 0], dtype="<i4").tobytes(), dtype=np.uint8).reshape(1, 16)


@pytest.mark.parametrize(
    "chunk",
    [
        (np.array([0, 3, 2]), BYTES),
        (np.array([0, 2, 7]), BYTES),
        (np.array([0, 2, 9], dtype=np.int32), BYTES),
        (np.concatenate([VIEW * 0, VIEW]), [BYTES]),
        (np.concatenate([VIEW * 0, VIEW]), []),
    ],
)
def test_strings_that_point_outside_their_buffer_are_refused(chunk):
    with pytest.raises(ValueError, match="the string of row 1 points outside its buffer"):
        kernels.factorise([chunk])


def test_rows_outside_the_column_are_refused():
    with pytest.raises(ValueError, match="rows must lie inside the column"):
        kernels.take_strings([(np.array([0, 1]), BYTES)], np.array([1]))


def test_no_labels_at_all():
    for labels in (np.empty(0, dtype=np.int64), [], [(np.zeros(1, dtype=np.int32), BYTES[:0])]):
        distinct, codes = kernels.factorise(labels)
        assert len(codes) == 0
        if isinstance(distinct, list):
            assert distinct[0][0].tolist() == [0]
        else:
            assert len(distinct) == 0

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


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("spread", [1, 3, 10_000])
def test_dense_and_scattered_integers(dtype, spread, n_threads):
    """Dense ones are numbered by bits, others by a hash table."""
    rng = np.random.default_rng(2)
    labels = (rng.integers(-100_000, 100_000, 400_000) * spread).astype(dtype)
    distinct, codes = kernels.number_integers(labels, n_threads=n_threads)
    expected, inverse = np.unique(labels, return_inverse=True)
    assert distinct.dtype == np.int64
    assert np.array_equal(distinct, expected)
    assert np.array_equal(codes, inverse)


@pytest.mark.parametrize(
    "labels", [[-(2**63), 2**63 - 1, 0], [2**63 - 1, 2**63 - 2], [-(2**63), 1 - 2**63], [64, 63, 0]]
)
def test_integers_at_the_ends_of_their_range(labels):
    distinct, codes = kernels.number_integers(np.array(labels))
    assert distinct.tolist() == sorted(labels)
    assert distinct[codes].tolist() == labels


def test_long_labels_and_labels_that_begin_alike():
    """A label may be longer than the blocks that hold labels, and others then lie behind it."""
    rng = np.random.default_rng(0)
    long = ["x" * n for n in (5_000_000, 5_000_001, 20_000, 3, 0)]
    words = [*long, *(f"{'y' * 40}{number}" for number in range(50_000))]
    rows = rng.permutation(len(words))
    column = read_arrow(pa.array([words[row] for row in rows], pa.large_string())).whole()
    for n_threads in (1, 3):
        [(offsets, data)], codes = kernels.factorise(column.strings, n_threads=n_threads)
        text = data.tobytes()
        expected = sorted(words)
        assert np.diff(offsets).tolist() == list(map(len, expected))
        assert text == "".join(expected).encode()
        place = {word: number for number, word in enumerate(expected)}
        assert codes.tolist() == [place[words[row]] for row in rows]


def test_many_threads_that_meet_at_the_same_labels():
    """Every label is new to several threads at once: none gets two numbers."""
    labels = np.tile(np.arange(0, 10_000_000, 1000), 40)
    distinct, codes = kernels.number_integers(labels, n_threads=7)
    assert np.array_equal(distinct, np.arange(0, 10_000_000, 1000))
    assert np.array_equal(distinct[codes], labels)


def test_translating_and_marking_numbers():
    numbers = np.array([2, -1, 0, 2], dtype=np.int32)
    table = np.array([7, 8, 9], dtype=np.int32)
    assert kernels.translate(numbers, table).tolist() == [9, 0, 7, 9]
    assert kernels.used_numbers(numbers, 3).tolist() == [True, False, True]
    for call in (lambda: kernels.translate(numbers, table[:2]), lambda: kernels.used_numbers(numbers, 2)):
        with pytest.raises(ValueError, match=r"numbers must lie in \[-1, n_numbers\)"):
            call()
    assert kernels.translate(numbers, table, out=numbers) is numbers
    assert numbers.tolist() == [9, 0, 7, 9]


def test_pieces_that_do_not_fit_are_refused():
    chunk = (np.array([0, 1, 2], dtype=np.int32), BYTES)
    codes = np.empty(2, dtype=np.int32)
    for piece, message in [
        ([([chunk], None, codes[:1])], "codes must have one element per row"),
        ([([chunk], np.zeros(1, dtype=np.bool_), codes)], "nulls must have one element per row"),
        ([], "a piece must have one part per column"),
    ]:
        with pytest.raises(ValueError, match=message):
            kernels.number_strings(lambda piece=piece: piece, 1)


def test_rows_of_later_pieces_are_counted_from_the_first():
    sound, damaged = (np.array([0, 1, 2]), BYTES), (np.array([0, 2, 7]), BYTES)
    pieces = iter([[([chunk], None, np.empty(2, dtype=np.int32))] for chunk in (sound, damaged)])
    with pytest.raises(ValueError, match="the string of row 3 points outside its buffer"):
        kernels.number_strings(lambda: next(pieces, None), 1)

"""Arrow data of every type and shape is read through the C interface as pyarrow itself reads it."""

import datetime
import decimal
import gc
import itertools

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from alternant._arrow import read_arrow
from alternant.errors import DataError
from alternant.kernels import ids as kernels

NUMBER_TYPES = [
    pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64(),
    pa.float16(), pa.float32(), pa.float64(),
]  # fmt: skip
STRING_TYPES = [pa.string(), pa.large_string(), pa.string_view()]
TEXTS = ["", "a", "héllo", "a text longer than twelve bytes", "日本", "another text that is not inlined"]


def texts(column):
    offsets, data = kernels.take_strings(column.strings, np.arange(sum(map(rows_of, column.strings))))
    bounds = itertools.pairwise(offsets)
    words = [data[begin:end].tobytes().decode() for begin, end in bounds]
    words = words if column.codes is None else [words[code] if words else "" for code in column.codes]
    return [None if column.nulls is not None and column.nulls[i] else word for i, word in enumerate(words)]


def rows_of(chunk):
    return len(chunk[0]) if chunk[0].ndim == 2 else len(chunk[0]) - 1


def numbers(column):
    return [
        None if column.nulls is not None and column.nulls[i] else value
        for i, value in enumerate(column.values.tolist())
    ]


def shapes(array):
    """The same data whole, sliced at odd places, chunked, and with empty chunks."""
    n = len(array)
    yield array
    yield array.slice(3, n - 4)
    yield pa.chunked_array([array.slice(0, 3), array.slice(3, 0), array.slice(3)], type=array.type)
    yield pa.chunked_array([array.slice(1, 9), array.slice(10, n - 11)], type=array.type)
    yield pa.chunked_array([], type=array.type)
    yield array.slice(2, 0)


@pytest.mark.parametrize("kind", NUMBER_TYPES, ids=str)
@pytest.mark.parametrize("with_nulls", [False, True])
def test_numbers(kind, with_nulls):
    values = [None if with_nulls and i % 5 == 2 else i for i in range(20)]
    numpy_kind = kind.to_pandas_dtype()
    array = pa.array([None if v is None else numpy_kind(v) for v in values], type=kind)
    for data in shapes(array):
        column = read_arrow(data).whole()
        assert numbers(column) == data.to_pylist()
        assert column.type_name == {"halffloat": "float16", "float": "float32", "double": "float64"}.get(
            str(kind), str(kind)
        )


@pytest.mark.parametrize("kind", STRING_TYPES, ids=str)
@pytest.mark.parametrize("with_nulls", [False, True])
def test_strings(kind, with_nulls):
    array = pa.array([None if with_nulls and i % 7 == 0 else TEXTS[i % 6] for i in range(20)], type=kind)
    for data in shapes(array):
        assert texts(read_arrow(data).whole()) == data.to_pylist()


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.int32(), pa.int64()], ids=str)
@pytest.mark.parametrize("with_nulls", [False, True])
def test_dictionaries_of_strings(index, with_nulls):
    array = pa.array([None if with_nulls and i % 7 == 0 else TEXTS[i % 6] for i in range(20)])
    encoded = array.dictionary_encode().cast(pa.dictionary(index, pa.string()))
    for data in shapes(encoded):
        assert texts(read_arrow(data).whole()) == data.to_pylist()


def test_chunks_with_different_dictionaries():
    first, second = (pa.array(words).dictionary_encode() for words in (["x", "y"], ["z", "y", "y"]))
    data = pa.chunked_array([first, second])
    assert texts(read_arrow(data).whole()) == ["x", "y", "z", "y", "y"]


def test_nulls_inside_a_dictionary():
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0]), pa.array(["x", None]))
    assert texts(read_arrow(array).whole()) == ["x", None, None, "x"]


def test_many_dictionary_entries_with_narrow_indices_over_chunks():
    words = [[f"{chunk} {i}" for i in range(200)] for chunk in range(3)]
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array(range(200), type=pa.uint8()), pa.array(group))
        for group in words
    ]
    assert texts(read_arrow(pa.chunked_array(chunks)).whole()) == list(itertools.chain(*words))


def test_dictionaries_of_integers_are_read_as_integers():
    column = read_arrow(pa.array([30, 10, 30, None]).dictionary_encode()).whole()
    assert (column.kind, numbers(column)) == ("integer", [30, 10, 30, None])


def test_booleans_with_odd_offsets():
    array = pa.array([True, None, False] * 9)
    for data in shapes(array):
        column = read_arrow(data).whole()
        assert (column.kind, numbers(column)) == ("boolean", data.to_pylist())


def test_nulls_only():
    column = read_arrow(pa.nulls(3)).whole()
    assert column.nulls.tolist() == [True] * 3


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (pa.timestamp("s"), [-2, 86400]),
        (pa.timestamp("ms"), [-2, 86400]),
        (pa.timestamp("us", tz="Europe/Vienna"), [-2, 86400]),
        (pa.timestamp("ns"), [-2, 86400]),
    ],
    ids=str,
)
def test_timestamps_become_unix_seconds_rounded_down(kind, seconds):
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC if kind.tz else None)
    step = -1.5 if kind.unit != "s" else -2
    stamps = [start + datetime.timedelta(seconds=step), start + datetime.timedelta(days=1)]
    assert numbers(read_arrow(pa.array(stamps, type=kind)).whole()) == seconds


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()], ids=str)
def test_dates_become_unix_seconds(kind):
    array = pa.array([datetime.date(1969, 12, 31), datetime.date(1970, 1, 3)], type=kind)
    assert numbers(read_arrow(array).whole()) == [-86400, 2 * 86400]


def test_decimals():
    values = ["4.5", "-0.25", "12345678901234567890123.75", None]
    array = pa.array([None if v is None else decimal.Decimal(v) for v in values], type=pa.decimal128(30, 2))
    assert numbers(read_arrow(array).whole()) == [4.5, -0.25, 12345678901234567890123.75, None]


@pytest.mark.parametrize("kind", [pa.decimal32(5, 2), pa.decimal64(5, 2), pa.decimal128(5, 2)], ids=str)
def test_narrow_decimals(kind):
    array = pa.array([decimal.Decimal("4.5"), None, decimal.Decimal("-0.25")], type=kind)
    for data in (array, array.slice(1)):
        expected = [None if value is None else float(value) for value in data.to_pylist()]
        assert numbers(read_arrow(data).whole()) == expected


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (pa.array([b"x"]), "binary"),
        (pa.array([{"a": 1}]), "struct"),
        (pa.array([datetime.timedelta(1)]), "Arrow type 'tDu'"),
    ],
    ids=["binary", "struct", "duration"],
)
def test_types_that_cannot_be_used_say_what_they_are(array, words):
    column = read_arrow(array).whole()
    assert (column.kind, column.type_name) == ("other", words)


LISTS = [["a", "b"], None, [], ["c", None, "a"], ["d"], [], ["e", "f"]] * 2


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.string()),
        pa.large_list(pa.string_view()),
        pa.list_view(pa.large_string()),
        pa.large_list_view(pa.string()),
        pa.list_(pa.dictionary(pa.int8(), pa.string())),
    ],
    ids=str,
)
def test_lists(kind):
    for data in shapes(pa.array(LISTS, type=kind)):
        column = read_arrow(data).whole()
        assert column.kind == "list"
        assert lists(column) == data.to_pylist()


def test_lists_of_one_size():
    pairs = [["a", "b"], None, ["c", "d"], ["e", "f"], ["g", None]] * 3
    for data in shapes(pa.array(pairs, type=pa.list_(pa.string(), 2))):
        assert lists(read_arrow(data).whole()) == data.to_pylist()


def lists(column):
    elements = texts(column.elements)
    return [
        None if column.nulls is not None and column.nulls[row] else elements[begin:end]
        for row, (begin, end) in enumerate(zip(column.begins, column.ends, strict=True))
    ]


def test_tables_are_read_by_column_name_and_sliced_record_batches_too():
    table = pa.table({"user": TEXTS, "value": range(6)})
    assert read_arrow(table).names == ["user", "value"]
    batch = table.to_batches()[0].slice(2, 3)
    for data in (table.slice(2, 3), batch, batch.to_struct_array()):
        read = read_arrow(data)
        assert texts(read.column("user")) == TEXTS[2:5]
        assert numbers(read.column("value")) == [2, 3, 4]


def test_polars_frames_of_many_chunks():
    frame = pl.concat([pl.DataFrame({"user": TEXTS, "value": [i] * 6}) for i in range(3)], rechunk=False)
    read = read_arrow(frame)
    assert texts(read.column("user")) == TEXTS * 3
    assert numbers(read.column("value")) == [0] * 6 + [1] * 6 + [2] * 6


def test_nothing_is_copied_and_buffers_outlive_their_table():
    array = pa.array(np.arange(1000))
    column = read_arrow(array).whole()
    assert column.values.ctypes.data == array.buffers()[1].address
    assert not column.values.flags.writeable
    gc.collect()
    before = pa.total_allocated_bytes()
    column = read_arrow(pa.table({"x": pa.array(np.arange(1000)).take(pa.array(range(1000)))})).column("x")
    gc.collect()
    assert pa.total_allocated_bytes() >= before + 8000
    assert column.values[-1] == 999
    del column
    gc.collect()
    assert pa.total_allocated_bytes() <= before


def test_an_error_of_the_stream_is_passed_on():
    def batches():
        yield pa.record_batch({"x": [1]})
        raise ValueError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), batches())
    with pytest.raises(DataError, match=r"the Arrow stream failed with code .*the disk is gone"):
        read_arrow(reader)

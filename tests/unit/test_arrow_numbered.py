"""Tables whose strings are numbered batch by batch: the ids and codes of the whole table."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from alternant import _arrow_numbered
from alternant._arrow_numbered import read_numbered
from alternant.errors import DataError
from alternant.ids import IdMap, number_columns
from alternant.interactions import Interactions
from alternant.kernels.ids import number_strings

STRING_TYPES = [pa.string(), pa.large_string(), pa.string_view()]
WORDS = [
    "",
    "a",
    "héllo",
    "a text longer than twelve bytes",
    "日本",
    "\0",
    "a text longer than twelve bytes!",
]


def made(n=500, kind=None):
    """Return two columns of words, and two of numbers."""
    rng = np.random.default_rng(5)
    kind = kind or pa.string()
    return pa.table({
        "user": pa.array([WORDS[i] for i in rng.integers(0, 7, n)], kind),
        "item": pa.array([f"item {i}" for i in rng.integers(0, 90, n)], kind),
        "value": rng.integers(0, 5, n).astype(np.float64),
        "time": rng.integers(0, 10**9, n),
    })  # fmt: skip


def batches_of(table, *sizes):
    """Return a reader that hands the table out in batches of these sizes, over and over."""
    table = table.combine_chunks()
    batches, begin = [], 0
    while begin < len(table):
        size = sizes[len(batches) % len(sizes)]
        batches += table.slice(begin, size).to_batches()
        begin += size
    return pa.RecordBatchReader.from_batches(table.schema, batches)


def read(data, names=("user", "item", "value", "time")):
    return read_numbered(data, lambda known: list(names), {"user", "item"}, number_strings)


def words_of(column):
    ids, codes = IdMap.from_labels(column)
    return ids.labels[codes].tolist()


@pytest.fixture(params=[1, 100, 1 << 20], ids=lambda rows: f"pieces of {rows}")
def pieces(request, monkeypatch):
    monkeypatch.setattr(_arrow_numbered, "_PIECE_ROWS", request.param)


@pytest.mark.parametrize("kind", STRING_TYPES, ids=str)
@pytest.mark.parametrize("sizes", [(500,), (1,), (7, 120), (250, 249, 1)], ids=str)
def test_batches_of_any_size_give_the_columns_of_the_table(pieces, kind, sizes):
    table = made(kind=kind)
    columns = read(batches_of(table, *sizes))
    for name in ("user", "item"):
        column = columns[name]
        assert column.is_numbered
        assert column.codes.dtype == np.int32
        assert column.type_name == str(kind)
        assert words_of(column) == table[name].to_pylist()
        expected, codes = IdMap.from_labels(table[name])
        ids, same = IdMap.from_labels(column)
        assert ids == expected
        assert np.array_equal(codes, same)
    for name in ("value", "time"):
        assert np.array_equal(columns[name].values, table[name].to_numpy())
        assert columns[name].values.dtype == table[name].to_numpy().dtype


def test_chunks_need_not_end_at_the_same_rows():
    table = made()
    users = pa.chunked_array(
        [table["user"].combine_chunks().slice(0, 123), table["user"].combine_chunks().slice(123)]
    )
    items = pa.chunked_array(
        [table["item"].combine_chunks().slice(0, 400), table["item"].combine_chunks().slice(400)]
    )
    columns = read(pa.table({"user": users, "item": items}), ("user", "item"))
    assert words_of(columns["user"]) == table["user"].to_pylist()
    assert words_of(columns["item"]) == table["item"].to_pylist()


def test_sliced_tables(pieces):
    table = made().slice(11, 300)
    frame = pl.from_arrow(table).slice(5, 200)
    assert words_of(read(table)["user"]) == table["user"].to_pylist()
    assert words_of(read(frame)["user"]) == frame["user"].to_list()
    assert read(frame)["value"].values.tolist() == frame["value"].to_list()


@pytest.mark.parametrize("sizes", [(500,), (90, 33)], ids=str)
def test_nulls_are_no_labels_and_are_seen(pieces, sizes):
    table = made()
    gaps = [i % 3 == 1 for i in range(500)]
    users = pa.array(
        [None if gap else word for gap, word in zip(gaps, table["user"].to_pylist(), strict=True)]
    )
    values = pa.array(
        [None if gap else value for gap, value in zip(gaps, table["value"].to_pylist(), strict=True)]
    )
    columns = read(batches_of(table.set_column(0, "user", users).set_column(2, "value", values), *sizes))
    assert columns["user"].nulls.tolist() == gaps
    assert columns["value"].nulls.tolist() == gaps
    assert columns["item"].nulls is None
    known = ~columns["user"].nulls
    ids = IdMap.from_labels(users.drop_null())[0]
    offsets, text = columns["user"].strings[0]
    assert (offsets.tolist(), text.tobytes()) == (ids.offsets.tolist(), ids.utf8.tobytes())
    assert ids.labels[columns["user"].codes[known]].tolist() == users.drop_null().to_pylist()
    with pytest.raises(DataError, match="user ids must not be null, got null in row 1; drop the row"):
        IdMap.from_labels(columns["user"], what="user")


def test_a_column_of_nulls_only_and_a_table_without_rows():
    table = pa.table({"user": pa.array([None, None], pa.string()), "item": ["x", "y"]})
    columns = read(table, ("user", "item"))
    assert columns["user"].nulls.all()
    assert columns["user"].codes.tolist() == [0, 0]
    for empty in (made().slice(0, 0), made().schema.empty_table(), batches_of(made().slice(0, 0), 1)):
        columns = read(empty)
        assert {column.n for column in columns.values()} == {0}
        assert len(columns["user"].codes) == len(columns["value"].values) == 0


def test_other_types_beside_strings_are_read_as_ever():
    table = made(50).append_column("tags", pa.array([["x"]] * 50)).append_column("kind", pa.array(["a"] * 50))
    columns = read(table, ("user", "tags", "kind"))
    assert not columns["user"].is_numbered
    assert columns["tags"].kind == "list"
    plain = read(table, ("user", "kind"))
    assert not plain["kind"].is_numbered
    dictionary = table.set_column(0, "user", table["user"].dictionary_encode())
    assert words_of(read(dictionary, ("user", "value"))["user"]) == table["user"].to_pylist()


def test_no_batch_is_kept_but_that_of_a_table_of_one(monkeypatch):
    """Seen to fail when the batches are gathered in a list."""
    monkeypatch.setattr(_arrow_numbered, "_PIECE_ROWS", 300)
    allocated = []

    def batches():
        for _ in range(20):
            yield made(300).combine_chunks().to_batches()[0]
            allocated.append(pa.total_allocated_bytes())

    reader = pa.RecordBatchReader.from_batches(made().schema, batches())
    columns = read(reader)
    assert columns["user"].n == 6000
    assert allocated[-1] <= allocated[3]
    table = made()
    values = table["value"].chunk(0).to_numpy()
    assert np.shares_memory(read(table)["value"].values, values)


def test_a_failing_stream_is_refused_in_the_middle():
    def batches():
        yield made(10).to_batches()[0]
        raise OSError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(made().schema, batches())
    with pytest.raises(DataError, match=r"the Arrow stream failed with code \d+: .*the disk is gone"):
        read(reader)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_any_number_of_threads_gives_the_same_bits(n_threads):
    rng = np.random.default_rng(8)
    names = [f"user_{i}" for i in range(40_000)]
    table = pa.table({"user": pa.array(names).take(pa.array(rng.integers(0, 40_000, 600_000)))})
    numbered = number_columns(batches_of(table, 100_000, 77), ["user"], n_threads=n_threads)
    ids, codes = numbered["user"]
    assert ids.labels.tolist() == sorted(set(table["user"].to_pylist()))
    assert ids.labels[codes].tolist() == table["user"].to_pylist()


def test_columns_of_numbers_only_are_not_kept_batch_by_batch_either(pieces):
    table = made()
    columns = read(batches_of(table, 61, 3), ("value", "time"))
    assert np.array_equal(columns["value"].values, table["value"].to_numpy())
    assert np.array_equal(columns["time"].values, table["time"].to_numpy())


def test_number_columns_takes_what_frames_there_are():
    numbers = {"user": [5, 3, 5], "item": ["x", "", "x"]}
    for frame in (numbers, pl.DataFrame(numbers), pa.table(numbers), pa.table(numbers).to_batches()[0]):
        numbered = number_columns(frame, ["item", "user"])
        assert list(numbered) == ["item", "user"]
        assert numbered["user"][0].labels.tolist() == [3, 5]
        assert numbered["user"][1].tolist() == [1, 0, 1]
        assert numbered["item"][0].labels.tolist() == ["", "x"]
    with pytest.raises(DataError, match="item ids must not be null, got null in row 1"):
        number_columns(pa.table({"item": ["x", None]}), ["item"])
    with pytest.raises(DataError, match="no column 'who' in the frame"):
        number_columns(numbers, ["who"])


def test_interactions_of_a_stream_are_those_of_the_table():
    table = made()
    names = {"user": "user", "item": "item", "value": "value", "time": "time", "duplicates": "sum"}
    whole = Interactions.from_frame(table, **names)
    streamed = Interactions.from_frame(batches_of(table, 61, 3), **names)
    assert streamed.user_ids == whole.user_ids
    assert streamed.item_ids == whole.item_ids
    for one, other in ((whole.by_user, streamed.by_user), (whole.by_item, streamed.by_item)):
        for name in ("offsets", "indices", "values", "times"):
            assert np.array_equal(getattr(one, name), getattr(other, name))

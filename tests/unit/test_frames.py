"""Every kind of frame gives the same columns; results become frames of the kind asked for."""

import datetime
import sys

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from alternant._frames import as_column, frame_type_of, make_frame, read_columns
from alternant.errors import DataError
from alternant.ids import IdMap

DATA = {
    "user": ["b", "a", "é"],
    "value": [1.0, 2.5, 3.0],
    "when": [datetime.datetime(1970, 1, d) for d in (1, 2, 3)],
}


def named(names):
    """Return columns that play no part which has usual names."""
    return {f"part {number}": name for number, name in enumerate(names)}


@pytest.fixture(params=["with pyarrow", "without pyarrow"])
def pyarrow_or_not(request, monkeypatch):
    """pandas needs pyarrow to speak Arrow; without it narwhals reads its columns."""
    if request.param == "without pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow", None)


def check(columns):
    ids, codes = IdMap.from_labels(columns["user"])
    assert ids.labels[codes].tolist() == DATA["user"]
    assert columns["value"].values.tolist() == DATA["value"]
    assert columns["when"].values.tolist() == [0, 86400, 2 * 86400]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(DATA),
        pl.DataFrame(DATA).with_columns(pl.col("user").cast(pl.Categorical)),
        pa.table(DATA),
        pa.table(DATA).to_batches()[0],
        pa.RecordBatchReader.from_batches(pa.table(DATA).schema, []),
        DATA,
        nw.from_native(pl.DataFrame(DATA)),
    ],
    ids=["polars", "polars categorical", "table", "batch", "empty reader", "dict", "narwhals"],
)
def test_frames_with_arrows_interface(frame):
    columns = read_columns(frame, named(["user", "value", "when"]))
    if isinstance(frame, pa.RecordBatchReader):
        assert [column.n for column in columns.values()] == [0, 0, 0]
    else:
        check(columns)


@pytest.mark.parametrize("kind", ["object", "str", "string[python]", "category"])
@pytest.mark.usefixtures("pyarrow_or_not")
def test_pandas_strings(kind):
    if kind in ("str", "category") and sys.modules.get("pyarrow", 1) is None:
        frame = pd.DataFrame({**DATA, "user": np.array(DATA["user"], dtype=object)})
        frame = frame if kind == "str" else frame.astype({"user": pd.CategoricalDtype(["é", "a", "b"])})
    else:
        frame = pd.DataFrame(DATA).astype({"user": kind})
    check(read_columns(frame, named(["user", "value", "when"])))


@pytest.mark.usefixtures("pyarrow_or_not")
def test_pandas_nullable_numbers_and_nulls():
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "real": [1.5, np.nan, 2.0],
            "flag": pd.array([True, None, False], dtype="boolean"),
            "when": pd.to_datetime(["1970-01-02", None, "1970-01-03"]),
            "zoned": pd.to_datetime(["1970-01-02", None, "1970-01-03"]).tz_localize("Asia/Tokyo"),
            "small": np.array([1, 2, 3], dtype=">i2"),
        }
    )
    columns = read_columns(frame, named(list(frame.columns)))
    assert {name: column.kind for name, column in columns.items()} == {
        "whole": "integer", "real": "float", "flag": "boolean", "when": "time", "zoned": "time",
        "small": "integer",
    }  # fmt: skip
    for name in ("whole", "flag", "when", "zoned"):
        assert columns[name].nulls.tolist() == [False, True, False]
    assert columns["whole"].values[[0, 2]].tolist() == [1, 3]
    assert columns["when"].values[[0, 2]].tolist() == [86400, 2 * 86400]
    assert columns["zoned"].values[[0, 2]].tolist() == [86400 - 9 * 3600, 2 * 86400 - 9 * 3600]
    assert columns["small"].values.tolist() == [1, 2, 3]


@pytest.mark.usefixtures("pyarrow_or_not")
def test_pandas_columns_of_mixed_objects_do_not_disturb_the_others():
    frame = pd.DataFrame({"user": [1, "a"], "value": [1, 2], "note": [object(), 3]})
    columns = read_columns(frame, named(["user", "value"]))
    assert columns["user"].type_name == "a mixture of int and str"
    assert columns["value"].values.tolist() == [1, 2]


@pytest.mark.usefixtures("pyarrow_or_not")
def test_series_of_every_library():
    for series in (pd.Series([2, 1]), pl.Series([2, 1]), pa.array([2, 1]), pa.chunked_array([[2], [1]])):
        assert as_column(series, name="users").values.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("frame", "names", "message"),
    [
        (pl.DataFrame(DATA), ["movie"], "no column 'movie' in the frame; it has 'user', 'value', 'when'"),
        (pd.DataFrame(DATA), ["movie"], "no column 'movie' in the frame; it has 'user', 'value', 'when'"),
        ({}, ["movie"], "no column 'movie' in the frame; it has no columns"),
        (pd.DataFrame([[1, 2]], columns=["user", "user"]), ["user"], "the frame has 2 columns named 'user'"),
        (pl.LazyFrame(DATA), ["user"], r"a lazy frame must be collected first: pass frame.collect\(\)"),
        ([1, 2], ["user"], "frame must be a data frame .* or a dict of arrays, got list"),
        (None, ["user"], "frame must be a data frame .* or a dict of arrays, got NoneType"),
    ],
)
def test_what_is_not_such_a_frame_is_refused(frame, names, message):
    with pytest.raises(DataError, match=message):
        read_columns(frame, named(names))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_are_made_in_the_kind_asked_for(kind):
    columns = {"user": np.array(["b", "a"], dtype=object), "value": np.array([1.5, 2.0], dtype=np.float32)}
    frame = make_frame(columns, kind)
    assert frame_type_of(frame) == kind
    read = read_columns(frame, named(["user", "value"]))
    assert read["value"].values.dtype == np.float32
    assert IdMap.from_labels(read["user"])[0].labels.tolist() == ["a", "b"]


def test_the_first_installed_kind_is_made_where_none_is_named(monkeypatch):
    assert frame_type_of(make_frame({"x": np.arange(2)})) == "pandas"
    find_spec = "alternant._frames.importlib.util.find_spec"
    monkeypatch.setattr(find_spec, lambda name: None if name == "pandas" else name)
    assert frame_type_of(make_frame({"x": np.arange(2)})) == "polars"
    with pytest.raises(DataError, match="a pandas frame needs pandas: pip install pandas"):
        make_frame({"x": np.arange(2)}, "pandas")
    monkeypatch.setattr(find_spec, lambda name: None)
    with pytest.raises(DataError, match="a frame needs pandas, polars or pyarrow, and none is installed"):
        make_frame({"x": np.arange(2)})
    with pytest.raises(
        DataError, match="frame_type must be one of pandas, polars, pyarrow or None, got 'dask'"
    ):
        make_frame({"x": np.arange(2)}, "dask")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_a_missing_part_names_the_column_that_it_usually_is(make):
    frame = make({"movieId": [1], "userId": [2], "x": [3.0]})
    message = r"no column 'user' in the frame; it has 'movieId', 'userId', 'x': name it with user='userId'"
    with pytest.raises(DataError, match=message):
        read_columns(frame, {"user": "user", "item": "movieId"})
    with pytest.raises(DataError, match=r"no column 'value' in .*: name it with value='\.\.\.'"):
        read_columns(frame, {"value": "value"})

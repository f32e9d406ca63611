"""Arrays of every dtype, byte order and layout become columns, or are refused with a true message."""

import datetime
import decimal

import numpy as np
import pytest

from alternant._arrays import array_column, as_array, checked_positions
from alternant.errors import DataError


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "array",
    [
        np.array([3, 1, 2], dtype=">i4"),
        np.array([3, 0, 1, 0, 2, 0], dtype=np.int64)[::2],
        np.array([2, 1, 3], dtype=np.uint16)[::-1],
        read_only(np.array([3, 1, 2], dtype=np.int8)),
        [3, 1, 2],
        (3, 1, 2),
        range(3, 0, -1),
        np.array([3, 1, 2], dtype=object),
    ],
)
def test_integers_of_any_layout_are_read(array):
    column = array_column(array, name="users")
    assert column.kind == "integer"
    assert column.values.dtype.isnative
    assert column.values.flags.c_contiguous
    assert column.values.tolist() == [int(x) for x in array]


@pytest.mark.parametrize("dtype", [">f8", ">f4", "f2", "f8", np.longdouble])
def test_floats_of_any_width_and_byte_order_are_read(dtype):
    column = array_column(np.array([0.5, 2.0], dtype=dtype), name="values")
    assert column.kind == "float"
    assert column.values.tolist() == [0.5, 2.0]


@pytest.mark.parametrize(
    ("data", "kind", "null_rows"),
    [
        (["a", None, "é"], "string", [1]),
        ([1, None], "integer", [1]),
        ([1.5, None, 2], "float", [1]),
        ([decimal.Decimal("1.5"), float("nan")], "float", [1]),
        ([True, None], "boolean", [1]),
        ([None, None], "float", [0, 1]),
        ([datetime.datetime(1970, 1, 2), None], "time", [1]),
        (np.array(["1970-01-02", "NaT"], dtype="datetime64[ns]"), "time", [1]),
        (np.array(["x", "y"]), "string", []),
        ([np.str_("x"), "y"], "string", []),
        ([np.int32(1), 2, np.uint8(3)], "integer", []),
        (np.array(["x", "y"], dtype=np.dtypes.StringDType()), "string", []),
        ([1, "a"], "other", []),
        ([b"x"], "other", []),
        (np.array([b"x"]), "other", []),
        ([2**80], "other", []),
        (np.array([1j]), "other", []),
    ],
)
def test_kinds_and_nulls_of_objects(data, kind, null_rows):
    column = array_column(data, name="values")
    assert column.kind == kind
    nulls = np.zeros(column.n, dtype=bool) if column.nulls is None else column.nulls
    assert np.flatnonzero(nulls).tolist() == null_rows


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        (datetime.datetime(1969, 12, 31, 23, 59, 59, 500_000), -1),
        (datetime.datetime(1970, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), 0),
        (datetime.date(1970, 1, 2), 86400),
        (np.datetime64("1969-12-31T23:59:59.5"), -1),
    ],
)
def test_times_become_unix_seconds_rounded_down(stamp, seconds):
    data = np.array([stamp]) if isinstance(stamp, np.datetime64) else [stamp]
    assert array_column(data, name="times").values.tolist() == [seconds]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((2, 3)), r"values must be one-dimensional, got an array of shape \(2, 3\)"),
        (np.float64(3), r"values must be one-dimensional, got an array of shape \(\)"),
        ("abc", "values must be an array or a sequence, got str"),
        (7, "values must be an array or a sequence, got int"),
        (np.ma.array([1, 2], mask=[0, 1]), "values must not be a masked array: the mask would be lost"),
        ([[1, 2], [3]], "values cannot be read as an array"),
        (["\ud800"], "values must be valid text"),
    ],
)
def test_what_is_not_a_vector_is_refused(data, message):
    with pytest.raises(DataError, match=message):
        array_column(data, name="values")


def test_arrays_are_not_copied_without_need():
    array = np.arange(4.0)
    assert as_array(array, name="values") is array


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([0, 3], r"user_index must lie in \[0, 3\), got 3 in row 1"),
        ([-1], r"user_index must lie in \[0, 3\), got -1 in row 0"),
        ([0.5], "user_index must be integers, got float64"),
    ],
)
def test_positions_are_checked(data, message):
    with pytest.raises(DataError, match=message):
        checked_positions(data, 3, name="user_index")

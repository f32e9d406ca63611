"""Trap 3: NaN and infinity are refused before any work, with user, item and remedy; or dropped."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from alternant.errors import DataError
from alternant.interactions import Interactions

USERS, ITEMS = ["u1", "u17", "u2"], ["i1", "i3", "i2"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "O"])
@pytest.mark.parametrize("column", ["values", "weights", "times"])
def test_trap_03_the_row_is_named(bad, dtype, column):
    numbers = np.array([1, bad, 2], dtype=dtype)
    message = (
        rf"{column} must be finite, got {bad} for user 'u17', item 'i3'; "
        r"drop the row or pass on_invalid=\"drop\""
    )
    with pytest.raises(DataError, match=message):
        Interactions.from_arrays(USERS, ITEMS, **{column: numbers})
    data = Interactions.from_arrays(USERS, ITEMS, **{column: numbers}, on_invalid="drop")
    assert data.report.n_dropped == data.summary().n_dropped == 1
    assert data.user_ids.labels.tolist() == ["u1", "u2"]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_trap_03_nulls_of_frames_are_such_values(make):
    frame = make({"user": USERS, "item": ITEMS, "stars": [1.0, None, 2.0]})
    with pytest.raises(DataError, match="values must be finite, got nan for user 'u17', item 'i3'"):
        Interactions.from_frame(frame, value="stars")
    assert Interactions.from_frame(frame, value="stars", on_invalid="drop").n_entries == 2


def test_trap_03_in_a_matrix():
    matrix = scipy.sparse.csr_array(np.array([[1, np.nan], [0, 2.0]]))
    with pytest.raises(DataError, match="values must be finite, got nan for user 0, item 1"):
        Interactions.from_matrix(matrix)


@pytest.mark.parametrize("column", ["values", "weights"])
@pytest.mark.parametrize("on_invalid", ["error", "drop"])
def test_trap_03_numbers_beyond_float32_do_not_become_infinite(column, on_invalid):
    with pytest.raises(
        DataError, match=rf"{column} must lie within ±3.4e\+38 \(float32\), got 1e\+300 for user 'u17'"
    ):
        Interactions.from_arrays(USERS, ITEMS, **{column: [1, 1e300, 2]}, on_invalid=on_invalid)


def test_trap_03_rows_are_named_right_after_others_were_dropped():
    with pytest.raises(DataError, match=r"values must lie within .* got 1e\+300 for user 'u2', item 'i2'"):
        Interactions.from_arrays(USERS, ITEMS, [1, np.nan, 1e300], on_invalid="drop")


def test_trap_03_sums_of_duplicates_do_not_become_infinite():
    with pytest.raises(
        DataError, match=r"values added up over duplicates must stay below 3\.4e\+38; scale them down"
    ):
        Interactions.from_arrays([1, 1], [1, 1], [3e38, 3e38], duplicates="sum")

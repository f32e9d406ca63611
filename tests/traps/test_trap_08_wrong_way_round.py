"""Trap 8: a matrix the wrong way round is refused with both shapes and the corrected call."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from alternant.errors import DataError
from alternant.interactions import Interactions


def test_trap_08_the_corrected_call_is_shown_and_works():
    matrix = scipy.sparse.csr_array(np.ones((3, 2)))
    users, items = ["ann", "bob"], ["x", "y", "z"]
    message = (
        r"matrix must have one row per user and one column per item, \(2, 3\), got \(3, 2\); "
        r"it is the wrong way round: Interactions.from_matrix\(matrix.T, users=users, items=items\)"
    )
    with pytest.raises(DataError, match=message):
        Interactions.from_matrix(matrix, users=users, items=items)
    data = Interactions.from_matrix(matrix.T, users=users, items=items)
    assert (data.n_users, data.n_items) == (2, 3)


def test_trap_08_other_shapes_are_refused_with_both_shapes():
    message = r"matrix must have one row per user and one column per item, \(2, 4\), got \(3, 4\)$"
    with pytest.raises(DataError, match=message):
        Interactions.from_matrix(scipy.sparse.csr_array((3, 4)), users=["ann", "bob"])


def test_trap_08_columns_go_by_name_not_by_place():
    frame = pl.DataFrame({"film": ["x", "y"], "stars": [1, 2], "viewer": ["ann", "ann"]})
    data = Interactions.from_frame(frame, user="viewer", item="film", value="stars")
    assert (data.n_users, data.n_items) == (1, 2)
    with pytest.raises(DataError, match="no column 'user' in the frame; it has 'film', 'stars', 'viewer'"):
        Interactions.from_frame(frame)


def test_trap_08_a_dense_matrix_without_unknown_cells_is_refused():
    with pytest.raises(
        DataError, match=r"a dense matrix of shape \(2, 2\) without NaN has no unknown cells: mark"
    ):
        Interactions.from_matrix(np.ones((2, 2)))


def test_trap_08_a_pivot_table_does_not_lose_its_labels():
    frame = pd.DataFrame([[1.0, np.nan], [2.0, 3.0]], index=["bob", "ann"], columns=[7, 5])
    with pytest.raises(DataError, match=r"frame.to_numpy\(\) with users=frame.index, items=frame.columns"):
        Interactions.from_matrix(frame)
    data = Interactions.from_matrix(frame.to_numpy(), users=frame.index, items=frame.columns)
    assert data.user_ids.labels.tolist() == ["ann", "bob"]
    assert data.by_item.values.tolist() == [3.0, 2.0, 1.0]


def test_trap_08_what_nan_means_is_said(caplog):
    with caplog.at_level("INFO", logger="alternant"):
        Interactions.from_matrix([[1.0, np.nan]])
    assert "dense matrix: 1 of 2 cells are NaN and taken as unknown" in caplog.text

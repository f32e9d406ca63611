"""Trap 5: the same user and item twice is refused where there are values, else merged by a policy."""

import numpy as np
import pytest
import scipy.sparse

from alternant.errors import DataError
from alternant.interactions import Interactions


def test_trap_05_duplicates_with_values_are_refused_with_the_row_and_the_remedy():
    message = (
        "each user and item may occur once, but user 'b', item 7 occurs again in row 3 \\(2 such rows\\); "
        'pass duplicates="sum", "mean", "max" or "last" to merge them'
    )
    with pytest.raises(DataError, match=message):
        Interactions.from_arrays(["b", "a", "c", "b", "b"], [7, 7, 7, 7, 7], [1, 2, 3, 4, 5])


def test_trap_05_rows_are_counted_as_given_when_others_were_dropped():
    with pytest.raises(DataError, match="occurs again in row 2"):
        Interactions.from_arrays([1, 1, 1], [7, 8, 7], [1, np.nan, 2], on_invalid="drop")


@pytest.mark.parametrize(("policy", "value"), [("sum", 6.0), ("mean", 2.0), ("max", 3.0), ("last", 2.0)])
def test_trap_05_every_policy_is_counted_and_reported(policy, value):
    data = Interactions.from_arrays([1, 1, 2, 1], [7, 7, 7, 7], [1, 3, 9, 2], duplicates=policy)
    assert data.by_user.values.tolist() == [value, 9.0]
    assert data.report.n_merged == data.summary().n_merged == 2
    assert "2 rows merged into others" in str(data.summary())


@pytest.mark.parametrize("make", [scipy.sparse.coo_matrix, scipy.sparse.coo_array])
def test_trap_05_a_coo_matrix_is_not_summed_in_silence(make):
    matrix = make(([5.0, 1.0, 2.0], ([0, 1, 0], [1, 0, 1])), shape=(2, 2))
    with pytest.raises(DataError, match="user 0, item 1 occurs again in row 2"):
        Interactions.from_matrix(matrix)
    assert Interactions.from_matrix(matrix, duplicates="max").by_user.values.tolist() == [5.0, 1.0]


def test_trap_05_a_csr_matrix_that_is_not_canonical_is_not_summed_in_silence():
    matrix = scipy.sparse.csr_array((np.array([5.0, 1.0]), np.array([1, 1]), np.array([0, 2])), shape=(1, 2))
    with pytest.raises(DataError, match="user 0, item 1 occurs again"):
        Interactions.from_matrix(matrix)


def test_trap_05_neighbouring_users_with_the_same_item_are_not_duplicates():
    data = Interactions.from_arrays([1, 2, 3], [7, 7, 7], [1, 2, 3])
    assert data.n_entries == 3

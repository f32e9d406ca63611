"""Trap 6, the data half: stored zeros and negative values stay what they are, and are counted."""

import numpy as np
import pytest
import scipy.sparse

from alternant.interactions import Interactions


def test_trap_06_zeros_and_negatives_are_kept_and_counted():
    data = Interactions.from_arrays([1, 1, 2], [1, 2, 1], [0, -2, 3])
    assert data.by_user.values.tolist() == [0.0, -2.0, 3.0]
    summary = data.summary()
    assert (summary.n_zero, summary.n_negative) == (1, 1)
    assert "1 value is 0, 1 value is negative" in str(summary)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("make", [scipy.sparse.coo_matrix, scipy.sparse.coo_array])
def test_trap_06_explicit_zeros_of_a_matrix_are_entries(form, make):
    matrix = make(([0.0, -1.0], ([0, 1], [1, 0])), shape=(2, 2)).asformat(form)
    data = Interactions.from_matrix(matrix)
    assert data.entries().values.tolist() == [0.0, -1.0]
    assert data.summary().n_zero == 1


def test_trap_06_the_padding_of_block_matrices_is_not_taken_for_zeros():
    matrix = scipy.sparse.bsr_array(np.array([[1.0, 0, 0, 0], [0, 2, 0, 0]]), blocksize=(2, 2))
    assert Interactions.from_matrix(matrix).n_entries == 2


def test_trap_06_a_dense_zero_is_a_value_and_nan_is_unknown():
    data = Interactions.from_matrix(np.array([[0.0, np.nan], [3.0, -1.0]]))
    assert data.by_user.values.tolist() == [0.0, 3.0, -1.0]


def test_trap_06_weight_zero_removes_the_entry_and_says_so():
    data = Interactions.from_arrays([1, 1], [1, 2], [5, 4], weights=[0, 1])
    assert data.by_user.values.tolist() == [4.0]
    assert data.report.n_zero_weight == 1

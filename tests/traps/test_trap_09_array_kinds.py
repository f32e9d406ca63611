"""Trap 9: every sparse format, dtype and layout is read, or refused with a true message."""

import numpy as np
import pytest
import scipy.sparse

from alternant.errors import DataError
from alternant.interactions import Interactions

DENSE = np.array([[0, 3, 0, 1], [2, 0, 0, 0], [0, 1, 0, 5]])
FORMATS = ["csr", "csc", "coo", "lil", "dok", "dia", "bsr"]
DTYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "g"]


def check(data, dense=DENSE):
    users, items = np.nonzero(dense)
    entries = data.entries()
    assert entries.user_index.tolist() == users.tolist()
    assert entries.item_index.tolist() == items.tolist()
    assert entries.values.dtype == np.float32
    assert entries.values.tolist() == dense[users, items].tolist()
    assert (data.n_users, data.n_items) == dense.shape


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [scipy.sparse.coo_array, scipy.sparse.coo_matrix])
def test_trap_09_every_format_and_dtype(form, dtype, make):
    check(Interactions.from_matrix(make(DENSE.astype(dtype)).asformat(form)))


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr"])
def test_trap_09_booleans_are_ones(form):
    check(Interactions.from_matrix(scipy.sparse.csr_array(DENSE > 0).asformat(form)), (DENSE > 0).astype(int))


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_trap_09_wide_and_unsorted_indices(index):
    indptr, indices = np.array([0, 2, 3, 5], dtype=index), np.array([3, 1, 0, 3, 1], dtype=index)
    matrix = scipy.sparse.csr_array((np.array([1.0, 3, 2, 5, 1]), indices, indptr), shape=(3, 4))
    assert not matrix.has_sorted_indices
    check(Interactions.from_matrix(matrix))
    assert matrix.indices.tolist() == [3, 1, 0, 3, 1]


def test_trap_09_read_only_and_big_endian_arrays():
    users, items = np.nonzero(DENSE)
    values = DENSE[users, items]
    for dtype in (">i4", ">i8", "<i4", "u1"):
        for kind in (">f4", ">f8", "<f2", ">i2"):
            arrays = [users.astype(dtype), items.astype(dtype), values.astype(kind)]
            for array in arrays:
                array.flags.writeable = False
            check(Interactions.from_arrays(*arrays, item_ids=range(4)))


def test_trap_09_strided_arrays():
    users, items = np.nonzero(DENSE)
    table = np.column_stack([users, items, DENSE[users, items]])
    assert not table[:, 0].flags.c_contiguous
    check(Interactions.from_arrays(table[:, 0], table[:, 1], table[:, 2], item_ids=range(4)))


@pytest.mark.parametrize("order", ["C", "F"])
def test_trap_09_dense_arrays_of_either_order(order):
    dense = np.array(np.where(DENSE == 0, np.nan, DENSE), dtype=">f8", order=order)
    check(Interactions.from_matrix(dense))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (scipy.sparse.csr_array(DENSE.astype(complex)), "matrix must hold numbers, got complex128"),
        (DENSE.astype(str), "matrix must hold numbers, got <U21"),
        (np.zeros(3), r"matrix must be two-dimensional, got an array of shape \(3,\)"),
        (scipy.sparse.coo_array(np.ones(3)), r"matrix must be two-dimensional, got shape \(3,\)"),
        (5, "matrix must be an array or a sequence, got int"),
    ],
)
def test_trap_09_what_is_not_such_a_matrix_is_refused(matrix, message):
    with pytest.raises(DataError, match=message):
        Interactions.from_matrix(matrix)

"""Gramian, products, eigendecomposition against NumPy."""

from types import SimpleNamespace

import numpy as np
import pytest

from alternant import DivergedError
from alternant.kernels import dense
from tables import random_ratings, ratings_of


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 5), (200, 16), (9001, 33), (70, 130)])
def test_gramian(isa, shape):
    table = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected = table.astype(float).T @ table.astype(float)
    found = dense.gramian(table, n_threads=2)
    assert np.abs(found - expected).max() <= 1e-6 * max(1.0, np.abs(expected).max())
    assert np.array_equal(found, found.T)
    assert np.array_equal(found, dense.gramian(table, n_threads=1))


@pytest.mark.parametrize("shape", [(0, 3, 2), (5, 1, 1), (3000, 33, 17), (40, 16, 64)])
def test_multiply(isa, shape):
    n, width, out_width = shape
    rng = np.random.default_rng(1)
    table, matrix = (
        rng.normal(size=(n, width)).astype(np.float32),
        rng.normal(size=(width, out_width)).astype("f4"),
    )
    found = dense.multiply(table, matrix, n_threads=2)
    assert np.allclose(found, table.astype(float) @ matrix, rtol=1e-5, atol=1e-5)


def test_gramian_of_weighed_rows_and_of_the_first_columns(isa):
    rng = np.random.default_rng(2)
    table, weights = rng.normal(size=(5000, 19)).astype(np.float32), rng.uniform(0, 3, 5000)
    part = table[:, :17].astype(float)
    found = dense.gramian(table, weights=weights, n_columns=17, n_threads=2)
    expected = (part.T * weights) @ part
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("n_threads", [1, 3])
def test_multiply_copies_the_columns_that_are_left_over(isa, n_threads):
    rng = np.random.default_rng(3)
    table, matrix = rng.normal(size=(2050, 18)).astype("f4"), rng.normal(size=(17, 17)).astype("f4")
    out = np.full((2050, 18), np.nan, np.float32)
    found = dense.multiply(table, matrix, out=out, n_threads=n_threads)
    assert found is out
    assert np.array_equal(found[:, 17], table[:, 17])
    assert np.array_equal(
        found[:, :17], dense.multiply(np.ascontiguousarray(table[:, :17]), matrix, n_threads=1)
    )


def test_multiply_refuses_a_matrix_taller_than_the_table_is_wide():
    with pytest.raises(ValueError, match="matrix must have at most one row per column of the table"):
        dense.multiply(np.ones((2, 3), np.float32), np.ones((4, 4), np.float32), n_threads=1)


@pytest.mark.parametrize("n", [130, 300])
def test_threads_change_no_bit_of_an_eigendecomposition(isa, n):
    matrix = np.random.default_rng(4).normal(size=(n, n))
    matrix = matrix @ matrix.T
    one = dense.symmetric_eigen(matrix, n_threads=1)
    for n_threads in (2, 3, 7):
        many = dense.symmetric_eigen(matrix, n_threads=n_threads)
        assert np.array_equal(one[0], many[0])
        assert np.array_equal(one[1], many[1])


@pytest.mark.parametrize("offsets", [[0, 3, 2], [0, 2, 4], [-(2**63), -(2**63) + 99, 2**63 - 1]])
def test_multiply_sparse_refuses_offsets_that_do_not_fit(offsets):
    """The last: a difference that overflows. Seen to read outside."""
    block = SimpleNamespace(offsets=np.array(offsets, np.int64), indices=np.zeros(3, np.int32), values=None)
    with pytest.raises(ValueError, match="offsets must rise and stay within the entries"):
        dense.multiply_sparse(block, np.ones((2, 4), np.float32), n_threads=1)


def test_multiply_sparse(isa):
    ratings = random_ratings(2, 300, 40)
    table = np.random.default_rng(3).normal(size=(40, 19)).astype(np.float32)
    (block,) = ratings_of(ratings).by_user.blocks()
    expected = np.nan_to_num(ratings - 2.5) @ table
    assert np.allclose(
        dense.multiply_sparse(block, table, shift=2.5, n_threads=2), expected, rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 17, 64, 150])
def test_eigendecomposition(n):
    rng = np.random.default_rng(n)
    root = rng.normal(size=(n, max(1, n - 2)))  # of deficient rank
    matrix = root @ root.T
    values, vectors = dense.symmetric_eigen(matrix)
    size = np.abs(matrix).max()
    assert np.allclose(vectors.T @ np.diag(values) @ vectors, matrix, atol=1e-12 * n * size)
    assert np.allclose(vectors @ vectors.T, np.eye(n), atol=1e-12 * n)
    assert np.allclose(values, np.linalg.eigvalsh(matrix)[::-1], atol=1e-12 * n * size)
    assert (np.take_along_axis(vectors, np.abs(vectors).argmax(1)[:, None], 1) > 0).all()


@pytest.mark.parametrize(
    "matrix", [np.zeros((3, 3)), np.diag([1.0, 5.0, -2.0]), np.ones((4, 4)), 1e-300 * np.eye(2)]
)
def test_eigendecomposition_of_special_matrices(matrix):
    values, vectors = dense.symmetric_eigen(matrix)
    assert np.allclose(vectors.T @ np.diag(values) @ vectors, matrix, atol=1e-14)
    assert (np.diff(values) <= 0).all()


@pytest.mark.parametrize("n", [70, 100, 257])
@pytest.mark.parametrize("rank", [1, 20])
@pytest.mark.parametrize("unit", [1.0, 1e-300, 1e300])
def test_eigendecomposition_of_matrices_of_low_rank(n, rank, unit):
    """Seen to fail: beside the noise of zero eigenvalues no off-diagonal was small enough."""
    root = np.random.default_rng(n).normal(size=(n, rank))
    matrix = root @ root.T
    values, vectors = dense.symmetric_eigen(matrix * unit)
    assert np.allclose(vectors.T @ np.diag(values / unit) @ vectors, matrix, atol=1e-12 * n)
    assert np.allclose(vectors @ vectors.T, np.eye(n), atol=1e-13 * n)


def test_eigendecomposition_refuses_nan():
    with pytest.raises(DivergedError, match="a matrix that is not finite: factors have diverged"):
        dense.symmetric_eigen(np.array([[1.0, np.nan], [np.nan, 1.0]]))


def test_half_inverses_of_many_matrices_at_once():
    rng = np.random.default_rng(0)
    for width in (1, 2, 5, 33):
        roots = rng.standard_normal((11, width, width + 3))
        matrices = roots @ roots.transpose(0, 2, 1)
        halves, failed = dense.half_inverses(matrices.copy(), n_threads=3)
        assert failed == -1
        np.testing.assert_allclose(halves, np.linalg.inv(np.linalg.cholesky(matrices)), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(dense.half_inverses(matrices.copy(), n_threads=1)[0], halves)
    matrices[[4, 7]] = -np.eye(33)
    assert dense.half_inverses(matrices.copy(), n_threads=2)[1] == 4
    matrices[4] = np.nan
    assert dense.half_inverses(matrices.copy(), n_threads=2)[1] == 4
    halves, failed = dense.half_inverses(np.zeros((0, 3, 3)), n_threads=1)
    assert (halves.shape, failed) == ((0, 3, 3), -1)

import numpy as np
import pytest

from alternant import _kernels
from alternant.errors import DataError
from alternant.retrieval import pair_scores, top_k

TABLE = np.array([[1, 0], [0, 1], [1, 1], [2, 0], [0, 2]], np.float32)
QUERIES = np.array([[1, 0], [0, 1]], np.float32)


def test_best_first_ties_by_index_and_offsets():
    offsets, indices, scores = top_k(QUERIES, TABLE, 3)
    assert offsets.tolist() == [0, 3, 6]
    assert indices.tolist() == [3, 0, 2, 4, 1, 2]
    assert scores.tolist() == [2, 1, 1, 2, 1, 1]
    assert (offsets.dtype, indices.dtype, scores.dtype) == (np.int64, np.int32, np.float32)


def test_lists_are_as_long_as_there_are_rows():
    offsets, indices, _ = top_k(QUERIES, TABLE, 100)
    assert offsets.tolist() == [0, 5, 10]
    assert indices[:5].tolist() == [3, 0, 2, 1, 4]


def test_excluded_rows_leave_a_shorter_list():
    offsets, indices, _ = top_k(
        QUERIES, TABLE, 4, exclude_offsets=np.array([0, 0, 5]), exclude_indices=np.arange(5, dtype=np.int32)
    )
    assert offsets.tolist() == [0, 4, 4]
    assert indices.tolist() == [3, 0, 2, 1]


def test_candidates_in_any_order_with_repeats():
    _, indices, _ = top_k(QUERIES[:1], TABLE, 9, candidates=[4, 2, 0, 2])
    assert indices.tolist() == [0, 2, 4]


def test_candidates_may_be_empty():
    offsets, indices, scores = top_k(QUERIES, TABLE, 3, candidates=[])
    assert offsets.tolist() == [0, 0, 0]
    assert len(indices) == len(scores) == 0


def test_no_queries():
    offsets, indices, _ = top_k(np.empty((0, 2), np.float32), TABLE, 3)
    assert offsets.tolist() == [0]
    assert len(indices) == 0


def test_last_column_as_one_or_zero():
    assert top_k(QUERIES, TABLE, 1, table_last="one")[2].tolist() == [2, 1]
    assert top_k(QUERIES, TABLE, 1, table_last="zero")[2].tolist() == [2, 0]
    pairs = pair_scores(TABLE, TABLE, [4, 4], [2, 2], left_last="one")
    assert pairs.tolist() == [1, 1]


def test_scales_multiply_the_score():
    scale = np.array([1, 1, 10, 1, 1], np.float32)
    _, indices, scores = top_k(QUERIES, TABLE, 1, query_scale=np.array([2, 3], np.float32), table_scale=scale)
    assert indices.tolist() == [2, 2]
    assert scores.tolist() == [20, 30]


def test_scores_that_are_not_numbers_are_not_listed():
    table = np.array([[np.nan], [-np.inf], [np.inf], [-1]], np.float32)
    offsets, indices, _ = top_k(np.ones((1, 1), np.float32), table, 4)
    assert indices.tolist() == [2, 3]
    assert offsets.tolist() == [0, 2]


def test_other_dtypes_and_layouts_are_converted():
    table = np.asfortranarray(TABLE.astype(np.float64))
    assert top_k(QUERIES.astype(np.float64)[:, ::-1][:, ::-1], table, 2)[1].tolist() == [3, 0, 4, 1]


@pytest.mark.parametrize("k", [0, -1, 2.0, True, "10"])
def test_k_must_be_a_positive_integer(k):
    with pytest.raises(DataError, match=f"k must be a positive integer, got {k!r}"):
        top_k(QUERIES, TABLE, k)


def test_columns_must_match():
    with pytest.raises(DataError, match=r"same number of columns, got shapes \(2, 1\) and \(5, 2\)"):
        top_k(QUERIES[:, :1], TABLE, 1)


def test_candidates_must_exist():
    with pytest.raises(DataError, match=r"candidates must lie in 0\.\.4, got 5"):
        top_k(QUERIES, TABLE, 1, candidates=[5])
    with pytest.raises(DataError, match=r"candidates must be integers in one dimension, got float64"):
        top_k(QUERIES, TABLE, 1, candidates=[1.0])


def test_exclude_arrays_come_together():
    with pytest.raises(DataError, match="exclude_offsets and exclude_indices go together, got one of them"):
        top_k(QUERIES, TABLE, 1, exclude_indices=np.zeros(1, np.int32))


@pytest.mark.parametrize(
    ("offsets", "indices", "message"),
    [
        ([0, 1], [0], "exclude_offsets needs one value per query and one more"),
        ([0, 1, 1], [0, 1], "exclude_offsets must span exclude_indices"),
        ([0, 9, 2], [0, 1], "exclude_offsets must not fall"),
        ([0, 2, 2], [1, 0], "exclude_indices must be in range and ascending"),
        ([0, 2, 2], [1, 1], "exclude_indices must be in range and ascending"),
        ([0, 1, 2], [0, 5], "exclude_indices must be in range and ascending"),
        ([0, 1, 2], [-1, 0], "exclude_indices must be in range and ascending"),
    ],
)
def test_the_kernel_checks_exclude_arrays(offsets, indices, message):
    with pytest.raises(ValueError, match=message):
        top_k(
            QUERIES, TABLE, 1, exclude_offsets=np.array(offsets), exclude_indices=np.array(indices, np.int32)
        )


def test_scales_need_the_right_shapes():
    with pytest.raises(DataError, match=r"scales must have shapes \(2,\) and \(5,\), got \(2,\) and None"):
        top_k(QUERIES, TABLE, 1, query_scale=np.ones(2, np.float32))


def test_pairs_must_exist_and_match():
    with pytest.raises(DataError, match=r"right_rows must lie in 0\.\.4, got -1"):
        pair_scores(QUERIES, TABLE, [0], [-1])
    with pytest.raises(DataError, match="must be of one length, got 1 and 2"):
        pair_scores(QUERIES, TABLE, [0], [0, 1])
    assert pair_scores(QUERIES, TABLE, [], []).tolist() == []


def test_the_compiled_side_refuses_what_python_did_not_convert():
    rows = np.zeros(1, np.int32)
    for left, message in ((QUERIES.astype(np.float64), "incompatible"), (QUERIES[:, ::-1], "incompatible")):
        with pytest.raises(TypeError, match=message):
            _kernels.pair_scores(left, TABLE, 0, 0, None, None, rows, rows, np.empty(1, np.float32), 1)
    with pytest.raises(ValueError, match="right_rows out of range"):
        _kernels.pair_scores(QUERIES, TABLE, 0, 0, None, None, rows, rows + 5, np.empty(1, np.float32), 1)
    with pytest.raises(ValueError, match="last column must be"):
        _kernels.pair_scores(QUERIES, TABLE, 3, 0, None, None, rows, rows, np.empty(1, np.float32), 1)

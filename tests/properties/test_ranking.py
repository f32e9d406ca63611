"""Ranking against a stable sort of all scores, at every level and for several numbers of threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alternant import kernels
from alternant.retrieval import pair_scores, top_k


@pytest.fixture(scope="module", params=kernels.isa_levels())
def isa(request):
    before = kernels.isa()
    kernels.set_isa(request.param)
    yield request.param
    kernels.set_isa(before)


@st.composite
def problems(draw):
    """Few distinct small integers make ties; a width of 0 gives only ties."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n_queries, n_rows = draw(st.integers(1, 40)), draw(st.integers(1, 130))
    width = draw(st.sampled_from([0, 1, 2, 7, 16, 63, 64, 65, 130]))
    spread = draw(st.sampled_from([1, 3, None]))
    shape = (n_queries + n_rows, width)
    numbers = rng.standard_normal(shape) if spread is None else rng.integers(-spread, spread + 1, shape)
    numbers = numbers.astype(np.float32)
    excluded = rng.random((n_queries, n_rows)) < draw(st.sampled_from([0, 0.1, 0.9, 1]))
    candidates = None
    if draw(st.booleans()):
        candidates = rng.choice(n_rows, size=draw(st.integers(0, n_rows)), replace=False)
    return numbers[:n_queries], numbers[n_queries:], draw(st.integers(1, 140)), excluded, candidates


def expected(queries, table, k, excluded, candidates):
    """Rank by a stable sort of the scores of all pairs; the scores are those of pair_scores."""
    n_queries, n_rows = excluded.shape
    rows = np.repeat(np.arange(n_queries), n_rows), np.tile(np.arange(n_rows), n_queries)
    scores = pair_scores(queries, table, *rows, n_threads=1).reshape(n_queries, n_rows)
    allowed = ~excluded
    if candidates is not None:
        allowed &= np.isin(np.arange(n_rows), candidates)
    lists = []
    for q in range(n_queries):
        order = np.argsort(-scores[q], kind="stable")
        lists.append(order[allowed[q][order]][:k])
    indices = np.concatenate(lists)
    counts = [len(ranking) for ranking in lists]
    return (
        np.concatenate([[0], np.cumsum(counts)]),
        indices,
        scores[np.repeat(np.arange(n_queries), counts), indices],
    )


@given(problem=problems(), n_threads=st.sampled_from([1, 2, 3, 7]))
@settings(max_examples=60, deadline=None)
def test_top_k_equals_a_stable_sort(isa, problem, n_threads):
    """Was seen to fail with `>=` in place of `>` in `select`, and with the heap's tie rule turned round."""
    queries, table, k, excluded, candidates = problem
    ours = top_k(
        queries,
        table,
        k,
        exclude_offsets=np.concatenate([[0], np.cumsum(excluded.sum(axis=1))]),
        exclude_indices=np.nonzero(excluded)[1].astype(np.int32),
        candidates=candidates,
        n_threads=n_threads,
    )
    for got, want in zip(ours, expected(*problem), strict=True):
        np.testing.assert_array_equal(got, want)


@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 200), n_threads=st.sampled_from([1, 2, 3, 7]))
@settings(max_examples=30, deadline=None)
def test_one_query_gets_the_bits_of_a_batch(isa, seed, width, n_threads):
    """Was seen to fail with a tile of one query that summed its columns in another order."""
    rng = np.random.default_rng(seed)
    queries = rng.standard_normal((23, width)).astype(np.float32)
    table = rng.standard_normal((300, width)).astype(np.float32)
    _, indices, scores = top_k(queries, table, 7, n_threads=n_threads)
    for q in range(23):
        _, one_indices, one_scores = top_k(queries[q : q + 1], table, 7, n_threads=1)
        np.testing.assert_array_equal(indices[q * 7 : q * 7 + 7], one_indices)
        np.testing.assert_array_equal(scores[q * 7 : q * 7 + 7], one_scores)


@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 300))
@settings(max_examples=20, deadline=None)
def test_scores_are_close_to_float64(isa, seed, width):
    """Was seen to fail with the second run of columns left out."""
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal((50, width)).astype(np.float32) for _ in range(2))
    exact = np.einsum("ij,ij->i", a.astype(np.float64), b.astype(np.float64))
    bound = np.einsum("ij,ij->i", np.abs(a), np.abs(b)) * 1e-5
    scores = pair_scores(a, b, np.arange(50), np.arange(50))
    assert np.all(np.abs(scores - exact) <= bound)


def test_more_queries_than_a_chunk_takes(isa):
    rng = np.random.default_rng(0)
    queries = rng.standard_normal((1001, 5)).astype(np.float32)
    table = rng.standard_normal((77, 5)).astype(np.float32)
    results = [top_k(queries, table, 9, n_threads=n) for n in (1, 2, 3, 7)]
    for result in results:
        for got, want in zip(
            result, expected(queries, table, 9, np.zeros((1001, 77), bool), None), strict=True
        ):
            np.testing.assert_array_equal(got, want)

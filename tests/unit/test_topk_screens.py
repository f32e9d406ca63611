"""What the screens of top-k let through: nothing that belongs in a list is lost, in the worst case either."""

import numpy as np
import pytest

from alternant import kernels
from alternant.errors import DataError
from alternant.kernels import topk
from alternant.retrieval import pair_scores

STEPS = {"float32": 127, "int8 in pairs": 63, "int8 in fours": 127}


def level_and_screen():
    before = kernels.isa()
    found = []
    for level in kernels.isa_levels():
        kernels.set_isa(level)
        found += [(level, screen) for screen in topk.screens()]
    kernels.set_isa(before)
    return found


@pytest.fixture(params=level_and_screen(), ids=" ".join)
def screen(request):
    before = kernels.isa()
    kernels.set_isa(request.param[0])
    yield request.param[1]
    kernels.set_isa(before)


def lists(queries, table, k, screen, *, candidates=None, query_scale=None, table_scale=None, **more):
    packed = topk.pack(table, screen=screen, candidates=candidates, table_scale=table_scale)
    indices, scores, counts = topk.top_k(queries, packed, k, query_scale=query_scale, **more)
    return [(indices[q, :n].tolist(), scores[q, :n].tolist()) for q, n in enumerate(counts)]


def expected(queries, table, k, *, query_scale=None, table_scale=None, allowed=None):
    """The stable sort of the scores of all pairs; what is NaN or minus infinity is not listed."""
    rows = np.repeat(np.arange(len(queries)), len(table)), np.tile(np.arange(len(table)), len(queries))
    scores = pair_scores(queries, table, *rows, left_scale=query_scale, right_scale=table_scale)
    result = []
    for q, row in enumerate(scores.reshape(len(queries), len(table))):
        listed = np.flatnonzero(row > -np.inf)
        if allowed is not None:
            listed = listed[allowed[q][listed]]
        best = listed[np.argsort(-row[listed], kind="stable")][:k]
        result.append((best.tolist(), row[best].tolist()))
    return result


@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_holds_where_all_roundings_point_the_same_way(screen, sign):
    """Row 64 is the best by a hair, and its bytes make it the worst of all by nearly the whole bound.

    The query and row 64 lie just below half steps in every column, and are parallel to what is cut off; the
    64 rows before it in the order lie just above half steps, and score a little less. Was seen to lose row 64
    with 0.9 times the bound, and without the query's or the rows' part of it.
    """
    levels, width = STEPS[screen], 402
    half = 0.8 * levels // 1 + 0.5
    query = np.zeros(width)
    query[0], query[2:] = 127, 100.4999
    table = np.zeros((66, width))
    table[:64, 1] = levels  # longer than row 64, in a direction that the query does not have
    table[:64, 2:] = half + 1e-4
    table[:64, 2] -= 399 * 2e-4 + 0.1
    table[64, 2:] = half - 1e-4
    table[65, 0] = -levels  # makes the step of the second panel 1
    query, table = (sign * query[None]).astype(np.float32), (sign * table).astype(np.float32)
    assert expected(query, table, 1)[0][0] == [64]
    assert lists(query, table, 1, screen) == expected(query, table, 1)


@pytest.mark.parametrize("k", [1, 3, 64, 200])
@pytest.mark.parametrize("kind", ["normal", "one direction", "long tail", "half steps", "small integers"])
def test_lists_are_the_same_with_every_screen(screen, kind, k):
    rng = np.random.default_rng(k)
    width = {"half steps": 64, "small integers": 3}.get(kind, 33)
    numbers = rng.standard_normal((260, width))
    if kind == "one direction":
        numbers += 4
    if kind == "long tail":
        numbers *= np.exp(3 * rng.standard_normal((260, 1)))
    if kind == "half steps":
        numbers = rng.integers(-126, 127, (260, width)) + 0.5 + rng.choice([-1e-5, 1e-5], (260, width))
        numbers[:, 0] = 127
    if kind == "small integers":
        numbers = rng.integers(-1, 2, (260, width))
    queries, table = numbers[:60].astype(np.float32), numbers[60:].astype(np.float32)
    excluded = rng.random((60, 200)) < 0.4
    more = {
        "exclude_offsets": np.concatenate([[0], np.cumsum(excluded.sum(axis=1))]),
        "exclude_indices": np.nonzero(excluded)[1].astype(np.int32),
    }
    want = expected(queries, table, k, allowed=~excluded)
    for n_threads in (1, 2, 3, 7):
        assert lists(queries, table, k, screen, n_threads=n_threads, **more) == want


def test_numbers_that_cannot_be_bounded_are_scored(screen):
    """Was seen to fail with panels of unbounded rows screened like others."""
    rng = np.random.default_rng(0)
    queries, table = (rng.standard_normal((n, 20)).astype(np.float32) for n in (40, 150))
    for i, value in enumerate([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-40, 1e25]):
        table[3 * i, i] = value
        queries[2 * i, i + 1] = value
    queries[30], table[99] = 0, 0
    with np.errstate(invalid="ignore", over="ignore"):
        assert lists(queries, table, 9, screen) == expected(queries, table, 9)


@pytest.mark.parametrize("size", [1e-30, 1e-18, 1.0, 1e15, 1e30])
def test_scales_of_any_size(screen, size):
    rng = np.random.default_rng(1)
    queries, table = (rng.standard_normal((n, 20)) for n in (40, 150))
    scales = [
        (1 / np.sqrt(np.einsum("ij,ij->i", x, x)) / size).astype(np.float32) * rng.choice([1, 0, -1], len(x))
        for x in (queries, table)
    ]
    scaled = {"query_scale": scales[0].astype(np.float32), "table_scale": scales[1].astype(np.float32)}
    queries, table = (queries * size).astype(np.float32), (table * size).astype(np.float32)
    assert lists(queries, table, 9, screen, **scaled) == expected(queries, table, 9, **scaled)


@pytest.mark.parametrize("size", [1e-17, 3e-18, 1e-18, 1e-20])
def test_scores_near_the_smallest_numbers(screen, size):
    """Lists came out short where the product of two steps was flushed to zero: seen with 3e-18."""
    rng = np.random.default_rng(0)
    queries, table = ((rng.standard_normal((n, 65)) * size).astype(np.float32) for n in (62, 103))
    for k in (5, 100):
        assert lists(queries, table, k, screen) == expected(queries, table, k)


def test_excluded_rows_of_chosen_queries(screen):
    """`exclude_rows` says which run of the indices is a query's."""
    rng = np.random.default_rng(2)
    queries, table = (rng.standard_normal((n, 5)).astype(np.float32) for n in (30, 70))
    offsets, indices = np.array([0, 60, 60, 70]), np.r_[0:60, 60:70].astype(np.int32)
    which = rng.integers(0, 3, 30).astype(np.int32)
    allowed = np.ones((3, 70), bool)
    allowed[0, :60], allowed[2, 60:] = False, False
    more = {"exclude_offsets": offsets, "exclude_indices": indices, "exclude_rows": which}
    assert lists(queries, table, 12, screen, **more) == expected(queries, table, 12, allowed=allowed[which])
    with pytest.raises(ValueError, match="exclude_rows must be rows of exclude_offsets"):
        lists(queries, table, 12, screen, **{**more, "exclude_rows": which + 1})


def test_an_excluded_row_out_of_order_is_refused(screen):
    table = np.ones((70, 3), np.float32)
    for indices in ([1, 0], [0, 70], [-1, 0]):
        more = {"exclude_offsets": np.array([0, 2]), "exclude_indices": np.array(indices, np.int32)}
        with pytest.raises(ValueError, match="in range and ascending within a query"):
            lists(table[:1], table, 2, screen, **more)


def test_wide_tables_are_screened_in_float32():
    table = np.ones((70, 8193), np.float32)
    assert topk.pack(table).screen == "float32"
    with pytest.raises(DataError, match="'int8'"):
        topk.pack(table, screen="int8")


def test_a_packed_table_takes_the_bytes_that_it_says():
    table = np.ones((130, 10), np.float32)
    candidates = np.arange(100)
    for screen in topk.screens():
        packed = topk.pack(table, candidates=candidates, screen=screen)
        each = 4 * 10 if screen == "float32" else 12
        arrays = (packed.order, packed.position, packed.rows, packed.panels, packed.bounds)
        assert sum(a.nbytes for a in arrays) == 4 * 130 + 100 * (4 + 4 * 10) + 2 * (64 * each + 16)


def test_a_table_packed_for_another_level_is_refused():
    packed = topk.pack(np.ones((3, 2), np.float32))
    before, others = kernels.isa(), [level for level in kernels.isa_levels() if level != kernels.isa()]
    if not others:
        pytest.skip("one level")
    kernels.set_isa(others[0])
    try:
        with pytest.raises(DataError, match="this table was packed for level"):
            topk.top_k(np.ones((1, 2), np.float32), packed, 1)
    finally:
        kernels.set_isa(before)

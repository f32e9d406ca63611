"""What every backend promises the training loop. A new backend joins the list and passes the same tests."""

import numpy as np
import pytest

import reference
from alternant import SingularSystemError
from alternant.objective import Ridge, rows_of
from alternant.training import LocalBackend, SideState, State, alternate
from objectives import explicit
from tables import NAN, random_ratings, ratings_of

BACKENDS = {
    "local": lambda ratings, objective: LocalBackend(ratings, objective, n_threads=1),
    "local, three threads": lambda ratings, objective: LocalBackend(ratings, objective, n_threads=3),
    "local, blocks": lambda ratings, objective: LocalBackend(ratings, objective, n_threads=2, max_entries=50),
}
OBJECTIVE = explicit(4, True, 2.5, Ridge(0.3, 0.5, 1.0, 0.0, 3.0), Ridge.plain(0.7, 1.0))


@pytest.fixture(params=BACKENDS)
def make(request):
    return BACKENDS[request.param]


@pytest.fixture
def dense():
    table = random_ratings(0, 40, 30)
    table[3] = NAN
    return table


def state(side, fixed, n_rows):
    """The other side is what matters."""
    own = SideState(np.zeros((n_rows, fixed.shape[1]), np.float32))
    return State(own, SideState(fixed)) if side == "users" else State(SideState(fixed), own)


def fixed_side(n):
    return np.random.default_rng(2).normal(size=(n, OBJECTIVE.width)).astype(np.float32)


@pytest.mark.parametrize("side", ["users", "items"])
def test_a_half_sweep_solves_every_row_into_the_given_buffer(make, dense, side):
    ratings = ratings_of(dense)
    if side == "items":
        dense = dense.T
    fixed, out = fixed_side(dense.shape[1]), np.full((len(dense), OBJECTIVE.width), NAN, np.float32)
    solved = make(ratings, OBJECTIVE).half_sweep(side, state(side, fixed, len(dense)), out)
    assert solved.state.of(side).table is out
    penalties = OBJECTIVE.ridge(side).diagonal(rows_of(ratings, side).counts, 4, bias=True)
    expected = reference.solve_side(dense, fixed.astype(float), penalties, mean=2.5, biases=True)
    assert out == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert solved.penalty == pytest.approx(np.sum(penalties * expected**2), rel=1e-4)


def test_losses_and_the_fixed_sides_penalty_are_the_objective(make, dense):
    ratings = ratings_of(dense)
    items = fixed_side(30)
    backend = make(ratings, OBJECTIVE)
    solved = backend.half_sweep("users", state("users", items, 40), np.empty((40, 5), np.float32))
    expected = OBJECTIVE.total(ratings, solved.state.users.table, items)
    found = solved.data + solved.penalty + backend.penalty("items", solved.state.items)
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_fixed_side_is_not_written(make, dense):
    items = fixed_side(30)
    before = items.copy()
    make(ratings_of(dense), OBJECTIVE).half_sweep(
        "users", state("users", items, 40), np.empty((40, 5), np.float32)
    )
    assert np.array_equal(items, before)


def test_all_backends_give_the_same_bits(dense):
    ratings = ratings_of(dense)
    tables = []
    for make in BACKENDS.values():
        trained = alternate(
            make(ratings, OBJECTIVE),
            state("users", fixed_side(30), 40),
            n_sweeps=3,
            tol=0.0,
        )
        tables.append((trained.state.items.table, [entry.objective for entry in trained.trace]))
    for table, values in tables[1:]:
        assert np.array_equal(table, tables[0][0])
        assert values == tables[0][1]


def test_a_row_without_a_solution_is_named_by_its_id(make, dense):
    free = explicit(4, False, 0.0, Ridge(0.0), Ridge(0.0))
    dense[:] = 1.0
    dense[7, 2:] = NAN
    with pytest.raises(SingularSystemError, match=r"no unique solution for user 7 \(2 interactions\)"):
        make(ratings_of(dense), free).half_sweep(
            "users", state("users", fixed_side(30)[:, :4].copy(), 40), np.empty((40, 4), "f4")
        )

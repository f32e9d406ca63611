"""Rows by steps from where they were (`iterative`): what the steps promise, and what sweeps of them do."""

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions
from alternant.interactions import EntryRows
from alternant.kernels.rows import EntryTerm, RowTerms, least_iterative_entries, solve_rows
from alternant.synthetic import catalogue

N_FIXED, WIDTH = 60, 7


def entries(counts, seed=0):
    """Return rows of random entries with weights and targets."""
    rng = np.random.default_rng(seed)
    indices = [np.sort(rng.choice(N_FIXED, n, replace=False)) for n in counts]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    n = int(offsets[-1])
    return EntryRows(
        offsets,
        np.concatenate(indices).astype(np.int32) if n else np.zeros(0, np.int32),
        N_FIXED,
        values=rng.normal(1.0, 1.0, n).astype(np.float32),
        weights=rng.uniform(0.5, 2.0, n).astype(np.float32),
    )


class Problem:
    """A block, its terms, a fixed side in its eigenbasis, and the dense float64 systems."""

    def __init__(self, counts, *, implicit, bias=False, prior=False, seed=0):
        rng = np.random.default_rng(seed + 1)
        self.rows = entries(counts, seed)
        block = self.rows.block(0, self.rows.n_rows)
        fixed = rng.normal(size=(N_FIXED, WIDTH)) * np.exp(-np.arange(WIDTH) / 3)
        if implicit:
            _, _, vectors = np.linalg.svd(fixed, full_matrices=False)
            fixed = fixed @ vectors.T
        self.fixed = fixed.astype(np.float32)
        design = self.fixed.astype(np.float64)
        n = self.rows.n_rows
        omega = (design**2).sum(0) if implicit else None
        self.spread = (design**2).mean(0)
        if bias:
            self.spread[-1] = 1.0
        ridge = rng.uniform(0.5, 2.0, n)
        w0 = np.full(n, 0.3) if implicit else None
        h = rng.normal(size=(n, WIDTH)).astype(np.float32) if prior else None
        self.terms = RowTerms(
            a=EntryTerm(array=block.weights),
            b=EntryTerm(0.0, 1.0),
            b_is_target=True,
            bias_column=bias,
            ridge=ridge,
            rho=np.ones(WIDTH),
            kappa=np.full(WIDTH, 0.1),
            w0=w0,
            omega=omega,
            h=h,
        )
        self.block = block
        self.matrices, self.rights, self.squares = [], [], []
        for row in range(n):
            part = slice(int(self.rows.offsets[row]), int(self.rows.offsets[row + 1]))
            y = design[self.rows.indices[part]].copy()
            a, t = block.weights[part].astype(float), block.values[part].astype(float)
            if bias:
                t = t - y[:, -1]
                y[:, -1] = 1.0
            matrix = (y.T * a) @ y + np.diag(
                ridge[row] + 0.1 + (0.3 * omega if implicit else np.zeros(WIDTH))
            )
            self.matrices.append(matrix)
            self.rights.append(y.T @ (a * t) + (0.0 if h is None else h[row].astype(float)))
            self.squares.append(float(np.sum(a * t * t)))

    def solve(self, start, *, iterative=True, n_threads=2):
        out = np.empty((self.rows.n_rows, WIDTH), np.float32)
        losses, penalties = np.empty(len(out)), np.empty(len(out))
        failure = solve_rows(
            self.block,
            self.terms,
            shards=[self.fixed],
            out=out,
            losses=losses,
            penalties=penalties,
            n_threads=n_threads,
            start=start,
            iterative=iterative,
            spread=self.spread,
        )
        assert failure is None
        return out, losses

    def value(self, row, x):
        x = x.astype(np.float64)
        return x @ self.matrices[row] @ x - 2 * self.rights[row] @ x + self.squares[row]


KINDS = {
    "implicit": {"implicit": True},
    "explicit": {"implicit": False},
    "biased": {"implicit": False, "bias": True},
    "prior means": {"implicit": True, "prior": True},
}
COUNTS = [1, 2, 15, 16, 17, 33, 60, 5]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("warm", [False, True])
def test_steps_take_most_of_what_there_is_to_gain(isa, kind, warm):
    """Hardly any of the way to the minimum is left, and the losses are those of the rows returned."""
    problem = Problem(COUNTS, **KINDS[kind])
    start = np.random.default_rng(5).normal(size=(len(COUNTS), WIDTH)).astype(np.float32) if warm else None
    found, losses = problem.solve(start)
    for row in range(len(COUNTS)):
        best = problem.value(row, np.linalg.solve(problem.matrices[row], problem.rights[row]))
        before = problem.value(row, np.zeros(WIDTH, np.float32) if start is None else start[row])
        left = problem.value(row, found[row]) - best
        scale = abs(best) + problem.squares[row] + abs(before)
        assert left <= 0.03 * (before - best) + 1e-6 * scale
        assert losses[row] == pytest.approx(problem.value(row, found[row]), abs=1e-5 * scale)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_again_and_again_end_at_the_exact_solution(isa, kind):
    """The fixed point is the solution: the gradient comes from the rows, not from an approximation."""
    problem = Problem(COUNTS, **KINDS[kind])
    x = None
    for _ in range(12):
        x, _ = problem.solve(x)
    exact = np.stack([np.linalg.solve(a, b) for a, b in zip(problem.matrices, problem.rights, strict=True)])
    assert x == pytest.approx(exact, rel=2e-4, abs=2e-5)


def test_a_start_at_the_solution_stays_there(isa):
    problem = Problem(COUNTS, implicit=True)
    exact, _ = problem.solve(None, iterative=False)
    again, _ = problem.solve(exact)
    assert again == pytest.approx(exact, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("n_threads", [1, 3, 7])
def test_threads_change_no_bit(isa, n_threads):
    counts = np.random.default_rng(3).integers(0, 60, 300)
    problem = Problem(counts, implicit=True)
    start = np.random.default_rng(4).normal(size=(300, WIDTH)).astype(np.float32)
    one, losses = problem.solve(start, n_threads=1)
    many, others = problem.solve(start, n_threads=n_threads)
    assert np.array_equal(one, many)
    assert np.array_equal(losses, others)


def test_rows_longer_than_the_panel_are_gathered_again(isa):
    """The panel holds 2¹⁸ floats: 16,384 rows of 16 columns."""
    rng = np.random.default_rng(0)
    n = 40_000
    fixed = rng.normal(size=(n, 16)).astype(np.float32)
    values = rng.normal(size=n).astype(np.float32)
    rows = EntryRows(np.array([0, n]), np.arange(n, dtype=np.int32), n, values=values)
    terms = RowTerms(
        a=EntryTerm(1.0),
        b=EntryTerm(0.0, 1.0),
        b_is_target=True,
        ridge=np.ones(1),
        rho=np.ones(16),
        kappa=np.zeros(16),
    )
    x = np.zeros((1, 16), np.float32)
    for _ in range(6):
        out, sums = np.empty_like(x), np.empty((2, 1))
        assert (
            solve_rows(
                rows.block(0, 1),
                terms,
                shards=[fixed],
                out=out,
                losses=sums[0],
                penalties=sums[1],
                n_threads=1,
                start=x,
                iterative=True,
                spread=np.ones(16),
            )
            is None
        )
        x = out
    y = fixed.astype(np.float64)
    exact = np.linalg.solve(y.T @ y + np.eye(16), y.T @ values)
    assert x[0] == pytest.approx(exact, rel=1e-3, abs=1e-6)


def test_short_rows_of_wide_tables_are_solved_exactly():
    assert least_iterative_entries(64) == 1
    assert least_iterative_entries(1024) == 64


# -- the promise of solver="auto" ------------------------------------------------------------------------


def implicit_data():
    rng = np.random.default_rng(7)
    popularity = 1.0 / (np.arange(300) + 10.0)
    users = np.repeat(np.arange(400), 20)
    items = np.concatenate(
        [rng.choice(300, 20, replace=False, p=popularity / popularity.sum()) for _ in range(400)]
    )
    return Interactions.from_arrays(users, items, rng.geometric(0.4, len(users)).astype(np.float32))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(lambda **of: ExplicitALS(n_factors=16, link=False, **of), id="explicit"),
        pytest.param(lambda **of: ExplicitALS(n_factors=16, **of), id="link"),
        pytest.param(lambda **of: ImplicitALS(n_factors=16, **of), id="ials"),
        pytest.param(
            lambda **of: ImplicitALS(
                n_factors=16, alpha=1.0, unobserved_weight=1.0, regularization=0.1, **of
            ),
            id="hkv",
        ),
    ],
)
def test_sweeps_follow_the_exact_path(estimator, seed):
    """From the fifth sweep on at most 1e-3 above, when both have converged at most 1e-4; the end is exact."""
    made = catalogue(n_users=400, n_items=200, n_entries=12_000, seed=seed).interactions
    data = made if "Explicit" in type(estimator(seed=seed)).__name__ else implicit_data()
    traces, models = {}, {}
    for solver in ("exact", "auto"):
        models[solver] = estimator(solver=solver, seed=seed, n_sweeps=30, tol=0).fit(data)
        traces[solver] = [entry.objective for entry in models[solver].trace if entry.side == "items"]
    exact, auto = np.array(traces["exact"]), np.array(traces["auto"])
    assert (auto[4:] <= exact[4:] * (1 + 1e-3)).all()
    assert auto[-1] <= exact[-1] * (1 + 1e-4)
    model = models["auto"]
    folded = model.fold_in(model.history)
    assert np.array_equal(folded.ids.labels, model.user_ids.labels)
    assert np.array_equal(folded.table, model.user_table)

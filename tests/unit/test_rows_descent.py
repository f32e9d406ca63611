"""Rows under x ≥ 0 or an L1 penalty against plain float64, on every instruction-set level."""

import numpy as np
import pytest
from scipy.optimize import nnls

import reference
from alternant import DataError
from alternant.kernels.rows import EntryTerm, RowTerms, solve_rows

EPS = np.finfo(np.float32).eps
COUNTS = [0, 1, 2, 3, 7, 15, 16, 31, 32, 33, 64, 65, 129, 300]


class Case:
    """A random block of rows with its fixed side; by default x ≥ 0, one weight and one target per entry."""

    def __init__(self, k, counts=COUNTS, *, seed=0, ridge=0.1):
        rng = np.random.default_rng(seed)
        n_fixed = max(counts) + 7
        self.rng, self.k, self.n_rows = rng, k, len(counts)
        self.fixed = (rng.normal(size=(n_fixed, k)) / np.sqrt(k) + 0.2).astype(np.float32)
        self.offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.indices = np.concatenate(
            [np.sort(rng.choice(n_fixed, c, replace=False)) for c in counts]
        ).astype(np.int32)
        self.values = rng.normal(1.0, 2.0, size=self.offsets[-1]).astype(np.float32)
        self.weights = rng.uniform(0.1, 3.0, size=self.offsets[-1]).astype(np.float32)
        self.terms = {
            "b": EntryTerm(0.0, 1.0),
            "b_is_target": True,
            "ridge": np.full(self.n_rows, float(ridge)),
            "rho": np.ones(k),
            "kappa": np.zeros(k),
            "nonnegative": True,
        }

    def solve(self, *, shards=None, start=None, n_threads=1, **changed):
        self.used = RowTerms(**{"a": EntryTerm(array=self.weights), **self.terms, **changed})
        self.out = np.full((self.n_rows, self.k), np.nan, np.float32)
        self.losses, self.penalties = np.full(self.n_rows, np.nan), np.full(self.n_rows, np.nan)
        return solve_rows(
            self,
            self.used,
            shards=[self.fixed] if shards is None else shards,
            start=start,
            out=self.out,
            losses=self.losses,
            penalties=self.penalties,
            n_threads=n_threads,
        )

    def system(self, row):
        """M, c, Σ a t² and the diagonal of the penalty of one row, in float64."""
        t, part = self.used, slice(self.offsets[row], self.offsets[row + 1])
        fixed, a, b = self.fixed[self.indices[part]].astype(float), *self.entries(part)
        if t.bias_column:
            fixed, explained = reference.design(fixed, biases=True)
            b = b - (explained if t.b_is_target else a * explained)
        square, b = (np.sum(a * b**2), a * b) if t.b_is_target else (0.0, b)
        penalty = t.ridge[row] * t.rho + t.kappa
        system = (fixed.T * a) @ fixed + np.diag(penalty)
        if t.w0 is not None:
            system += t.w0[row] * (np.diag(t.omega) if t.gram is None else t.gram.astype(float))
        return system, fixed.T @ b + (0.0 if t.h is None else t.h[row]), square, penalty

    def entries(self, part):
        """a, and b or the target, of a part of the entries in float64."""
        terms = (self.used.a, self.used.b)
        return [
            (
                t.constant + t.slope * self.values[part].astype(float) if t.array is None else t.array[part]
            ).astype(float)
            for t in terms
        ]

    def factors(self):
        """Which columns are not the bias."""
        return np.arange(self.k) < self.k - self.used.bias_column

    def l1(self, row):
        return 0.0 if self.used.l1 is None else self.used.l1[row]

    def objective(self, row, x):
        """The row's part of the objective at x, in float64."""
        system, rhs, square, _ = self.system(row)
        size = np.sum(np.abs(x[self.factors()]))
        return x @ system @ x - 2 * rhs @ x + square + self.l1(row) * size

    def distances(self, row, x):
        """How far each coordinate of x is from its minimum, in the solver's measure, in float64."""
        system, rhs, _, _ = self.system(row)
        limits = {"l1": self.l1(row), "nonnegative": self.used.nonnegative}
        least = [
            reference.least_coordinate(system, rhs, x, c, **(limits if factor else {}))
            for c, factor in enumerate(self.factors())
        ]
        root = np.sqrt(np.diag(system))
        return np.abs(least - x) * root / np.linalg.norm(rhs / root)

    def check(self, *, against_reference=True):
        """Karush-Kuhn-Tucker conditions, loss, penalty and solution of every row in float64."""
        for row in range(self.n_rows):
            x, factors = self.out[row].astype(float), self.factors()
            if self.offsets[row] == self.offsets[row + 1] and self.used.h is None:
                assert not x.any()
                assert self.losses[row] == self.penalties[row] == 0.0
                continue
            system, rhs, square, penalty = self.system(row)
            root = np.sqrt(np.diag(system))
            assert not self.used.nonnegative or np.all(x[factors] >= 0)
            # what rounding x to float32 does to the gradient cannot be helped
            rounding = EPS * np.abs(system) @ np.abs(x) / root
            scale = np.linalg.norm(rhs / root)
            assert np.all(self.distances(row, x) <= 1.1e-7 + rounding / scale)
            size = np.sum(np.abs(x[factors]))
            loss = self.objective(row, x)
            rounded = 1e-7 * (square if self.used.b_is_target else np.abs(rhs) @ np.abs(x))
            assert abs(self.losses[row] - loss) <= 1e-7 * abs(loss) + rounded
            assert self.penalties[row] == pytest.approx(
                np.sum(penalty * x**2) + self.l1(row) * size, rel=1e-9
            )
            if against_reference:
                exact = reference.descend(
                    system,
                    rhs,
                    l1=self.l1(row),
                    nonnegative=self.used.nonnegative,
                    bias_column=self.used.bias_column,
                )
                bound = max(1e-5, EPS * np.linalg.cond(system))
                assert np.linalg.norm(x - exact) <= bound * np.linalg.norm(exact)


LIMITS = {
    "nonnegative": lambda case: {"nonnegative": True},
    "l1": lambda case: {"nonnegative": False, "l1": case.rng.uniform(0.0, 9.0, case.n_rows)},
    "both": lambda case: {"nonnegative": True, "l1": case.rng.uniform(0.0, 9.0, case.n_rows)},
}


@pytest.fixture(params=LIMITS)
def limits(request):
    return LIMITS[request.param]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 7, 8, 16, 17, 33, 64, 65])
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_rows_of_every_length_and_width(isa, limits, k, ridge):
    """Seen to fail with the L1 term left out of a face's right side, and with a face that lets signs turn."""
    case = Case(k, seed=k, ridge=ridge)
    assert case.solve(**limits(case)) is None
    case.check(against_reference=k in (1, 4, 17) and ridge == 1.0)


@pytest.mark.parametrize("k", [1, 5, 17, 64])
@pytest.mark.parametrize("b_is_target", [True, False])
def test_a_bias_column_is_under_no_limit(isa, limits, k, b_is_target):
    case = Case(k, ridge=1.0)
    case.values -= 3
    assert case.solve(bias_column=True, b_is_target=b_is_target, **limits(case)) is None
    case.check(against_reference=k <= 17)
    assert np.any(case.out[:, -1] < 0)


@pytest.mark.parametrize("k", [5, 33])
def test_the_unobserved_part(isa, limits, k):
    """a = α·v, b = 1 + α·v, and G in full or as its eigenvalues."""
    case = Case(k)
    case.values = np.abs(case.values)
    terms = {"a": EntryTerm(0.0, 2.0), "b": EntryTerm(1.0, 2.0), "b_is_target": False, **limits(case)}
    w0 = case.rng.uniform(0.5, 1.5, case.n_rows)
    gram = (case.fixed.T.astype(float) @ case.fixed).astype(np.float32)
    assert case.solve(w0=w0, gram=(gram + gram.T) / 2, **terms) is None
    case.check(against_reference=k == 5)
    assert case.solve(w0=w0, omega=case.rng.uniform(0.0, 9.0, k), **terms) is None
    case.check()


@pytest.mark.parametrize("k", [5, 33])
def test_dense_right_side_and_unequal_columns(isa, limits, k):
    """A row without entries is solved too where it has a right side."""
    case = Case(k)
    h = (9 * case.rng.normal(size=(case.n_rows, k))).astype(np.float32)
    rho, kappa = case.rng.uniform(0.5, 2.0, k), case.rng.uniform(0.0, 2.0, k)
    assert case.solve(h=h, rho=rho, kappa=kappa, **limits(case)) is None
    case.check(against_reference=k == 5)
    assert case.out[0].any()


@pytest.mark.parametrize("k", [5, 33])
def test_negative_and_zero_weights(isa, limits, k):
    case = Case(k, ridge=1.0)
    case.weights = case.rng.choice([-0.002, 0.0, 0.5, 1.0], len(case.values)).astype(np.float32)
    assert case.solve(b_is_target=False, **limits(case)) is None
    case.check(against_reference=k == 5)


@pytest.mark.parametrize("k", [4, 64])
def test_long_rows(isa, limits, k):
    case = Case(k, [5000, 4097])
    assert case.solve(**limits(case)) is None
    case.check(against_reference=k == 4)


@pytest.mark.parametrize("k", [1, 5, 64])
def test_scipy_agrees(isa, k):
    case = Case(k)
    case.weights[:] = 1.0
    assert case.solve() is None
    for row in range(1, case.n_rows):
        part = slice(case.offsets[row], case.offsets[row + 1])
        rows = np.vstack([case.fixed[case.indices[part]].astype(float), np.sqrt(0.1) * np.eye(k)])
        exact, _ = nnls(rows, np.concatenate([case.values[part], np.zeros(k)]))
        assert case.out[row] == pytest.approx(exact, rel=1e-4, abs=1e-5 * float(np.max(exact)))


@pytest.mark.parametrize("k", [1, 5, 64])
def test_without_any_limit_it_is_the_solution_of_the_system(isa, k):
    case = Case(k, ridge=1.0)
    case.solve(nonnegative=False)
    exact, losses, penalties = case.out, case.losses, case.penalties
    assert case.solve(nonnegative=False, l1=np.zeros(case.n_rows)) is None
    for row in range(case.n_rows):
        assert np.linalg.norm(case.out[row] - exact[row]) <= 1e-5 * np.linalg.norm(exact[row])
    assert case.losses == pytest.approx(losses, rel=1e-6)
    assert case.penalties == pytest.approx(penalties, rel=1e-5)


@pytest.mark.parametrize("k", [5, 64])
def test_the_solution_stays(isa, limits, k):
    case = Case(k, ridge=1.0)
    terms = limits(case)
    case.solve(**terms)
    solution = case.out
    case.solve(start=solution, **terms)
    assert np.array_equal(case.out, solution)


def test_a_start_within_the_tolerance_stays(isa, limits):
    """Seen to fail with rows moved that are settled."""
    case = Case(5, [16] * 40, ridge=9.0)
    terms = limits(case)
    case.solve(**terms)
    start = case.out.copy()
    for row in start:
        column = np.argmin(np.where(row == 0, np.inf, np.abs(row)))
        row[column] = np.nextafter(row[column], np.float32(np.inf))
    case.solve(start=start, **terms)
    settled = [np.max(case.distances(row, start[row].astype(float))) < 0.99e-7 for row in range(40)]
    assert np.count_nonzero(settled) >= 10
    assert np.array_equal(case.out[settled], start[settled])


@pytest.mark.parametrize("k", [5, 64])
@pytest.mark.parametrize("size", [0.01, 1.0, 1e6])
def test_no_row_ends_above_its_start(isa, limits, k, size):
    """From anywhere, and from near the solution; a start outside x ≥ 0 is clipped."""
    case = Case(k)
    terms = limits(case)
    case.solve(**terms)
    noise = size * case.rng.normal(size=case.out.shape)
    for start in (noise.astype(np.float32), (case.out * (1 + noise)).astype(np.float32)):
        case.solve(start=start, **terms)
        case.check(against_reference=False)
        for row in range(1, case.n_rows):
            x = start[row].astype(float)
            if case.used.nonnegative:
                x = np.maximum(x, 0)
            before = case.objective(row, x)
            assert case.losses[row] <= before + 1e-6 * abs(before)


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_any_number_of_threads_gives_the_same_bits(isa, limits, n_threads):
    case = Case(33, COUNTS * 30)
    terms = limits(case)
    start = case.rng.normal(size=(case.n_rows, 33)).astype(np.float32)
    case.solve(start=start, **terms)
    alone = case.out, case.losses, case.penalties
    case.solve(start=start, n_threads=n_threads, **terms)
    for one, many in zip(alone, (case.out, case.losses, case.penalties), strict=True):
        assert np.array_equal(one, many)


def test_a_row_has_the_same_bits_in_any_block_and_in_shards(isa, limits):
    case = Case(33)
    terms = limits(case)
    case.solve(**terms)
    whole = case.out
    case.solve(shards=[case.fixed[i : i + 64].copy() for i in range(0, len(case.fixed), 64)], **terms)
    assert np.array_equal(case.out, whole)
    part = slice(case.offsets[5], case.offsets[9])
    case.offsets, case.n_rows = case.offsets[5:10], 4
    case.indices, case.values, case.weights = case.indices[part], case.values[part], case.weights[part]
    case.terms["ridge"] = case.terms["ridge"][5:9]
    if "l1" in terms:
        terms["l1"] = terms["l1"][5:9]
    case.solve(**terms)
    assert np.array_equal(case.out, whole[5:9])


@pytest.mark.parametrize("k", [5, 64])
def test_a_column_of_zeros_stays_at_zero(isa, limits, k):
    """Without a ridge nothing holds it, and nothing pulls it: a factor that died out on the other side."""
    case = Case(k, [200, 300], ridge=0.0)
    case.fixed[:, [1, k - 1]] = 0.0
    assert case.solve(start=np.ones((2, k), np.float32), **limits(case)) is None
    assert not case.out[:, [1, k - 1]].any()
    assert np.count_nonzero(case.out, axis=1).min() > 0
    assert np.all(np.isfinite(case.losses))


def test_a_column_of_zeros_that_is_pulled_has_no_solution(isa):
    case = Case(3, [200, 200], ridge=0.0)
    case.fixed[:, 1] = 0.0
    h = np.zeros((2, 3), np.float32)
    h[1, 1] = -1.0
    assert case.solve(h=h) is None
    failure = case.solve(h=-h)
    assert (failure.row, failure.kind) == (1, "singular")
    assert case.solve(h=-h, l1=np.full(2, 3.0)) is None
    failure = case.solve(h=h, nonnegative=False, l1=np.full(2, 1.9))
    assert (failure.row, failure.kind) == (1, "singular")


@pytest.mark.parametrize("k", [5, 64])
def test_short_rows_without_a_ridge_reach_a_minimum(isa, limits, k):
    """Where it is not unique too: fewer entries than columns, and columns that are equal. Seen to fail as
    "singular" with pivots of 1e-13 of their diagonal taken for more than noise."""
    case = Case(k, [3, 4, 40, 63] + [10] * 20, ridge=0.0)
    case.fixed[:, 1] = case.fixed[:, 0]
    assert case.solve(**limits(case)) is None
    case.check(against_reference=False)


@pytest.mark.parametrize("unit", [1e-18, 1e18])
def test_units_do_not_matter(isa, limits, unit):
    case = Case(33)
    terms = limits(case)
    case.solve(**terms)
    x = case.out
    case.values *= np.float32(unit)
    if "l1" in terms:
        terms["l1"] *= unit
    assert case.solve(**terms) is None
    assert case.out == pytest.approx(unit * x, rel=1e-4, abs=1e-5 * unit * float(np.max(np.abs(x))))


def test_a_system_that_is_not_positive_definite_is_reported(isa):
    case = Case(5, [3, 40], ridge=0.1)
    case.weights[3:] = -1.0
    failure = case.solve(nonnegative=False, l1=np.zeros(2))
    assert (failure.row, failure.kind) == (1, "singular")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
@pytest.mark.parametrize("which", ["values", "weights", "fixed"])
def test_numbers_that_do_not_fit_are_reported(isa, limits, bad, which):
    """3e38 overflows float32 once divided by the ridge, or squared. NaN must not become a 0."""
    case = Case(5, [3, 3], ridge=1e-9)
    case.fixed *= np.float32(1e-6)
    if which == "values":
        case.values[4] = bad
    elif which == "weights":
        case.weights[4] = np.nan if bad == 3e38 else bad
    else:
        case.indices[:3], case.indices[3:] = [0, 1, 2], [3, 4, 5]
        case.fixed[4] = np.nan if bad == 3e38 else bad
    failure = case.solve(**limits(case))
    assert (failure.row, failure.kind) == (1, "not finite")


def test_rows_without_a_right_side_are_zero(isa, limits):
    case = Case(5)
    case.values[:] = 0.0
    case.solve(start=np.ones((case.n_rows, 5), np.float32), **limits(case))
    assert not case.out.any()
    assert not case.losses.any()


@pytest.mark.parametrize("start", [np.zeros((2, 4), np.float32), np.zeros((3, 5), np.float32)])
def test_a_start_of_another_shape_is_refused(start):
    with pytest.raises(ValueError, match="start must have the shape of out"):
        Case(5, [3, 3]).solve(start=start)


def test_l1_of_another_shape_is_refused():
    with pytest.raises(DataError, match=r"l1 must have one number per row, shape \(2,\), got shape \(3,\)"):
        Case(5, [3, 3]).solve(l1=np.zeros(3))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_negative_l1_is_refused(bad):
    with pytest.raises(DataError, match="l1 must be finite and at least 0 in every row"):
        Case(5, [3, 3]).solve(l1=np.array([0.0, bad]))

"""The row solver against ``np.linalg.solve`` in float64, on every instruction-set level."""

import numpy as np
import pytest

import reference
from alternant import DataError, kernels
from alternant.kernels.rows import EntryTerm, RowTerms, solve_rows

EPS = np.finfo(np.float32).eps


class Case:
    """A random block of rows with its fixed side, and float64 answers for it."""

    def __init__(self, counts, k, *, seed=0, ridge=0.1, n_fixed=None):
        rng = np.random.default_rng(seed)
        n_fixed = max(counts, default=1) + 7 if n_fixed is None else n_fixed
        self.rng, self.k = rng, k
        self.fixed = (rng.normal(size=(n_fixed, k)) / np.sqrt(k) + 0.2).astype(np.float32)
        self.offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.indices = np.concatenate(
            [np.zeros(0), *(np.sort(rng.choice(n_fixed, c, replace=False)) for c in counts)]
        ).astype(np.int32)
        self.values = (rng.integers(1, 11, size=self.offsets[-1]) / 2).astype(np.float32)
        self.n_rows = len(counts)
        self.terms = {
            "a": EntryTerm(1.0),
            "b": EntryTerm(0.0, 1.0),
            "b_is_target": True,
            "ridge": np.full(self.n_rows, float(ridge)),
            "rho": np.ones(k),
            "kappa": np.zeros(k),
        }

    def solve(self, *, shards=None, n_threads=1, **changed):
        terms = RowTerms(**{**self.terms, **changed})
        out = np.full((self.n_rows, self.k), np.nan, np.float32)
        losses, penalties = np.full(self.n_rows, np.nan), np.full(self.n_rows, np.nan)
        failure = solve_rows(
            self,
            terms,
            shards=[self.fixed] if shards is None else shards,
            out=out,
            losses=losses,
            penalties=penalties,
            n_threads=n_threads,
        )
        self.terms_used, self.out, self.losses, self.penalties = terms, out, losses, penalties
        return failure

    def check(self, *, a=None, b=None):
        """Compare every row with float64; `a`, `b` are the entry terms (defaults: ones, values)."""
        t = self.terms_used
        a = np.ones(len(self.values)) if a is None else np.asarray(a, float)
        b = a * self.values if b is None else np.asarray(b, float)
        for row in range(self.n_rows):
            part = slice(self.offsets[row], self.offsets[row + 1])
            y = self.fixed[self.indices[part]].astype(float)
            fixed_penalty = t.ridge[row] * t.rho + t.kappa
            w0 = 0.0 if t.w0 is None else t.w0[row]
            omega = 0.0 if t.omega is None or t.gram is not None else t.omega
            gram = None if t.gram is None else w0 * t.gram.astype(float)
            h = None if t.h is None else t.h[row].astype(float)
            x = self.out[row].astype(float)
            if part.start == part.stop and h is None:
                assert not x.any()
                continue
            exact, system = reference.solve_row(
                y, a[part], b[part], fixed_penalty + w0 * omega, gram=gram, h=h
            )
            rhs = y.T @ b[part] + (0.0 if h is None else h)
            bound = max(1e-5, 20 * EPS * np.linalg.cond(system))
            assert np.linalg.norm(x - exact) <= bound * np.linalg.norm(exact)
            scale = np.linalg.norm(system, 2) * np.linalg.norm(x) + np.linalg.norm(rhs)
            assert np.linalg.norm(rhs - system @ x) <= 1e-6 * scale
            square = np.sum(b[part] ** 2 / a[part]) if t.b_is_target else 0.0
            loss = x @ system @ x - 2 * rhs @ x + square
            size = square if t.b_is_target else abs(rhs) @ abs(x)
            assert abs(self.losses[row] - loss) <= 1e-6 * (abs(loss) + size)
            assert self.penalties[row] == pytest.approx(np.sum(fixed_penalty * x**2), rel=1e-6)


COUNTS = [0, 1, 2, 3, 7, 15, 16, 17, 40, 57, 58, 64, 129, 231, 257]


@pytest.mark.parametrize("k", [1, 2, 3, 8, 15, 16, 17, 33, 64, 65, 129, 256])
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_rows_of_every_length_and_width_are_exact(isa, k, ridge):
    """Seen to fail with the refinement step left out of the dual (residual 1.1e-6 at k = 65)."""
    case = Case(COUNTS, k, ridge=ridge, seed=k)
    assert case.solve() is None
    case.check()


@pytest.mark.parametrize("k", [4, 64])
def test_long_rows_are_exact(isa, k):
    """Rows of many panels, and of so many that the float32 system is flushed into a float64 one."""
    case = Case([5000, 4097], k, n_fixed=6000)
    assert case.solve() is None
    case.check()


@pytest.mark.parametrize("k", [5, 64])
def test_weights_and_targets(isa, k):
    case = Case(COUNTS, k)
    a = case.rng.uniform(0.1, 3.0, len(case.values)).astype(np.float32)
    assert case.solve(a=EntryTerm(array=a), b=EntryTerm(-3.0, 1.0)) is None
    case.check(a=a, b=a * (case.values - 3.0))


@pytest.mark.parametrize("k", [5, 64])
def test_confidence_form_with_the_unobserved_part_in_its_eigenbasis(isa, k):
    """a = c − 1 = α·v, b = c = 1 + α·v, G = diag(ω): implicit feedback."""
    case = Case(COUNTS, k)
    omega = np.sort(case.rng.uniform(0.0, 9.0, k))[::-1].copy()
    w0 = case.rng.uniform(0.5, 1.5, case.n_rows)
    assert (
        case.solve(a=EntryTerm(0.0, 2.0), b=EntryTerm(1.0, 2.0), b_is_target=False, w0=w0, omega=omega)
        is None
    )
    case.check(a=2.0 * case.values, b=1.0 + 2.0 * case.values)


@pytest.mark.parametrize("k", [5, 33])
def test_the_unobserved_part_as_a_full_matrix(isa, k):
    case = Case(COUNTS, k)
    gram = (case.fixed.T @ case.fixed).astype(np.float32)
    gram = (gram + gram.T) / 2
    assert (
        case.solve(
            a=EntryTerm(0.0, 2.0),
            b=EntryTerm(1.0, 2.0),
            b_is_target=False,
            w0=np.ones(case.n_rows),
            gram=gram,
        )
        is None
    )
    case.check(a=2.0 * case.values, b=1.0 + 2.0 * case.values)


@pytest.mark.parametrize("k", [5, 64])
def test_dense_right_side_and_unequal_columns(isa, k):
    case = Case(COUNTS, k)
    h = case.rng.normal(size=(case.n_rows, k)).astype(np.float32)
    rho, kappa = case.rng.uniform(0.5, 2.0, k), case.rng.uniform(0.0, 2.0, k)
    assert case.solve(h=h, rho=rho, kappa=kappa) is None
    case.check()


@pytest.mark.parametrize("k", [5, 64])
def test_negative_and_zero_a(isa, k):
    """Entries with a < 0 keep their sign, entries with a = 0 join the right side only."""
    case = Case(COUNTS, k, ridge=1.0)
    a = case.rng.choice([-0.002, 0.0, 0.5, 1.0], len(case.values)).astype(np.float32)
    assert case.solve(a=EntryTerm(array=a), b_is_target=False) is None
    case.check(a=a, b=case.values)


def test_bias_column_is_read_as_one_and_its_value_taken_off_the_target(isa):
    case = Case(COUNTS, 17)
    assert case.solve(bias_column=True) is None
    biases = case.fixed[:, -1].copy()
    case.fixed[:, -1] = 1.0
    case.check(b=case.values - biases[case.indices])


def test_shards_give_the_same_bits_as_one_array(isa):
    case = Case(COUNTS, 33)
    case.solve()
    whole = case.out.copy()
    rows = 64
    assert (
        case.solve(shards=[case.fixed[i : i + rows].copy() for i in range(0, len(case.fixed), rows)]) is None
    )
    assert np.array_equal(case.out, whole)


def test_shards_of_odd_sizes_are_refused():
    case = Case([3], 4, n_fixed=10)
    with pytest.raises(ValueError, match="the row count of a shard must be a power of two"):
        case.solve(shards=[case.fixed[:5].copy(), case.fixed[5:].copy()])


@pytest.mark.parametrize("rows", [(0, 1), (3, 9), (14, 15)])
def test_a_block_gives_the_same_bits_as_the_whole(isa, rows):
    """The offsets of a block do not start at 0."""
    case = Case(COUNTS, 33)
    case.solve()
    whole = case.out.copy()
    begin, end = rows
    part = slice(case.offsets[begin], case.offsets[end])
    case.offsets, case.indices, case.values = (
        case.offsets[begin : end + 1],
        case.indices[part],
        case.values[part],
    )
    case.n_rows, case.terms["ridge"] = end - begin, case.terms["ridge"][begin:end]
    assert case.solve() is None
    assert np.array_equal(case.out, whole[begin:end])


def test_no_ridge_is_solved_where_the_row_allows_it(isa):
    case = Case([70, 200], 64, ridge=0.0)
    assert case.solve() is None
    case.check()


@pytest.mark.parametrize("count", [3, 63])
def test_a_singular_row_is_reported(isa, count):
    case = Case([100, count, count], 64, ridge=0.0)
    failure = case.solve()
    assert (failure.row, failure.kind) == (1, "singular")


def test_the_first_failing_row_is_reported_for_any_number_of_threads(isa):
    counts = [100] * 50 + [3] + [100] * 50 + [2] * 20
    for n_threads in (1, 2, 7):
        failure = Case(counts, 64, ridge=0.0).solve(n_threads=n_threads)
        assert failure.row == 50


def test_overflow_is_reported(isa):
    case = Case([5, 5], 8)
    case.values[7] = 3e38
    case.fixed *= np.float32(1e-20)
    failure = case.solve(ridge=np.full(2, 1e-38))
    assert (failure.row, failure.kind) == (0, "not finite") or (failure.row, failure.kind) == (
        1,
        "not finite",
    )


def test_a_pivot_eaten_by_rounding_is_redone_in_float64(isa):
    """Two nearly equal columns and a tiny ridge: I + ZᵀZ loses its 1 in float32."""
    case = Case([200], 4, ridge=1e-7)
    case.fixed[:, 1] = case.fixed[:, 0]
    case.fixed *= 30
    assert case.solve() is None
    y, d = case.fixed[case.indices].astype(float), np.full(4, 1e-7)
    exact, _ = reference.solve_row(y, np.ones(200), case.values, d)
    assert np.allclose(case.out[0], exact, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("n", [200, 500, 2000, 5000])
@pytest.mark.parametrize("k", [1, 2, 4, 16])
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_terms_that_are_alike_leave_no_systematic_rounding(isa, n, k, ridge):
    """Equal rows and values round every addition the same way.

    Seen to fail with the residual and the loss taken from a system that was summed in float32 (3e-6).
    """
    case = Case([n], k, ridge=ridge, seed=3)
    case.fixed[:] = case.fixed[0]
    case.values[:] = 3.3
    assert case.solve() is None
    case.check()


@pytest.mark.parametrize("k", [8, 16, 32])
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_the_loss_holds_where_columns_share_a_direction(isa, k, ridge):
    """|x|ᵀ|A||x| is far above the loss then; seen to fail with the loss taken from the float32 system."""
    case = Case([200] * 6, k, ridge=ridge)
    case.fixed += case.rng.normal(size=k).astype(np.float32) * 3
    a = (10.0 ** case.rng.uniform(-6, 6, len(case.values))).astype(np.float32)
    assert case.solve(a=EntryTerm(array=a)) is None
    case.check(a=a, b=a * case.values)


@pytest.mark.parametrize("k", [5, 64])
def test_confidence_form_with_a_dense_right_side(isa, k):
    """Seen to fail with the constant Σ b²/a taken off after h had changed it."""
    case = Case(COUNTS[1:], k)
    h = case.rng.normal(size=(case.n_rows, k)).astype(np.float32)
    assert case.solve(a=EntryTerm(0.0, 2.0), b=EntryTerm(1.0, 2.0), b_is_target=False, h=h) is None
    case.check(a=2.0 * case.values, b=1.0 + 2.0 * case.values)


@pytest.mark.parametrize("k", [5, 64])
def test_the_loss_holds_for_small_confidences(isa, k):
    """b²/a is 10⁶ times the loss; seen to fail with both rounded before their difference was taken."""
    case = Case(COUNTS, k)
    assert case.solve(a=EntryTerm(0.0, 1e-6), b=EntryTerm(1.0, 1e-6), b_is_target=False) is None
    case.check(
        a=np.float32(1e-6 * case.values.astype(float)), b=np.float32(1 + 1e-6 * case.values.astype(float))
    )


@pytest.mark.parametrize("unit", [1e-24, 1e24])
def test_the_unit_of_the_values_does_not_matter(isa, unit):
    """Squares of these vanish or overflow in float32; seen to fail with refinement measured in it (1e-2)."""
    case = Case([20, 60, 200, 300], 64, ridge=1e-3)
    case.fixed[:, 1] = case.fixed[:, 0] * (1 + 1e-3 * case.rng.normal(size=len(case.fixed)))
    case.fixed *= 20
    case.values *= np.float32(unit)
    assert case.solve() is None
    case.check()


@pytest.mark.parametrize("n", [20, 300])
def test_a_positive_ridge_has_a_solution_however_small(isa, n):
    """Equal columns of size 10⁴: even float64 loses the ridge. Seen to fail as "singular"."""
    case = Case([n], 8, ridge=1e-6)
    case.fixed[:] = case.rng.normal(size=(len(case.fixed), 1)).astype(np.float32) * 1e4
    assert case.solve() is None
    share = case.values @ case.fixed[case.indices, 0] / np.sum(case.fixed[case.indices, 0] ** 2)
    assert case.fixed[0, 0] * case.out[0].sum() == pytest.approx(case.fixed[0, 0] * share, rel=1e-5)


@pytest.mark.parametrize("index", [-1, 2**31 - 1])
def test_an_index_outside_is_refused(isa, index):
    case = Case([3, 3], 4)
    case.indices[4] = index
    with pytest.raises(DataError, match="row 1 has an index outside the 10 rows of the other side"):
        case.solve()


@pytest.mark.parametrize(
    "offsets",
    [[0, 5, 3], [0, 3, 7], [0, -1, 6], [2**62, 2**62 + 3, 2**62 + 9], [-(2**63), -(2**63) + 99, 2**63 - 1]],
)
def test_offsets_that_do_not_fit_are_refused(isa, offsets):
    case = Case([3, 3], 4)
    case.offsets = np.array(offsets, np.int64)
    with pytest.raises(DataError, match="do not fit 6 entries: the data is damaged"):
        case.solve()


def test_bias_column_with_an_unobserved_part_is_refused():
    with pytest.raises(DataError, match="bias_column and w0 cannot be combined"):
        Case([3], 4).solve(bias_column=True, w0=np.ones(1))


def test_the_stop_flag_ends_a_run():
    case = Case([3] * 1000, 4)
    stop = np.ones(1, np.int32)
    out = np.zeros((1000, 4), np.float32)
    with pytest.raises(InterruptedError, match="stopped between two chunks of rows"):
        solve_rows(
            case,
            RowTerms(**case.terms),
            shards=[case.fixed],
            out=out,
            losses=np.zeros(1000),
            penalties=np.zeros(1000),
            n_threads=2,
            stop=stop,
        )


def test_an_unknown_level_is_refused():
    with pytest.raises(
        DataError, match=r"ALTERNANT_ISA must be one of portable.* on this machine, got 'sse9'"
    ):
        kernels.set_isa("sse9")

"""Prior means and their coefficients against dense least squares in float64."""

import itertools

import numpy as np
import pytest

from alternant.interactions import EntryRows
from alternant.kernels.prior import RowRidges
from alternant.prior import (
    attribute_part,
    coefficient_penalty,
    link_part,
    prior_mean,
    solve_coefficients,
    start_coefficients,
)

N_ROWS, N_OTHER, N_FEATURES, WIDTH = 40, 25, 7, 4
LINK_RIDGE, ATTRIBUTE_RIDGE = 3.0, 0.7
WHICH = ["link", "attributes", "both"]


def rows_of(dense, *, values):
    users, columns = np.nonzero(dense)
    offsets = np.concatenate([[0], np.cumsum(np.count_nonzero(dense, axis=1))]).astype(np.int64)
    found = dense[users, columns].astype(np.float32) if values else None
    return EntryRows(offsets, columns.astype(np.int32), dense.shape[1], values=found)


class Problem:
    """Parts, and the same dense: Φ, and τ of each of its columns. Row 3 has no entries."""

    def __init__(self, which, seed=0):
        rng = np.random.default_rng(seed)
        stored = rng.random((N_ROWS, N_OTHER)) < 0.3
        stored[3] = False
        features = (rng.random((N_ROWS, N_FEATURES)) < 0.4) * rng.normal(size=(N_ROWS, N_FEATURES))
        features = features.astype(np.float32).astype(float)
        self.parts, dense, ridges = [], [], []
        if which != "attributes":
            entries = rows_of(stored, values=False)
            self.parts.append(link_part(entries, entries.transposed(), ridge=LINK_RIDGE))
            dense.append(stored / np.sqrt(np.maximum(stored.sum(axis=1, keepdims=True), 1)))
            ridges += [LINK_RIDGE] * N_OTHER
        if which != "link":
            self.parts.append(attribute_part(rows_of(features, values=True), ridge=ATTRIBUTE_RIDGE))
            dense.append(features)
            ridges += [ATTRIBUTE_RIDGE] * N_FEATURES
        self.dense, self.ridges = np.hstack(dense), np.array(ridges)
        self.n_link = N_OTHER if which != "attributes" else 0
        self.table = rng.normal(size=(N_ROWS, WIDTH)).astype(np.float32)
        active = np.ones(N_ROWS)
        active[3] = 0.0
        self.ridges_of_rows = RowRidges(
            rng.uniform(0.5, 3.0, size=N_ROWS) * active,
            active,
            rng.uniform(0.2, 2.0, size=WIDTH),
            rng.uniform(0.0, 1.0, size=WIDTH),
        )
        slopes, _, rho, kappa = self.ridges_of_rows.vectors
        self.diagonal = slopes[:, None] * rho + active[:, None] * kappa
        self.start = start_coefficients(self.parts, WIDTH)

    def loss(self, coefficients):
        left = self.table - self.dense @ coefficients
        return np.sum(self.diagonal * left**2) + np.sum(self.ridges[:, None] * coefficients**2)

    def least_squares(self):
        best = np.zeros((len(self.ridges), WIDTH))
        for column in range(WIDTH):
            phi = self.dense.copy()
            if column == WIDTH - 1:
                phi[:, : self.n_link] = 0.0  # the link says nothing of biases
            weighted = phi.T * self.diagonal[:, column]
            best[:, column] = np.linalg.solve(
                weighted @ phi + np.diag(self.ridges), weighted @ self.table[:, column]
            )
        return best

    def solve(self, n_steps, *, start=None, n_threads=2):
        start = self.start if start is None else start
        return solve_coefficients(
            self.parts,
            start,
            self.table,
            self.ridges_of_rows,
            has_bias=True,
            n_steps=n_steps,
            n_threads=n_threads,
        )


@pytest.mark.parametrize("which", WHICH)
def test_the_mean_and_the_penalty_are_the_dense_ones(isa, which):
    problem = Problem(which)
    rng = np.random.default_rng(1)
    coefficients = [rng.normal(size=each.shape).astype(np.float32) for each in problem.start]
    dense = np.vstack(coefficients).astype(float)
    found = prior_mean(problem.parts, coefficients, n_threads=2)
    assert found == pytest.approx(problem.dense @ dense, rel=1e-5, abs=1e-5)
    expected = np.sum(problem.ridges[:, None] * dense**2)
    assert coefficient_penalty(problem.parts, coefficients) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("which", WHICH)
def test_every_step_lowers_the_loss_towards_least_squares(isa, which):
    problem = Problem(which)
    least = problem.loss(problem.least_squares())
    losses = [problem.loss(np.vstack(problem.start))]
    losses += [problem.loss(np.vstack(problem.solve(n)).astype(float)) for n in range(1, 9)]
    # The last steps may move within rounding of the minimum.
    assert all(b < a or b <= least * (1 + 1e-9) for a, b in itertools.pairwise(losses))
    assert losses[-1] <= least * (1 + 1e-4)
    assert losses[0] >= least * 1.1
    many = np.vstack(problem.solve(60))
    assert many == pytest.approx(problem.least_squares(), abs=1e-5)


def test_the_steps_go_on_from_where_the_coefficients_are():
    problem = Problem("both")
    at = problem.solve(60)
    again = problem.solve(1, start=at)
    assert np.vstack(again) == pytest.approx(np.vstack(at), abs=1e-6)
    assert not any(each.any() for each in problem.start)


@pytest.mark.parametrize("which", WHICH)
def test_the_same_bits_for_any_number_of_threads(which):
    problem = Problem(which)
    for one, three in zip(problem.solve(8, n_threads=1), problem.solve(8, n_threads=3), strict=True):
        assert np.array_equal(one, three)


def test_links_leave_biases_alone():
    link, attributes = Problem("both").solve(8)
    assert not link[:, -1].any()
    assert link[:, :-1].any()
    assert attributes[:, -1].any()


def test_rows_that_do_not_count_change_nothing():
    problem = Problem("both")
    before = problem.solve(8)
    problem.table = problem.table.copy()
    problem.table[3] = 100.0
    for one, other in zip(before, problem.solve(8), strict=True):
        assert np.array_equal(one, other)


def test_without_parts_there_is_no_mean():
    assert prior_mean((), (), n_threads=1) is None
    table, ridges = np.ones((2, 1), np.float32), RowRidges(*np.ones((2, 2)), *np.ones((2, 1)))
    assert solve_coefficients((), (), table, ridges, has_bias=False, n_threads=1) == ()

"""The passes of prior means against dense float64, at every level; bits do not depend on threads."""

import numpy as np
import pytest

from alternant.interactions import EntryRows
from alternant.kernels.prior import (
    PANEL_COLUMNS,
    Descent,
    RowRidges,
    Weighed,
    mean_penalties,
    mean_terms,
    panels_of,
    table_of,
    weigh_rows,
)

WIDTHS = [1, 5, 16, 17, 40]


class Problem:
    """A part of `n_rows` rows and 30 features; row 2 has no entries and does not count."""

    def __init__(self, width, *, n_rows=50, values=True, seed=0):
        rng = np.random.default_rng(seed)
        self.width, self.n_rows, self.n_features = width, n_rows, 30
        stored = rng.random((n_rows, self.n_features)) < 0.4
        stored[2] = False
        rows, columns = np.nonzero(stored)
        offsets = np.concatenate([[0], np.cumsum(stored.sum(axis=1))]).astype(np.int64)
        numbers = rng.normal(size=len(rows)).astype(np.float32) if values else None
        self.rows = EntryRows(offsets, columns.astype(np.int32), self.n_features, values=numbers)
        self.columns = self.rows.transposed()
        self.entries = np.zeros(stored.shape)
        self.entries[rows, columns] = 1.0 if numbers is None else numbers
        self.scale = rng.uniform(0.2, 1.0, n_rows).astype(np.float32)
        active = np.ones(n_rows)
        active[2] = 0.0
        self.ridges = RowRidges(
            rng.uniform(0.5, 3.0, n_rows) * active, active, rng.uniform(0.2, 2.0, width), rng.random(width)
        )
        slopes, active, rho, kappa = self.ridges.vectors
        self.diagonal = slopes[:, None] * rho + active[:, None] * kappa
        self.table, self.means = rng.normal(size=(2, n_rows, width)).astype(np.float32)
        self.direction = rng.normal(size=(self.n_features, width)).astype(np.float32)

    @property
    def dense(self):
        return self.scale.astype(float)[:, None] * self.entries

    def part(self):
        panels = panels_of(self.direction, self.width)
        out = np.empty((len(panels), self.n_rows, PANEL_COLUMNS), np.float32)
        return Weighed(self.rows.block(0, self.n_rows), self.scale, panels, out)

    def descent(self, ridge):
        zeros = np.zeros((self.n_features, self.width), np.float32)
        squares = self.dense**2
        slopes, active, rho, kappa = self.ridges.vectors
        return Descent(
            self.columns.block(0, self.n_features),
            RowRidges(squares.T @ slopes, squares.T @ active, rho, kappa),
            ridge,
            coefficients=panels_of(zeros, self.width),
            residual=panels_of(zeros, self.width),
            direction=panels_of(self.direction, self.width),
        )


def columns_of(sums, width):
    """What sums by panel say of the table's columns; those beyond it are 0."""
    flat = sums.reshape(-1)
    assert not flat[width:].any()
    return flat[:width]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_is_its_panels(width):
    table = np.random.default_rng(0).normal(size=(7, width)).astype(np.float32)
    panels = panels_of(table, width)
    assert panels.shape == (-(-width // PANEL_COLUMNS), 7, PANEL_COLUMNS)
    np.testing.assert_array_equal(table_of(panels, width), table)
    fewer = table_of(panels_of(table, width - 1), width) if width > 1 else np.zeros_like(table)
    np.testing.assert_array_equal(fewer[:, :-1], table[:, :-1])
    assert not fewer[:, -1].any()


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_rows_are_weighed(isa, width, values):
    problem = Problem(width, values=values)
    part = problem.part()
    image = problem.dense @ problem.direction
    for given, y in (
        ({}, image),
        ({"table": problem.table, "means": problem.means}, problem.means.astype(float) - problem.table),
    ):
        sums = weigh_rows([part], problem.ridges, **given, n_threads=2)
        expected = problem.diagonal * y
        found = table_of(part.out, width)
        assert found == pytest.approx(problem.scale[:, None] * expected, rel=1e-5, abs=1e-5)
        assert columns_of(sums, width) == pytest.approx(np.sum(expected * y, axis=0), rel=1e-5)


def test_parts_are_weighed_together(isa):
    """A part of fewer columns adds nothing to those that it lacks."""
    one, other = Problem(20), Problem(20, seed=1)
    parts = [one.part(), other.part()]
    parts[0] = Weighed(parts[0].rows, one.scale, parts[0].direction[:1].copy(), parts[0].out[:1].copy())
    weigh_rows(parts, one.ridges, n_threads=1)
    first = one.dense @ one.direction
    first[:, PANEL_COLUMNS:] = 0.0
    y = one.diagonal * (first + other.dense @ other.direction)
    assert table_of(parts[1].out, 20) == pytest.approx(other.scale[:, None] * y, rel=1e-5, abs=1e-5)
    assert table_of(parts[0].out, 16) == pytest.approx(one.scale[:, None] * y[:, :16], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_step_and_a_turn(isa, width):
    problem, rng = Problem(width), np.random.default_rng(3)
    part, descent = problem.part(), problem.descent(0.7)
    weigh_rows([part], problem.ridges, n_threads=1)
    lengths = rng.uniform(0.1, 0.5, (len(part.out), PANEL_COLUMNS)).astype(np.float32)
    squares = descent.step(part.out, lengths, n_threads=2)
    length = lengths.reshape(-1)[:width].astype(float)
    # The rows' scale is in what was weighed, the features' entries are without.
    image = problem.dense.T @ (problem.diagonal * (problem.dense @ problem.direction))
    residual = -length * (image + 0.7 * problem.direction)
    inverse = 1.0 / ((problem.dense**2).T @ problem.diagonal + 0.7)
    assert table_of(descent.coefficients, width) == pytest.approx(length * problem.direction, rel=1e-5)
    assert table_of(descent.residual, width) == pytest.approx(residual, rel=1e-4, abs=1e-4)
    assert columns_of(squares, width) == pytest.approx(np.sum(inverse * residual**2, axis=0), rel=1e-4)
    turns = rng.uniform(0.1, 0.5, lengths.shape).astype(np.float32)
    ahead = table_of(descent.ahead(lengths), width)
    assert ahead == pytest.approx(2 * length * problem.direction, rel=1e-5)
    slopes, norms = descent.turn(turns, n_threads=2)
    turned = inverse * residual + turns.reshape(-1)[:width].astype(float) * problem.direction
    assert table_of(descent.direction, width) == pytest.approx(turned, rel=1e-4, abs=1e-4)
    expected = np.sum(turned * residual, axis=0)
    assert columns_of(slopes, width) == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert columns_of(norms, width) == pytest.approx(0.7 * np.sum(turned**2, axis=0), rel=1e-4)


def test_a_step_leaves_columns_beyond_the_width_alone(isa):
    """As a bias that shares the factors' panel."""
    problem = Problem(5)
    part, descent = problem.part(), problem.descent(0.7)
    weigh_rows([part], problem.ridges, table=problem.table, means=problem.means, n_threads=1)
    slopes, active, rho, kappa = descent.diagonal.vectors
    narrow = Descent(
        descent.columns,
        RowRidges(slopes, active, rho[:4], kappa[:4]),
        descent.ridge,
        descent.coefficients,
        descent.residual,
        panels_of(problem.direction, 4),
    )
    narrow.step(part.out, np.ones((1, PANEL_COLUMNS), np.float32), n_threads=1)
    for panels in (narrow.coefficients, narrow.residual):
        assert not panels[:, :, 4:].any()
        assert panels[:, :, :4].any()


@pytest.mark.parametrize("width", WIDTHS)
def test_right_sides_and_penalties(isa, width):
    problem = Problem(width)
    x, m = problem.table.astype(float), problem.means.astype(float)
    h = mean_terms(problem.means, problem.ridges, n_threads=2)
    np.testing.assert_allclose(h, problem.diagonal * m, rtol=1e-6)
    losses = np.sum(problem.diagonal * x**2 - 2.0 * h * x, axis=1)
    found = mean_penalties(problem.table, problem.means, problem.ridges, losses=losses, n_threads=2)
    expected = np.sum(problem.diagonal * (x - m) ** 2, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(losses, expected, rtol=1e-9, atol=1e-9)


def test_the_same_bits_for_any_number_of_threads(isa):
    """Data that are large enough for more than one thread, and for many chunks."""
    found, problem = [], Problem(17, n_rows=40_000)
    for n_threads in (1, 2, 3, 7):
        part, descent = problem.part(), problem.descent(0.7)
        sums = weigh_rows([part], problem.ridges, n_threads=n_threads)
        lengths = np.full((2, PANEL_COLUMNS), 0.1, np.float32)
        squares = descent.step(part.out, lengths, n_threads=n_threads)
        slopes, norms = descent.turn(lengths, n_threads=n_threads)
        h = mean_terms(problem.means, problem.ridges, n_threads=n_threads)
        penalties = mean_penalties(problem.table, problem.means, problem.ridges, n_threads=n_threads)
        found.append((part.out, sums, descent.direction, squares, slopes, norms, h, penalties))
    for other in found[1:]:
        for one, another in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, another)


def test_what_does_not_fit_is_refused():
    problem = Problem(5)
    part = problem.part()
    wild = problem.rows.indices.copy()
    wild[7] = problem.n_features
    rows = EntryRows(problem.rows.offsets, wild, problem.n_features, values=problem.rows.values)
    for n in (problem.n_features, -1):
        rows.indices.flags.writeable = True
        rows.indices[7] = n
        with pytest.raises(ValueError, match="an index lies outside the table"):
            weigh_rows(
                [Weighed(rows.block(0, 50), None, part.direction, part.out)], problem.ridges, n_threads=1
            )
    with pytest.raises(ValueError, match="table and means must come together"):
        weigh_rows([part], problem.ridges, means=problem.means, n_threads=1)
    with pytest.raises(ValueError, match="slopes and active must have one number per row"):
        mean_terms(problem.means[1:], problem.ridges, n_threads=1)
    with pytest.raises(ValueError, match="rho and kappa must have one number per column"):
        mean_terms(problem.means[:, 1:].copy(), problem.ridges, n_threads=1)
    short = problem.descent(0.7)
    with pytest.raises(ValueError, match="an index lies outside the table"):
        short.step(part.out[:, 1:].copy(), np.ones((1, PANEL_COLUMNS), np.float32), n_threads=1)


def test_outputs_are_never_converted():
    """A copy of another dtype would take what is written, and be thrown away."""
    problem = Problem(5)
    part = problem.part()
    other = Weighed(part.rows, part.scale, part.direction, np.zeros(part.out.shape))
    with pytest.raises(TypeError, match="incompatible function arguments"):
        weigh_rows([other], problem.ridges, n_threads=1)

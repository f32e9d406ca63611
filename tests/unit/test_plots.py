"""Charts: their numbers are the model's, their specifications valid; what cannot be drawn is refused."""

import dataclasses
import json

import numpy as np
import polars as pl
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions, plots
from alternant.errors import DataError, UnknownIdError
from alternant.plots import _labels
from alternant.synthetic import catalogue, example


@pytest.fixture(scope="module")
def small():
    plain = {"regularization": 0.1, "regularization_exponent": 0, "biases": False, "center": False}
    return ExplicitALS(n_factors=2, **plain, init="spectral", n_sweeps=5, tol=0).fit(example())


@pytest.fixture(scope="module")
def films():
    return catalogue(n_users=150, n_items=120, n_entries=3000)


@pytest.fixture(scope="module")
def medium(films):
    return ExplicitALS(n_factors=4, n_sweeps=3).fit(films.interactions)


def rows(chart, *having):
    """Return the rows of the chart's data set that has these columns."""
    spec = chart.to_dict()  # validates
    (found,) = [data for data in spec["datasets"].values() if data and set(having) <= set(data[0])]
    return found


def column(data, name):
    return np.array([row[name] for row in data], float)


def title(chart):
    return chart.to_dict()["title"]


def test_sweeps_are_the_trace(small):
    data = rows(plots.sweeps(small), "sweep", "solved")
    assert [row["solved"] for row in data] == [entry.side for entry in small.trace]
    np.testing.assert_allclose(column(data, "value"), [e.objective for e in small.trace], rtol=1e-6)
    assert column(data, "sweep").tolist() == [e.sweep - 0.5 * (e.side == "users") for e in small.trace]


def test_sweeps_of_a_long_fit_are_thinned(small):
    trace = tuple(dataclasses.replace(small.trace[0], sweep=s, side="items") for s in range(1, 6001))
    data = rows(plots.sweeps(dataclasses.replace(small, trace=trace)), "sweep")
    assert len(data) <= 1000
    assert (data[0]["sweep"], data[-1]["sweep"]) == (1, 6000)


def test_sweeps_show_the_validation_metric_where_there_is_one(small, monkeypatch):
    values = [0.1 * n for n in range(len(small.trace))]
    known = dict(zip(map(id, small.trace), values, strict=True))
    monkeypatch.setattr(
        type(small.trace[0]), "validation", property(lambda entry: known[id(entry)]), raising=False
    )
    chart = plots.sweeps(small, metric="NDCG@20")
    drawn = [column(data, "value") for data in chart.to_dict()["datasets"].values()]
    assert len(drawn) == 2
    assert any(np.allclose(data, values) for data in drawn)
    assert title(chart)["text"] == "Objective after each half-sweep, and the NDCG@20"


def test_sweeps_want_a_trace(small):
    with pytest.raises(DataError, match="holds no trace of its fit"):
        plots.sweeps(dataclasses.replace(small, trace=()))


def test_the_spectrum_is_omega(medium):
    data = rows(plots.spectrum(medium), "omega")
    np.testing.assert_allclose(column(data, "omega"), medium.omega, rtol=1e-6)
    np.testing.assert_allclose(column(data, "share"), 100 * medium.omega / medium.omega.sum(), rtol=1e-6)
    assert column(data, "cumulative")[-1] == pytest.approx(100)


def test_a_spectrum_of_nothing_is_refused():
    data = Interactions.from_arrays(["a", "b"], ["x", "x"], [4, 4])
    with pytest.raises(DataError, match="all factors of this model are 0"):
        plots.spectrum(ExplicitALS(n_factors=2).fit(data))


def test_sampled_models_have_sweeps_and_no_factors_to_draw(films):
    model = ExplicitALS(n_factors=2, n_samples=3, burn_in=2).fit(films.interactions)
    assert title(plots.sweeps(model))["text"] == "Squared errors after each sweep"
    with pytest.raises(DataError, match="a sampled model has no spectrum"):
        plots.spectrum(model)
    with pytest.raises(DataError, match="a sampled model holds many draws"):
        plots.item_map(model)
    assert [section.title for section in plots.fit_sections(model)][-1] == "How the fit went"


def test_few_pairs_are_points():
    chart = plots.predicted_actual([3.5, 4.1, np.nan], [4, 5, 1], what="test")
    assert {"actual": 4.0, "predicted": 3.5} in rows_of_any(chart)
    assert title(chart)["subtitle"][0] == "2 pairs; RMSE 0.728, MAE 0.7; 1 without a prediction left out"


def rows_of_any(chart):
    return [row for data in chart.to_dict()["datasets"].values() for row in data]


@pytest.mark.parametrize("levels", [True, False])
def test_many_pairs_are_counted_once_each(levels):
    rng = np.random.default_rng(0)
    actual = rng.integers(1, 6, 5000) if levels else rng.normal(size=5000)
    predicted = actual + rng.normal(size=5000)
    data = rows(plots.predicted_actual(predicted, actual), "predicted_end")
    assert column(data, "pairs").sum() == 5000
    assert len(data) <= 1600


def test_predicted_refuses():
    with pytest.raises(DataError, match="must have the same length, got 2 and 1"):
        plots.predicted_actual([1, 2], [1])
    with pytest.raises(DataError, match="no prediction to draw"):
        plots.predicted_actual([np.nan], [1])
    with pytest.raises(DataError, match="actual must be finite"):
        plots.predicted_actual([1.0], [np.inf])


def test_recall_by_popularity():
    popularity, hits = [1, 1, 1, 9, 9, 100], [0, 0, 1, 1, 1, 1]
    data = rows(plots.popularity_recall(popularity, hits, n_groups=2), "recall")
    assert column(data, "pairs").tolist() == [3, 3]
    np.testing.assert_allclose(column(data, "recall"), [1 / 3, 1], rtol=1e-6)
    np.testing.assert_allclose(column(data, "popularity"), [1, 118 / 3], rtol=1e-6)
    # Wilson's interval of 1 of 3, from the formula's own table.
    np.testing.assert_allclose([data[0]["low"], data[0]["high"]], [0.0614919, 0.7923404], rtol=1e-5)


def test_recall_of_several_models_and_items_that_nobody_had():
    chart = plots.popularity_recall([0, 0, 5, 5], {"a": [1, 1, 1, 1], "b": [0, 0, 0, 1]}, k=3)
    data = rows(chart, "recall")
    assert [(r["model"], r["popularity"], r["recall"]) for r in data] == [
        ("a", 0.5, 1), ("a", 5, 1), ("b", 0.5, 0), ("b", 5, 0.5),
    ]  # fmt: skip
    assert title(chart)["text"] == "Recall@3 by popularity of the item"


def test_recall_refuses():
    with pytest.raises(DataError, match="no held-out pair"):
        plots.popularity_recall([], [])
    with pytest.raises(DataError, match="hits of 'model' must be as many as popularity, got 1 and 2"):
        plots.popularity_recall([1, 2], [True])
    with pytest.raises(DataError, match="popularity must be finite and 0 or more"):
        plots.popularity_recall([-1], [True])
    with pytest.raises(DataError, match="n_groups must be a positive integer, got 0"):
        plots.popularity_recall([1], [True], n_groups=0)


HISTORY = {"n_factors": [16, 32, 64], "regularization": [0.1, 0.01, 0.1], "rmse": [0.9, 0.8, None]}


@pytest.mark.parametrize("form", [dict, pl.DataFrame, "rows"])
def test_trials_in_any_form(form):
    history = pl.DataFrame(HISTORY).to_dicts() if form == "rows" else form(HISTORY)
    chart = plots.trials(history, metric="rmse", larger_is_better=False)
    assert title(chart)["subtitle"] == [
        "best of 3 trials: 0.8 at n_factors = 32, regularization = 0.01",
        "1 trial without a result: not drawn",
    ]
    assert [(r["value"], r["best"]) for r in rows(chart, "best")] == [(0.9, False), (0.8, True)]


def test_trials_refuse():
    with pytest.raises(DataError, match="no trial has a finite 'rmse'"):
        plots.trials({**HISTORY, "rmse": [None] * 3}, metric="rmse")
    with pytest.raises(DataError, match="trials must have 'n_factors'"):
        plots.trials([{"rmse": 1}], metric="rmse")
    with pytest.raises(DataError, match="column 'regularization' of the trials must hold numbers"):
        plots.trials({**HISTORY, "regularization": ["a", "b", "c"]}, metric="rmse")


def test_the_map_shows_factors_and_titles(medium, films):
    chart = plots.item_map(medium, titles=films.titles, n=30, factors=(1, 2))
    data = rows(chart, "title", "entries")
    order = np.argsort(-medium.item_counts, kind="stable")[:30]
    np.testing.assert_allclose(column(data, "x"), medium.item_factors[order, 1], rtol=1e-6)
    np.testing.assert_allclose(column(data, "y"), medium.item_factors[order, 2], rtol=1e-6)
    labels = medium.item_ids.decode(order).tolist()
    assert [row["title"] for row in data] == [films.titles[label] for label in labels]


def test_a_first_factor_of_one_sign_is_left_out(films):
    entries = films.interactions.entries()
    users = films.interactions.user_ids.decode(entries.user_index)
    items = films.interactions.item_ids.decode(entries.item_index)
    model = ImplicitALS(n_factors=4, n_sweeps=3).fit(Interactions.from_arrays(users, items))
    assert (model.item_factors[:, 0] > 0).all() or (model.item_factors[:, 0] < 0).all()
    assert title(plots.item_map(model))["text"] == "Items by factors 2 and 3"
    assert title(plots.item_map(model, factors=(0, 1)))["text"] == "Items by factors 1 and 2"


def test_a_map_refuses(medium, small):
    with pytest.raises(DataError, match="factors must be two different numbers from 0 to 1, got"):
        plots.item_map(small, factors=(0, 2))
    with pytest.raises(DataError, match="n must be from 1 to 1,000, got 0"):
        plots.item_map(medium, n=0)
    with pytest.raises(DataError, match="a map needs two factors, got a model with 1 factor"):
        plots.item_map(ExplicitALS(n_factors=1).fit(example()))


def test_labels_lie_on_no_label_and_no_point():
    """Seen to fail when a placed label was not added to what is taken."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 400, 120), rng.uniform(0, 300, 120)
    texts = [f"a title {n}" for n in range(120)]
    placed = _labels.place(x, y, texts, width=400, height=300, font_size=10)
    assert 10 < len(placed) < 120
    boxes = []
    for label in placed:
        wide = _labels.text_width(texts[label.point], 10)
        left = label.x - {"left": 0, "right": wide, "center": wide / 2}[label.align]
        assert left >= 0
        assert left + wide <= 400
        inside = (x > left) & (x < left + wide) & (abs(y - label.y) < 5)
        assert not np.delete(inside, label.point).any()
        boxes.append((left, label.y - 5, left + wide, label.y + 5))
    for n, (a, b, c, d) in enumerate(boxes):
        assert not any(a < r and p < c and b < s and q < d for p, q, r, s in boxes[:n])


def test_the_matrix_holds_predictions_and_known_values(small):
    data = rows(plots.filled_matrix(small), "prediction")
    np.testing.assert_allclose(column(data, "prediction"), small.complete().values.ravel(), rtol=1e-6)
    assert [row["value"] for row in data] == [5, 3, None, 1, 4, None, 2, 1, None, 4, 5, 3, 1, 1, None, 5]
    assert [row["known"] for row in data] == [row["value"] is not None for row in data]


def test_the_matrix_of_some_and_of_other_data(small):
    known = Interactions.from_arrays(["user 3", "nobody"], ["film 1", "film 1"], [2.5, 1])
    data = rows(plots.filled_matrix(small, known, users=["user 3"], items=["film 4", "film 1"]), "prediction")
    assert [(row["item"], row["value"]) for row in data] == [("film 4", None), ("film 1", 2.5)]
    with pytest.raises(UnknownIdError, match="nobody"):
        plots.filled_matrix(small, users=["nobody"])


def test_titles_of_a_matrix_cannot_be_code(small):
    nasty = "'+alert(1)+'\\\N{PILE OF POO}"
    spec = plots.filled_matrix(small, titles={"film 1": nasty}).to_dict()
    (axis,) = {layer["encoding"]["x"]["axis"]["labelExpr"] for layer in spec["layer"]}
    listed = axis.removesuffix("[datum.value]").replace("'", '"')
    assert json.loads(listed) == [nasty, "film 2", "film 3", "film 4"]


def test_matrices_that_cannot_be_read_are_refused(medium, small):
    with pytest.raises(DataError, match="at most 40 users can be read, got 150; name some with users="):
        plots.filled_matrix(medium)
    with pytest.raises(DataError, match="nothing tells which cells are known; pass interactions="):
        plots.filled_matrix(dataclasses.replace(small, history=None))


def test_steps_follow_the_algorithm():
    """Each half solves a ridge regression; seen to fail with tables that the loop had turned in between."""
    chart = plots.als_steps(n_sweeps=2, later_sweeps=(9,))
    spec = chart.to_dict()
    names = [panel["title"]["text"] for panel in spec["concat"]]
    assert names == [
        "sweep 1: users solved", "sweep 1: items solved", "sweep 2: users solved", "sweep 2: items solved",
        "sweep 9: items solved",
    ]  # fmt: skip
    factors = []
    for panel in spec["concat"]:
        named = {layer["data"]["name"] for layer in panel["layer"]}
        (data,) = [spec["datasets"][name] for name in named if "solved" in spec["datasets"][name][0]]
        values = column(data, "value")
        factors.append((values[:8].reshape(4, 2), values[8:].reshape(2, 4).T))
    ratings = np.full((4, 4), np.nan)
    entries = example().entries()
    ratings[entries.user_index, entries.item_index] = entries.values
    for before, after, side in zip(factors, factors[1:4], "iui", strict=False):
        still, solved = (0, 1) if side == "i" else (1, 0)
        np.testing.assert_allclose(after[still], before[still], atol=1e-4)
        table = ratings.T if side == "i" else ratings
        for row, cells in enumerate(table):
            y = before[still][~np.isnan(cells)]
            wanted = np.linalg.solve(y.T @ y + 0.1 * np.eye(2), y.T @ cells[~np.isnan(cells)])
            np.testing.assert_allclose(after[solved][row], wanted, atol=2e-4)


def test_steps_refuse(films):
    with pytest.raises(DataError, match="steps are drawn for at most 8 users and items, got 150 and 120"):
        plots.als_steps(films.interactions)
    with pytest.raises(DataError, match="n_factors must be from 1 to 3 here, got 4"):
        plots.als_steps(n_factors=4)
    with pytest.raises(DataError, match="later_sweeps must be at most six sweeps after 3, got"):
        plots.als_steps(later_sweeps=(3,))
    with pytest.raises(DataError, match="n_sweeps must be from 1 to 6 here, got 7"):
        plots.als_steps(n_sweeps=7)

import dataclasses

import numpy as np
import pytest

from alternant.als import ExplicitALS
from alternant.errors import DataError
from small_models import named_model, random_history, random_model


def test_it_describes_itself():
    assert repr(named_model()).splitlines() == [
        "FactorModel: 3 users × 3 items, 2 factors, biases",
        "  fitted by   ExplicitALS(n_factors=2, biases=True)",
        "  trained on  3 entries, values 3 to 5, mean 4",
        "  objective   10.25 after 1 sweep, 0.50 s",
        "  stopped     the decrease fell under tol",
    ]


def test_a_fitted_model_describes_its_fit():
    history = random_history(20, 15)
    text = repr(ExplicitALS(n_factors=2, n_sweeps=3, tol=0).fit(history))
    assert text.startswith(
        "FactorModel: 20 users × 15 items, 2 factors, biases\n  fitted by   ExplicitALS(n_factors=2"
    )
    assert "after 3 sweeps" in text
    assert "stopped" in text


def test_tables_are_read_only_and_the_model_is_frozen():
    model = named_model()
    for name in (
        "user_table",
        "item_table",
        "user_counts",
        "item_counts",
        "omega",
        "user_factors",
        "item_biases",
    ):
        with pytest.raises(ValueError, match="read-only"):
            getattr(model, name)[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError, match="user_table"):
        model.user_table = model.item_table


def test_the_arrays_given_stay_writable():
    tables = [np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)]
    random_model(random_history(4, 4), tables=tables)
    tables[0][0] = 1


def test_factors_and_biases_are_views():
    model = named_model()
    assert model.user_factors.shape == (3, 2)
    assert model.user_biases.tolist() == [0.5, -0.5, 0.0]
    assert np.shares_memory(model.item_factors, model.item_table)
    plain = random_model(random_history(4, 5), biases=False)
    assert plain.user_biases is None
    assert plain.item_factors.shape == (5, 3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"user_table": np.zeros((3, 4), np.float32)},
            r"user_table must be float32 of shape \(4, 4\), got float32 of shape \(3, 4\)",
        ),
        ({"item_table": np.zeros((5, 4))}, r"item_table must be float32 of shape \(5, 4\), got float64"),
        (
            {"item_table": np.full((5, 4), np.nan, np.float32)},
            "item_table must be finite, got NaN or infinity",
        ),
        ({"user_counts": np.zeros(3, np.int64)}, r"user_counts must be int64 of shape \(4,\)"),
        ({"omega": np.zeros(4)}, r"omega must be float64 of shape \(3,\)"),
        (
            {"history": random_history(5, 5)},
            r"history must have the model's ids \(4 users, 5 items\), got 5 and 5",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(DataError, match=message):
        random_model(random_history(4, 5), **fields)


def test_frames_of_factors():
    frame = named_model().item_factors_frame("pandas")
    assert frame.columns.tolist() == ["item_id", "f0", "f1", "bias"]
    assert frame["item_id"].tolist() == ["x", "y", "z"]
    assert frame["bias"].tolist() == [0.25, 0.0, 0.0]
    plain = random_model(random_history(4, 5), biases=False).user_factors_frame("polars")
    assert plain.columns == ["user_id", "f0", "f1", "f2"]

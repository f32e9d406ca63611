"""Trap 13: a user with no data gets the first rows of the catalogue with score 0."""

import numpy as np
import pytest

from alternant import ExplicitALS, Interactions
from alternant.errors import UnknownIdError


@pytest.fixture(scope="module")
def model():
    history = Interactions.from_arrays(
        ["ann", "ann", "bob", "bob", "cleo"],
        ["z", "y", "z", "x", "z"],
        [5.0, 2.0, 4.0, 1.0, 5.0],
        user_ids=["ann", "bob", "cleo", "dora"],
    )
    return ExplicitALS(n_factors=2, n_sweeps=2).fit(history)


def test_trap_13_an_error_by_default(model):
    message = (
        "user 'dora' has no interactions to recommend from; pass unknown=\"fallback\" to rank by popularity"
    )
    with pytest.raises(UnknownIdError, match=message):
        model.recommend(["ann", "dora"])


def test_trap_13_a_declared_fallback_that_says_so(model):
    result = model.recommend(["dora", "cleo", "nobody"], k=2, unknown="fallback")
    lists = {one.query_id[0]: one for one in result}
    for user in ("dora", "nobody"):
        assert lists[user].item_id.tolist() == ["z", "x"]  # three interactions, then one each: by position
        assert lists[user].score.tolist() == [3.0, 1.0]
        assert set(lists[user].source) == {"fallback"}
    assert set(lists["cleo"].source) == {"model"}
    assert "fallback: by popularity" in str(lists["dora"])


def test_trap_13_predictions_are_the_mean_and_the_item_s_bias(model):
    expected = np.float32(model.mean + float(model.item_biases[2]))
    assert model.predict("dora", "z") == pytest.approx(expected)
    assert model.predict("nobody", "z", unknown="fallback") == pytest.approx(expected)

"""Users without entries are ranked by what their attributes say, and lists say so."""

import numpy as np
import pytest

from alternant import ImplicitALS, Interactions, UnknownIdError

ATTRIBUTES = {
    "user_id": ["ann", "bob", "cy", "dan", "eve", "old"],
    "town": ["a", "a", "b", "b", "a", "c"],
}


@pytest.fixture
def model():
    users = ["ann", "ann", "bob", "bob", "cy", "cy", "dan", "dan"]
    items = ["x", "y", "x", "z", "p", "q", "p", "r"]
    return ImplicitALS(n_factors=3).fit(Interactions.from_arrays(users, items), user_attributes=ATTRIBUTES)


def test_a_user_who_is_only_in_the_attributes_has_their_prior_mean(model):
    found = model.recommend("eve", 3)
    assert set(found.source) == {"attributes"}
    assert set(found.item_id) == {"x", "y", "z"}  # what the others of town a have
    row = model.user_ids.encode(["eve"], what="user")[0]
    features = model.user_prior.features.block(row, row + 1)
    expected = features.values @ model.user_prior.attributes[features.indices]
    assert model.user_table[row] == pytest.approx(expected, rel=1e-6)


def test_a_folded_in_user_with_attributes_alone(model):
    nobody = Interactions.from_arrays([], [], user_ids=["new"], item_ids=["x"])
    folded = model.fold_in(nobody, attributes={"user_id": ["new"], "town": ["b"]})
    found = model.recommend(folded, 2)
    assert set(found.source) == {"attributes"}
    assert set(found.item_id) <= {"p", "q", "r"}
    assert np.isfinite(found.score).all()


def test_attributes_that_say_nothing_are_no_row(model):
    with pytest.raises(UnknownIdError, match="user 'old' has no interactions to recommend from"):
        model.recommend("old")
    assert set(model.recommend("old", unknown="fallback").source) == {"fallback"}

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions
from alternant.errors import DataError, UnknownIdError
from small_models import random_history

MODELS = [
    ExplicitALS(n_factors=3, n_sweeps=400, tol=0.0),
    ExplicitALS(
        n_factors=3,
        n_sweeps=400,
        tol=0.0,
        biases=False,
        nonnegative=True,
        regularization=0.1,
        link=True,
    ),
    ImplicitALS(n_factors=3, n_sweeps=400, tol=0.0),
    ImplicitALS(n_factors=3, n_sweeps=400, tol=0.0, transforms="log(epsilon=1)", item_discount=0.2),
]


@pytest.mark.parametrize("strings", [False, True])
@pytest.mark.parametrize("estimator", MODELS)
def test_a_stored_history_gives_the_stored_items(estimator, strings):
    data = random_history(30, 20, strings=strings)
    model = estimator.fit(data)
    folded = model.fold_in_items(data)
    np.testing.assert_allclose(
        folded.table, model.item_table, rtol=0, atol=2e-3 * np.abs(model.item_table).max()
    )
    alone = data.take(data.entries().item_index == 7, prune=True)
    one = model.fold_in_items(alone)
    np.testing.assert_array_equal(one.table[0], folded.table[7])
    assert one.ids.labels.tolist() == data.item_ids.decode([7]).tolist()
    assert (one.factors.shape, one.history.n_users, len(one)) == ((1, 3), 30, 1)
    assert (one.biases is None) == (model.item_biases is None)


def test_attributes_of_new_items_move_their_prior():
    data = random_history(30, 20)
    kinds = {"item": list(range(20)), "kind": ["a", "b"] * 10}
    model = ExplicitALS(n_factors=3).fit(data, item_attributes=kinds)
    new = Interactions.from_arrays([1], [50], [5.0], item_ids=[50, 51, 52])
    plain = model.fold_in_items(new)
    told = model.fold_in_items(new, attributes={"item": [50, 51, 52], "kind": ["a", "a", "b"]})
    assert not plain.table[1].any()
    assert (told.table[0] != plain.table[0]).any()
    of_a, of_b = told.table[1:]
    assert (of_a != of_b).any()
    with pytest.raises(DataError, match="attributes need a model that was fitted with attributes"):
        ExplicitALS(n_factors=3).fit(data).fold_in_items(new, attributes=kinds)


def test_unknown_users_are_refused_or_dropped():
    model = ExplicitALS(n_factors=3).fit(random_history(30, 20))
    new = Interactions.from_arrays([1, 99, 99], [50, 50, 51], [5.0, 1.0, 2.0])
    with pytest.raises(UnknownIdError, match="no user 99 in this model"):
        model.fold_in_items(new)
    folded = model.fold_in_items(new, unknown="drop")
    known = model.fold_in_items(Interactions.from_arrays([1], [50], [5.0]))
    np.testing.assert_array_equal(folded.table[0], known.table[0])
    assert not folded.table[1].any()
    with pytest.raises(DataError, match="unknown must be 'error' or 'drop', got 'skip'"):
        model.fold_in_items(new, unknown="skip")
    with pytest.raises(DataError, match="history must be Interactions, got dict; a frame goes through"):
        model.fold_in_items({1: 2.0})
    assert repr(folded) == "FoldedItems(2 items, 1 entry, 3 factors)"

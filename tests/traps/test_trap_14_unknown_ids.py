"""Trap 14: a negative or unknown id is answered for somebody else. Ours: UnknownIdError."""

import numpy as np
import pytest

from alternant.errors import DataError, UnknownIdError
from small_models import random_history, random_model


@pytest.mark.parametrize("bad", [-1, 5, 2**31, 2**32, -(2**40)])
def test_trap_14_no_method_answers_for_another(bad):
    model = random_model(random_history(5, 5))
    user_error, item_error = (
        rf"no user {bad} in this model \(5 users\)",
        rf"no item {bad} in this model \(5 items\)",
    )
    for ask in (
        lambda: model.recommend(bad),
        lambda: model.recommend([0, bad]),
        lambda: model.similar_users(bad),
        lambda: model.predict(bad, 0),
        lambda: model.score([bad, 0], [0, 0]),
        lambda: model.complete(users=[0, bad]),
        lambda: model.recommend_users(0, candidates=[bad]),
    ):
        with pytest.raises(UnknownIdError, match=user_error):
            ask()
    for ask in (
        lambda: model.recommend_users(bad),
        lambda: model.similar_items([0, bad]),
        lambda: model.predict(0, bad),
        lambda: model.score(0, [bad, 0]),
        lambda: model.complete(items=[bad]),
        lambda: model.recommend(0, candidates=[bad]),
    ):
        with pytest.raises(UnknownIdError, match=item_error):
            ask()


def test_trap_14_the_error_is_a_key_error_that_reads_well():
    model = random_model(random_history(5, 5, strings=True))
    with pytest.raises(KeyError, match="no user 'bob'") as caught:
        model.recommend("bob")
    assert (
        str(caught.value)
        == "no user 'bob' in this model (5 users); recommend from a history with model.fold_in"
    )


@pytest.mark.parametrize("bad", [1.0, np.float32(1), None, True, b"u001", [1.5], [None], {"a": 1}])
def test_trap_14_what_is_no_id_is_refused(bad):
    model = random_model(random_history(5, 5))
    with pytest.raises(DataError, match="user ids"):
        model.recommend(bad)


def test_trap_14_string_models_do_not_take_numbers():
    model = random_model(random_history(5, 5, strings=True))
    with pytest.raises(DataError, match="user ids are strings here, got integers"):
        model.recommend(1)

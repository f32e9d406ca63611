import numpy as np
import pytest

from alternant.errors import DataError, UnknownIdError
from small_models import named_model, random_history, random_model


def test_predict_adds_mean_biases_and_product():
    model = named_model()
    assert model.predict("alice", "x") == 4 + 0.5 + 0.25 + 1
    assert model.predict("bob", "y") == 4 - 0.5 + 2
    assert model.score("bob", "y") == 2


@pytest.mark.parametrize("biases", [True, False])
def test_predict_agrees_with_dense_float64(biases):
    model = random_model(random_history(30, 20), n_factors=70, biases=biases)
    users, items = np.divmod(np.arange(600), 20)
    dense = model.mean + model.user_factors.astype(float) @ model.item_factors.T.astype(float)
    if biases:
        dense += model.user_biases[:, None].astype(float) + model.item_biases
    np.testing.assert_allclose(model.predict(users, items), dense.ravel(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(model.complete().values, dense, rtol=1e-5, atol=1e-5)


def test_two_ids_give_a_float_and_arrays_an_array():
    model = named_model()
    assert type(model.predict("alice", "x")) is float
    assert type(model.score("alice", "x")) is float
    for users, items in [(["alice"], ["x"]), ("alice", ["x"]), (["alice"], "x")]:
        values = model.predict(users, items)
        assert (values.shape, values.dtype) == ((1,), np.float32)
    assert model.predict([], []).shape == (0,)


def test_one_id_goes_with_all_of_the_other_side():
    model = named_model()
    assert model.predict("alice", ["x", "y", "z"]).tolist() == [5.75, 4.5, 4.5]
    assert model.predict(["alice", "bob"], "x").tolist() == [5.75, 3.75]


def test_lengths_must_match():
    with pytest.raises(DataError, match=r"got 2 and 3; for all pairs use model.complete"):
        named_model().predict(["alice", "bob"], ["x", "y", "z"])


def test_unknown_ids_are_named_with_the_remedy():
    model = named_model()
    with pytest.raises(
        UnknownIdError,
        match=r"^no user 'zoe' in this model \(3 users\); recommend from a history with model.fold_in$",
    ):
        model.predict("zoe", "x")
    with pytest.raises(
        UnknownIdError, match=r"no item 'w' in this model \(3 items\); a new item comes in by model.updated"
    ):
        model.score("alice", ["x", "w"])


def test_fallback_keeps_the_bias_of_the_known_side():
    model = named_model()
    values = model.predict(["zoe", "alice", "zoe", "bob"], ["x", "w", "w", "y"], unknown="fallback")
    assert values.tolist() == [4.25, 4.5, 4.0, 5.5]


def test_nan_for_unknown_pairs():
    values = named_model().predict(["zoe", "alice", "bob"], ["x", "w", "y"], unknown="nan", clip=True)
    np.testing.assert_array_equal(values, [np.nan, np.nan, 5.0])


def test_unknown_must_be_one_of_three():
    with pytest.raises(DataError, match=r'unknown must be "error", "fallback" or "nan", got \'raise\''):
        named_model().predict("alice", "x", unknown="raise")


def test_clip_to_the_training_range():
    model = named_model()
    assert model.predict(["alice", "bob"], ["x", "x"], clip=True).tolist() == [5.0, 3.75]
    without = random_model(random_history(3, 3), value_range=None)
    with pytest.raises(DataError, match="clip=True needs the range of the training values"):
        without.predict(0, 0, clip=True)


def test_ids_of_the_wrong_kind():
    with pytest.raises(DataError, match="user ids are strings here, got integers"):
        named_model().predict(1, "x")


def test_complete_marks_the_known_cells():
    completion = named_model().complete()
    assert completion.known.tolist() == [[True, True, False], [True, False, False], [False] * 3]
    assert str(completion).splitlines() == [
        "predictions for 3 users × 3 items; cells in [ ] are known",
        "            x       y      z",
        "alice  [5.75]  [4.50]  4.50 ",
        "bob    [3.75]   5.50   3.50 ",
        "carol   4.25    4.00   4.00 ",
    ]


def test_complete_for_some_users_and_items_in_the_order_asked():
    completion = named_model().complete(users=["bob", "alice"], items=["z", "x"], clip=True)
    assert completion.user_id.tolist() == ["bob", "alice"]
    assert completion.values.tolist() == [[3.5, 3.75], [4.5, 5.0]]
    assert completion.known.tolist() == [[False, True], [False, True]]
    frame = completion.to_frame("pandas")
    assert frame["user_id"].tolist() == ["bob", "bob", "alice", "alice"]
    assert frame["known"].tolist() == [False, True, False, True]


def test_complete_without_history_knows_no_cells():
    model = random_model(random_history(3, 4), history=None)
    assert model.complete().known is None
    assert "[" not in str(model.complete())


def test_a_large_completion_shows_its_corner():
    text = str(random_model(random_history(40, 30)).complete())
    assert "40 users × 30 items; cells in [ ] are known; the first 20 and 10 are shown" in text
    assert len(text.splitlines()) == 22


def test_predictions_do_not_depend_on_threads():
    model = random_model(random_history(100, 90), n_factors=33)
    users, items = np.divmod(np.arange(9000), 90)
    values = [model.predict(users, items, n_threads=n) for n in (1, 2, 3, 7)]
    assert all(np.array_equal(values[0], other) for other in values)

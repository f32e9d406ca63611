import numpy as np
import pytest

from alternant.als import ExplicitALS
from alternant.errors import DataError, UnknownIdError
from alternant.interactions import Interactions
from alternant.model import load
from reference import solve_side
from small_models import named_model, random_history, random_model


@pytest.fixture(scope="module")
def model():
    return ExplicitALS(n_factors=4, n_sweeps=3, link=False).fit(random_history(40, 25, strings=True))


def test_new_users_are_solved_as_the_reference_does(model):
    history = Interactions.from_arrays(["p", "p", "q"], ["i003", "i001", "i020"], [5, 1, 4])
    folded = model.fold_in(history)
    dense = np.full((2, 25), np.nan)
    dense[[0, 0, 1], [3, 1, 20]] = [5, 1, 4]
    penalties = model.problem.ridge("users").diagonal(np.array([2, 1]), 4, bias=True)
    expected = solve_side(dense, model.item_table.astype(float), penalties, mean=model.mean, biases=True)
    np.testing.assert_allclose(folded.table, expected, rtol=1e-4, atol=1e-6)
    assert folded.ids.labels.tolist() == ["p", "q"]
    assert (folded.factors.shape, folded.biases.shape, len(folded)) == ((2, 4), (2,), 2)
    assert repr(folded) == "FoldedIn(2 users, 3 entries, 4 factors)"
    with pytest.raises(ValueError, match="read-only"):
        folded.table[0] = 0


def test_folded_in_users_go_wherever_users_go(model):
    folded = model.fold_in(Interactions.from_arrays(["p", "p", "q"], ["i003", "i001", "i020"], [5, 1, 4]))
    recommended = model.recommend(folded, k=25)
    assert [len(one.item_id) for one in recommended] == [23, 24]
    assert not {"i003", "i001"} & set(recommended.item_id[recommended.user_id == "p"])
    np.testing.assert_array_equal(
        model.score(model.fold_in(Interactions.from_arrays(["p"], ["i003"], [5])), ["i001", "i002"]).shape,
        (2,),
    )
    scores = model.score(folded, ["i000", "i001"])
    assert scores[0] == recommended.score[(recommended.user_id == "p") & (recommended.item_id == "i000")]
    completion = model.complete(users=folded)
    assert completion.known.sum(axis=1).tolist() == [2, 1]
    predicted = model.predict(folded, ["i000", "i000"])
    np.testing.assert_array_equal(predicted, completion.values[:, 0])
    assert len(model.similar_users(folded, k=3).neighbour_id) == 6


def test_a_stored_user_folded_in_is_its_own_nearest_neighbour(model):
    history = model.history.take(np.flatnonzero(model.history.entries().user_index == 7), prune=True)
    nearest = model.similar_users(model.fold_in(history), k=1)
    assert nearest.neighbour_id.tolist() == ["u007"]
    assert nearest.similarity[0] == pytest.approx(1, abs=1e-6)


def test_a_mapping_is_the_history_of_one_user(model):
    folded = model.fold_in({"i003": 5, "i001": 1})
    same = model.fold_in(Interactions.from_arrays(["p", "p"], ["i003", "i001"], [5, 1]))
    np.testing.assert_array_equal(folded.table, same.table)
    assert model.recommend(folded, k=1).user_id.tolist() == ["new user"]


def test_a_catalogue_of_items_without_entries_may_be_unknown(model):
    history = Interactions.from_arrays(["p"], ["i003"], [5], item_ids=["i003", "not in the model"])
    np.testing.assert_array_equal(model.fold_in(history).table, model.fold_in({"i003": 5}).table)


def test_a_user_without_entries_gets_the_fallback(model):
    history = Interactions.from_arrays(["p"], ["i003"], [5], user_ids=["p", "q"])
    folded = model.fold_in(history)
    assert not folded.table[1].any()
    with pytest.raises(UnknownIdError, match="user 'q' has no interactions to recommend from; pass unknown="):
        model.recommend(folded)
    assert set(model.recommend(folded, unknown="fallback").source) == {"model", "fallback"}


def test_weights_count():
    model = random_model(random_history(4, 5), biases=False)
    light, heavy = (
        model.fold_in(Interactions.from_arrays(["p"], [2], [5], weights=[w])).table for w in (0.1, 10)
    )
    assert np.abs(light).sum() < np.abs(heavy).sum()


def test_what_is_no_history_is_refused(model):
    with pytest.raises(
        DataError, match=r"history must be Interactions or a mapping .* got list; a frame goes"
    ):
        model.fold_in([1, 2])
    with pytest.raises(DataError, match="explicit ratings need values, got entries without"):
        model.fold_in(Interactions.from_arrays(["p"], ["i003"], weights=[2.0]))
    with pytest.raises(DataError, match="must name at least one item, got an empty mapping"):
        model.fold_in({})


def test_folded_in_users_belong_to_their_model(model):
    folded = model.fold_in({"i003": 5})
    other = random_model(random_history(4, 5), n_factors=2)
    with pytest.raises(DataError, match="folded into another model; fold them into this one"):
        other.recommend(folded)
    with pytest.raises(DataError, match="items must be item ids, got folded-in users"):
        model.similar_items(folded)
    with pytest.raises(DataError, match="exclude and candidates must be ids, got folded-in users"):
        model.recommend_users("i003", exclude=folded)


def test_a_model_of_the_same_shape_is_another_one(model, tmp_path):
    """Seen to answer in silence, by the factors of the one and the items of the other."""
    folded = model.fold_in({"i003": 5})
    other = ExplicitALS(n_factors=4, n_sweeps=3, seed=1).fit(model.history)
    for use in (other.recommend, other.similar_users, lambda users: other.predict(users, "i003")):
        with pytest.raises(DataError, match="folded into another model; fold them into this one"):
            use(folded)
    model.save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    assert again.recommend(folded).item_id.tolist() == model.recommend(folded).item_id.tolist()


def test_objective_is_that_of_the_fit_in_any_order_of_ids(model):
    entries = model.history.to_frame("pandas")
    extra = ["aaa first", *reversed(model.item_ids.labels)]
    shuffled = Interactions.from_frame(entries.sample(frac=1, random_state=0), value="value", item_ids=extra)
    assert model.objective(shuffled) == pytest.approx(model.objective(model.history), rel=1e-12)
    assert model.objective(model.history) == pytest.approx(model.trace[-1].objective, rel=1e-5)
    with pytest.raises(UnknownIdError, match=r"no user 'zoe' in this model \(40 users\); leave it out"):
        model.objective(Interactions.from_arrays(["zoe"], ["i003"], [5]))


def test_unknown_items_are_left_out_on_request(caplog):
    model = named_model()
    history = Interactions.from_arrays(["new", "new", "cold"], ["x", "w", "w"], [5.0, 1.0, 2.0])
    with pytest.raises(UnknownIdError, match=r"no item 'w' in this model \(3 items\)"):
        model.fold_in(history)
    with caplog.at_level("INFO", logger="alternant.model"):
        folded = model.fold_in(history, unknown="drop")
    assert caplog.messages == ["left out 2 entries of 1 unknown item; 1 of 2 users have none left"]
    assert folded.ids.labels.tolist() == ["cold", "new"]
    np.testing.assert_array_equal(folded.table[1], model.fold_in({"x": 5.0}).table[0])
    np.testing.assert_array_equal(folded.table[0], 0)
    assert model.recommend(folded, 1, unknown="fallback").source.tolist() == ["fallback", "model"]
    with pytest.raises(UnknownIdError, match=r"user 'cold' has no interactions to recommend from"):
        model.recommend(folded)
    with pytest.raises(DataError, match="unknown must be 'error' or 'drop', got 'nan'"):
        model.fold_in(history, unknown="nan")

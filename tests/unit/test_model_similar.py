import numpy as np
import pytest

from alternant.errors import DataError, UnknownIdError
from small_models import named_model, random_history, random_model


def test_neighbours_of_one_item():
    result = named_model().similar_items("x", min_entries=0)
    assert result.query_id.tolist() == ["x"]
    assert result.neighbour_id.tolist() == ["y", "z"]
    assert result.similarity.tolist() == [0.0, 0.0]
    assert result.rank.tolist() == [1, 2]


@pytest.mark.parametrize("biases", [True, False])
def test_cosines_agree_with_dense_float64(biases):
    model = random_model(random_history(20, 30), n_factors=5, biases=biases)
    for side, factors in (("items", model.item_factors), ("users", model.user_factors)):
        ask = model.similar_items if side == "items" else model.similar_users
        unit = factors.astype(float) / np.linalg.norm(factors.astype(float), axis=1, keepdims=True)
        cosine = unit @ unit.T
        result = ask(np.arange(len(factors)), k=100)
        for query, one in enumerate(result):
            np.testing.assert_allclose(one.similarity, cosine[query, one.neighbour_id], atol=1e-6)
            assert sorted([query, *one.neighbour_id]) == list(range(len(factors)))
            assert np.all(np.diff(one.similarity) <= 0)


def test_similarity_is_symmetric_to_the_bit():
    model = random_model(random_history(20, 30), n_factors=7)
    table = np.zeros((30, 30), np.float32)
    for query, one in enumerate(model.similar_items(np.arange(30), k=30)):
        table[query, one.neighbour_id] = one.similarity
    np.testing.assert_array_equal(table, table.T)


def test_extreme_lengths_do_not_overflow():
    history = random_history(4, 4)
    items = np.array([[1e-30, 0], [1e18, 1e18], [0, 0], [1e-44, 0]], np.float32)
    model = random_model(history, n_factors=2, biases=False, tables=[np.zeros((4, 2), np.float32), items])
    similarity = dict(
        zip(*[model.similar_items(0).neighbour_id, model.similar_items(0).similarity], strict=True)
    )
    assert similarity[1] == pytest.approx(np.sqrt(0.5), rel=1e-5)
    assert similarity[2] == 0


def test_errors():
    with pytest.raises(UnknownIdError, match=r"no item 'w' in this model \(3 items\)"):
        named_model().similar_items("w")
    with pytest.raises(UnknownIdError, match=r"no user 'zoe' in this model"):
        named_model().similar_users(["alice", "zoe"])
    with pytest.raises(DataError, match="k must be a positive integer, got 0"):
        named_model().similar_items("x", k=0)


def test_frame_and_text():
    result = named_model().similar_items(["x", "y"], k=1)
    frame = result.to_frame("pandas")
    assert frame.columns.tolist() == ["item_id", "similar_item_id", "rank", "similarity"]
    assert frame["item_id"].tolist() == ["x", "y"]
    assert named_model().similar_users("bob").to_frame("polars").columns[1] == "similar_user_id"
    assert str(result).splitlines()[:3] == [
        "items similar to 'x'",
        "  rank  item_id  similarity",
        "     1  y            0.0000",
    ]


def test_rows_with_few_entries_are_no_neighbours():
    model = named_model()
    assert model.similar_items("z").neighbour_id.tolist() == ["x", "y"]
    assert model.similar_items("z", min_entries=2).neighbour_id.tolist() == ["x"]
    assert model.similar_users("alice").neighbour_id.tolist() == ["bob"]
    folded = model.fold_in({"x": 4.0})
    assert model.similar_users(folded, min_entries=2).neighbour_id.tolist() == ["alice"]
    with pytest.raises(DataError, match=r"min_entries must be an integer of at least 0, got -1"):
        model.similar_items("x", min_entries=-1)


def test_titles_in_a_frame():
    frame = named_model().similar_items("x").to_frame("pandas", titles={"y": "Yentl"})
    assert frame.columns.tolist() == ["item_id", "similar_item_id", "title", "rank", "similarity"]
    assert frame["title"].tolist() == ["Yentl"]
    with pytest.raises(DataError, match=r"titles belong to items, and these are similar users"):
        named_model().similar_users("bob").to_frame("pandas", titles={"y": "Yentl"})

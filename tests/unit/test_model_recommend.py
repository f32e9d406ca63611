import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from alternant.errors import DataError, UnknownIdError
from alternant.interactions import Interactions
from small_models import named_model, random_history, random_model


def test_one_user():
    result = named_model().recommend("bob", min_entries=0)
    assert len(result) == 1
    assert result.user_id.tolist() == ["bob", "bob"]
    assert result.item_id.tolist() == ["y", "z"]
    assert result.rank.tolist() == [1, 2]
    assert result.score.tolist() == [2.0, 0.0]
    assert result.source.tolist() == ["model", "model"]
    assert result.offsets.tolist() == [0, 2]


def test_many_users_in_the_order_asked():
    result = named_model().recommend(["bob", "alice", "bob"], k=1, min_entries=0)
    assert result.query_id.tolist() == ["bob", "alice", "bob"]
    assert result.item_id.tolist() == ["y", "z", "y"]
    assert [one.item_id.tolist() for one in result] == [["y"], ["z"], ["y"]]
    assert [one.query_id.tolist() for one in result] == [["bob"], ["alice"], ["bob"]]


def test_seen_items_on_request():
    result = named_model().recommend("alice", exclude_seen=False, min_entries=0)
    assert result.item_id.tolist() == ["x", "y", "z"]
    assert result.score.tolist() == [1.25, 0.0, 0.0]


def test_exclude_and_candidates():
    model = named_model()
    assert model.recommend("bob", exclude="y", min_entries=0).item_id.tolist() == ["z"]
    assert model.recommend("bob", exclude=["y", "not here"], min_entries=0).item_id.tolist() == ["z"]
    assert model.recommend("bob", candidates=["z", "x"], min_entries=0).item_id.tolist() == ["z"]
    assert model.recommend("bob", candidates=["z", "y"], exclude=["y"], min_entries=0).item_id.tolist() == [
        "z"
    ]
    assert model.recommend("bob", candidates=[], min_entries=0).item_id.tolist() == []
    with pytest.raises(UnknownIdError, match="no item 'w' in this model"):
        model.recommend("bob", candidates=["w"], min_entries=0)


def test_scores_are_those_of_score_to_the_bit():
    model = random_model(random_history(40, 60), n_factors=65)
    for biased in (model, random_model(random_history(40, 60), n_factors=65, biases=False)):
        result = biased.recommend(np.arange(40), k=60, exclude_seen=False)
        np.testing.assert_array_equal(biased.score(result.user_id, result.item_id), result.score)
        mirrored = biased.recommend_users(np.arange(60), k=40, exclude_seen=False)
        np.testing.assert_array_equal(biased.score(mirrored.user_id, mirrored.item_id), mirrored.score)


def test_recommend_users():
    result = named_model().recommend_users("x", exclude_seen=False, min_entries=0)
    assert result.item_id.tolist() == ["x"] * 3
    assert result.user_id.tolist() == ["alice", "bob", "carol"]
    assert result.score.tolist() == [1.25, 0.25, 0.25]
    assert named_model().recommend_users(["x", "y"], min_entries=0).user_id.tolist() == [
        "carol",
        "bob",
        "carol",
    ]


def test_recommend_users_falls_back_to_the_most_active():
    result = named_model().recommend_users("z", k=2, unknown="fallback")
    assert result.user_id.tolist() == ["alice", "bob"]
    assert result.score.tolist() == [2.0, 1.0]
    assert result.source.tolist() == ["fallback", "fallback"]


def test_fallback_among_known_users():
    result = named_model().recommend(
        ["zoe", "bob", "carol"], k=2, unknown="fallback", exclude=["x"], min_entries=0
    )
    assert result.user_id.tolist() == ["zoe", "zoe", "bob", "bob", "carol", "carol"]
    assert result.item_id.tolist() == ["y", "z", "y", "z", "y", "z"]
    assert result.source.tolist() == ["fallback"] * 2 + ["model"] * 2 + ["fallback"] * 2
    assert result.score.tolist() == [1, 0, 2, 0, 1, 0]
    assert result.rank.tolist() == [1, 2] * 3


def test_integer_labels_stay_integers_in_a_fallback():
    model = random_model(random_history(5, 4))
    result = model.recommend([99, 1], k=2, unknown="fallback")
    assert result.user_id.dtype == np.int64
    assert set(result.user_id.tolist()) == {99, 1}


@pytest.mark.parametrize(
    "users",
    [
        ["alice", "bob"],
        ("alice", "bob"),
        np.array(["alice", "bob"]),
        np.array(["alice", "bob"], object),
        pd.Series(["alice", "bob"]),
        pl.Series(["alice", "bob"]),
        pa.array(["alice", "bob"]),
        pa.chunked_array([["alice"], ["bob"]]),
        iter(["alice", "bob"]),
        dict.fromkeys(["alice", "bob"]).keys(),
    ],
)
@pytest.mark.parametrize("unknown", ["error", "fallback"])
def test_users_as_any_sequence(users, unknown):
    if unknown == "fallback" and hasattr(users, "__next__"):
        users = iter(["alice", "bob"])  # the same object serves both cases
    result = named_model().recommend(users, unknown=unknown)
    assert result.query_id.tolist() == ["alice", "bob"]


@pytest.mark.parametrize("user", [3, np.int64(3), np.int32(3), np.array(3), np.uint8(3)])
def test_one_integer_user_of_any_type(user):
    model = random_model(random_history(5, 4))
    assert model.recommend(user).query_id.tolist() == [3]


def test_no_users():
    result = named_model().recommend([])
    assert (len(result), len(result.item_id)) == (0, 0)
    assert str(result) == "recommendations for 0 users"


def test_arguments_are_checked():
    model = named_model()
    with pytest.raises(DataError, match="k must be a positive integer, got 0"):
        model.recommend("bob", k=0)
    with pytest.raises(DataError, match=r'unknown must be "error" or "fallback", got \'nan\''):
        model.recommend("bob", unknown="nan")
    with pytest.raises(DataError, match="k must be a positive integer, got -2"):
        model.recommend("zoe", k=-2, unknown="fallback")


def test_a_model_without_history_cannot_tell_what_was_seen():
    model = random_model(random_history(5, 4), history=None)
    with pytest.raises(DataError, match=r"exclude_seen needs the training history.*pass exclude_seen=False"):
        model.recommend(1)
    assert len(model.recommend(1, exclude_seen=False).item_id) == 4


@pytest.mark.parametrize(("frame_type", "library"), [("pandas", pd), ("polars", pl), ("pyarrow", pa)])
def test_frames_of_every_library(frame_type, library):
    result = named_model().recommend(["alice", "bob"], k=1, min_entries=0)
    frame = result.to_frame(frame_type)
    assert type(frame).__module__.split(".")[0] == library.__name__.split(".")[0]
    names = frame.column_names if frame_type == "pyarrow" else list(frame.columns)
    assert names == ["user_id", "item_id", "rank", "score", "source"]
    rows = (
        frame.to_pylist()
        if frame_type == "pyarrow"
        else frame.to_dict("records")
        if frame_type == "pandas"
        else frame.to_dicts()
    )
    assert rows[1] == {"user_id": "bob", "item_id": "y", "rank": 1, "score": 2.0, "source": "model"}


def test_frames_follow_the_training_data():
    frame = pl.DataFrame({"user": [1, 1, 2], "item": [1, 2, 1], "stars": [5, 3, 4]})
    history = Interactions.from_frame(frame, value="stars")
    model = random_model(history, frame_type=history.frame_type)
    assert isinstance(model.recommend(2).to_frame(), pl.DataFrame)
    assert isinstance(model.similar_items(2).to_frame(), pl.DataFrame)
    assert isinstance(model.complete().to_frame(), pl.DataFrame)
    assert isinstance(model.item_factors_frame(), pl.DataFrame)


def test_text_of_a_list():
    assert str(
        named_model().recommend(["bob", "zoe"], k=2, unknown="fallback", min_entries=0)
    ).splitlines() == [
        "recommendations for user 'bob'",
        "  rank  item_id   score",
        "     1  y        2.0000",
        "     2  z        0.0000",
        "recommendations for user 'zoe' (fallback: by popularity, score = interactions)",
        "  rank  item_id   score",
        "     1  x        2.0000",
        "     2  y        1.0000",
    ]
    text = str(random_model(random_history(9, 40)).recommend(np.arange(9), k=40, exclude_seen=False))
    assert "and 20 more" in text
    assert text.endswith("and 4 more users")


def test_batches_and_threads_give_the_same_bits():
    model = random_model(random_history(300, 200), n_factors=40)
    results = [model.recommend(np.arange(300), k=15, n_threads=n) for n in (1, 2, 3, 7)]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].item_id, other.item_id)
        np.testing.assert_array_equal(results[0].score, other.score)
    for user in range(0, 300, 37):
        one = model.recommend(user, k=15)
        rows = slice(*results[0].offsets[user : user + 2])
        np.testing.assert_array_equal(one.item_id, results[0].item_id[rows])
        np.testing.assert_array_equal(one.score, results[0].score[rows])


def test_rows_with_few_entries_are_not_listed():
    """x has two entries, y one, z none; alice two, bob one, carol none."""
    model = named_model()
    assert model.recommend("bob").item_id.tolist() == ["y"]
    assert model.recommend("bob", candidates=["z"]).item_id.tolist() == []
    assert model.recommend("alice", exclude_seen=False, min_entries=2).item_id.tolist() == ["x"]
    assert model.recommend("zoe", unknown="fallback").item_id.tolist() == ["x", "y"]
    assert model.recommend("zoe", unknown="fallback", min_entries=2).item_id.tolist() == ["x"]
    assert model.recommend_users("x", exclude_seen=False).user_id.tolist() == ["alice", "bob"]
    assert model.recommend_users("y", exclude_seen=False, min_entries=2).user_id.tolist() == ["alice"]
    for wrong in (-1, 1.5, True):
        with pytest.raises(DataError, match=rf"min_entries must be an integer of at least 0, got {wrong!r}"):
            model.recommend("bob", min_entries=wrong)


def test_titles_in_a_frame():
    lists = named_model().recommend(["alice", "bob"], exclude_seen=False, min_entries=0)
    frame = lists.to_frame("pandas", titles={"x": "Xanadu"})
    assert frame.columns.tolist() == ["user_id", "item_id", "title", "rank", "score", "source"]
    assert frame["title"].tolist() == ["Xanadu" if item == "x" else "" for item in frame["item_id"]]
    model = random_model(random_history(5, 4))
    assert (
        model.recommend(1)
        .to_frame("polars", titles={0: "a", 1: "b", 2: "c", 3: "d"})["title"]
        .is_in(list("abcd"))
        .all()
    )
    with pytest.raises(DataError, match=r"titles must map item ids to titles, got list; see read_titles"):
        lists.to_frame("pandas", titles=["Xanadu"])


def test_labels_of_the_unknown_are_plain_text():
    """Seen to be np.str_('x'), or an array of no dimensions, in results and their text."""
    model = named_model()
    for asked in ("q", np.str_("q"), np.array("q"), ["q"], np.array(["q"])):
        found = model.recommend(asked, unknown="fallback")
        assert [type(label) for label in found.query_id.tolist()] == [str]
        assert str(found).startswith("recommendations for user 'q' (fallback")
    with pytest.raises(DataError, match=r"item ids must be an array or a sequence, got a dict"):
        model.recommend("bob", exclude={"x": 1})

"""Explanations of every kind of model: the terms, against a dense float64 solve, and their sums."""

from dataclasses import replace

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, ImplicitALS, Interactions, UnknownIdError
from small_models import random_history

HISTORY = random_history(30, 20, seed=3)
USERS, ITEMS = (each.ravel() for each in np.meshgrid(np.arange(30), np.arange(20), indexing="ij"))


def weighted(history, seed=5):
    entries = history.entries()
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, history.n_entries)
    return Interactions.from_codes(
        history.user_ids,
        history.item_ids,
        user_index=entries.user_index,
        item_index=entries.item_index,
        values=entries.values,
        weights=weights.astype(np.float32),
    )


GENRES = {
    "item_attributes": {"item_id": np.arange(20), "genre": ["a", "b", "c", "d"] * 5},
    "user_attributes": {"user_id": np.arange(30), "group": ["p", "q", "r"] * 10},
}

ESTIMATORS = {
    "explicit": (ExplicitALS(n_factors=4, regularization=0.2), {}),
    "no biases": (ExplicitALS(n_factors=4, regularization=0.2, biases=False, link=False), {}),
    "link": (ExplicitALS(n_factors=4, regularization=0.2, link=True), {}),
    "attributes": (ExplicitALS(n_factors=4, regularization=0.2, link=True), GENRES),
    "discount": (ExplicitALS(n_factors=4, regularization=0.2, item_discount=0.5, user_discount=0.25), {}),
    "rule": (ExplicitALS(n_factors=4), {}),
    "ials": (ImplicitALS(n_factors=4), {}),
    "ials attributes": (ImplicitALS(n_factors=4), GENRES),
    "hkv": (ImplicitALS(n_factors=4, form="hkv", regularization=0.1), {}),
    "missing-as-zero": (ImplicitALS(n_factors=4, form="missing-as-zero", regularization=0.1), {}),
    "exponents": (
        ImplicitALS(
            n_factors=4, form="hkv", regularization=0.1, unobserved_item_exponent=0.5,
            unobserved_user_exponent=0.25,
        ),
        {},
    ),
    "nonnegative": (ExplicitALS(n_factors=4, regularization=0.2, nonnegative=True, link=False), {}),
    "l1": (ExplicitALS(n_factors=4, regularization=0.2, l1_regularization=0.05, link=False), {}),
    "implicit nonnegative": (ImplicitALS(n_factors=4, nonnegative=True), {}),
    "implicit l1": (ImplicitALS(n_factors=4, l1_regularization=0.002), {}),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(ESTIMATORS))
def fitted(request):
    estimator, extra = ESTIMATORS[request.param]
    history = weighted(HISTORY) if request.param in ("no biases", "ials") else HISTORY
    return request.param, estimator.fit(history, **extra)


def assert_sums(why, scores):
    largest = np.zeros(len(why))
    np.maximum.at(largest, why.pair_index, np.abs(why.contribution))
    assert np.all(np.abs(why.score - scores) <= 1e-5 * np.maximum(largest, 1.0))


def test_terms_sum_to_the_score(fitted):
    name, model = fitted
    why = model.explain(USERS, ITEMS)
    scores = model.score(USERS, ITEMS)
    assert np.abs(scores).max() > 0.05
    assert_sums(why, scores)
    if name != "rule":  # which finds nothing in values without structure
        assert np.abs(why.contribution[why.kind == "history"]).max() > 0.05
    kinds = {"history"}
    kinds |= {"item bias"} if model.item_biases is not None else set()
    kinds |= {"attribute"} if "attributes" in name else set()
    kinds |= {"constant"} if "l1" in name else set()
    assert set(why.kind) == kinds


def test_folded_in_users_have_the_terms_of_the_stored(fitted):
    _, model = fitted
    some = model.fold_in(model.history)
    np.testing.assert_array_equal(some.table, model.user_table)
    why, stored = model.explain(some, np.arange(30) % 20), model.explain(np.arange(30), np.arange(30) % 20)
    np.testing.assert_allclose(why.contribution, stored.contribution, rtol=1e-12, atol=1e-15)
    assert why.label.tolist() == stored.label.tolist()


def test_terms_of_an_explicit_row_written_out():
    model = ExplicitALS(n_factors=3, link=True, regularization=0.2).fit(HISTORY, **GENRES)
    problem, prior = model.problem, model.user_prior
    names = prior.encoding.feature_names
    for user in (0, 7, 29):
        entries = model.history.entries()
        mine = entries.user_index == user
        seen, values = entries.item_index[mine], entries.values[mine].astype(np.float64)
        y = model.item_table[seen].astype(np.float64)
        targets = values - model.mean - y[:, -1]
        y[:, -1] = 1.0
        ridge = problem.diagonal("users", np.array([len(seen)]))[0]
        query = np.append(model.item_factors[4].astype(np.float64), 0.0)
        z = np.linalg.inv(y.T @ y + np.diag(ridge)) @ query
        history = targets * (y @ z) + (ridge * prior.link[seen]) @ z / np.sqrt(len(seen))
        group = names.index("group=" + "pqr"[user % 3])
        why = model.explain(user, 4)
        by_name = dict(zip(zip(why.kind, why.label, strict=True), why.contribution, strict=True))
        for item, expected in zip(seen.tolist(), history, strict=True):
            assert by_name.pop(("history", item)) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        expected = (ridge * prior.attributes[group]) @ z
        assert by_name.pop(("attribute", names[group])) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert by_name == {("item bias", ""): model.item_biases[4]}


def test_a_history_term_is_what_its_target_adds():
    model = ImplicitALS(n_factors=3, value="target").fit(HISTORY)
    before = {0: 1.0, 3: 1.0, 9: 1.0}
    why = model.explain(model.fold_in(before), 5)
    without = model.explain(model.fold_in(before | {3: 1e-9}), 5)
    lost = why.score[0] - without.score[0]
    assert why.contribution[why.label.tolist().index(3)] == pytest.approx(lost, rel=1e-5)


def test_users_without_entries():
    history = Interactions.from_arrays(
        ["a", "a", "b"], ["x", "y", "x"], [5, 3, 4], user_ids=["a", "b", "c"], item_ids=["x", "y"]
    )
    why = ExplicitALS(n_factors=2, biases=False).fit(history).explain("c", ["x", "y"])
    assert len(why) == 2
    assert len(why.contribution) == 0
    np.testing.assert_array_equal(why.score, [0.0, 0.0])
    biased = ExplicitALS(n_factors=2).fit(history)
    why = biased.explain("c", "x")
    assert why.kind.tolist() == ["item bias"]
    assert why.score[0] == biased.score("c", "x")
    groups = {"user_id": ["a", "b", "c"], "group": ["p", "q", "p"]}
    described = ExplicitALS(n_factors=2).fit(history, user_attributes=groups)
    why = described.explain("c", "x")
    assert why.kind.tolist() == ["attribute", "item bias"]
    assert why.label.tolist() == ["group=p", ""]
    assert_sums(why, described.score(["c"], ["x"]))


def test_attributes_that_fold_in_was_given_are_not_taken_for_others():
    model = ExplicitALS(n_factors=3, regularization=0.1).fit(HISTORY, **GENRES)
    told = model.fold_in({0: 5.0, 1: 1.0}, attributes={"user_id": ["new user"], "group": ["p"]})
    if hasattr(told, "features"):
        assert_sums(model.explain(told, 3), model.score(told, [3]))
    else:
        with pytest.raises(DataError, match="must sum to the score"):
            model.explain(told, 3)


def test_it_is_shown_and_becomes_a_frame():
    model = ExplicitALS(n_factors=3, regularization=0.2).fit(HISTORY)
    why = model.explain([3, 4, 5, 6], 2)
    shown = repr(why)
    first = next(iter(why))
    strongest = int(np.abs(first.contribution).argmax())
    assert shown.splitlines()[0] == f"user 3, item 2: score {first.score[0]:.4f}"
    name = f"{first.kind[strongest]} {first.label[strongest]}".strip()
    assert shown.splitlines()[1] == f"  {first.contribution[strongest]:+10.4f}  {name}"
    assert shown.splitlines()[-1] == "and 1 more pairs"
    assert repr(model.explain([], [])) == "explanations of 0 pairs"
    frame = why.to_frame("pandas")
    assert frame.columns.tolist() == ["user_id", "item_id", "kind", "label", "contribution"]
    assert len(frame) == len(why.contribution)
    np.testing.assert_allclose(frame.groupby("user_id").contribution.sum(), why.score, rtol=1e-9)


def test_pairs_come_as_for_score():
    model = ExplicitALS(n_factors=3, regularization=0.2).fit(HISTORY)
    one = model.explain(3, 2)
    assert len(one) == 1
    assert one.user_id.tolist() == [3]
    assert one.item_id.tolist() == [2]
    assert model.explain(3, [2, 4]).user_id.tolist() == [3, 3]
    folded = model.fold_in({0: 4.0})
    why = model.explain(folded, [2, 4])
    assert why.user_id.tolist() == ["new user"] * 2
    assert_sums(why, model.score(folded, [2, 4]))


def test_refusals():
    model = ExplicitALS(n_factors=2).fit(HISTORY)
    with pytest.raises(UnknownIdError, match="user 99"):
        model.explain(99, 2)
    bare = replace(model, history=None)
    with pytest.raises(DataError, match=r"pass model.fold_in\(history\)"):
        bare.explain(3, 2)
    assert_sums(
        bare.explain(bare.fold_in({0: 4.0, 1: 2.0}), 2), [bare.score(bare.fold_in({0: 4.0, 1: 2.0}), 2)[0]]
    )


def test_a_weight_that_drowns_all_else_is_refused():
    """Beside a weight of 1e38 float64 loses the rest of the system. Seen to fail as a LinAlgError."""
    model = ImplicitALS(n_factors=4, n_sweeps=2).fit(random_history(30, 20))
    with pytest.raises(DataError, match="a user's row system is singular to the precision of its numbers"):
        model.explain(model.fold_in({1: 1e38}), [1, 2])

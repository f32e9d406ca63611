"""A model as the start of a fit: what it learnt comes along, by ids and names."""

from dataclasses import replace

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions, training
from alternant.attributes import AttributeMatrix
from small_models import random_history

HISTORY = random_history(60, 40, seed=1)
FILMS = {
    "item_id": np.arange(40),
    "genres": [("a|b", "b", "c|a")[item % 3] for item in range(40)],
    "year": [1980 + item % 7 for item in range(40)],
}
PEOPLE = {"user_id": np.arange(60), "town": [f"t{user % 4}" for user in range(60)]}

CASES = {
    "link": (ExplicitALS(n_factors=4, tol=0), {}),
    "link and attributes": (
        ExplicitALS(n_factors=4, tol=0), {"user_attributes": PEOPLE, "item_attributes": FILMS},
    ),
    "attributes": (
        ExplicitALS(n_factors=4, tol=0, link=False),
        {"item_attributes": AttributeMatrix(np.arange(40), np.eye(40)[:, :5] + 0.1)},
    ),
    "implicit": (ImplicitALS(n_factors=4, tol=0), {"user_attributes": PEOPLE, "item_attributes": FILMS}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_fit_goes_on_where_the_model_ended(case):
    """From coefficients of 0 the first half-sweep is far above."""
    estimator, attributes = CASES[case]
    first = replace(estimator, n_sweeps=15).fit(HISTORY, **attributes)
    on = replace(estimator, n_sweeps=5).fit(HISTORY, initial=first, **attributes)
    # The users' pass that ended the first fit, and then their coefficients, which may fall a little.
    assert on.trace[0].objective == pytest.approx(first.trace[-1].objective, rel=1e-3)
    assert on.trace[0].objective <= first.trace[-1].objective * (1 + 1e-6)
    through = replace(estimator, n_sweeps=20).fit(HISTORY, **attributes)
    assert on.trace[-1].objective == pytest.approx(through.trace[-1].objective, rel=1e-4)
    afresh = replace(estimator, n_sweeps=5).fit(
        HISTORY, initial=np.ascontiguousarray(first.item_factors), **attributes
    )
    assert afresh.trace[0].objective > on.trace[0].objective * 1.001


def test_coefficients_are_found_by_id_and_by_name():
    """Another order of items and features, some of each missing, a year on another scale."""
    estimator = ExplicitALS(n_factors=3, n_sweeps=8, tol=0)
    first = estimator.fit(HISTORY, item_attributes=FILMS)
    entries = HISTORY.entries()
    kept = entries.item_index >= 5
    fewer = Interactions.from_arrays(entries.user_index[kept], entries.item_index[kept], entries.values[kept])
    films = {
        "item_id": np.arange(5, 40),
        "year": FILMS["year"][5:],
        "studio": [f"s{item % 2}" for item in range(35)],
        "genres": FILMS["genres"][5:],
    }
    found = {}
    plain = training.coefficient_start

    def keeping(parts, side, *rest):
        found[side] = plain(parts, side, *rest)
        return found[side]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alternant.als._fitting.coefficient_start", keeping)
        model = estimator.fit(fewer, item_attributes=films, initial=first)
    [link] = found["users"]
    np.testing.assert_array_equal(link, first.user_prior.link[5:])
    link, attributes = found["items"]
    np.testing.assert_array_equal(link, first.item_prior.link)
    new, old = model.item_prior.encoding, first.item_prior.encoding
    assert {"year", "studio=s0", "genres=a"} <= set(new.feature_names)
    deviation = {each.name: each.scale for each in new.columns}["year"]
    before = {each.name: each.scale for each in old.columns}["year"]
    assert deviation != before
    for place, name in enumerate(new.feature_names):
        if name not in old.feature_names:
            assert (attributes[place] == 0).all()
            continue
        expected = first.item_prior.attributes[old.feature_names.index(name)]
        scale = deviation / before if name == "year" else 1.0
        np.testing.assert_allclose(attributes[place], expected * scale, rtol=1e-6)


def test_what_a_model_does_not_have_starts_at_zero():
    estimator = ExplicitALS(n_factors=3, n_sweeps=4)
    plain = replace(estimator, link=False).fit(HISTORY)
    model = estimator.fit(HISTORY, initial=plain, item_attributes=FILMS)
    assert np.isfinite(model.user_table).all()
    assert (model.item_prior.attributes != 0).any()
    with_link = estimator.fit(HISTORY, item_attributes=FILMS)
    assert replace(estimator, link=False).fit(HISTORY, initial=with_link).item_prior.is_empty
    named = Interactions.from_arrays(
        [f"u{user}" for user in HISTORY.entries().user_index],
        HISTORY.entries().item_index,
        HISTORY.entries().values,
    )
    assert np.isfinite(estimator.fit(named, initial=with_link).user_table).all()


def test_biases_that_only_one_of_two_has():
    estimator = ExplicitALS(n_factors=3, n_sweeps=4)
    without = replace(estimator, biases=False)
    for one, two in ((estimator, without), (without, estimator)):
        first = one.fit(HISTORY, item_attributes=FILMS)
        model = two.fit(HISTORY, item_attributes=FILMS, initial=first)
        assert model.trace[0].objective < two.fit(HISTORY, item_attributes=FILMS).trace[0].objective

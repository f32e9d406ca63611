"""Selection: conditions and k-cores."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.weighting import fulfils, select


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (">= 4", [0, 0, 1, 1]),
        (">4", [0, 0, 0, 1]),
        ("<= 4.0", [1, 1, 1, 0]),
        (" < -.5 ", [1, 0, 0, 0]),
        ("==0.1", [0, 1, 0, 0]),
        ("!= 1e-1", [1, 0, 1, 1]),
    ],
)
def test_conditions(condition, expected):
    values = np.array([-1, 0.1, 4, 5], dtype=np.float32)
    assert fulfils(values, condition).tolist() == [bool(e) for e in expected]


@pytest.mark.parametrize("condition", ["4", "=> 4", "> four", ">= 4; 1", "", ">= nan", 4])
def test_other_conditions_are_refused_with_the_grammar(condition):
    with pytest.raises(
        DataError, match='a condition is one of >=, >, <=, <, ==, != and a number, as in ">= 4", got'
    ):
        fulfils(np.zeros(1, np.float32), condition)


def test_the_k_core_is_taken_until_it_is_stable():
    # Item 3 leaves for lack of users; then user c has one item only, and leaves; then item 2 does.
    data = Interactions.from_arrays(
        list("aabbccaab"), [0, 1, 0, 1, 2, 3, 2, 4, 4], [5, 4, 3, 5, 4, 3, 5, 5, 5]
    )
    core = select(data, min_user_entries=2, min_item_entries=2)
    assert core.user_ids.labels.tolist() == ["a", "b"]
    assert core.item_ids.labels.tolist() == [0, 1, 4]
    assert core.report.n_deselected == 3
    liked = select(data, positive_if=">= 4", min_user_entries=2)
    assert liked.user_ids.labels.tolist() == ["a", "b"]
    assert liked.report.n_deselected == 3
    assert liked.by_user.values.min() == 4


def test_ids_without_entries_leave_even_without_conditions():
    data = Interactions.from_arrays([1], [1], [1], user_ids=[1, 2])
    assert select(data).n_users == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_user_entries": 0}, "min_user_entries must be a positive integer, got 0"),
        ({"min_item_entries": 1.5}, r"min_item_entries must be a positive integer, got 1\.5"),
        ({"positive_if": "> 1"}, "positive_if='> 1' needs values, and these interactions have none"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(DataError, match=message):
        select(Interactions.from_arrays([1], [1], duplicates="error"), **settings)

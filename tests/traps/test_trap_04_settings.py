"""Trap 4, the data half: negative weights and settings out of range are refused with name, expected, got."""

import pytest

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.splitting import random_split
from alternant.weighting import select


@pytest.mark.parametrize("on_invalid", ["error", "drop"])
def test_trap_04_a_negative_weight_is_refused(on_invalid):
    with pytest.raises(DataError, match=r"weights must not be negative, got -0\.5 for user 'b', item 'x'"):
        Interactions.from_arrays(["a", "b"], ["x", "x"], weights=[1, -0.5], on_invalid=on_invalid)


def test_trap_04_an_event_of_negative_weight_is_refused():
    frame = {"user": ["a"], "item": ["x"], "event": ["hate"]}
    with pytest.raises(DataError, match=r"weights must not be negative, got -1\.0 for user 'a', item 'x'"):
        Interactions.from_frame(frame, event="event", event_weights={"hate": -1})


def test_trap_04_settings_out_of_range_are_refused():
    data = Interactions.from_arrays([1], [1])
    with pytest.raises(DataError, match=r"test_fraction must be a number between 0 and 1, got -0\.1"):
        random_split(data, test_fraction=-0.1)
    with pytest.raises(DataError, match="min_user_entries must be a positive integer, got -8"):
        select(data, min_user_entries=-8)

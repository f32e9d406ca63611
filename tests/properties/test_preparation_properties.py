"""Preparation of any small table, by any settings: against plain loops, and alike in fit and fold-in."""

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alternant.interactions import Interactions
from alternant.preparation import FittedPreparation, Preparation

N_USERS, N_ITEMS = 14, 9  # the last two users and the last item never have entries
DAY = 86_400
LOWEST_IDF = 1e-6

STEPS = {
    "log": ("log(epsilon=0.5)", lambda v: {k: math.log1p(x / 0.5) for k, x in v.items()}),
    "bm25": ("bm25(k1=2, b=0.75)", lambda v: bm25(v, 2, 0.75)),
    "tfidf": ("tfidf", lambda v: {k: math.sqrt(x) * idf(v, k[1]) for k, x in v.items()}),
    "normalize": ("normalize()", lambda v: {k: x / mean_of_user(v, k[0]) for k, x in v.items()}),
}


def idf(v, item):
    n_users, n_item = len({u for u, _ in v}), sum(i == item for _, i in v)
    return max(math.log(n_users) - math.log(1 + n_item), LOWEST_IDF)


def mean_of_user(v, user):
    own = [x for (u, _), x in v.items() if u == user]
    return sum(own) / len(own)


def bm25(v, k1, b):
    length = {user: sum(x for (u, _), x in v.items() if u == user) for user, _ in v}
    average = sum(length.values()) / len(length) if any(length.values()) else 1.0
    below = {k: k1 * (1 - b + b * length[k[0]] / average) + x for k, x in v.items()}
    return {k: x * (k1 + 1) / below[k] * idf(v, k[1]) for k, x in v.items()}


def plain(table, meaning, steps, half_life, user_discount, item_discount, scale):
    """The prepared entries: {(user, item): (t, e)}. Times are days."""
    raw = {(u, i): v for u, i, v, *_ in table if v != 0 or meaning not in ("confidence", "count")}
    weight = {(u, i): w for u, i, _, w, _ in table}
    time = {(u, i): day for u, i, *_, day in table}
    v = {k: abs(x) for k, x in raw.items()} if meaning == "confidence" else dict(raw)
    for step in steps:
        v = STEPS[step][1](v)
    latest = max(time.values(), default=0)
    t, e = {}, {}
    for k in v:
        t[k] = v[k] if meaning in ("rating", "target") else float(meaning != "confidence" or raw[k] > 0)
        e[k] = weight[k] * (v[k] if meaning in ("confidence", "count") else 1)
        if half_life:
            e[k] *= 2 ** (-(latest - time[k]) / half_life)
    kept = [k for k in e if np.float32(e[k]) != 0]
    discount = {
        (u, i): sum(k[1] == i for k in kept) ** -item_discount
        * sum(k[0] == u for k in kept) ** -user_discount
        for u, i in kept
    }
    mean = sum(discount.values()) / len(kept) if kept else 1
    return {k: (t[k], scale * discount[k] / mean * e[k]) for k in kept}


@st.composite
def cases(draw):
    """A table and settings that fit it."""
    meaning = draw(st.sampled_from(["rating", "confidence", "count", "target", "ignore"]))
    steps = [] if meaning == "ignore" else draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=3))
    lowest = {"confidence": -6, "count": 0}.get(meaning, -6)
    if meaning in ("rating", "target") and steps:
        lowest = 1 if "normalize" in steps else 0
    row = st.tuples(
        st.integers(0, N_USERS - 3),
        st.integers(0, N_ITEMS - 2),
        st.integers(lowest, 6).map(lambda x: x / 2),
        st.sampled_from([0.25, 1.0, 3.0]),
        st.integers(0, 5),
    )
    table = draw(st.lists(row, min_size=1, max_size=40, unique_by=lambda row: row[:2]))
    settings = {
        "half_life": draw(st.sampled_from([None, 2.0, 0.01])),  # 0.01: 5 days leave a weight of 0
        "user_discount": draw(st.sampled_from([0, 0.5, 1.25])),
        "item_discount": draw(st.sampled_from([0, 0.3, 2])),
        "scale": draw(st.sampled_from([1, 40.0])),
    }
    return table, meaning, steps, settings


def build(table):
    users, items, values, weights, days = (list(c) for c in zip(*table, strict=True))
    return Interactions.from_arrays(
        users,
        items,
        values,
        weights=weights,
        times=np.array(days) * DAY,
        user_ids=np.arange(N_USERS),
        item_ids=np.arange(N_ITEMS),
    )


def preparation_of(meaning, steps, settings):
    words = [STEPS[step][0] for step in steps]
    if settings["half_life"]:
        words.append(f"half_life({settings['half_life']})")
    others = {name: value for name, value in settings.items() if name != "half_life"}
    return Preparation(meaning, ", ".join(words), **others)


def columns(data):
    e = data.entries()
    ones = np.ones(data.n_entries, np.float32)
    t, w = (ones if column is None else column for column in (e.values, e.weights))
    return e.user_index, e.item_index, t, w


def bits(data):
    return [column.tobytes() for column in columns(data)]


@given(cases())
def test_it_is_what_plain_loops_make_of_it(case):
    """Seen to fail with idf not clamped, n counted before zeros go, the mean taken over all entries, and
    by_item given weights in the order of by_user."""
    table, meaning, steps, settings = case
    prepared = preparation_of(meaning, steps, settings).fit(build(table)).interactions
    expected = plain(table, meaning, steps, **settings)
    users, items, t, e = columns(prepared)
    assert list(zip(users.tolist(), items.tolist(), strict=True)) == sorted(expected)
    assert t == pytest.approx([expected[k][0] for k in sorted(expected)], rel=1e-6, abs=1e-9)
    assert e == pytest.approx([expected[k][1] for k in sorted(expected)], rel=1e-6, abs=1e-36)
    again, there = prepared.by_user.transposed(), prepared.by_item
    for name in ("offsets", "indices", "values", "weights"):
        assert np.array_equal(getattr(again, name), getattr(there, name))


@given(cases())
def test_the_raw_history_of_a_user_or_an_item_gives_the_bits_of_the_fit(case):
    """Seen to fail with L̄, the mean discount or the latest time counted afresh, and with own numbers on both
    sides."""
    table, meaning, steps, settings = case
    raw = build(table)
    prepared = preparation_of(meaning, steps, settings).fit(raw)
    given = raw.entries()
    made = prepared.interactions.entries()
    sides = (("users", given.user_index, made.user_index), ("items", given.item_index, made.item_index))
    for own, index, prepared_index in sides:
        for position in np.unique(index):
            expected = bits(prepared.interactions.take(prepared_index == position))
            history = raw.take(index == position)
            assert bits(prepared.fitted.apply(history, own=own)) == expected


@given(cases())
def test_a_fit_that_was_saved_prepares_the_same(case):
    """Once, not twice: constants do not move. Seen to fail when the constants are stored as float32."""
    table, meaning, steps, settings = case
    raw = build(table)
    prepared = preparation_of(meaning, steps, settings).fit(raw)
    stored = json.dumps(prepared.fitted.to_dict())
    arrays = {name: array.copy() for name, array in prepared.fitted.to_arrays().items()}
    again = FittedPreparation.from_parts(json.loads(stored), arrays)
    for fitted in (prepared.fitted, again):
        for own in ("users", "items", "both"):
            assert bits(fitted.apply(raw, own=own)) == bits(prepared.interactions)
            later = fitted.apply(build([(0, 0, 1.0, 1.0, 0)]), own=own)
            assert later.n_entries <= 1
        assert json.dumps(fitted.to_dict()) == stored
        assert {n: a.tobytes() for n, a in fitted.to_arrays().items()} == {
            n: a.tobytes() for n, a in arrays.items()
        }


@given(cases())
def test_a_scale_only_scales(case):
    """Seen to fail when the scale is applied to targets too."""
    table, meaning, steps, settings = case
    assume(settings["half_life"] != 0.01)  # weights near the smallest float
    one = preparation_of(meaning, steps, settings | {"scale": 1}).fit(build(table)).interactions
    four = preparation_of(meaning, steps, settings | {"scale": 4}).fit(build(table)).interactions
    assert columns(one)[2].tolist() == columns(four)[2].tolist()
    assert (4 * columns(one)[3]).tolist() == columns(four)[3].tolist()

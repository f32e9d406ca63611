"""Properties of interactions, splits and selections, for any small table."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alternant.interactions import Interactions
from alternant.splitting import k_fold, random_split
from alternant.weighting import select

VALUES = st.floats(-100, 100, width=32)
ROW = st.tuples(st.integers(-3, 6), st.sampled_from("abcdé"), VALUES, st.integers(0, 20))
TABLE = st.lists(ROW, max_size=40)
DISTINCT = st.lists(ROW, max_size=30, unique_by=lambda row: row[:2])


def build(table, **options):
    columns = list(zip(*table, strict=True)) or [[], [], [], []]
    users, items, values, times = (list(column) for column in columns)
    return Interactions.from_arrays(users, items, values, times=times, **options)


def rows(data):
    e = data.entries()
    users, items = data.user_ids.labels[e.user_index], data.item_ids.labels[e.item_index]
    return sorted(zip(users.tolist(), items.tolist(), e.values.tolist(), e.times.tolist(), strict=True))


def transposed_rows(data):
    by_item = data.by_item
    users, items = data.user_ids.labels[by_item.indices], data.item_ids.labels[by_item.row_index()]
    return sorted(
        zip(users.tolist(), items.tolist(), by_item.values.tolist(), by_item.times.tolist(), strict=True)
    )


@given(DISTINCT)
def test_what_goes_in_comes_out_in_both_orientations(table):
    """Seen to fail when the transpose gathers values by the wrong order."""
    data = build(table)
    assert rows(data) == transposed_rows(data) == sorted(table)
    for side in (data.by_user, data.by_item):
        for block in side.blocks(max_entries=1):
            assert (np.diff(block.indices) > 0).all()


@given(DISTINCT, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table, random):
    """Seen to fail when ids are numbered in order of appearance."""
    shuffled = list(table)
    random.shuffle(shuffled)
    first, second = build(table), build(shuffled)
    assert first.user_ids == second.user_ids
    for name in ("offsets", "indices", "values", "times"):
        assert np.array_equal(getattr(first.by_item, name), getattr(second.by_item, name))


@given(DISTINCT, st.permutations(list("abcdé")))
def test_relabelling_items_only_relabels(table, names):
    """Seen to fail when labels are stored in the reverse order of their codes."""
    new_name = dict(zip("abcdé", names, strict=True))
    renamed = build([(user, new_name[item], value, time) for user, item, value, time in table])
    assert rows(renamed) == sorted((u, new_name[i], v, t) for u, i, v, t in rows(build(table)))


@given(TABLE, st.sampled_from(["sum", "mean", "max", "last"]))
def test_merging_is_that_of_a_dictionary(table, policy):
    """Seen to fail when runs are found across the border of two users."""
    groups = defaultdict(list)
    for row in table:
        groups[row[:2]].append(row[2:])
    expected = []
    for pair, group in groups.items():
        values, times = [value for value, _ in group], [time for _, time in group]
        last = max(range(len(group)), key=lambda i: (times[i], i))
        value = {
            "sum": sum(values),
            "mean": sum(values) / len(values),
            "max": max(values),
            "last": values[last],
        }
        time = sum(times) // len(times) if policy == "mean" else max(times)
        expected.append((*pair, np.float32(value[policy]), time))
    merged = rows(build(table, duplicates=policy))
    assert [row[:2] + row[3:] for row in merged] == [row[:2] + row[3:] for row in sorted(expected)]
    assert [row[2] for row in merged] == pytest.approx(
        [row[2] for row in sorted(expected)], rel=1e-6, abs=1e-5
    )


@given(DISTINCT, st.floats(0.05, 0.95), st.integers(0, 2**64 - 1))
def test_train_and_test_are_exactly_the_data(table, fraction, seed):
    """Seen to fail when the test mask is not complemented (trap 17)."""
    data = build(table)
    split = random_split(data, test_fraction=fraction, seed=seed)
    assert sorted(rows(split.train) + rows(split.test)) == rows(data)
    assert split.test.n_entries == round(fraction * data.n_entries)


@given(DISTINCT.filter(lambda table: len(table) >= 5), st.integers(2, 5), st.integers(0, 100))
def test_folds_partition_the_data(table, n_folds, seed):
    """Seen to fail when a test set takes the later folds too."""
    data = build(table)
    splits = list(k_fold(data, n_folds=n_folds, seed=seed))
    assert sorted(row for split in splits for row in rows(split.test)) == rows(data)
    for split in splits:
        assert sorted(rows(split.train) + rows(split.test)) == rows(data)


def drawn_order(table, seed):
    """The entries in the order of their draws: each is a fold of its own."""
    data = build(table)
    return [rows(split.test)[0] for split in k_fold(data, n_folds=data.n_entries, seed=seed)]


@given(
    DISTINCT.filter(lambda table: 4 <= len(table) <= 15), st.integers(0, 9), st.randoms(use_true_random=False)
)
def test_draws_belong_to_ids_not_to_rows_or_positions(table, seed, random):
    """Seen to fail when the key of an entry is its position."""
    order = drawn_order(table, seed)
    shuffled = list(table)
    random.shuffle(shuffled)
    assert drawn_order(shuffled, seed) == order
    fewer = [row for row in table if row[0] != table[0][0]]
    if len(fewer) >= 2:
        assert drawn_order(fewer, seed) == [row for row in order if row in fewer]


@given(DISTINCT, st.integers(1, 3), st.integers(1, 3))
def test_a_core_is_the_largest_set_with_enough_entries(table, min_user, min_item):
    """Against peeling off one row at a time. Seen to fail when the peeling stops after one round."""
    left = set(table)
    while True:
        users, items = ([row[side] for row in left] for side in (0, 1))
        gone = {r for r in left if users.count(r[0]) < min_user or items.count(r[1]) < min_item}
        if not gone:
            break
        left -= set(sorted(gone)[:1])
    core = select(build(table), min_user_entries=min_user, min_item_entries=min_item)
    assert rows(core) == sorted(left)
    assert core.by_user.counts.all()
    assert core.by_item.counts.all()

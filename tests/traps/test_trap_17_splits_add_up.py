"""Trap 17: a leave-k-out split returns wrong values: train + test is not the data.

tests/properties/test_splitting_properties.py has it for every way of splitting.
"""

import numpy as np

from alternant import Interactions
from alternant.splitting import leave_last_out


def test_trap_17_train_and_test_are_the_data():
    rng = np.random.default_rng(0)
    pairs = rng.permutation(30 * 20)[:300]
    data = Interactions.from_arrays(
        pairs // 20, pairs % 20, rng.random(300), weights=rng.random(300) + 1, times=rng.integers(0, 9, 300)
    )
    split = leave_last_out(data, n_last=3)
    both = [
        np.concatenate(columns) for columns in zip(split.train.entries(), split.test.entries(), strict=True)
    ]
    order = np.lexsort((both[1], both[0]))
    for mine, theirs in zip(both, data.entries(), strict=True):
        np.testing.assert_array_equal(mine[order], theirs)

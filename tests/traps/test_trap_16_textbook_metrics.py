"""Trap 16: metrics exceed 1 as padding counts as a hit; precision grows with k as it divides by min(k, R)."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.metrics import ranking_metrics


def test_trap_16_padding_is_refused():
    relevant = np.array([0, 1]), np.array([0])
    with pytest.raises(DataError, match=r"must lie in \[0, 5\), got -1; lists are never padded"):
        ranking_metrics(np.array([0, 3]), np.array([2, -1, -1]), *relevant, metrics="precision@3", n_items=5)
    with pytest.raises(DataError, match="a list has item 0 twice, in row 0; it would count as two hits"):
        ranking_metrics(np.array([0, 3]), np.array([0, 0, 0]), *relevant, metrics="precision@3", n_items=5)


def test_trap_16_precision_divides_by_k_as_asked():
    """One relevant item, found first: precision falls with k, beyond the end of the list too."""
    lists, relevant = (np.array([0, 2]), np.array([3, 1])), (np.array([0, 1]), np.array([3]))
    ks = (1, 2, 5, 100)
    found = ranking_metrics(*lists, *relevant, metrics=[f"precision@{k}" for k in ks], n_items=5)
    assert [values[0] for values in found.values()] == [1 / k for k in ks]

"""Trap 2, the data half: positions and ids outside the catalogue are refused before they are used."""

import numpy as np
import pytest

from alternant.errors import DataError, UnknownIdError
from alternant.ids import IdMap
from alternant.interactions import Interactions
from alternant.kernels import csr


@pytest.mark.parametrize("index", [3, -1, 2**31 - 1, -(2**31), 2**40])
def test_trap_02_a_position_outside_its_map_is_refused(index):
    ids = IdMap.from_range(3)
    with pytest.raises(DataError, match=rf"item_index must lie in \[0, 3\), got {index} in row 1"):
        Interactions.from_codes(ids, ids, user_index=[0, 0], item_index=[0, index])


def test_trap_02_an_unknown_item_of_a_history_is_named():
    with pytest.raises(UnknownIdError, match=r"no item 9 in item_ids \(3 items\)"):
        Interactions.from_arrays([0, 0], [1, 9], [1, 1], item_ids=IdMap.from_range(3))


def test_trap_02_stored_rows_that_lie_are_refused():
    with pytest.raises(DataError, match="row 0 of 1 is damaged"):
        csr.check_rows(np.array([0, 1]), np.array([7], dtype=np.int32), n_columns=3)

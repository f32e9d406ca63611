"""Trap 7: more than 2^31 entries, bytes or pairs overflow nothing. Sizes are virtual, memory is not used."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import BuildReport, EntryRows, Interactions
from alternant.kernels import csr
from alternant.kernels import ids as kernels

BIG = 2**31 + 8


def virtual(value, n, dtype):
    """An array of n equal elements that takes the memory of one."""
    return np.broadcast_to(np.array(value, dtype=dtype), (n,))


def sparse_file(tmp_path, n, dtype):
    """A file of n zeros that takes no space on the disk."""
    return np.memmap(tmp_path / "zeros", dtype=dtype, mode="w+", shape=(n,))


def test_trap_07_row_blocks_lie_beyond_two_to_the_31():
    offsets = np.array([0, 3 * BIG, 3 * BIG + 2], dtype=np.int64)
    indices = virtual(0, 3 * BIG + 2, np.int32)
    rows = EntryRows(offsets, indices, 1, values=virtual(1, 3 * BIG + 2, np.float32))
    assert rows.n_entries == 3 * BIG + 2
    assert rows.counts.tolist() == [3 * BIG, 2]
    first, second = rows.blocks(max_entries=BIG)
    assert first.offsets.tolist() == [0, 3 * BIG]
    assert second.offsets.tolist() == [3 * BIG, 3 * BIG + 2]
    assert len(second.indices) == len(second.values) == 2


def test_trap_07_the_number_of_pairs_does_not_wrap():
    n = 2**31 - 1
    ids = IdMap(integers=virtual(0, n, np.int64))
    side = EntryRows(virtual(1, n + 1, np.int64), virtual(0, 1, np.int32), n)
    data = Interactions(ids, ids, side, side, BuildReport(n_rows_read=1))
    assert data.density == 1 / n**2


def test_trap_07_strings_reach_beyond_two_to_the_31_bytes(tmp_path):
    data = sparse_file(tmp_path, 2 * BIG, np.uint8)
    data[-3:] = np.frombuffer(b"end", dtype=np.uint8)
    chunk = (np.array([2 * BIG - 5, 2 * BIG - 3, 2 * BIG]), np.asarray(data))
    offsets, text = kernels.take_strings([chunk], np.array([1]))
    assert (offsets.tolist(), text.tobytes()) == ([0, 3], b"end")
    [(offsets, text)], codes = kernels.factorise([chunk])
    assert (offsets.tolist(), text.tobytes(), codes.tolist()) == ([0, 2, 5], b"\0\0end", [0, 1])


def test_trap_07_damaged_offsets_beyond_two_to_the_31_are_seen():
    with pytest.raises(DataError, match="row 0 of 1 is damaged"):
        csr.check_rows(np.array([0, 2**32 + 1]), np.zeros(1, dtype=np.int32), n_columns=1)


def test_trap_07_more_ids_than_int32_are_refused():
    none = np.empty(0, dtype=np.int32)
    with pytest.raises(DataError, match="n_rows must lie between 0 and 2,147,483,647, got 2147483648"):
        csr.sort_entries(none, none, n_rows=2**31, n_columns=1)
    with pytest.raises(DataError, match="n_columns must lie between 0 and 2,147,483,647, got 2147483648"):
        csr.transpose(np.zeros(1, dtype=np.int64), none, n_columns=2**31)

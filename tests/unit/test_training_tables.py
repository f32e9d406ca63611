"""Tables that the loop uses again: never while somebody holds one."""

from alternant.training._tables import Tables


def test_a_table_that_somebody_holds_is_not_handed_out_again():
    tables = Tables()
    first = tables.take((3, 2))
    first[:] = 1.0
    held = first[1:]  # as a callback may hold a view
    del first
    second = tables.take((3, 2))
    second[:] = 2.0
    assert (held == 1.0).all()


def test_a_table_that_nobody_holds_is():
    tables = Tables()
    address = tables.take((3, 2)).ctypes.data
    assert tables.take((3, 2)).ctypes.data == address
    assert tables.take((2, 3)).shape == (2, 3)

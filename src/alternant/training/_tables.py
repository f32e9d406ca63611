"""Tables that are used again once nobody holds them: the pages of new ones would be cleared each time."""

import sys

import numpy as np

from alternant.objective import Table

# What sys.getrefcount sees of an array that only the list, the loop's variable and the call hold.
_ONLY_HERE = 3


class Tables:
    """Hands out float32 tables of undefined content; there are never more than were held at the same time."""

    def __init__(self) -> None:
        self._made: list[Table] = []

    def take(self, shape: tuple[int, ...]) -> Table:
        """Return a table that nobody else holds."""
        for table in self._made:
            # A view keeps the array that it looks at in its `base`.
            if table.shape == shape and sys.getrefcount(table) <= _ONLY_HERE:
                return table.view()
        table = np.empty(shape, np.float32)
        self._made.append(table)
        return table.view()

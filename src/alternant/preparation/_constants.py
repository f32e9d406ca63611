"""The numbers that a preparation takes from the data: counted in a fit, looked up ever after.

Fit and fold-in run the same code and differ only in where this file takes a number from. It must not know
what the numbers are for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alternant.interactions import Interactions

Float64 = NDArray[np.float64]
Side = Literal["users", "items"]
Own = Literal["users", "items", "both"]


@dataclass(frozen=True, eq=False)
class Constants:
    """What a fit has counted.

    Attributes
    ----------
    numbers : one for all entries, by name
    users, items : float64, shape (n_users,) and (n_items,), by name
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    users: Mapping[str, Float64] = field(default_factory=dict)
    items: Mapping[str, Float64] = field(default_factory=dict)

    def of(self, side: Side) -> Mapping[str, Float64]:
        """Return the arrays of one side."""
        return self.users if side == "users" else self.items


class Source:
    """Where the numbers for some entries come from.

    Parameters
    ----------
    interactions : the raw entries
    stored : the constants of a fit; None in the fit itself, which collects them in `found`
    own : the sides whose numbers come from these entries; those of the other side are the stored ones, but
        for ids that had no entries in the fit
    """

    def __init__(self, interactions: Interactions, *, stored: Constants | None, own: Own) -> None:
        self._interactions, self._stored, self._own = interactions, stored, own
        self._numbers: dict[str, float] = {}
        self._arrays: dict[Side, dict[str, Float64]] = {"users": {}, "items": {}}

    @property
    def found(self) -> Constants:
        """What the fit has counted so far."""
        return Constants(self._numbers, self._arrays["users"], self._arrays["items"])

    def index(self, side: Side) -> NDArray[np.int32]:
        """Return the position of each entry: int32, shape (n,)."""
        return self._users if side == "users" else self._interactions.by_user.indices

    @cached_property
    def _users(self) -> NDArray[np.int32]:
        return self._interactions.by_user.row_index()

    def _n(self, side: Side) -> int:
        return self._interactions.n_users if side == "users" else self._interactions.n_items

    def count(self, side: Side, present: NDArray[np.bool_] | None) -> Float64:
        """Return the number of `present` entries (bool, shape (n,); None: all) of each id."""
        index = self.index(side) if present is None else self.index(side)[present]
        return np.bincount(index, minlength=self._n(side)).astype(np.float64)

    def sums(self, side: Side, values: Float64) -> Float64:
        """Return the sum of `values` (float64, shape (n,)) of each id.

        Added up one by one in the order of the entries: a user's sum is the same bits whoever else is there.
        """
        sums = np.bincount(self.index(side), weights=values, minlength=self._n(side))
        return sums.astype(np.float64, copy=False)  # of no entries it makes integers

    def number(self, name: str, fresh: Callable[[], float]) -> float:
        """Return a number for all entries: always that of the fit."""
        if self._stored is not None:
            return self._stored.numbers[name]
        self._numbers[name] = float(fresh())
        return self._numbers[name]

    def array(self, side: Side, name: str, fresh: Callable[[], Float64], *, counts: str) -> Float64:
        """Return a number for each id: float64, to be indexed by the positions of the entries.

        `counts` names the array that is 0 for ids without entries in the fit.
        """
        if self._stored is None:
            array = fresh()
            array.flags.writeable = False
            self._arrays[side][name] = array
            return array
        if self._own in (side, "both"):
            return fresh()
        stored, n_fit = self._stored.of(side)[name], self._stored.of(side)[counts]
        index = self.index(side)
        # No array of the catalogue's size is made where one user is folded in.
        if len(index) == 0 or (int(index.max()) < len(n_fit) and bool((n_fit[index] > 0).all())):
            return stored
        array = fresh()
        array[: len(stored)] = np.where(n_fit > 0, stored, array[: len(stored)])
        return array

"""What the loop carries from half-sweep to half-sweep: both sides, in one basis."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alternant.objective import Float64, Side, Table


@dataclass(frozen=True, eq=False)
class SideState:
    """One side: its rows, and the coefficients of its prior means.

    table : float32, shape (n_rows, width)
    coefficients : float32 arrays of shape (n_features, width), one for each part of the prior mean
    mean : float32, shape (n_rows, width), the prior means under `coefficients`, where they are known
    gramian : float64, shape (width, width), the table's part of the pairs that are not stored, where known
    day_biases : float32, shape (n_days,), of users' days; None without, and before users are first solved
    """

    table: Table
    coefficients: tuple[Table, ...] = ()
    mean: Table | None = None
    gramian: Float64 | None = None
    day_biases: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class State:
    """Both sides, in one basis."""

    users: SideState
    items: SideState

    def of(self, side: Side) -> SideState:
        """Return one side."""
        return self.users if side == "users" else self.items


def state_of(side: Side, this: SideState, that: SideState) -> State:
    """Return the state in which `side` is `this` and the other side `that`."""
    return State(this, that) if side == "users" else State(that, this)

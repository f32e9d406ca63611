"""The best sweep of a fit by what its tables reach on validation entries."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from alternant._words import counted
from alternant.errors import DataError
from alternant.objective import Table
from alternant.training._state import State

# From small start values the first sweeps leave a saddle near 0, where the objective falls slowly before it
# falls fast, and a metric may stand still.
FIRST_SWEEP_TO_STOP = 4


@dataclass(frozen=True, eq=False)
class Validation:
    """What the loop measures after each sweep.

    name : of the metric
    measure : from the tables of that moment to a number
    larger_is_better : bool
    patience : after so many sweeps without a better one, from the fourth on, the fit ends
    """

    name: str
    measure: Callable[[State], float]
    larger_is_better: bool
    patience: int


class Best:
    """The tables of the best sweep so far; the earlier of two equals."""

    def __init__(self, validation: Validation) -> None:
        self.validation = validation
        self.state: State | None = None
        self.sweep, self.value, self.last = 0, math.nan, math.nan
        self.why = ""

    def see(self, sweep: int, state: State) -> float:
        """Measure the tables after a sweep, keep them if they are the best, and return their value.

        Raises
        ------
        DataError
            The value is not finite.
        """
        value = float(self.validation.measure(state))
        if not math.isfinite(value):
            raise DataError(
                f"the validation metric {self.validation.name} must be a finite number, got {value!r} after "
                f"sweep {sweep}"
            )
        is_better = value > self.value if self.validation.larger_is_better else value < self.value
        if self.state is None or is_better:
            # Prior means follow from the coefficients: not kept.
            self.state = State(replace(state.users, mean=None), replace(state.items, mean=None))
            self.sweep, self.value = sweep, value
        self.last = value
        return value

    def holds(self, table: Table) -> bool:
        """Return whether a table is one of the best ones."""
        return self.state is not None and (table is self.state.users.table or table is self.state.items.table)

    def is_exhausted(self, sweep: int) -> bool:
        """Return whether patience is at its end after a sweep; `why` says so in words then."""
        without = sweep - max(self.sweep, FIRST_SWEEP_TO_STOP - 1)
        if without < self.validation.patience:
            return False
        since = counted(sweep - self.sweep, "sweep")
        self.why = f"{self.validation.name} has not improved for {since}"
        return True

    @property
    def last_text(self) -> str:
        """The value after the last sweep, in words."""
        return f"{self.validation.name} {self.last:.4f}"

    def kept_text(self, stopped: str) -> str:
        """Return why a fit ended, and which sweep was kept."""
        return f"{stopped}; kept sweep {self.sweep}, the best with {self.validation.name} {self.value:.4f}"

"""What a fit leaves, frozen: the fields of a model. What it answers is its subclasses'."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._frames import FrameType
from alternant.days import DayBiases, days_of, taken_off
from alternant.ids import IdMap
from alternant.interactions import Interactions
from alternant.model import checking, describing
from alternant.model.draws import Draws
from alternant.model.neighbours import inverse_norms
from alternant.model.priors import SidePrior
from alternant.objective import FixedSide, Side
from alternant.preparation import FittedPreparation, Own
from alternant.solvers import fix_side

if TYPE_CHECKING:
    from alternant.objective import Objective


@dataclass(frozen=True)
class TraceEntry:
    """The objective after one half-sweep; `seconds` count from the start of the fit.

    `unobserved` is the part of all pairs, stored or not, and `regularization` that of all penalties; what is
    left is what the stored entries add. `validation` is what the tables of that moment reached on the fit's
    validation entries; None without, and after a half of a sweep.
    """

    sweep: int
    side: Literal["users", "items"]
    objective: float
    seconds: float
    unobserved: float = 0.0
    regularization: float = 0.0
    validation: float | None = None

    @property
    def observed(self) -> float:
        """What the stored entries add."""
        return self.objective - self.unobserved - self.regularization


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot:
    """The fields of a fitted model, and what follows from them; :class:`FactorModel` is made of it.

    Attributes
    ----------
    user_ids, item_ids : IdMap
    user_table, item_table : float32, shapes (n_users, width) and (n_items, width), read-only
        A row holds the factors and, in a model with biases, the row's own bias last.
    problem : the objective that the tables minimise
    settings : dict, the estimator's settings and its name under "estimator"
    user_counts, item_counts : int64, shapes (n_users,) and (n_items,), entries of each in the training data
    omega : float64, shape (n_factors,), eigenvalues of the items' Gramian, strongest first
    gram : float32, shape (n_factors, n_factors), or None; the items' Gramian of the unobserved part, where
        tables are not in its eigenbasis (non-negative and L1 factors)
    preparation : how raw entries become targets and weights; None: they are these
    user_prior, item_prior : the coefficients of prior means
    user_unobserved, item_unobserved : float64, shapes (n_users,) and (n_items,), or None (ones): the weights
        s and v of the unobserved part
    day_biases : the biases of users' days, or None
    draws : Draws of a sampled model, whose tables hold them side by side; None in others
    history : Interactions, the training data as it was given, or None
    trace : TraceEntry of each half-sweep
    stopped : why the fit ended
    value_range : smallest and largest training value, or None
    frame_type : the type of frame that the training data came in, or None
    """

    user_ids: IdMap
    item_ids: IdMap
    user_table: NDArray[np.float32]
    item_table: NDArray[np.float32]
    problem: "Objective"
    settings: dict[str, Any]
    user_counts: NDArray[np.int64]
    item_counts: NDArray[np.int64]
    omega: NDArray[np.float64]
    gram: NDArray[np.float32] | None = None
    preparation: FittedPreparation | None = None
    user_prior: SidePrior = field(default_factory=SidePrior)
    item_prior: SidePrior = field(default_factory=SidePrior)
    user_unobserved: NDArray[np.float64] | None = None
    item_unobserved: NDArray[np.float64] | None = None
    day_biases: DayBiases | None = None
    draws: Draws | None = None
    history: Interactions | None = None
    trace: tuple[TraceEntry, ...] = ()
    stopped: str = ""
    value_range: tuple[float, float] | None = None
    frame_type: FrameType | None = None

    def __post_init__(self) -> None:
        checking.check(self)

    # -- what it holds ---------------------------------------------------------------------------------

    @property
    def n_users(self) -> int:
        """The number of users."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.item_ids)

    @property
    def n_factors(self) -> int:
        """The number of factors of a row, biases not counted."""
        return self.problem.n_factors

    @property
    def user_factors(self) -> NDArray[np.float32]:
        """The users' factors: float32, shape (n_users, n_factors), a read-only view."""
        return self.user_table[:, : self.n_factors]

    @property
    def item_factors(self) -> NDArray[np.float32]:
        """The items' factors: float32, shape (n_items, n_factors), a read-only view."""
        return self.item_table[:, : self.n_factors]

    @property
    def user_biases(self) -> NDArray[np.float32] | None:
        """The users' biases: float32, shape (n_users,), a read-only view; None in a model without."""
        return self.user_table[:, -1] if self.problem.has_biases else None

    @property
    def item_biases(self) -> NDArray[np.float32] | None:
        """The items' biases: float32, shape (n_items,), a read-only view; None in a model without."""
        return self.item_table[:, -1] if self.problem.has_biases else None

    @property
    def mean(self) -> float:
        """The mean that values are centred on; 0.0 without centring."""
        return self.problem.center

    @property
    def fixed_items(self) -> FixedSide:
        """The items as users are folded in under them."""
        is_unobserved = self.problem.has_unobserved
        return FixedSide(
            self.item_table,
            omega=self.omega if is_unobserved and self.gram is None else None,
            gram=self.gram,
            unobserved=self.item_unobserved,
        )

    def fix_users(self, *, n_threads: int) -> tuple[FixedSide, NDArray[np.float32] | None]:
        """Return the users as items are folded in under them, and by what the table was turned, or None.

        Users without entries hold their prior means, and are outside the objective: 0 here.
        """
        users = np.where(self.user_counts[:, None] > 0, self.user_table, np.float32(0.0))
        return fix_side(self.problem, "users", users, self.user_counts, n_threads=n_threads)

    def prepared(self, interactions: Interactions, *, own: Own) -> Interactions:
        """Return raw entries as targets and weights; see :meth:`FittedPreparation.apply`."""
        return interactions if self.preparation is None else self.preparation.apply(interactions, own=own)

    def without_days(self, prepared: Interactions) -> Interactions:
        """Return prepared entries, whose targets are less the biases of their users' days.

        An entry of a day that the model does not know stays as it is.
        """
        if self.day_biases is None:
            return prepared
        rows = prepared.by_user
        return taken_off(prepared, self.day_biases.at(rows.row_index(), days_of(rows)))

    def prior(self, side: Side) -> SidePrior:
        """Return the prior of one side's rows."""
        return self.user_prior if side == "users" else self.item_prior

    @cached_property
    def user_scale(self) -> NDArray[np.float32]:
        """The inverse length of each user's factors: float32, shape (n_users,); 0 for a row of zeros."""
        return inverse_norms(self.user_factors)

    @cached_property
    def item_scale(self) -> NDArray[np.float32]:
        """The inverse length of each item's factors: float32, shape (n_items,); 0 for a row of zeros."""
        return inverse_norms(self.item_factors)

    def __repr__(self) -> str:
        return describing.describe(self)

"""What a sampled model has in the place of an objective: averages over draws, which minimise nothing."""

from dataclasses import dataclass, field
from typing import ClassVar

from alternant.errors import DataError
from alternant.interactions import RowBlock
from alternant.kernels.rows import RowTerms
from alternant.objective._explicit import ExplicitObjective
from alternant.objective._problem import FixedSide, Side
from alternant.objective._ridge import Ridge


def _none() -> Ridge:
    return Ridge(0.0)


@dataclass(frozen=True, kw_only=True)
class SampledObjective(ExplicitObjective):
    """Ratings averaged over draws: tables hold the draws side by side, and minimise nothing.

    Its total is Σ w (t − prediction)² over the stored entries, with the averaged predictions.

    Attributes
    ----------
    n_factors : int, of all draws together
    n_draws : int
    """

    kind: ClassVar[str] = "sampled"

    n_draws: int
    biases: bool = True
    user_ridge: Ridge = field(default_factory=_none)
    item_ridge: Ridge = field(default_factory=_none)

    def row_terms(self, side: Side, block: RowBlock, fixed: FixedSide) -> RowTerms:
        """Refuse: rows of a sampled model are solved draw by draw."""
        raise DataError(
            "a sampled model has no row systems of its own: its rows are averages over draws; "
            "fit without n_samples"
        )

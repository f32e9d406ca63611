"""The objective of ratings. Over the stored entries (user u, item i, target t, weight w):

    Σ w (t − mean − b_u − b_i − p_u·q_i)²  +  Σ_u D_u·(p_u, b_u)²  +  Σ_i D_i·(q_i, b_i)²

with the ridge D of a row: ``slope · n^exponent + constant`` on its factors, the same with ``bias_slope`` and
``bias_constant`` on its bias; n is the row's number of entries, and rows without entries are outside the
objective. Where a side has a prior mean m, (p − m) stands for p in its penalty.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from alternant.errors import DataError
from alternant.interactions import Interactions, RowBlock
from alternant.kernels.rows import EntryTerm, RowTerms
from alternant.objective._problem import (
    ENTRIES_AT_ONCE,
    Counts,
    FixedSide,
    Float64,
    Objective,
    Side,
    Table,
    products,
    targets_and_weights,
)


@dataclass(frozen=True, kw_only=True)
class ExplicitObjective(Objective):
    """The objective of explicit ALS with every number resolved.

    Attributes
    ----------
    biases : bool
        Whether tables have a bias column.
    mean : float
        Fixed; 0 without centring.
    """

    kind: ClassVar[str] = "explicit"

    biases: bool
    mean: float

    @property
    def has_biases(self) -> bool:
        """Whether tables have a bias column."""
        return self.biases

    @property
    def unobserved_factor(self) -> float:
        """0: pairs that are not stored are unknown."""
        return 0.0

    @property
    def center(self) -> float:
        """The mean."""
        return self.mean

    def sizes(self, side: Side, counts: Counts) -> Float64:
        """Return the number of entries of each row."""
        return counts.astype(np.float64)

    def unobserved_scale(self, side: Side, counts: Counts) -> Float64 | None:
        """Return None."""
        return None

    def row_terms(self, side: Side, block: RowBlock, fixed: FixedSide) -> RowTerms:
        """Return what the kernels need to solve a block of `side`'s rows: a = w, targets t − mean."""
        if block.values is None:
            raise DataError(
                "explicit ratings need values, got entries without; name the value column with value="
            )
        counts = np.diff(block.offsets)
        ridge = self.ridge(side)
        rho, kappa = ridge.multipliers(self.n_factors, bias=self.biases)
        return RowTerms(
            a=EntryTerm(1.0) if block.weights is None else EntryTerm(array=block.weights),
            b=EntryTerm(-self.mean, 1.0),
            b_is_target=True,
            bias_column=self.biases,
            ridge=ridge.powers(counts),
            rho=rho,
            kappa=kappa,
        )

    def constant(self, interactions: Interactions) -> float:
        """Return 0: the losses of the row systems are whole."""
        return 0.0

    def data_loss(self, interactions: Interactions, user_table: Table, item_table: Table) -> float:
        """Return Σ w (t − prediction)² over the stored entries, in float64, in one pass over the data."""
        total, k = 0.0, self.n_factors
        for block in interactions.by_user.blocks(ENTRIES_AT_ONCE):
            fitted = self.mean + products(block, user_table[:, :k], item_table[:, :k])
            if self.biases:
                counts = np.diff(block.offsets)
                fitted += np.repeat(user_table[block.begin : block.end, k].astype(np.float64), counts)
                fitted += item_table[block.indices, k]
            targets, weights = targets_and_weights(block)
            total += float(np.sum(weights * (targets - fitted) ** 2))
        return total

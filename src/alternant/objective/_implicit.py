"""The objective of implicit data. With p = x_u·y_i, target t and weight e of the stored entries:

    Σ_stored c (t − p)²  +  α₀ Σ_P s_u v_i p²  +  Σ_u λ_u ‖x_u‖²  +  Σ_i λ_i ‖y_i‖²

| form              | c                | P                                   |
|-------------------|------------------|-------------------------------------|
| "ials"            | e                | all pairs                           |
| "hkv"             | α₀ s_u v_i + e   | pairs that are not stored           |
| "missing-as-zero" | e                | pairs that are not stored           |

A row of n entries has size n + α₀·n_other and the ridge λ·size^ν; s_u and v_i are powers of (n / mean n), 1
by default. n_other counts ids with entries, and ids without are outside the objective. Where a side has a
prior mean m, (x − m) stands for x in its penalty.

Sources: Hu, Koren and Volinsky 2008 (doi:10.1109/ICDM.2008.22) for "hkv"; Rendle, Krichene, Zhang and Koren
2021 (arXiv:2110.14037) for "ials".
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from alternant.interactions import Interactions, RowBlock
from alternant.kernels.rows import EntryTerm, RowTerms
from alternant.objective._problem import (
    Counts,
    FixedSide,
    Float64,
    Objective,
    Side,
    Table,
    products,
)

Form = Literal["ials", "hkv", "missing-as-zero"]


@dataclass(frozen=True, kw_only=True)
class ImplicitObjective(Objective):
    """The objective of implicit ALS with every number resolved.

    Attributes
    ----------
    form : "ials", "hkv" or "missing-as-zero"
    unobserved_weight : float
        α₀.
    n_users, n_items : int
        Those with entries.
    user_exponent, item_exponent : float
        s_u = (n_u / mean n_u)^user_exponent, and v_i alike.
    mean_user_count, mean_item_count : float
        The mean number of entries of users and items that have any.
    """

    kind: ClassVar[str] = "implicit"

    form: Form
    unobserved_weight: float
    n_users: int
    n_items: int
    user_exponent: float = 0.0
    item_exponent: float = 0.0
    mean_user_count: float = 1.0
    mean_item_count: float = 1.0

    @property
    def has_biases(self) -> bool:
        """False: the unobserved part has no biases."""
        return False

    @property
    def unobserved_factor(self) -> float:
        """α₀."""
        return self.unobserved_weight

    @property
    def center(self) -> float:
        """0: unobserved pairs have target 0."""
        return 0.0

    @property
    def unobserved_in_confidence(self) -> bool:
        """Whether the form is "hkv"."""
        return self.form == "hkv"

    @property
    def stored_in_both(self) -> bool:
        """Whether the form is "ials"."""
        return self.form == "ials"

    def sizes(self, side: Side, counts: Counts) -> Float64:
        """Return n + α₀·n_other of each row."""
        n_other = self.n_items if side == "users" else self.n_users
        return counts.astype(np.float64) + self.unobserved_weight * n_other

    def unobserved_scale(self, side: Side, counts: Counts) -> Float64 | None:
        """Return (n / mean n)^exponent of each row, 0 for rows without entries; None where all are 1."""
        exponent, mean = (
            (self.user_exponent, self.mean_user_count)
            if side == "users"
            else (self.item_exponent, self.mean_item_count)
        )
        if exponent == 0.0:
            return None
        # The power first: 0 to a negative one is infinite.
        return np.where(counts > 0, (np.maximum(counts, 1) / mean) ** exponent, 0.0)

    def row_terms(self, side: Side, block: RowBlock, fixed: FixedSide) -> RowTerms:
        """Return what the kernels need to solve a block of `side`'s rows."""
        counts = np.diff(block.offsets)
        scale = self.unobserved_scale(side, counts)
        w0 = np.full(len(counts), self.unobserved_weight) if scale is None else self.unobserved_weight * scale
        a, b, b_is_target = self._entry_terms(block, fixed, w0)
        ridge = self.ridge(side)
        rho, kappa = ridge.multipliers(self.n_factors, bias=False)
        return RowTerms(
            a=a,
            b=b,
            b_is_target=b_is_target,
            ridge=ridge.powers(self.sizes(side, counts)),
            rho=rho,
            kappa=kappa,
            w0=w0 if self.has_unobserved else None,
            omega=fixed.omega,
            gram=fixed.gram,
        )

    def _entry_terms(
        self, block: RowBlock, fixed: FixedSide, w0: Float64
    ) -> tuple[EntryTerm, EntryTerm, bool]:
        """Return a, b and whether b holds targets."""
        weights, targets = block.weights, block.values
        if self.form == "ials":
            a = EntryTerm(1.0) if weights is None else EntryTerm(array=weights)
            return a, EntryTerm(1.0) if targets is None else EntryTerm(0.0, 1.0), True
        is_constant = self.user_exponent == 0.0 and self.item_exponent == 0.0
        if is_constant and weights is None:
            # One weight for all entries: c and a are the same everywhere.
            c = self.unobserved_weight + 1.0 if self.form == "hkv" else 1.0
            b = EntryTerm(c) if targets is None else EntryTerm(0.0, c)
            return EntryTerm(c - self.unobserved_weight), b, False
        unobserved = self._unobserved(block, fixed, w0)
        entry = np.ones(len(block.indices)) if weights is None else weights.astype(np.float64)
        confidence = unobserved + entry if self.form == "hkv" else entry
        target = 1.0 if targets is None else targets
        return (
            EntryTerm(array=(confidence - unobserved).astype(np.float32)),
            EntryTerm(array=(confidence * target).astype(np.float32)),
            False,
        )

    def _unobserved(self, block: RowBlock, fixed: FixedSide, w0: Float64) -> Float64:
        """Return α₀ s_u v_i of each stored entry."""
        of_row = np.repeat(w0, np.diff(block.offsets))
        return of_row if fixed.unobserved is None else of_row * fixed.unobserved[block.indices]

    def constant(self, interactions: Interactions) -> float:
        """Return Σ c t², which the row systems of "hkv" and "missing-as-zero" leave out."""
        if self.form == "ials":
            return 0.0
        return sum(
            float(np.sum(each.confidence * each.targets**2)) for each in self.weighed_blocks(interactions)
        )

    def data_loss(self, interactions: Interactions, user_table: Table, item_table: Table) -> float:
        """Return Σ c (t − p)² + α₀ Σ_P s v p² in float64, in one pass over the data."""
        total = 0.0
        if self.has_unobserved:
            users = self.unobserved_gramian("users", user_table, interactions.by_user.counts)
            items = self.unobserved_gramian("items", item_table, interactions.by_item.counts)
            total = self.unobserved_weight * float(np.sum(users * items))
        for each in self.weighed_blocks(interactions):
            p = products(each.block, user_table, item_table)
            total += float(np.sum(each.confidence * (each.targets - p) ** 2))
            if not self.stored_in_both:
                total -= float(np.sum(each.unobserved * p * p))
        return total

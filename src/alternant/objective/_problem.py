"""What all objectives share: widths, ridges, constraints, and what the solvers ask of them.

A *table* holds one side: float32, shape (n, width), the factors and, with biases, the bias in the last
column. *Prepared* interactions hold targets t as values (None: 1) and weights as weights (None: 1).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from alternant.interactions import EntryRows, Interactions, RowBlock
from alternant.kernels.rows import RowTerms
from alternant.objective._ridge import Ridge

Side = Literal["users", "items"]
Table = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

# At most so many entries are held in float64 at once.
ENTRIES_AT_ONCE = 1 << 18


def other(side: Side) -> Side:
    """Return the opposite side."""
    return "items" if side == "users" else "users"


def rows_of(interactions: Interactions, side: Side) -> EntryRows:
    """Return the entries by user or by item."""
    return interactions.by_user if side == "users" else interactions.by_item


@dataclass(frozen=True, eq=False)
class FixedSide:
    """The side that is held fixed, as the row systems of the other side read it.

    Attributes
    ----------
    table : float32, shape (n_fixed, width)
    omega : float64, shape (width,), or None
        The Gramian Σ v y yᵀ of the unobserved part, where the table is in its eigenbasis.
    gram : float32, shape (width, width), or None
        The same in full, where it is not.
    unobserved : float64, shape (n_fixed,), or None (ones)
        v, the weight of each fixed row in the unobserved part.
    spread : float64, shape (width,), or None
        The mean of y² over the entries of the other side, for steps that start from it; None: rows are solved
        exactly.
    """

    table: Table
    omega: Float64 | None = None
    gram: Table | None = None
    unobserved: Float64 | None = None
    spread: Float64 | None = None


@dataclass(frozen=True, eq=False)
class WeighedBlock:
    """Prepared entries of a block of users' rows, and what they weigh: float64 arrays of shape (n_entries,).

    Attributes
    ----------
    block : RowBlock
    targets : t
    confidence : c, the weight of (t − p)²
    unobserved : α₀ s v, what the pair would weigh if it were not stored; 0 where such pairs are unknown
    """

    block: RowBlock
    targets: Float64
    confidence: Float64
    unobserved: Float64


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """What a model minimises, with every number resolved; the subclasses say what stored entries mean.

    Attributes
    ----------
    n_factors : int
    user_ridge, item_ridge : Ridge
    nonnegative : bool
        Factors are at least 0 (biases are free).
    l1 : float
        λ₁: a row adds λ₁ · size^exponent · Σ |factor|.
    user_link, item_link, user_attributes, item_attributes : float or None
        The ridge of the coefficients of each part of a side's prior mean; None: there is no such part.
    day_ridge : float or None
        The ridge of the biases of users' days (see :mod:`alternant.days`); None: there are none.
    """

    kind: ClassVar[str]

    n_factors: int
    user_ridge: Ridge
    item_ridge: Ridge
    nonnegative: bool = False
    l1: float = 0.0
    user_link: float | None = None
    item_link: float | None = None
    user_attributes: float | None = None
    item_attributes: float | None = None
    day_ridge: float | None = None

    # -- what subclasses say ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def has_biases(self) -> bool:
        """Whether tables have a bias column."""

    @property
    @abstractmethod
    def unobserved_factor(self) -> float:
        """α₀, the weight of pairs that are not stored; 0 where they are unknown."""

    @property
    @abstractmethod
    def center(self) -> float:
        """What every prediction starts from."""

    @abstractmethod
    def sizes(self, side: Side, counts: Counts) -> Float64:
        """Return the size of rows of `side` with `counts` entries, which their ridges grow with."""

    @abstractmethod
    def unobserved_scale(self, side: Side, counts: Counts) -> Float64 | None:
        """Return s (or v) of rows of `side` with `counts` entries in the unobserved part; None: ones."""

    @abstractmethod
    def row_terms(self, side: Side, block: RowBlock, fixed: FixedSide) -> RowTerms:
        """Return what the kernels need to solve a block of `side`'s prepared rows; priors are not in it."""

    @abstractmethod
    def constant(self, interactions: Interactions) -> float:
        """Return what the objective has beyond the losses of the row systems, in float64."""

    @abstractmethod
    def data_loss(self, interactions: Interactions, user_table: Table, item_table: Table) -> float:
        """Return the objective without its penalties, in float64, from the data."""

    # -- what follows ----------------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Columns of a table: the factors, and the bias where there is one."""
        return self.n_factors + self.has_biases

    @property
    def has_unobserved(self) -> bool:
        """Whether pairs that are not stored count."""
        return self.unobserved_factor > 0.0

    @property
    def by_descent(self) -> bool:
        """Whether rows are solved by coordinate descent, in the original basis."""
        return self.nonnegative or self.l1 > 0.0

    @property
    def unobserved_in_confidence(self) -> bool:
        """Whether a stored entry weighs what its pair would, if it were not stored, and more."""
        return False

    @property
    def stored_in_both(self) -> bool:
        """Whether the part of pairs that are not stored has the stored ones too."""
        return True

    def weighed_blocks(
        self, prepared: Interactions, max_entries: int = ENTRIES_AT_ONCE
    ) -> Iterator[WeighedBlock]:
        """Yield all prepared entries, by user, with what they weigh."""
        item_scale = self.unobserved_scale("items", prepared.by_item.counts)
        for block in prepared.by_user.blocks(max_entries):
            counts = np.diff(block.offsets)
            user_scale = self.unobserved_scale("users", counts)
            unobserved = np.full(len(block.indices), self.unobserved_factor)
            if user_scale is not None:
                unobserved *= np.repeat(user_scale, counts)
            if item_scale is not None:
                unobserved *= item_scale[block.indices]
            targets, weights = targets_and_weights(block)
            confidence = weights + unobserved if self.unobserved_in_confidence else weights
            yield WeighedBlock(block, targets, confidence, unobserved)

    def unobserved_gramian(self, side: Side, table: Table, counts: Counts) -> Float64:
        """Return Σ s x xᵀ over a side's rows with entries, in float64, by blocks of rows."""
        gram = np.zeros((table.shape[1], table.shape[1]))
        scale = self.unobserved_scale(side, counts)
        weights = (counts > 0).astype(np.float64) if scale is None else scale
        for begin in range(0, len(table), 1 << 14):
            part = slice(begin, begin + (1 << 14))
            rows = table[part].astype(np.float64)
            gram += (rows.T * weights[part]) @ rows
        return gram

    def ridge(self, side: Side) -> Ridge:
        """Return the ridge of one side's rows."""
        return self.user_ridge if side == "users" else self.item_ridge

    def link_ridge(self, side: Side) -> float | None:
        """Return the ridge of one side's link coefficients, or None."""
        return self.user_link if side == "users" else self.item_link

    def attribute_ridge(self, side: Side) -> float | None:
        """Return the ridge of one side's attribute coefficients, or None."""
        return self.user_attributes if side == "users" else self.item_attributes

    def diagonal(self, side: Side, counts: Counts) -> Float64:
        """Return the ridge D of each row of `side`: float64, shape (n_rows, width)."""
        sizes = self.sizes(side, counts)
        return self.ridge(side).diagonal(sizes, self.n_factors, bias=self.has_biases)

    def l1_of(self, side: Side, counts: Counts) -> Float64 | None:
        """Return the L1 ridge of each row: float64, shape (n_rows,); None without."""
        if self.l1 == 0.0:
            return None
        return self.l1 * self.ridge(side).powers(self.sizes(side, counts))

    def penalties(self, side: Side, table: Table, counts: Counts, mean: Table | None = None) -> Float64:
        """Return (x − mean)ᵀD(x − mean), and the L1 part, of each row with entries, 0 of others: float64."""
        found = np.zeros(len(table))
        active = counts > 0
        left = table[active].astype(np.float64)
        l1 = self.l1_of(side, counts[active])
        if l1 is not None:
            found[active] = l1 * np.abs(left[:, : self.n_factors]).sum(axis=1)
        if mean is not None:
            left -= mean[active]
        diagonal = self.diagonal(side, counts[active])
        found[active] += np.sum(diagonal * left * left, axis=1)
        return found

    def total(
        self,
        interactions: Interactions,
        user_table: Table,
        item_table: Table,
        *,
        user_mean: Table | None = None,
        item_mean: Table | None = None,
    ) -> float:
        """Return the objective in float64, recomputed from prepared data: what tests compare the running loss
        with. The penalties of prior coefficients are not in it."""
        return (
            self.data_loss(interactions, user_table, item_table)
            + float(self.penalties("users", user_table, interactions.by_user.counts, user_mean).sum())
            + float(self.penalties("items", item_table, interactions.by_item.counts, item_mean).sum())
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the objective as plain numbers and strings, for a model file."""
        return {"kind": self.kind, **asdict(self)}


def targets_and_weights(block: RowBlock) -> tuple[Float64, Float64]:
    """Return t and w of a block's prepared entries in float64, ones where they are not stored."""
    n = len(block.indices)
    targets = np.ones(n) if block.values is None else block.values.astype(np.float64)
    weights = np.ones(n) if block.weights is None else block.weights.astype(np.float64)
    return targets, weights


def products(block: RowBlock, x: Table, y: Table) -> Float64:
    """Return x_u · y_i of each entry of a block of x's rows, in float64."""
    rows = np.repeat(np.arange(block.begin, block.end), np.diff(block.offsets))
    found: Float64 = np.einsum("ij,ij->i", x[rows].astype(np.float64), y[block.indices].astype(np.float64))
    return found

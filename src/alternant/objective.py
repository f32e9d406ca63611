"""What each model minimises: how stored entries become the terms of row systems. NumPy only; solving is
solvers.py's.

The explicit objective over the stored entries (user u, item i, value r, weight w):

    Σ w (r − mean − b_u − b_i − p_u·q_i)²  +  Σ_u D_u·(p_u, b_u)²  +  Σ_i D_i·(q_i, b_i)²

with the ridge D of a row: ``slope · n^exponent + constant`` on its factors, the same with ``bias_slope`` and
``bias_constant`` on its bias; n is the row's number of entries, and rows without entries are outside the
objective. A *table* holds one side: float32, shape (n, width), the factors and, with biases, the bias in the
last column.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alternant.errors import DataError
from alternant.interactions import EntryRows, Interactions, RowBlock
from alternant.kernels import biases
from alternant.kernels.rows import EntryTerm, RowTerms

Side = Literal["users", "items"]
Table = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# The scale-free rule: factor ridge s·(0.65·asp·√n + 3), bias ridge 3.
RULE_SLOPE = 0.65
RULE_CONSTANT = 3.0
BIAS_MODEL_PASSES = 8
BIAS_MODEL_SHRINKAGE = 5.0
# At most so many entries are held in float64 at once by `ExplicitObjective.total`.
_ENTRIES_AT_ONCE = 1 << 18


def rows_of(interactions: Interactions, side: Side) -> EntryRows:
    """Return the entries by user or by item."""
    return interactions.by_user if side == "users" else interactions.by_item


@dataclass(frozen=True)
class Ridge:
    """The ridge of a row with n entries: ``slope · n^exponent + constant`` on factors, the bias with its own
    two."""

    slope: float
    exponent: float = 0.0
    constant: float = 0.0
    bias_slope: float = 0.0
    bias_constant: float = 0.0

    @classmethod
    def plain(cls, regularization: float, exponent: float) -> "Ridge":
        """λ·n^ν on every column."""
        return cls(slope=regularization, exponent=exponent, bias_slope=regularization)

    def diagonal(self, counts: npt.NDArray[np.int64], n_factors: int, *, bias: bool) -> Float64:
        """Return D of each row: float64, shape (n_rows, n_factors + bias)."""
        powers = counts.astype(np.float64) ** self.exponent
        columns = [self.slope * powers + self.constant] * n_factors
        if bias:
            columns.append(self.bias_slope * powers + self.bias_constant)
        return np.stack(columns, axis=1)


@dataclass(frozen=True)
class ExplicitObjective:
    """The objective of explicit ALS with every number resolved.

    Attributes
    ----------
    n_factors : int
    biases : bool
        Whether tables have a bias column.
    mean : float
        Fixed; 0 without centring.
    user_ridge, item_ridge : Ridge
    """

    n_factors: int
    biases: bool
    mean: float
    user_ridge: Ridge
    item_ridge: Ridge

    @property
    def width(self) -> int:
        """Columns of a table: the factors, and the bias where there is one."""
        return self.n_factors + self.biases

    def ridge(self, side: Side) -> Ridge:
        """Return the ridge of one side's rows."""
        return self.user_ridge if side == "users" else self.item_ridge

    def row_terms(self, side: Side, block: RowBlock) -> RowTerms:
        """Return what the kernels need to solve a block of `side`'s rows: a = w, targets t = r − mean."""
        if block.values is None:
            raise DataError(
                "explicit ratings need values, got entries without; name the value column with value="
            )
        ridge = self.ridge(side)
        rho = np.full(self.width, ridge.slope)
        kappa = np.full(self.width, ridge.constant)
        if self.biases:
            rho[-1], kappa[-1] = ridge.bias_slope, ridge.bias_constant
        return RowTerms(
            a=EntryTerm(1.0) if block.weights is None else EntryTerm(array=block.weights),
            b=EntryTerm(-self.mean, 1.0),
            b_is_target=True,
            bias_column=self.biases,
            ridge=np.diff(block.offsets).astype(np.float64) ** ridge.exponent,
            rho=rho,
            kappa=kappa,
        )

    def penalty(self, side: Side, table: Table, counts: npt.NDArray[np.int64]) -> float:
        """Return Σ D·x² over the rows of one side that have entries, in float64."""
        active = counts > 0
        square = table[active].astype(np.float64) ** 2
        return float(
            np.sum(self.ridge(side).diagonal(counts[active], self.n_factors, bias=self.biases) * square)
        )

    def residual_sum(self, interactions: Interactions, user_table: Table, item_table: Table) -> float:
        """Return Σ w (r − prediction)² over the stored entries, in float64, in one pass over the data."""
        total = 0.0
        for block in interactions.by_user.blocks(_ENTRIES_AT_ONCE):
            users = np.repeat(np.arange(block.begin, block.end), np.diff(block.offsets))
            x, y = user_table[users].astype(np.float64), item_table[block.indices].astype(np.float64)
            k = self.n_factors
            fitted = self.mean + np.einsum("ij,ij->i", x[:, :k], y[:, :k])
            if self.biases:
                fitted += x[:, k] + y[:, k]
            values = np.ones(len(users)) if block.values is None else block.values.astype(np.float64)
            square = (values - fitted) ** 2
            total += float(np.sum(square if block.weights is None else block.weights * square))
        return total

    def total(self, interactions: Interactions, user_table: Table, item_table: Table) -> float:
        """Return the objective in float64, recomputed from the data: what tests compare the running loss
        with."""
        return (
            self.residual_sum(interactions, user_table, item_table)
            + self.penalty("users", user_table, interactions.by_user.counts)
            + self.penalty("items", item_table, interactions.by_item.counts)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the objective as plain numbers and strings, for a model file."""
        return {"kind": "explicit", **asdict(self)}


def from_dict(data: dict[str, Any]) -> ExplicitObjective:
    """Return the objective that :meth:`ExplicitObjective.to_dict` described."""
    fields = dict(data)
    kind = fields.pop("kind", None)
    if kind != "explicit":
        raise DataError(f"objective kind must be 'explicit', got {kind!r}")
    try:
        for name in ("user_ridge", "item_ridge"):
            fields[name] = Ridge(**fields[name])
        return ExplicitObjective(**fields)
    except (KeyError, TypeError) as error:
        raise DataError(f"the objective lacks a field or has one too many: {error}") from error


@dataclass(frozen=True)
class BiasModel:
    """What the mean and biases alone explain.

    user_biases, item_biases : float64, shapes (n_users,) and (n_items,)
    mean : the weighted mean of the values, or 0 without centring
    scale : s, the weighted standard deviation of what is left, in the units of the values; at least 1e-3 of
    the root mean
        square of value − mean, so 0 only where every value equals the mean
    """

    user_biases: Float64
    item_biases: Float64
    mean: float
    scale: float

    def predict(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> Float64:
        """Return mean + b_u + b_i for pairs of positions."""
        return self.mean + self.user_biases[users] + self.item_biases[items]


def weighted_mean(interactions: Interactions) -> tuple[float, float]:
    """Return the weighted mean of the values and the sum of the weights, in float64."""
    values, weights = [], []
    for block in interactions.by_user.blocks(_ENTRIES_AT_ONCE * 64):
        numbers = np.ones(len(block.indices)) if block.values is None else block.values.astype(np.float64)
        values.append(float(np.sum(numbers if block.weights is None else numbers * block.weights)))
        weights.append(
            float(len(numbers)) if block.weights is None else float(block.weights.sum(dtype=np.float64))
        )
    return sum(values) / sum(weights), sum(weights)


def fit_biases(interactions: Interactions, *, center: bool, n_threads: int) -> BiasModel:
    """Fit value ≈ mean + b_u + b_i by eight alternating passes, each bias shrunk by 5 entries.

    b_u = Σ w (r − mean − b_i) / (Σ w + 5), then the same for items; users first.
    """
    mean, weight = weighted_mean(interactions)
    mean = mean if center else 0.0
    tables = {"users": np.zeros(interactions.n_users), "items": np.zeros(interactions.n_items)}
    sides: tuple[Side, Side] = ("users", "items")
    square = 0.0
    for _ in range(BIAS_MODEL_PASSES):
        for side in sides:
            fixed = tables["items" if side == "users" else "users"]
            square = 0.0
            for block in rows_of(interactions, side).blocks():
                found, squares = biases.bias_pass(
                    block,
                    block.weights,
                    fixed,
                    mean=mean,
                    shrinkage=BIAS_MODEL_SHRINKAGE,
                    n_threads=n_threads,
                )
                tables[side][block.begin : block.end] = found
                square += float(squares.sum())
    spread = _root_mean_square(interactions, mean, weight)
    scale = max(np.sqrt(max(square, 0.0) / weight), 1e-3 * spread)
    return BiasModel(tables["users"], tables["items"], mean, float(scale))


def _root_mean_square(interactions: Interactions, mean: float, weight: float) -> float:
    total = 0.0
    for block in interactions.by_user.blocks(_ENTRIES_AT_ONCE * 64):
        numbers = np.ones(len(block.indices)) if block.values is None else block.values.astype(np.float64)
        square = (numbers - mean) ** 2
        total += float(np.sum(square if block.weights is None else square * block.weights))
    return float(np.sqrt(total / weight))


def scale_free_ridge(interactions: Interactions, scale: float) -> Ridge:
    """Return the default ridge: s·(0.65·asp·√n + 3) on factors, 3 on the bias.

    asp = aspect^¼ + aspect^−¼ with aspect = n_items / n_users, counting ids with entries. Alternating ridge
    regression is a nuclear-norm penalty, whose right threshold is the spectral norm of the noise matrix; with
    √n weights on both sides that is s·asp. The constant keeps short rows and biases shrunk.
    """
    n_users = int(np.count_nonzero(interactions.by_user.counts))
    n_items = int(np.count_nonzero(interactions.by_item.counts))
    aspect = (n_items / n_users) ** 0.25
    scale = scale if scale > 0.0 else 1.0  # all values equal: any ridge gives factors of 0
    return Ridge(
        slope=RULE_SLOPE * (aspect + 1.0 / aspect) * scale,
        exponent=0.5,
        constant=RULE_CONSTANT * scale,
        bias_constant=RULE_CONSTANT,
    )

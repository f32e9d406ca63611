"""The ridge of a row: how strongly its factors and its bias are drawn to their prior mean."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ridge:
    """The ridge of a row of size n: ``slope · n^exponent + constant`` on factors, the bias with its own two.

    The size of a row is its number of entries, or what a model says instead.
    """

    slope: float
    exponent: float = 0.0
    constant: float = 0.0
    bias_slope: float = 0.0
    bias_constant: float = 0.0

    @classmethod
    def plain(cls, regularization: float, exponent: float, *, bias: float | None = None) -> "Ridge":
        """λ·n^ν on every column, or `bias` (whatever n) on the bias."""
        if bias is not None:
            return cls(slope=regularization, exponent=exponent, bias_constant=bias)
        return cls(slope=regularization, exponent=exponent, bias_slope=regularization)

    def powers(self, sizes: npt.NDArray[np.number]) -> Float64:
        """Return n^exponent of each row: float64, shape (n_rows,)."""
        return np.asarray(sizes, np.float64) ** self.exponent

    def multipliers(self, n_factors: int, *, bias: bool) -> tuple[Float64, Float64]:
        """Return ρ and κ, float64, shape (n_factors + bias,): a row's ridge is n^exponent · ρ + κ."""
        rho = np.full(n_factors + bias, self.slope)
        kappa = np.full(n_factors + bias, self.constant)
        if bias:
            rho[-1], kappa[-1] = self.bias_slope, self.bias_constant
        return rho, kappa

    def diagonal(self, sizes: npt.NDArray[np.number], n_factors: int, *, bias: bool) -> Float64:
        """Return D of each row: float64, shape (n_rows, n_factors + bias)."""
        rho, kappa = self.multipliers(n_factors, bias=bias)
        return self.powers(sizes)[:, None] * rho + kappa

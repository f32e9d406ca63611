"""Which settings are searched, and between which bounds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alternant.als import ExplicitALS, ImplicitALS
from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.objective import (
    fit_biases,
    implicit_ridge_rule,
    scale_free_ridge,
    unobserved_weight_rule,
)

Estimator = ExplicitALS | ImplicitALS

FEW_FACTORS = 32
MOST_FACTORS = 512


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, evenly spread over their logarithms where `log` says so.

    `word` is tried beside them, such as "auto"; None: numbers only. `whole`: integers only.

    Examples
    --------
    >>> Range(0.01, 1.0).log
    True
    """

    low: float
    high: float
    log: bool = True
    word: str | None = None
    whole: bool = False

    def __post_init__(self) -> None:
        fits = math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high
        if not fits or (self.log and self.low <= 0):
            raise DataError(
                "a range must run from a smaller to a larger number, both above 0 with log=True, "
                f"got {self.low!r} and {self.high!r}"
            )


@dataclass(frozen=True)
class Choice:
    """One of some values: numbers, words, True, False or None.

    Examples
    --------
    >>> len(Choice((True, False)).values)
    2
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(self.values) == 0:
            raise DataError("a choice must have at least one value, got none")


Space = Mapping[str, Range | Choice]
"""Setting → where it is searched."""


def default_space(estimator: Estimator, train: Interactions) -> dict[str, Range | Choice]:
    """Return what is searched for an estimator by default, around the rules for these data.

    Settings that are searched lose the value that the estimator has; all others keep it.

    Parameters
    ----------
    estimator : ExplicitALS or ImplicitALS
    train : Interactions, that trials are fitted to

    Examples
    --------
    >>> from alternant import Interactions
    >>> data = Interactions.from_arrays([1, 1, 2], [1, 2, 1])
    >>> sorted(default_space(ImplicitALS(), data))
    ['item_discount', 'n_factors', 'regularization', 'unobserved_weight']
    """
    if isinstance(estimator, ExplicitALS):
        return _explicit(estimator, train)
    return _implicit(estimator, train)


def _implicit(estimator: ImplicitALS, train: Interactions) -> dict[str, Range | Choice]:
    factors = _factors(estimator.n_factors)
    discounts = Choice(tuple(sorted({0.0, 0.15, 0.3, estimator.item_discount})))
    if estimator.form != "ials":
        ridge = _around(_number(estimator.regularization, 1.0), 32.0)
        alpha = _around(_number(estimator.alpha, 8.0), 32.0)
        return {"alpha": alpha, "regularization": ridge, "n_factors": factors, "item_discount": discounts}
    unobserved = _number(estimator.unobserved_weight, unobserved_weight_rule(train))
    ridge = _around(_number(estimator.regularization, implicit_ridge_rule(train, unobserved)), 8.0)
    return {
        "unobserved_weight": _around(unobserved, 16.0),
        "regularization": ridge,
        "n_factors": factors,
        "item_discount": discounts,
    }


def _explicit(estimator: ExplicitALS, train: Interactions) -> dict[str, Range | Choice]:
    scale = fit_biases(train, center=estimator.center, n_threads=1).scale
    slope = _number(estimator.regularization, scale_free_ridge(train, scale).slope)
    space: dict[str, Range | Choice] = {
        "regularization": Range(slope / 4, slope * 4, word="auto"),
        "n_factors": Range(
            min(8, estimator.n_factors), max(MOST_FACTORS // 2, estimator.n_factors), whole=True
        ),
        "link": Choice((True, False)),
        "link_regularization": _around(estimator.link_regularization, 6.0),
    }
    if estimator.regularization_exponent != 0.5:
        space["regularization"] = Range(slope / 4, slope * 4)
    if estimator.biases:
        space["bias_regularization"] = _around(_number(estimator.bias_regularization, 3.0), 4.0)
    return space


def _factors(given: int) -> Range:
    return Range(min(8, given), max(MOST_FACTORS, given), whole=True)


def _around(middle: float, factor: float) -> Range:
    middle = middle if middle > 0 else 1e-3
    return Range(middle / factor, middle * factor)


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def check_space(space: Space, estimator: Estimator) -> None:
    """Refuse a space with other settings than an estimator's, or with stop rules that trials need."""
    known = type(estimator).__dataclass_fields__
    if not isinstance(space, Mapping) or not space:
        raise DataError("space must be a mapping from settings to Range or Choice, with at least one")
    for name, where in space.items():
        if name not in known or name in ("n_sweeps", "patience", "time_budget", "n_threads"):
            raise DataError(
                f"{name!r} cannot be searched; expected settings of {type(estimator).__name__} other than "
                "n_sweeps, which every trial finds by itself, patience, time_budget and n_threads"
            )
        if not isinstance(where, Range | Choice):
            raise DataError(f"{name!r} must be searched in a Range or a Choice, got {where!r}")

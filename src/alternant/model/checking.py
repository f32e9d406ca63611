"""What every model promises, checked when one is made: by a fit, and from a file, which may lie."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.model.priors import SidePrior
from alternant.objective import SampledObjective, Side

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot


def check(model: "Snapshot") -> None:
    """Refuse wrong shapes and dtypes, and numbers that are not finite; make all arrays read-only."""
    n_users, n_items, width = len(model.user_ids), len(model.item_ids), model.problem.width
    _array(model, "user_table", np.float32, (n_users, width))
    _array(model, "item_table", np.float32, (n_items, width))
    _array(model, "user_counts", np.int64, (n_users,))
    _array(model, "item_counts", np.int64, (n_items,))
    _array(model, "omega", np.float64, (model.problem.n_factors,))
    k = model.problem.n_factors
    for name, dtype, shape in (
        ("gram", np.float32, (k, k)),
        ("user_unobserved", np.float64, (n_users,)),
        ("item_unobserved", np.float64, (n_items,)),
    ):
        if getattr(model, name) is not None:
            _array(model, name, dtype, shape)
    _draws(model, "users", n_users, n_items)
    _draws(model, "items", n_items, n_users)
    _prior(model, "users", model.user_prior, n_users, n_items)
    _prior(model, "items", model.item_prior, n_items, n_users)
    for name in ("user_table", "item_table"):
        if not np.isfinite(getattr(model, name)).all():
            raise DataError(f"{name} must be finite, got NaN or infinity")
    days = model.day_biases
    if (days is None) != (model.problem.day_ridge is None):
        raise DataError(f"biases of days must go with their ridge {model.problem.day_ridge!r}")
    if days is not None and days.n_users != n_users:
        raise DataError(f"biases of days must be those of {n_users} users, got {days.n_users}")
    values = model.value_range
    for name, got, fits in (
        ("settings", model.settings, isinstance(model.settings, dict)),
        ("stopped", model.stopped, isinstance(model.stopped, str)),
        ("mean", model.mean, _is_finite(model.mean)),
        ("value_range", values, values is None or (len(values) == 2 and all(map(_is_finite, values)))),
    ):
        if not fits:
            raise DataError(f"{name} cannot be {got!r}")
    history = model.history
    if history is not None and (history.n_users != n_users or history.n_items != n_items):
        raise DataError(
            f"the history must have the model's ids ({n_users} users, {n_items} items), "
            f"got {history.n_users} and {history.n_items}"
        )


def _prior(model: "Snapshot", side: Side, prior: SidePrior, n_rows: int, n_other: int) -> None:
    """Refuse coefficients that do not fit the objective, the ids and the features."""
    objective, width = model.problem, model.problem.width
    n_features = 0 if prior.encoding is None else prior.encoding.n_features
    for what, ridge, table, shape in (
        ("link", objective.link_ridge(side), prior.link, (n_other, width)),
        ("attributes", objective.attribute_ridge(side), prior.attributes, (n_features, width)),
    ):
        if (ridge is None) != (table is None):
            raise DataError(f"the {what} of {side} must go with its ridge {ridge!r}")
        if table is not None and (table.dtype != np.float32 or table.shape != shape):
            raise DataError(
                f"the {what} of {side} must be float32 of shape {shape}, "
                f"got {table.dtype} of shape {table.shape}"
            )
        if table is not None and not np.isfinite(table).all():
            raise DataError(f"the {what} of {side} must be finite, got NaN or infinity")
    features = prior.features
    drawn = None if model.draws is None else model.draws.of(side).attributes
    if (features is None) != (prior.attributes is None and drawn is None):
        raise DataError(f"attributes of {side} must go with their features")
    if features is not None and (features.n_rows, features.n_columns) != (n_rows, n_features):
        raise DataError(
            f"features of {side} must have shape {(n_rows, n_features)}, "
            f"got {(features.n_rows, features.n_columns)}"
        )


def _draws(model: "Snapshot", side: Side, n_rows: int, n_other: int) -> None:
    """Refuse draws that do not fit the objective, the ids and the features; make them read-only."""
    objective = model.problem
    if isinstance(objective, SampledObjective) != (model.draws is not None):
        raise DataError(f"draws must go with a sampled objective, got one of kind {objective.kind!r}")
    if model.draws is None or not isinstance(objective, SampledObjective):
        return
    s = objective.n_draws
    if s < 1 or objective.n_factors % s != 0:
        raise DataError(f"{objective.n_factors} factors cannot be those of {s} draws")
    width, draws, encoding = objective.n_factors // s + 1, model.draws.of(side), model.prior(side).encoding
    n_features = 0 if encoding is None else encoding.n_features
    for name, dtype, shape in (
        ("tables", np.float32, (s, n_rows, width)),
        ("means", np.float64, (s, width)),
        ("precisions", np.float64, (s, width, width)),
        ("noises", np.float64, (s,)),
        ("link", np.float32, (s, n_other, width)),
        ("attributes", np.float32, (s, n_features, width)),
    ):
        array = getattr(draws, name)
        if array is None:
            continue
        _array(draws, name, dtype, shape)
        if not np.isfinite(array).all():
            raise DataError(f"the {name} of draws must be finite, got NaN or infinity")
    if not (_is_finite(model.draws.scale) and model.draws.scale > 0 and _is_finite(model.draws.mean)):
        raise DataError("the units of draws must be finite numbers, the scale above 0")


def _is_finite(value: object) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)


def _array(model: object, name: str, dtype: Any, shape: tuple[int, ...]) -> None:
    array: NDArray[Any] = getattr(model, name)
    if array.dtype != dtype or array.shape != shape:
        raise DataError(
            f"{name} must be {np.dtype(dtype)} of shape {shape}, got {array.dtype} of shape {array.shape}"
        )
    view = np.ascontiguousarray(array).view()  # the flag of the caller's own array stays
    view.flags.writeable = False
    object.__setattr__(model, name, view)

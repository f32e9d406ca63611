"""What each model minimises: how prepared entries become the terms of row systems. NumPy only; solving is
solvers.py's."""

from typing import Any

from alternant.errors import DataError
from alternant.objective._biases import BiasModel, fit_biases, weighted_mean
from alternant.objective._explicit import ExplicitObjective
from alternant.objective._implicit import Form, ImplicitObjective
from alternant.objective._positives import positives, weak_positives, weak_positives_warning
from alternant.objective._problem import (
    Counts,
    FixedSide,
    Float64,
    Objective,
    Side,
    Table,
    WeighedBlock,
    other,
    products,
    rows_of,
)
from alternant.objective._ridge import Ridge
from alternant.objective._rules import (
    day_ridge_rule,
    implicit_ridge_rule,
    n_active,
    scale_free_ridge,
    unobserved_weight_rule,
)
from alternant.objective._sampled import SampledObjective

__all__ = [
    "BiasModel",
    "Counts",
    "ExplicitObjective",
    "FixedSide",
    "Float64",
    "Form",
    "ImplicitObjective",
    "Objective",
    "Ridge",
    "SampledObjective",
    "Side",
    "Table",
    "WeighedBlock",
    "day_ridge_rule",
    "fit_biases",
    "from_dict",
    "implicit_ridge_rule",
    "n_active",
    "other",
    "positives",
    "products",
    "rows_of",
    "scale_free_ridge",
    "unobserved_weight_rule",
    "weak_positives",
    "weak_positives_warning",
    "weighted_mean",
]

_KINDS: dict[str, type[Objective]] = {
    each.kind: each for each in (ExplicitObjective, ImplicitObjective, SampledObjective)
}


def from_dict(data: dict[str, Any]) -> Objective:
    """Return the objective that :meth:`Objective.to_dict` described."""
    fields = dict(data)
    kind = fields.pop("kind", None)
    if kind not in _KINDS:
        raise DataError(f"objective kind must be one of {', '.join(map(repr, _KINDS))}, got {kind!r}")
    try:
        for name in ("user_ridge", "item_ridge"):
            fields[name] = Ridge(**fields[name])
        return _KINDS[kind](**fields)
    except (KeyError, TypeError) as error:
        raise DataError(f"the objective lacks a field or has one too many: {error}") from error

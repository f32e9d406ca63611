"""The prior means that a model holds: coefficients of links and attributes, and what attributes are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.attributes import AttributeEncoding
from alternant.errors import DataError
from alternant.interactions import EntryRows
from alternant.kernels import csr
from alternant.objective import Objective, Side
from alternant.prior import PriorPart, attribute_part, link_part


@dataclass(frozen=True, eq=False)
class SidePrior:
    """The prior of one side's rows.

    Attributes
    ----------
    link : float32, shape (n_other, width), or None
        One row for each of the other side's ids.
    attributes : float32, shape (n_features, width), or None
    encoding : AttributeEncoding or None
        What the features are.
    features : EntryRows, shape (n_rows, n_features), or None
        Those of the rows that the model holds.
    """

    link: NDArray[np.float32] | None = None
    attributes: NDArray[np.float32] | None = None
    encoding: AttributeEncoding | None = None
    features: EntryRows | None = None

    @property
    def coefficients(self) -> tuple[NDArray[np.float32], ...]:
        """Those there are, the link's first."""
        return tuple(each for each in (self.link, self.attributes) if each is not None)

    @property
    def is_empty(self) -> bool:
        """Whether the prior mean is 0."""
        return self.link is None and self.attributes is None


def prior_parts(
    objective: Objective,
    side: Side,
    rows: EntryRows,
    features: EntryRows | None,
    *,
    columns: EntryRows | None = None,
    fitted: bool = False,
) -> Sequence[PriorPart]:
    """Return the parts of a side's prior, the link first.

    Parameters
    ----------
    rows : the side's prepared entries
    features : EntryRows, shape (n_rows, n_features)
        None where the objective has no attributes.
    columns : the entries of the other side
        Needed with `fitted`: where coefficients will be solved for.
    """
    parts = []
    link, attributes = objective.link_ridge(side), objective.attribute_ridge(side)
    if link is not None:
        parts.append(link_part(rows, columns if fitted else None, ridge=link))
    if attributes is not None and features is not None:
        parts.append(attribute_part(features, ridge=attributes, fitted=fitted))
    return tuple(parts)


def side_prior(
    parts: Sequence[PriorPart],
    coefficients: Sequence[NDArray[np.float32]],
    encoding: AttributeEncoding | None,
    features: EntryRows | None,
) -> SidePrior:
    """Return the prior that a fit leaves."""
    found = {part.kind: each for part, each in zip(parts, coefficients, strict=True)}
    return SidePrior(found.get("link"), found.get("attributes"), encoding, features)


def prior_arrays(prior: SidePrior) -> dict[str, NDArray[Any]]:
    """Return the arrays of a prior, for a model file."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in ("link", "attributes"):
        if (table := getattr(prior, name)) is not None:
            arrays[name] = table
    if prior.features is not None:
        arrays |= {
            "features.offsets": prior.features.offsets,
            "features.indices": prior.features.indices,
        }
        if prior.features.values is not None:
            arrays["features.values"] = prior.features.values
    return arrays


def prior_dict(prior: SidePrior) -> dict[str, Any] | None:
    """Return what a model file says of a prior in words; None of one without attributes."""
    return None if prior.encoding is None else prior.encoding.to_dict()


def prior_of(described: dict[str, Any] | None, arrays: dict[str, NDArray[Any]]) -> SidePrior:
    """Return the prior that :func:`prior_arrays` and :func:`prior_dict` described."""
    encoding = None if described is None else AttributeEncoding.from_dict(described)
    features = None
    if encoding is not None:
        features = EntryRows(
            arrays["features.offsets"],
            arrays["features.indices"],
            encoding.n_features,
            values=arrays.get("features.values"),
        )
        csr.check_rows(features.offsets, features.indices, n_columns=features.n_columns)
        if features.values is not None and features.values.dtype != np.float32:
            raise DataError(f"values of features must be float32, got {features.values.dtype}")
    return SidePrior(arrays.get("link"), arrays.get("attributes"), encoding, features)

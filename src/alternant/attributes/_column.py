"""What one column of attributes becomes: its kind, and what was learnt of it. It must not know tables."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from alternant.errors import DataError

AttributeKind = Literal["numeric", "boolean", "categorical", "tags"]
KINDS: tuple[AttributeKind, ...] = get_args(AttributeKind)
_FIELDS = {
    "numeric": {"mean", "scale"},
    "boolean": set(),
    "categorical": {"categories"},
    "tags": {"categories"},
}


@dataclass(frozen=True)
class AttributeColumn:
    """One column of attributes, and the features that it becomes.

    Attributes
    ----------
    name : str
    kind : {"numeric", "boolean", "categorical", "tags"}
        "numeric": one feature, (value − mean) / scale. "boolean": one feature, 0 or 1. "categorical": one
        feature for each category, 1 where the row holds it. "tags": likewise, where a row may hold several;
        each is then 1 / √(number of the row's tags that have a feature), so that the features of such a row
        have length 1, as those of a category have. What is missing is 0: for a number, the mean.
    mean, scale : float
        Of a numeric column; scale is positive. 0 and 1: the numbers are used as they are.
    categories : tuple of str
        Of "categorical" and "tags": distinct, sorted by code points.

    Raises
    ------
    DataError
        The parts do not fit each other.
    """

    name: str
    kind: AttributeKind
    mean: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise DataError(f"the name of an attribute must be a string, got {self.name!r}")
        if self.kind not in KINDS:
            raise DataError(f"attribute {self.name!r} must be one of {', '.join(KINDS)}, got {self.kind!r}")
        for field in ("mean", "scale"):
            number = getattr(self, field)
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise DataError(f"the {field} of attribute {self.name!r} must be finite, got {number!r}")
        if self.scale <= 0:
            raise DataError(f"the scale of attribute {self.name!r} must be positive, got {self.scale!r}")
        _check_categories(self)

    @property
    def n_features(self) -> int:
        """How many features the column becomes."""
        return len(self.categories) if self.kind in ("categorical", "tags") else 1

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each feature: that of the column, or ``column=category``.

        Examples
        --------
        >>> AttributeColumn("genres", "tags", categories=("Comedy", "Drama")).feature_names
        ('genres=Comedy', 'genres=Drama')
        """
        if self.kind in ("categorical", "tags"):
            return tuple(f"{self.name}={category}" for category in self.categories)
        return (self.name,)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each category among them."""
        return {category: place for place, category in enumerate(self.categories)}

    def to_dict(self) -> dict[str, Any]:
        """Return the column as a dictionary that JSON can hold."""
        stored: dict[str, Any] = {"name": self.name, "kind": self.kind}
        if self.kind == "numeric":
            stored.update(mean=float(self.mean), scale=float(self.scale))
        elif self.kind != "boolean":
            stored["categories"] = list(self.categories)
        return stored

    @classmethod
    def from_dict(cls, stored: Any) -> "AttributeColumn":
        """Return the column that :meth:`to_dict` took apart; everything is checked, because files may lie.

        Examples
        --------
        >>> year = AttributeColumn("year", "numeric", mean=1995.0, scale=20.0)
        >>> AttributeColumn.from_dict(year.to_dict()) == year
        True
        """
        kind = stored.get("kind") if isinstance(stored, Mapping) else None
        fields = {"name", "kind"} | (_FIELDS[kind] if isinstance(kind, str) and kind in _FIELDS else set())
        if not isinstance(stored, Mapping) or set(stored) != fields:
            raise DataError(f"a stored attribute must have {', '.join(sorted(fields))}, got {stored!r}")
        categories = stored.get("categories", [])
        if not isinstance(categories, list | tuple):
            raise DataError(f"the categories of a stored attribute must be a list, got {categories!r}")
        numbers = {name: stored[name] for name in ("mean", "scale") if name in stored}
        return cls(stored["name"], stored["kind"], categories=tuple(categories), **numbers)


def _check_categories(column: AttributeColumn) -> None:
    categories = column.categories
    if column.kind not in ("categorical", "tags"):
        if categories:
            raise DataError(f"attribute {column.name!r} is {column.kind} and must have no categories")
        return
    if not categories:
        raise DataError(f"attribute {column.name!r} is {column.kind} and must have categories")
    if not all(isinstance(category, str) and category for category in categories):
        raise DataError(f"the categories of attribute {column.name!r} must be strings that are not empty")
    if any(one >= other for one, other in itertools.pairwise(categories)):
        raise DataError(f"the categories of attribute {column.name!r} must be sorted and distinct")

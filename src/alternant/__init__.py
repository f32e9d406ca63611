"""alternant: Alternating Least Squares recommenders, from a table of ratings to recommendations.

>>> from alternant import ExplicitALS, Interactions
>>> ratings = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5.0, 3.0, 4.0])
>>> ExplicitALS(n_factors=2).fit(ratings).recommend("bob").item_id.tolist()
['y']
"""

from typing import TYPE_CHECKING, Any

from alternant.als import ExplicitALS, ImplicitALS
from alternant.errors import (
    AlternantError,
    DataError,
    DivergedError,
    MissingExtraError,
    ModelFileError,
    SingularSystemError,
    UnknownIdError,
    UnknownSettingError,
)
from alternant.ids import IdMap
from alternant.interactions import Interactions
from alternant.model import FactorModel, load

if TYPE_CHECKING:
    from alternant.reading import read as read
    from alternant.reading import read_attributes as read_attributes
    from alternant.reading import read_titles as read_titles

__version__ = "0.1.0"
__all__ = [
    "AlternantError",
    "DataError",
    "DivergedError",
    "ExplicitALS",
    "FactorModel",
    "IdMap",
    "ImplicitALS",
    "Interactions",
    "MissingExtraError",
    "ModelFileError",
    "SingularSystemError",
    "UnknownIdError",
    "UnknownSettingError",
    "load",
]
# Not in __all__: `from alternant import *` must not need an extra.
_LAZY = ("read", "read_attributes", "read_titles")


def __getattr__(name: str) -> Any:
    """Open the door to reading files, which needs the 'read' extra, only when somebody knocks."""
    if name in _LAZY:
        from alternant import reading

        return getattr(reading, name)
    raise AttributeError(f"module 'alternant' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])

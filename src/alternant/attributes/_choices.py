"""A table of attributes together with how it is to be read, where its looks do not say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alternant.attributes._column import AttributeKind


@dataclass(frozen=True, eq=False)
class AttributeTable:
    """A table of attributes, and which of its columns are what; accepted wherever such a table is.

    Attributes
    ----------
    frame : table (pandas, polars, pyarrow, Arrow's interface, dict of arrays)
    id_column : str or None
        The column of the ids. Default: the one with a usual name, such as ``movieId`` or ``id``.
    columns : mapping of str to kind, sequence of str, or None
        Which columns to use: as "numeric", "boolean", "categorical" or "tags", or (None, or a sequence) as
        what they look like. Default: all that can be used.
    min_count : int
        Categories and tags of fewer rows have no feature.

    Examples
    --------
    >>> from alternant import ExplicitALS, Interactions
    >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
    >>> films = AttributeTable({"film": ["x", "y"], "year": [1990, 2000]}, columns={"year": "categorical"})
    >>> model = ExplicitALS(n_factors=1).fit(data, item_attributes=films)
    >>> model.item_prior.encoding.feature_names
    ('year=1990', 'year=2000')
    """

    frame: Any
    id_column: str | None = None
    columns: Mapping[str, AttributeKind | None] | Sequence[str] | None = None
    min_count: int = 1


def frame_of(attributes: Any) -> Any:
    """Return the table itself."""
    return attributes.frame if isinstance(attributes, AttributeTable) else attributes

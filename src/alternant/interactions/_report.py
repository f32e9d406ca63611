"""What happened to the rows that were read, and what came of them."""

from dataclasses import dataclass

from alternant._words import counted


@dataclass(frozen=True)
class BuildReport:
    """What became of the rows that interactions were built from.

    Attributes
    ----------
    n_rows_read : rows given
    n_dropped : rows left out because a value, weight or time was NaN, null or infinite
        (``on_invalid="drop"``)
    n_merged : rows that went into another row of the same user and item
    n_zero_weight : entries removed because their weight is 0
    n_deselected : entries removed by :func:`alternant.weighting.select`
    """

    n_rows_read: int
    n_dropped: int = 0
    n_merged: int = 0
    n_zero_weight: int = 0
    n_deselected: int = 0


@dataclass(frozen=True)
class Summary:
    """Numbers that describe interactions; ``str()`` gives them in words.

    Attributes
    ----------
    n_users, n_items : ids, those without entries included
    n_active_users, n_active_items : ids with entries
    n_entries : stored entries
    density : n_entries / (n_users · n_items), 0 for an empty table
    value_min, value_mean, value_max : of the stored values; None without values
    n_zero, n_negative : stored values that are 0, or below; what they mean depends on the model
    n_merged, n_dropped : see :class:`BuildReport`
    """

    n_users: int
    n_items: int
    n_active_users: int
    n_active_items: int
    n_entries: int
    density: float
    value_min: float | None
    value_mean: float | None
    value_max: float | None
    n_zero: int
    n_negative: int
    n_merged: int
    n_dropped: int

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The smallest and the largest value; None without values."""
        if self.value_min is None or self.value_max is None:
            return None
        return self.value_min, self.value_max

    def __str__(self) -> str:
        lines = [
            f"{counted(self.n_entries, 'entry')}: {_ids(self.n_users, self.n_active_users, 'user')} × "
            f"{_ids(self.n_items, self.n_active_items, 'item')}, {100 * self.density:.3g} % of all pairs"
        ]
        if self.value_mean is not None:
            lines.append(f"values {self.value_min:g} to {self.value_max:g}, mean {self.value_mean:.4g}")
        notes = [
            f"{number:,} {one if number == 1 else more}"
            for number, one, more in [
                (self.n_zero, "value is 0", "values are 0"),
                (self.n_negative, "value is negative", "values are negative"),
                (self.n_merged, "row merged into another", "rows merged into others"),
                (self.n_dropped, "row dropped", "rows dropped"),
            ]
            if number
        ]
        return "\n".join(lines + ([", ".join(notes)] if notes else []))


def _ids(n: int, n_active: int, word: str) -> str:
    return counted(n, word) + ("" if n == n_active else f" ({n - n_active:,} without entries)")

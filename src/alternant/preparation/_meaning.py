"""What a raw value means: the target and the weight that it gives an entry.

With v the value (1 where there are none) and w the weight (1 where there are none):

| meaning | target t | weight e |
|---|---|---|
| "rating", "target" | v | w |
| "confidence" | 1 where v > 0, 0 where v < 0 (a dislike) | w·abs(v); the entry goes where v = 0 |
| "count" | 1 | w·v; the entry goes where v = 0; v < 0 is refused |
| "ignore" | 1 | w |
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.interactions import EntryRows, Interactions
from alternant.preparation._constants import Float64
from alternant.preparation._transforms import Normalize, Transform

ValueMeaning = Literal["rating", "confidence", "count", "target", "ignore"]
Float32 = NDArray[np.float32]


def adds_confidence(meaning: ValueMeaning) -> bool:
    """Return whether the value is a weight, so that 0 means no entry."""
    return meaning in ("confidence", "count")


def check_values(
    interactions: Interactions, meaning: ValueMeaning, transforms: tuple[Transform, ...]
) -> None:
    """Refuse values that the meaning, or one of the value `transforms`, has no place for."""
    values = interactions.by_user.values
    if values is None or meaning in ("confidence", "ignore") or not len(values):
        return
    if meaning == "count":
        if values.min() < 0:
            raise DataError(
                f'values must not be negative under value="count", got {_first(interactions, values < 0)}; '
                'drop the row, or take it as a dislike with value="confidence"'
            )
        return
    for transform in transforms:
        name = type(transform).__name__.lower()
        if values.min() < 0:
            raise DataError(
                f'{name} needs values that are not negative under value="{meaning}", got '
                f"{_first(interactions, values < 0)}; drop the row or leave {name} out"
            )
        if isinstance(transform, Normalize) and values.min() == 0:
            raise DataError(
                f'{name} needs positive values under value="{meaning}", got '
                f"{_first(interactions, values == 0)}; drop the row or leave {name} out"
            )


def _first(interactions: Interactions, problem: NDArray[np.bool_]) -> str:
    at = int(problem.argmax())
    values = interactions.by_user.values
    return f"{1.0 if values is None else values[at]!s} for {entry_words(interactions, at)}"


def entry_words(interactions: Interactions, at: int) -> str:
    """Return the user and the item of one entry in words."""
    rows = interactions.by_user
    user = interactions.user_ids.decode([int(np.searchsorted(rows.offsets, at, side="right")) - 1])
    item = interactions.item_ids.decode([rows.indices[at]])
    return f"user {user.tolist()[0]!r}, item {item.tolist()[0]!r}"


def targets(rows: EntryRows, meaning: ValueMeaning, magnitudes: Float64 | None) -> Float32 | None:
    """Return t of each entry, None where all are 1; `magnitudes` are the transformed values, if any were."""
    if meaning in ("rating", "target"):
        return rows.values if magnitudes is None else magnitudes.astype(np.float32)
    if meaning == "confidence" and rows.values is not None and len(rows.values) and rows.values.min() < 0:
        return (rows.values > 0).astype(np.float32)
    return None


def weight_factors(
    rows: EntryRows, meaning: ValueMeaning, magnitudes: Float64 | None
) -> list[Float32 | Float64]:
    """Return what e is the product of; an empty list is all 1."""
    factors: list[Float32 | Float64] = [] if rows.weights is None else [rows.weights]
    if adds_confidence(meaning):
        if magnitudes is not None:
            factors.append(magnitudes)
        elif rows.values is not None:
            disliked = len(rows.values) and rows.values.min() < 0
            factors.append(np.abs(rows.values) if disliked else rows.values)
    return factors

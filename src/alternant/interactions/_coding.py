"""Columns of ids and events become positions and weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant.errors import DataError
from alternant.ids import IdMap


def encoded(column: Column, known: Any, *, what: str) -> tuple[IdMap, NDArray[np.int32]]:
    """Return the ids of a column and each row's position, int32; `known` ids are kept as they are."""
    if known is None:
        return IdMap.from_labels(column, what=what)
    ids = known if isinstance(known, IdMap) else IdMap.from_labels(known, what=what)[0]
    remedy = f"add it to {what}_ids or drop its rows"
    return ids, ids.encode(column, what=what, where=f"in {what}_ids", remedy=remedy)


def event_weights_column(events: Column, event_weights: Mapping[Any, float]) -> Column:
    """Return the weight of each event, as `event_weights` has it for its type."""
    if not isinstance(event_weights, Mapping):
        raise DataError(f"event_weights must map event types to numbers, got {event_weights!r}")
    types, codes = IdMap.from_labels(events, what="event")
    labels = types.labels.tolist()
    missing = [label for label in labels if label not in event_weights]
    if missing:
        known = ", ".join(map(repr, event_weights)) or "none"
        raise DataError(
            f"no weight for event {missing[0]!r}: event_weights has {known}; give it one, 0 to leave it out"
        )
    for label in labels:
        if not isinstance(event_weights[label], int | float | np.number):
            raise DataError(
                f"the weight of an event must be a number, got {event_weights[label]!r} for {label!r}"
            )
    weights = np.array([event_weights[label] for label in labels], dtype=np.float64)
    return Column("float", events.n, "event weights", weights[codes])

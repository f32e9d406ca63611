"""Factors as a frame."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant._frames import FrameType, make_frame
from alternant.model.choosing import word
from alternant.objective import Side

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot


def factors_frame(model: "Snapshot", side: Side, frame_type: FrameType | None) -> Any:
    """Return ids, factors and biases of one side; see :meth:`FactorModel.item_factors_frame`."""
    ids = model.user_ids if side == "users" else model.item_ids
    table = model.user_table if side == "users" else model.item_table
    columns: dict[str, NDArray[Any]] = {f"{word(side)}_id": ids.labels}
    for column in range(model.n_factors):
        columns[f"f{column}"] = np.ascontiguousarray(table[:, column])
    if model.item_biases is not None:
        columns["bias"] = np.ascontiguousarray(table[:, -1])
    return make_frame(columns, frame_type or model.frame_type)

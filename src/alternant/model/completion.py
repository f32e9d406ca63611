"""The completed matrix: predictions for every pair of some users and items, with the known cells marked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant._frames import FrameType, make_frame
from alternant._words import counted
from alternant.model.choosing import ChosenRows, choose
from alternant.model.pairs import clipped, predictions

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

_PAIRS_AT_ONCE = 1 << 20
_ROWS_SHOWN = 20
_COLUMNS_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False)
class Completion:
    """Predictions for all pairs, as a labelled table; ``print`` shows it with the known cells in brackets.

    Attributes
    ----------
    user_id : int64 or object (str), shape (n_users,)
    item_id : int64 or object (str), shape (n_items,)
    values : float32, shape (n_users, n_items), predictions on the rating scale, of known cells too
    known : bool, shape (n_users, n_items), True where the pair was in the data; None where the model holds no
    history
    """

    user_id: NDArray[Any]
    item_id: NDArray[Any]
    values: NDArray[np.float32]
    known: NDArray[np.bool_] | None
    frame_type: FrameType | None = None

    def to_frame(self, frame_type: FrameType | None = None) -> Any:
        """Return one row per pair: user_id, item_id, prediction, and known where that is known.

        `frame_type` None is the type of the training data, else the first of pandas, polars, pyarrow at hand.
        """
        n_users, n_items = self.values.shape
        columns: dict[str, NDArray[Any]] = {
            "user_id": np.repeat(self.user_id, n_items),
            "item_id": np.tile(self.item_id, n_users),
            "prediction": self.values.reshape(-1),
        }
        if self.known is not None:
            columns["known"] = self.known.reshape(-1)
        return make_frame(columns, frame_type or self.frame_type)

    def __repr__(self) -> str:
        n_users, n_items = self.values.shape
        columns = self.item_id[:_COLUMNS_SHOWN].tolist()
        rows = [["", *map(str, columns)]]
        for r, label in enumerate(self.user_id[:_ROWS_SHOWN].tolist()):
            rows.append([str(label), *(self._cell(r, c) for c in range(len(columns)))])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            row[0].ljust(widths[0])
            + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
            for row in rows
        ]
        note = "" if self.known is None else "; cells in [ ] are known"
        if n_users > _ROWS_SHOWN or n_items > _COLUMNS_SHOWN:
            note += f"; the first {len(rows) - 1} and {len(columns)} are shown"
        return "\n".join(
            [f"predictions for {counted(n_users, 'user')} × {counted(n_items, 'item')}{note}", *lines]
        )

    def _cell(self, row: int, column: int) -> str:
        text = f"{self.values[row, column]:.2f}"
        if self.known is None:
            return text
        return f"[{text}]" if self.known[row, column] else f"{text} "


def complete(model: "Snapshot", users: Any, items: Any, *, clip: bool, n_threads: int | None) -> Completion:
    """Predict every pair; see :meth:`FactorModel.complete`."""
    u = choose(model, "users", model.user_ids.labels if users is None else users)
    i = choose(model, "items", model.item_ids.labels if items is None else items)
    values = np.empty((len(u), len(i)), np.float32)
    step = max(1, _PAIRS_AT_ONCE // max(1, len(i)))
    for begin in range(0, len(u), step):
        rows = u.index[begin : begin + step]
        pairs = np.repeat(rows, len(i)), np.tile(i.index, len(rows))
        values[begin : begin + step] = predictions(model, u, *pairs, n_threads=n_threads).reshape(-1, len(i))
    known = _known(u, i, len(model.item_ids))
    return Completion(u.labels, i.labels, clipped(model, values) if clip else values, known, model.frame_type)


def _known(u: ChosenRows, i: ChosenRows, n_items: int) -> NDArray[np.bool_] | None:
    if u.entries is None:
        return None
    known = np.zeros((len(u), len(i)), np.bool_)
    seen = np.zeros(n_items, np.bool_)
    for r, row in enumerate(u.index.tolist()):
        items = u.entries.block(row, row + 1).indices
        seen[items] = True
        known[r] = seen[i.index]
        seen[items] = False
    return known

"""What an evaluation found: rows of numbers, and how to show them."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._frames import FrameType, make_frame
from alternant._whole_file import whole_file
from alternant.errors import DataError
from alternant.evaluation._text import as_html, as_markdown


@dataclass(frozen=True)
class Row:
    """One measure of one model.

    model, metric : names; value : the measure; low, high : its bootstrap interval over users, NaN where
    there is none; worst_30 : mean of the 30 % of users worst off, NaN for measures that users have no part
    of; n_users : users it is over
    """

    model: str
    metric: str
    value: float
    low: float
    high: float
    worst_30: float
    n_users: int


@dataclass(frozen=True)
class Difference:
    """The evaluated model less a baseline, on the same users.

    metric, baseline : names; difference, low, high : with its bootstrap interval over users; p : two-sided,
    of random signs of the users' differences; n_users : users it is over
    """

    metric: str
    baseline: str
    difference: float
    low: float
    high: float
    p: float
    n_users: int


@dataclass(frozen=True)
class Slice:
    """A measure of one model on a part of the users, items or entries.

    by : "user entries" (in training or history), "item entries" (in training), "entry" (cold or warm); group
    : which; n : users, relevant pairs, or ratings in it
    """

    by: str
    group: str
    model: str
    metric: str
    value: float
    n: int


@dataclass(frozen=True, eq=False)
class Report:
    """What :func:`evaluate` found. ``print`` shows it; ``report["ndcg@20"]`` is the model's value.

    Attributes
    ----------
    model : name of the evaluated model
    rows : of the model, then of each baseline
    differences : the model less each baseline, by the first metric
    slices : the first metric on parts
    facts : what was split, fitted and left out, in plain values
    user_id : int64 or object (str), shape (n_users,), whom the numbers of `per_user` belong to
    per_user : metric → float64, shape (n_users,), of the model; NaN where undefined
    per_user_of : the same of every model, by name
    """

    model: str
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    slices: tuple[Slice, ...]
    facts: Mapping[str, Any]
    user_id: NDArray[Any] = field(repr=False)
    per_user_of: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(repr=False)

    @property
    def per_user(self) -> Mapping[str, NDArray[np.float64]]:
        """The evaluated model's number for each user, by metric."""
        return self.per_user_of[self.model]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics, in the order asked for."""
        return tuple(row.metric for row in self.rows if row.model == self.model)

    def row(self, metric: str, model: str | None = None) -> Row:
        """Return the row of a metric, of the evaluated model or of a baseline.

        Raises
        ------
        DataError : nothing of that name was measured
        """
        name = self.model if model is None else model
        for row in self.rows:
            if row.metric == metric and row.model == name:
                return row
        known = ", ".join(dict.fromkeys(f"{row.metric} of {row.model}" for row in self.rows))
        raise DataError(f"no {metric!r} of {name!r} in this report; it has {known}")

    def __getitem__(self, metric: str) -> float:
        return self.row(metric).value

    def to_frame(self, frame_type: FrameType | None = None) -> Any:
        """Return `rows` as a frame: model, metric, value, low, high, worst_30, n_users.

        Raises
        ------
        DataError : `frame_type` is unknown or not installed
        """
        return make_frame(self.columns(), frame_type)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns of :meth:`to_frame` as arrays."""
        return {
            name: np.array([getattr(row, name) for row in self.rows], kind)
            for name, kind in (
                ("model", object),
                ("metric", object),
                ("value", np.float64),
                ("low", np.float64),
                ("high", np.float64),
                ("worst_30", np.float64),
                ("n_users", np.int64),
            )
        }

    def to_dict(self) -> dict[str, Any]:
        """Return all but the users' numbers as plain values; what is undefined is None."""
        found: dict[str, Any] = _plain(
            {
                "model": self.model,
                "facts": dict(self.facts),
                "rows": [asdict(row) for row in self.rows],
                "differences": [asdict(row) for row in self.differences],
                "slices": [asdict(row) for row in self.slices],
            }
        )
        return found

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """Return the report as Markdown."""
        return as_markdown(self.to_dict())

    def to_html(self) -> str:
        """Return the report as one page that needs nothing else."""
        return as_html(self.to_dict())

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the report to a .md, .html or .json file, whole or not at all.

        Raises
        ------
        DataError : another kind of name
        OSError : the file cannot be written
        """
        made = {".md": self.to_markdown, ".html": self.to_html, ".json": self.to_json}
        make = made.get(Path(path).suffix.lower())
        if make is None:
            raise DataError(f"a report ends in .md, .html or .json, got {os.fspath(path)!r}")
        with whole_file(path) as new:
            Path(new).write_text(make(), encoding="utf-8")

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return self.to_html()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value

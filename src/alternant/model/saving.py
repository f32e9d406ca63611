"""A model as arrays and a dictionary, and back."""

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant import modelfile
from alternant.days import DayBiases
from alternant.errors import DataError, ModelFileError
from alternant.ids import IdMap
from alternant.interactions import BuildReport, EntryRows, Interactions
from alternant.kernels import csr
from alternant.model.draws import draws_arrays, draws_dict, draws_of
from alternant.model.priors import prior_arrays, prior_dict, prior_of
from alternant.objective import from_dict
from alternant.preparation import FittedPreparation

if TYPE_CHECKING:
    from alternant.model.factor_model import FactorModel
    from alternant.model.snapshot import Snapshot

Arrays = dict[str, NDArray[Any]]

KIND = "FactorModel"
_TABLES = ("user_table", "item_table", "user_counts", "item_counts", "omega")
_OPTIONAL = ("gram", "user_unobserved", "item_unobserved")
_PRIORS = ("user_prior", "item_prior")
_DAYS = ("offsets", "days", "values")
_ENTRY_COLUMNS = {"values": np.float32, "weights": np.float32, "times": np.int64}


def save(model: "Snapshot", path: str | os.PathLike[str]) -> None:
    """Write a model; see :meth:`FactorModel.save`."""
    arrays: Arrays = {name: getattr(model, name) for name in _TABLES}
    arrays |= {name: array for name in _OPTIONAL if (array := getattr(model, name)) is not None}
    arrays |= _prefixed("user_ids", model.user_ids.to_arrays())
    arrays |= _prefixed("item_ids", model.item_ids.to_arrays())
    for name in _PRIORS:
        arrays |= _prefixed(name, prior_arrays(getattr(model, name)))
    if model.day_biases is not None:
        arrays |= _prefixed("day_biases", {name: getattr(model.day_biases, name) for name in _DAYS})
    if model.preparation is not None:
        arrays |= _prefixed("preparation", model.preparation.to_arrays())
    content: dict[str, Any] = {
        "kind": KIND,
        "problem": model.problem.to_dict(),
        "settings": model.settings,
        "preparation": None if model.preparation is None else model.preparation.to_dict(),
        **{name: prior_dict(getattr(model, name)) for name in _PRIORS},
        "trace": [dataclasses.astuple(entry) for entry in model.trace],
        "stopped": model.stopped,
        "value_range": model.value_range,
        "frame_type": model.frame_type,
        "draws": None if model.draws is None else draws_dict(model.draws),
        "history": None,
    }
    if model.draws is not None:
        arrays |= _prefixed("draws", draws_arrays(model.draws))
    if model.history is not None:
        rows = model.history.by_user
        columns = {name: getattr(rows, name) for name in _ENTRY_COLUMNS}
        stored: dict[str, Any] = {"offsets": rows.offsets, "indices": rows.indices} | columns
        arrays |= _prefixed("history", {name: array for name, array in stored.items() if array is not None})
        content["history"] = {
            "report": dataclasses.asdict(model.history.report),
            "frame_type": model.history.frame_type,
        }
    modelfile.write(path, arrays, content)


def load(path: str | os.PathLike[str]) -> "FactorModel":
    """Read a model that :meth:`FactorModel.save` wrote.

    The factors stay in the file, memory-mapped: processes that load the same file share them.

    Parameters
    ----------
    path : path of a ``.safetensors`` file

    Returns
    -------
    FactorModel
        Equal to the one saved, to the bit.

    Raises
    ------
    ModelFileError
        The file is damaged, of another kind, or written by a newer version.
    OSError
        The file is missing (FileNotFoundError) or cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from alternant import ExplicitALS, Interactions
    >>> model = ExplicitALS(n_factors=1).fit(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [5, 3]))
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> model.save(path)
    >>> load(path).user_ids == model.user_ids
    True
    """
    from alternant.model.factor_model import FactorModel  # its methods call this module
    from alternant.model.snapshot import TraceEntry

    try:
        arrays, content = modelfile.read(path)
    except FileNotFoundError as error:
        remedy = "no model file; make one with model.save or alternant fit"
        raise FileNotFoundError(error.errno, remedy, os.fspath(path)) from None
    if content.get("kind") != KIND:
        raise ModelFileError(f"{os.fspath(path)} holds no factor model but {content.get('kind')!r}")
    try:
        user_ids = IdMap.from_arrays(_unprefixed("user_ids", arrays))
        item_ids = IdMap.from_arrays(_unprefixed("item_ids", arrays))
        fields: dict[str, Any] = {name: arrays[name] for name in _TABLES}
        fields |= {name: arrays.get(name) for name in _OPTIONAL}
        fields |= {name: prior_of(content[name], _unprefixed(name, arrays)) for name in _PRIORS}
        return FactorModel(
            user_ids=user_ids,
            item_ids=item_ids,
            **fields,
            preparation=None
            if content["preparation"] is None
            else FittedPreparation.from_parts(content["preparation"], _unprefixed("preparation", arrays)),
            draws=None
            if content.get("draws") is None
            else draws_of(content["draws"], _unprefixed("draws", arrays)),
            problem=from_dict(content["problem"]),
            day_biases=_day_biases(_unprefixed("day_biases", arrays)),
            settings=content["settings"],
            history=_history(user_ids, item_ids, _unprefixed("history", arrays), content["history"]),
            trace=tuple(TraceEntry(*entry) for entry in content["trace"]),
            stopped=content["stopped"],
            value_range=None if content["value_range"] is None else tuple(content["value_range"]),
            frame_type=content["frame_type"],
        )
    except (KeyError, TypeError, ValueError, DataError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelFileError(f"{os.fspath(path)} does not hold a whole model: {what}") from error


def _day_biases(arrays: Arrays) -> DayBiases | None:
    return DayBiases(*(arrays[name] for name in _DAYS)) if arrays else None


def _history(
    user_ids: IdMap, item_ids: IdMap, arrays: Arrays, described: dict[str, Any] | None
) -> Interactions | None:
    if described is None:
        return None
    rows = EntryRows(
        arrays["offsets"],
        arrays["indices"],
        len(item_ids),
        **{name: arrays.get(name) for name in _ENTRY_COLUMNS},
    )
    csr.check_rows(rows.offsets, rows.indices, n_columns=rows.n_columns)
    for name, dtype in _ENTRY_COLUMNS.items():
        column = getattr(rows, name)
        if column is not None and column.dtype != dtype:
            raise DataError(f"the {name} of its history must be {np.dtype(dtype)}, got {column.dtype}")
    if rows.n_rows != len(user_ids):
        raise DataError(f"its history has {rows.n_rows:,} users, its ids {len(user_ids):,}")
    report = BuildReport(**described["report"])
    return Interactions(user_ids, item_ids, rows, rows.transposed(), report, described["frame_type"])


def _prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _unprefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(f"{prefix}."): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}.")
    }

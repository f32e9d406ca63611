"""What several commands load: a model, titles, ids typed on the command line."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from alternant.cli import console
from alternant.cli.options import of_function, whole_from
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.model import FactorModel, load
from alternant.model.lists import Titles
from alternant.reading import find_columns, read, read_titles

_log = logging.getLogger("alternant.cli")

MODEL = Path("model.safetensors")
ModelArgument = Annotated[Path, Parameter(help="A model file written by fit.")]
TitlesOption = Annotated[
    Path | None, Parameter(help="A file of item ids and titles, e.g. movies.csv: shows titles beside ids.")
]
MinEntriesOption = Annotated[
    int,
    Parameter(
        converter=whole_from(0), help="List only those with at least so many entries in the training data."
    ),
]
KOption = Annotated[
    int,
    Parameter(
        name=["--k", "-k"], converter=whole_from(1), help="How many for each; fewer where there are no more."
    ),
]

READING = of_function(
    read, suffix=dict.fromkeys(("user", "item", "value", "weight", "time", "event"), "_column")
)
"""The options of :func:`alternant.read`; its columns are called ``--user-column`` and so on."""

FOR_A_MODEL = tuple(option for option in READING if option.name not in {"user_kind", "item_kind"})
"""The same where a model says what kind its ids are."""


def model_of(path: Path) -> FactorModel:
    """Return the model of a file, or say what to do where there is none."""
    try:
        return load(path)
    except FileNotFoundError:
        hint = "" if path.suffix else "; where it is an id: repeat --user or --item before each"
        raise DataError(f"no model file {str(path)!r}; make one with alternant fit{hint}") from None
    except IsADirectoryError:
        raise DataError(f"{str(path)!r} is a folder; name the model file in it") from None


def titles_of(path: Path | None, ids: IdMap) -> Titles | None:
    """Return the titles of a file by the item ids of a model; None without a file.

    Ids that another kind of column holds are found too: "7" in a file is 7 in a model of integers. Where no
    item has a title, a warning says what ids look like on both sides.
    """
    if path is None:
        return None
    found = read_titles(path)
    by_label = ((_as(ids, key), title) for key, title in found.items())
    titles: dict[Any, str] = {label: title for label, title in by_label if label is not None}
    labels = ids.labels.tolist()
    if labels and not any(label in titles for label in labels):
        example = f", such as {next(iter(found))!r}," if found else ""
        _log.warning(
            "no id in %s (%s)%s is an item of the model (%s, such as %r)", path.name,
            console.counted(len(found), "title"), example, console.counted(len(labels), "item"), labels[0],
        )  # fmt: skip
    return titles


def _as(ids: IdMap, key: int | str) -> int | str | None:
    """Return `key` as a label of the kind of `ids`, or None where it cannot be one."""
    if ids.kind == "string" or isinstance(key, int):
        return str(key) if ids.kind == "string" else key
    return int(key) if key.isascii() and key.isdecimal() and str(int(key)) == key else None


def is_implicit(model: FactorModel) -> bool:
    """Return whether a model scores what people did, and so needs no ratings."""
    return model.problem.kind == "implicit"


def ratings_of(source: str, options: Mapping[str, Any], *, otherwise: str = "") -> None:
    """Refuse a source whose ratings are not found though it has columns to spare: every row would count 1.

    `options` are those that are passed on to ``read``; `otherwise` is what else the message proposes.
    """
    if options.get("value") is not None or options.get("event") is not None:
        return
    chosen, unused = _columns(source, options)
    if "value" not in chosen and unused:
        raise DataError(
            f"no column of {source} looks like ratings; unused: {', '.join(map(repr, unused[:20]))}; "
            'name one with --value-column NAME, or say --value-column "" where every row counts 1' + otherwise
        )


def has_ratings(source: str, options: Mapping[str, Any]) -> bool:
    """Return whether a source of pairs has ratings too; say so where it has none but columns to spare."""
    chosen, unused = _columns(source, options)
    if "value" not in chosen and unused and options.get("value") is None:
        console.note(
            f"no column looks like ratings (unused: {', '.join(map(repr, unused[:20]))}): no RMSE; "
            "name one with --value-column NAME"
        )
    return "value" in chosen


def _columns(source: str, options: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    parts = ("user", "item", "value", "weight", "time", "event")
    return find_columns(source, **{part: options.get(part) for part in parts})


def labels(texts: Iterable[str], ids: IdMap, what: str) -> Sequence[int | str]:
    """Return what ids typed on the command line mean for a map: integers or strings; `what` is for "
    "messages."""
    try:
        return [ids.parse(text) for text in texts]
    except DataError as error:
        raise DataError(f"{what} {error}") from None

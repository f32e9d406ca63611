"""What several commands load: a model, titles, ids typed on the command line."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alternant.cli.options import of_function, whole
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.model import FactorModel, load
from alternant.reading import read, read_titles

MODEL = Path("model.safetensors")
ModelArgument = Annotated[Path, Parameter(help="A model file written by fit.")]
TitlesOption = Annotated[
    Path | None, Parameter(help="A file of item ids and titles, e.g. movies.csv: shows titles beside ids.")
]
KOption = Annotated[
    int,
    Parameter(name=["--k", "-k"], converter=whole, help="How many for each; fewer where there are no more."),
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
        raise DataError(f"no model file {str(path)!r}; write one with alternant fit") from None
    except IsADirectoryError:
        raise DataError(f"{str(path)!r} is a folder; name the model file in it") from None


def titles_of(path: Path | None) -> dict[str, str] | None:
    """Return the titles of a file, or None without one."""
    return None if path is None else read_titles(path)


def labels(texts: Iterable[str], ids: IdMap, what: str) -> Sequence[int | str]:
    """Return what ids typed on the command line mean for a map: integers or strings; `what` is for "
    "messages."""
    try:
        return [ids.parse(text) for text in texts]
    except DataError as error:
        raise DataError(f"{what} {error}") from None

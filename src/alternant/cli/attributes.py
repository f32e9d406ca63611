"""The options that say where attributes of users and items are, and which columns of a file are what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from cyclopts import Parameter

from alternant.attributes import AttributeKind, AttributeTable
from alternant.cli.options import UsageError
from alternant.ids import IdMap
from alternant.reading import read_attributes

_KINDS: tuple[AttributeKind, ...] = get_args(AttributeKind)

UserAttributesOption = Annotated[
    Path | None, Parameter(help="A file of user ids and what is known of the users, one row for each.")
]
UserAttributesIdOption = Annotated[
    str | None, Parameter(help="The column of its ids. Default: guessed from the usual names.")
]
UserAttributesUseOption = Annotated[
    list[str] | None,
    Parameter(
        negative=(),
        metavar="NAME[=KIND]",
        help="A column to use, as it looks or as numeric, boolean, categorical or tags "
        "(country=categorical); repeat it for more. Default: all that can be used.",
    ),
]
ItemAttributesOption = Annotated[
    Path | None,
    Parameter(help="The same of items, e.g. movies.csv with genres; items that are only there get scores."),
]
ItemAttributesIdOption = Annotated[str | None, Parameter(help="As --user-attributes-id, of items.")]
ItemAttributesUseOption = Annotated[
    list[str] | None,
    Parameter(
        negative=(),
        metavar="NAME[=KIND]",
        help="As --user-attributes-use, of items: genres=tags, year=categorical.",
    ),
]


@dataclass(frozen=True)
class AttributeChoices:
    """A file of attributes (None: there is none), its column of ids, and the kinds of the columns to use."""

    path: Path | None
    id_column: str | None
    columns: Mapping[str, AttributeKind | None] | None

    def read(self, ids: IdMap) -> Any:
        """Return a table whose ids are of the kind of `ids`; None without a file."""
        if self.path is None:
            return None
        frame = read_attributes(self.path, id_column=self.id_column, columns=self.columns, id_kind=ids.kind)
        return AttributeTable(frame, id_column=next(iter(frame)), columns=self.columns)


def choices(
    word: str, path: Path | None, id_column: str | None, columns: Sequence[str] | None
) -> AttributeChoices:
    """Return what was typed of the attributes of one side, or refuse it; `word` is "user" or "item"."""
    for name, given in (("id", id_column), ("use", columns)):
        if path is None and given:
            raise UsageError(f"--{word}-attributes-{name} is for a file: name it with --{word}-attributes")
    if not columns:
        return AttributeChoices(path, id_column, None)
    kinds: dict[str, AttributeKind | None] = {}
    for text in columns:
        name, has_kind, kind = text.rpartition("=") if "=" in text else (text, "", "")
        if has_kind and kind not in _KINDS:
            raise UsageError(
                f"--{word}-attributes-use expected NAME or NAME=KIND, a kind being {', '.join(_KINDS)}, "
                f"got {text!r}"
            )
        kinds[name] = next((known for known in _KINDS if known == kind), None)
    return AttributeChoices(path, id_column, kinds)

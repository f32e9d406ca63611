"""Which column plays which part: as the caller says, by its usual name, or by its position."""

from collections.abc import Mapping, Sequence

from alternant._usual_names import USUAL_NAMES, plain
from alternant.errors import DataError

TITLE_NAMES = ("title", "name", "movietitle", "itemtitle", "itemname", "label")
KNOWN = frozenset(name for names in USUAL_NAMES.values() for name in names)
_BY_POSITION = ("user", "item", "value", "time")


def choose(
    names: Sequence[str], asked: Mapping[str, str | None], *, has_names: bool, source: str
) -> tuple[dict[str, str], set[str]]:
    """Return part → column, and the parts that were guessed.

    Parameters
    ----------
    names : sequence of str
        The columns of the source, in order.
    asked : mapping of str to (str or None)
        Part (user, item, value, weight, time, event) to the column the caller named; None: guess; "": none.
    has_names : bool
        False: the file has no header, so columns are taken by position: user, item, value, time.
    source : str
        For messages.

    Raises
    ------
    DataError
        A named column does not exist, or no column looks like users or items; the message lists what there
        is.
    """
    chosen, guessed = {}, set()
    by_plain_name = {plain(name): name for name in reversed(names)}
    for part, name in asked.items():
        if name:
            chosen[part] = _named(name, names, part=part, source=source)
    for part, usual in USUAL_NAMES.items():
        if asked.get(part) == "" and part in {"user", "item"}:
            raise DataError(f"{part} must be the name of a column, got ''")
        if asked.get(part) is not None or (part == "value" and asked.get("event")):
            continue
        free = [name for name in names if name not in chosen.values()]
        if has_names:
            found = next((by_plain_name[name] for name in usual if by_plain_name.get(name) in free), None)
        else:
            position = _BY_POSITION.index(part)
            found = names[position] if position < len(names) and names[position] in free else None
        if found:
            chosen[part] = found
            guessed.add(part)
        elif part in {"user", "item"}:
            raise DataError(
                f"{source} has no column that looks like the {part} id; its columns are {listed(names)}: "
                f"name one with {part}="
            )
    return chosen, guessed


def listed(names: Sequence[str]) -> str:
    """Return column names for a message: the first twenty, quoted."""
    shown = ", ".join(repr(name) for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"


def _named(name: str, names: Sequence[str], *, part: str, source: str) -> str:
    if name in names:
        return name
    alike = [other for other in names if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    raise DataError(f"{source} has no column {name!r} (asked for as {part}); its columns are {listed(names)}")

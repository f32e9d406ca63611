"""The settings file of ``fit``: TOML whose keys are the names of the settings."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from alternant.cli.options import Option
from alternant.errors import DataError


def load(path: Path | None, sections: Mapping[str, Iterable[Option]]) -> dict[str, dict[str, Any]]:
    """Return section → name → value; the section "" holds the keys before the first table.

    ::

        model = "implicit"          # or "explicit", the default
        n_factors = 64              # the settings of ImplicitALS or ExplicitALS

        [reading]                   # the parameters of alternant.read
        user = "userId"

        [selection]                 # the parameters of weighting.select
        min_user_entries = 5

    An unknown section or key is refused, and the message lists the known ones.
    """
    empty: dict[str, dict[str, Any]] = {section: {} for section in sections}
    if path is None:
        return empty
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"no settings file {str(path)!r}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is not TOML: {error}") from error
    tables = {name: content.pop(name) for name in sections if name and name in content}
    for section, table in {"": content, **tables}.items():
        if not isinstance(table, dict):
            raise DataError(f"[{section}] of {path.name} must be a table, got {table!r}")
        known = [option.name for option in sections[section]]
        unknown = sorted(set(table) - set(known))
        if not section and isinstance(table.get("model"), dict):
            raise DataError(f"{path.name} needs no [model]: settings of the model stand before any table")
        if unknown:
            by_flag = {option.flag: option.name for option in sections[section]}
            if unknown[0] in by_flag:
                raise DataError(
                    f"unknown setting {unknown[0]!r} in [{section}] of {path.name}; there it is called "
                    f"{by_flag[unknown[0]]!r}"
                )
            where = f"[{section}] of {path.name}" if section else path.name
            tables_text = (
                "" if section else f"; tables: {', '.join(f'[{name}]' for name in sections if name)}"
            )
            raise DataError(
                f"unknown setting {unknown[0]!r} in {where}; expected {', '.join(known)}{tables_text}"
            )
        empty[section] = table
    return empty

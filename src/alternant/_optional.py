"""Ask for an optional dependency, with the install line when it is missing. Imports none itself."""

import importlib.util

from alternant.errors import MissingExtraError


def require(module: str, *, extra: str, purpose: str) -> None:
    """Raise :class:`MissingExtraError` unless `module` can be imported.

    `extra` is the extra of alternant that brings it; `purpose` opens the message, e.g. ``"reading files"``.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(
            f"{purpose} needs the {extra!r} extra: pip install '.[{extra}]' from a clone, "
            f"or pip install 'alternant[{extra}]'"
        )

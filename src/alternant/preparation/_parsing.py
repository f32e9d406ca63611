"""Read transforms from text: names with optional numbers in parentheses, separated by spaces or commas.

    log(epsilon=10) half_life(days=30, reference=2024-06-30)

What the transforms do is _transforms.py's.
"""

import dataclasses
import datetime
import math
import re

from alternant.errors import DataError
from alternant.preparation._transforms import BM25, TFIDF, HalfLife, Log, Normalize, Transform

TRANSFORMS: dict[str, type[Transform]] = {
    "log": Log,
    "bm25": BM25,
    "tfidf": TFIDF,
    "normalize": Normalize,
    "half_life": HalfLife,
}
_EXAMPLE = '"log(epsilon=10) half_life(days=30)"'
_SEPARATORS = re.compile(r"[\s,]*")
_TRANSFORM = re.compile(r"([A-Za-z_]\w*)(?:\s*\(([^()]*)\))?(?=[\s,]|$)")


def parse(text: str) -> tuple[Transform, ...]:
    """Return the transforms of `text` in their order; DataError says what was expected.

    Examples
    --------
    >>> parse("log(10), bm25(b=0.5)")
    (Log(epsilon=10.0), BM25(k1=100.0, b=0.5))
    """
    if not isinstance(text, str):
        raise DataError(f"transforms must be text, as in {_EXAMPLE}, got {text!r}")
    found: list[Transform] = []
    at = _separated(text, 0)
    while at < len(text):
        match = _TRANSFORM.match(text, at)
        if match is None:
            raise DataError(
                f"transforms must be names with optional numbers in parentheses, as in {_EXAMPLE}, "
                f"got {text!r}, which cannot be read from {text[at:]!r} on"
            )
        found.append(_transform(match[1], match[2] or ""))
        at = _separated(text, match.end())
    return tuple(found)


def _separated(text: str, at: int) -> int:
    match = _SEPARATORS.match(text, at)
    return at if match is None else match.end()


def _transform(name: str, arguments: str) -> Transform:
    if name not in TRANSFORMS:
        raise DataError(f"transforms must be of {', '.join(TRANSFORMS)}, got {name!r}")
    kind = TRANSFORMS[name]
    fields = {field.name: field for field in dataclasses.fields(kind)}
    takes = f"takes {' and '.join(fields)}" if fields else "takes no numbers"
    settings: dict[str, float | str] = {}
    parts = arguments.split(",") if arguments.strip() else []
    for position, part in enumerate(parts):
        key, equals, token = part.rpartition("=")
        key = key.strip()
        if not equals:
            if position >= len(fields) or list(settings) != list(fields)[:position]:
                raise DataError(f"{name} {takes}, got {arguments.strip()!r}")
            key = list(fields)[position]
        if key not in fields or key in settings:
            raise DataError(f"{name} {takes}, once each, got {arguments.strip()!r}")
        settings[key] = _seconds(token) if key == "reference" else _number(token)
    missing = [key for key, field in fields.items() if field.default is dataclasses.MISSING]
    for key in missing:
        if key not in settings:
            raise DataError(f"{name} needs {key}, as in {name}({key}=30), got {name}({arguments.strip()})")
    return kind(**settings)  # type: ignore[arg-type]  # the transforms refuse what is no number


def _number(token: str) -> float | str:
    try:
        return float(token)
    except ValueError:
        return token.strip()


def _seconds(token: str) -> float:
    """Return Unix seconds from a number or an ISO date; without a time zone, UTC is meant."""
    given = token.strip().strip("\"'")
    seconds = _number(given)
    if isinstance(seconds, str):
        try:
            moment = datetime.datetime.fromisoformat(seconds)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
        except (ValueError, OverflowError):
            seconds = math.nan
    if not math.isfinite(seconds):
        raise DataError(
            "reference of half_life must be a date such as 2024-06-30 or a number of Unix seconds, "
            f"got {given!r}"
        )
    return seconds

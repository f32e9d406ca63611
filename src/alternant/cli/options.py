"""Options derived from the dataclasses and functions that they set, so that nothing is written twice.

A derived option has the name, type, help and default of the field or parameter. On the command line its own
default is None, "not given": so a settings file can fill what the command line leaves open.
"""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter, Token

from alternant.errors import DataError

_TYPE = re.compile(r"(str|int|float|bool|mapping|path|\{)\b|\{")


class UsageError(DataError):
    """A command line that cannot be meant: exit status 2."""


@dataclass(frozen=True)
class Option:
    """One derived option: `name` of the field or parameter, and what the command line calls it."""

    name: str
    flag: str
    type: Any
    default: Any
    help: str


def of_dataclass(settings: type) -> tuple[Option, ...]:
    """Return an option for each field of a dataclass of settings, with the help of its metadata."""
    hints = typing.get_type_hints(settings)
    return tuple(
        Option(
            field.name, field.name, hints[field.name], _field_default(field), field.metadata.get("help", "")
        )
        for field in dataclasses.fields(settings)
        if field.init
    )


def of_function(
    function: Callable[..., Any], *, suffix: Mapping[str, str] | None = None
) -> tuple[Option, ...]:
    """Return an option for each keyword-only parameter, with the text of its numpydoc docstring.

    `suffix` lengthens the name of a parameter on the command line, e.g. ``{"user": "_column"}``.
    """
    hints = typing.get_type_hints(function)
    texts = _parameter_texts(inspect.getdoc(function) or "")
    return tuple(
        Option(name, name + (suffix or {}).get(name, ""), hints[name], parameter.default, texts.get(name, ""))
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    )


def with_options(command: Callable[..., Any], groups: Mapping[str, Iterable[Option]]) -> None:
    """Give `command`, which ends in ``**options``, one keyword-only parameter per option, in groups."""
    signature = inspect.signature(command)
    hints = typing.get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name])
        for name, parameter in signature.parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    derived = [
        inspect.Parameter(
            option.flag, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotated(option, group)
        )
        for sort_key, (title, options) in enumerate(groups.items(), start=1)
        for group in [Group(title, sort_key=sort_key)]
        for option in options
    ]
    parameters = [*own, *derived]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def given(
    options: Iterable[Option], values: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return name → value of what was given: in `values` (by flag), else in `settings` (by name)."""
    result = {}
    for option in options:
        value = values.get(option.flag)
        if value is None:
            value = (settings or {}).get(option.name)
        elif _is_mapping(option.type):
            value = _weights(value, option.flag)
        if value is not None:
            result[option.name] = value
    return result


def whole(kind: Any, tokens: Sequence[Token]) -> int:
    """Return the integer that was typed; cyclopts would round 1.5."""
    try:
        return int(tokens[-1].value)
    except ValueError:
        raise ValueError(f'unable to convert "{tokens[-1].value}" into int') from None


def number_or(*words: str) -> Callable[[Any, Sequence[Token]], float | str]:
    """Return a converter that takes a number, or one of `words` as it is."""

    def convert(kind: Any, tokens: Sequence[Token]) -> float | str:
        text = tokens[-1].value
        if text in words:
            return text
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"expected a number or {' or '.join(words)}, got {text!r}") from None

    return convert


def flag_text(name: str) -> str:
    """Return a name as it is typed: ``n_factors`` is ``--n-factors``."""
    return f"--{name.replace('_', '-')}"


def _annotated(option: Option, group: Group) -> Any:
    default = option.default
    kind: Any = str if _is_mapping(option.type) else option.type
    return Annotated[
        kind | None,
        Parameter(
            help=option.help,
            group=group,
            converter=_converter(kind),
            show_default=False if default is None else (lambda _: shown(default)),
            metavar="NAME=NUMBER,…" if _is_mapping(option.type) else _metavar(kind),
            show_choices=False,
        ),
    ]


def _converter(kind: Any) -> Callable[[Any, Sequence[Token]], Any] | None:
    parts = _union_parts(kind)
    if parts == (int,):
        return whole
    words = [word for part in parts if typing.get_origin(part) is Literal for word in typing.get_args(part)]
    return number_or(*words) if float in parts and words else None


def shown(value: Any) -> str:
    """Return a default as the help shows it."""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _metavar(kind: Any) -> str | None:
    """Return e.g. ``FLOAT|auto``; None for a flag."""
    parts = []
    for part in _union_parts(kind):
        if typing.get_origin(part) is Literal:
            parts += [str(choice) for choice in typing.get_args(part)]
        elif part in (int, float):
            parts.append(part.__name__.upper())
        elif part is str:
            parts.append("TEXT")
        elif part is bool:
            return None
    return "|".join(parts)


def _union_parts(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(part for part in typing.get_args(kind) if part is not type(None))
    return (kind,)


def _is_mapping(kind: Any) -> bool:
    return any(
        isinstance(typing.get_origin(part), type) and issubclass(typing.get_origin(part), Mapping)
        for part in _union_parts(kind)
        if typing.get_origin(part) is not None
    )


def _weights(text: str, flag: str) -> dict[str, float]:
    try:
        halves = [pair.split("=") for pair in text.split(",")]
        pairs = [(name.strip(), float(number)) for name, number in halves]
    except ValueError:
        raise DataError(f"{flag_text(flag)} must look like view=1,buy=5, got {text!r}") from None
    if len(dict(pairs)) < len(pairs):
        raise DataError(f"{flag_text(flag)} must name each event once, got {text!r}")
    return dict(pairs)


def _field_default(field: "dataclasses.Field[Any]") -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return None if field.default_factory is dataclasses.MISSING else field.default_factory()


def _parameter_texts(docstring: str) -> dict[str, str]:
    """Return parameter → its text, from the "Parameters" section of a numpydoc docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in section.group(1).splitlines() if section else ():
        if line and not line[0].isspace():
            head, _, line = line.partition(" : ")
            names = [name.strip() for name in head.split(",")]
            # numpydoc has the type here; where a docstring has words instead, they are help.
            line = "" if _TYPE.match(line) else line
        for name in names:
            texts[name] = f"{texts.get(name, '')} {line.strip()}".strip().replace("``", "")
    return texts

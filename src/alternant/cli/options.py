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
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter, Token

from alternant.errors import DataError

_TYPE = re.compile(r"(str|int|float|bool|mapping|path|\{)\b|\{")


class UsageError(DataError):
    """A command line that cannot be meant: exit status 2."""


@dataclass(frozen=True)
class Option:
    """One derived option: `name` of the field or parameter, and what the command line calls it.

    `default_text` is shown instead of `default`, where it is not empty.
    """

    name: str
    flag: str
    type: Any
    default: Any
    help: str
    default_text: str = ""


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


def common(first: Iterable[Option], second: Iterable[Option], *, when: str) -> tuple[Option, ...]:
    """Return the options that both have, as those of `first`; `when` tells where the second's are meant.

    Helps and defaults that differ are both shown, as in ``64; 128 with --implicit``.
    """
    theirs = {option.name: option for option in second}
    result = []
    for option in first:
        other = theirs.get(option.name)
        if other is None:
            continue
        text = "" if other.help == option.help else f"; {when}: {other.help}"
        defaults = (
            ""
            if other.default == option.default
            else f"{shown(option.default)}; {shown(other.default)} {when}"
        )
        result.append(replace(option, help=option.help + text, default_text=defaults))
    return tuple(result)


def without(options: Iterable[Option], others: Iterable[Option]) -> tuple[Option, ...]:
    """Return the options whose names `others` do not have."""
    names = {option.name for option in others}
    return tuple(option for option in options if option.name not in names)


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


def whole_from(lowest: int) -> Callable[[Any, Sequence[Token]], int]:
    """Return a converter that takes an integer of at least `lowest`."""

    def convert(kind: Any, tokens: Sequence[Token]) -> int:
        found = whole(kind, tokens)
        if found < lowest:
            words = "a positive integer" if lowest == 1 else f"an integer of at least {lowest}"
            raise ValueError(f"expected {words}, got {found}")
        return found

    return convert


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


def yes_no_or(*words: str) -> Callable[[Any, Sequence[Token]], bool | str]:
    """Return a converter that takes true, false, or one of `words` as it is."""

    def convert(kind: Any, tokens: Sequence[Token]) -> bool | str:
        text = tokens[-1].value
        if text in ("true", "false"):
            return text == "true"
        if text in words:
            return text
        raise ValueError(f"expected true, false or {' or '.join(words)}, got {text!r}")

    return convert


def flag_text(name: str) -> str:
    """Return a name as it is typed: ``n_factors`` is ``--n-factors``."""
    return f"--{name.replace('_', '-')}"


def _annotated(option: Option, group: Group) -> Any:
    default = option.default
    default_text = option.default_text or shown(default)
    is_text = _is_mapping(option.type) or _is_switch_or_word(option.type)
    kind: Any = str if is_text else option.type
    return Annotated[
        kind | None,
        Parameter(
            help=option.help,
            group=group,
            converter=_converter(option.type),
            show_default=False
            if default in (None, "") and not option.default_text
            else (lambda _: default_text),
            metavar="NAME=NUMBER,…" if _is_mapping(option.type) else _metavar(option.type),
            show_choices=False,
        ),
    ]


def _converter(kind: Any) -> Callable[[Any, Sequence[Token]], Any] | None:
    parts = _union_parts(kind)
    if parts == (int,):
        return whole
    words = [word for part in parts if typing.get_origin(part) is Literal for word in typing.get_args(part)]
    if words and bool in parts:
        return yes_no_or(*words)
    return number_or(*words) if float in parts and words else None


def shown(value: Any) -> str:
    """Return a default as the help shows it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _metavar(kind: Any) -> str | None:
    """Return e.g. ``FLOAT|auto`` or ``true|false|auto``; None for a flag."""
    parts = []
    for part in _union_parts(kind):
        if typing.get_origin(part) is Literal:
            parts += [str(choice) for choice in typing.get_args(part)]
        elif part in (int, float):
            parts.append(part.__name__.upper())
        elif part is str:
            parts.append("TEXT")
        elif part is bool:
            if len(_union_parts(kind)) == 1:
                return None
            parts += ["true", "false"]
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


def _is_switch_or_word(kind: Any) -> bool:
    parts = _union_parts(kind)
    return bool in parts and len(parts) > 1


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

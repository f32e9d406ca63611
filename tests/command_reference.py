"""The lists of arguments and options that docs/command-line.md shows, from the application itself.

python tests/command_reference.py       rewrites the lists in the page (scripts/docs --write)
"""

from pathlib import Path

from alternant.cli.app import build

PAGE = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"
_BEGIN, _END = "<!-- options of {name} -->\n", "<!-- end -->\n"


def command_names() -> list[str]:
    """Return the commands in the order of the help."""
    return [name for name in build() if not name.startswith("-")]


def options(name: str) -> str:
    """Return one Markdown line for each argument and option of a command."""
    lines = []
    for argument in build()[name].assemble_argument_collection():
        names = ", ".join(f"`{each}`" for each in argument.names)
        words = " ".join((argument.parameter.help or "").split())
        choices = argument.get_choices() or ()
        notes = [f"one of {', '.join(choices)}"] * bool(choices) + [
            f"default {shown}" for shown in _default(argument)
        ]
        lines.append(f"- {names}: {words}" + (f" ({'; '.join(notes)})" if notes else ""))
    return "\n".join(lines) + "\n"


def _default(argument) -> list[str]:
    """Return the default as the help shows it, if it does."""
    shown, value = argument.show_default, argument.field_info.default
    if callable(shown):
        return [str(shown(value))]
    if not shown or value is None:
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def written(name: str, page: str) -> str | None:
    """Return what stands in `page` as the list of a command, or None where it has none."""
    begin, end = _BEGIN.format(name=name), _END
    if begin not in page:
        return None
    return page.split(begin, 1)[1].split(end, 1)[0]


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for command in command_names():
        old = written(command, text)
        if old is None:
            raise SystemExit(f"{PAGE.name} has no line {_BEGIN.format(name=command).strip()!r}")
        begin = _BEGIN.format(name=command)
        text = text.replace(begin + old + _END, begin + options(command) + _END)
    PAGE.write_text(text, encoding="utf-8")

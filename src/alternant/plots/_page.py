"""Reports: sections of text, facts, tables and charts as one HTML page that holds all it needs, or as
Markdown."""

import base64
import html
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alternant._whole_file import whole_file
from alternant.errors import DataError
from alternant.plots._saving import rendered
from alternant.plots._theme import colours, themed


@dataclass(frozen=True)
class Section:
    """A part of a report; what is empty is left out, the rest comes in this order.

    Attributes
    ----------
    title : str
    text : str, paragraphs with empty lines between them
    facts : names and values, as a list of two columns
    table : names of columns to their cells, all of one length; numbers are aligned to the right
    code : str, shown as it is, each character as wide as the next
    charts : Altair charts
    """

    title: str
    text: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    table: Mapping[str, Sequence[object]] = field(default_factory=dict)
    code: str = ""
    charts: Sequence[Any] = ()


def page(title: str, sections: Sequence[Section], *, subtitle: str = "") -> str:
    """Return a report as one HTML page: no scripts, nothing to fetch, light or dark as the reader's system
    is.

    Charts are drawings in the page, once for each theme. All text is escaped.

    Parameters
    ----------
    title : str
    sections : sequence of Section
    subtitle : str, one line below the title

    Returns
    -------
    str
        UTF-8 is declared: write it as that.

    Examples
    --------
    >>> from alternant.plots import Section, page
    >>> page("A fit", [Section("Data", facts={"ratings": 12})]).count("<h2")
    1
    """
    _check(sections)
    anchors = [f"s{number}" for number in range(1, len(sections) + 1)]
    contents = "".join(
        f'<li><a href="#{anchor}">{html.escape(section.title)}</a></li>'
        for anchor, section in zip(anchors, sections, strict=True)
    )
    body = "\n".join(
        _section_html(anchor, section) for anchor, section in zip(anchors, sections, strict=True)
    )
    return _PAGE.format(
        title=html.escape(title),
        style=_style(),
        subtitle=f"<p class='subtitle'>{html.escape(subtitle)}</p>" if subtitle else "",
        contents=f"<nav><ul>{contents}</ul></nav>" if len(sections) > 2 else "",
        body=body,
    )


def write_report(
    folder: str | os.PathLike[str], title: str, sections: Sequence[Section], *, subtitle: str = ""
) -> tuple[Path, ...]:
    """Write a report into a folder, which is made: ``report.html``, ``report.md``, and its charts as SVG
    files.

    Each file is written whole or not at all; the page, which needs no other file, comes last.

    Returns
    -------
    tuple of Path
        What was written, the page first.

    Raises
    ------
    DataError
        `folder` is a file.
    OSError
        A file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from alternant.plots import Section, write_report
    >>> written = write_report(tempfile.mkdtemp(), "A fit", [Section("Data", text="Twelve ratings.")])
    >>> [path.name for path in written]
    ['report.html', 'report.md']
    """
    _check(sections)
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise DataError(f"expected a folder to write a report into, got the file {str(place)!r}")
    files: dict[str, bytes] = {}
    lines = [f"# {_plain(title)}", *([_plain(subtitle)] if subtitle else [])]
    lines.extend(_section_markdown(section, files) for section in sections)
    files["report.md"] = ("\n\n".join(lines) + "\n").encode()
    files["report.html"] = page(title, sections, subtitle=subtitle).encode()
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with whole_file(place / name) as new:
            new.write_bytes(content)
    return tuple(
        place / name for name in sorted(files, key=lambda name: (not name.startswith("report"), name))
    )


def _check(sections: Sequence[Section]) -> None:
    for section in sections:
        lengths = {len(cells) for cells in section.table.values()}
        if len(lengths) > 1:
            raise DataError(
                f"columns of the table in {section.title!r} must have one length, got {sorted(lengths)}"
            )


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if value == value else "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# -- HTML ----------------------------------------------------------------------------------------------


def _section_html(anchor: str, section: Section) -> str:
    parts = [f'<section id="{anchor}"><h2>{html.escape(section.title)}</h2>']
    parts += [f"<p>{html.escape(text)}</p>" for text in _paragraphs(section.text)]
    if section.facts:
        rows = (
            f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(_cell(value))}</td></tr>"
            for name, value in section.facts.items()
        )
        parts.append(f"<table class='facts'>{''.join(rows)}</table>")
    if section.table:
        parts.append(_table_html(section.table))
    if section.code:
        parts.append(f"<pre>{html.escape(section.code)}</pre>")
    parts += [_picture(chart) for chart in section.charts]
    return "\n".join([*parts, "</section>"])


def _table_html(table: Mapping[str, Sequence[object]]) -> str:
    head = "".join(
        f"<th scope='col'{_number_class(cells)}>{html.escape(name)}</th>" for name, cells in table.items()
    )
    rows = []
    for row in zip(*table.values(), strict=True):
        cells = "".join(
            f"<td{' class=number' if _is_number(value) else ''}>{html.escape(_cell(value))}</td>"
            for value in row
        )
        rows.append(f"<tr>{cells}</tr>")
    return (
        f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _number_class(cells: Sequence[object]) -> str:
    return " class=number" if cells and all(map(_is_number, cells)) else ""


def _picture(chart: Any) -> str:
    # A picture each: drawings in one page would share the names of their clip paths.
    light, dark = (
        "data:image/svg+xml;base64," + base64.b64encode(rendered(themed(chart, theme), ".svg")).decode()
        for theme in ("light", "dark")
    )
    return (
        f'<figure><picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{html.escape(_alternative(chart), quote=True)}"></picture></figure>'
    )


def _alternative(chart: Any) -> str:
    """Return a chart's title and the lines below it, for those who cannot see it."""
    title = chart.to_dict().get("title", "chart")
    if isinstance(title, str):
        return title
    below = title.get("subtitle", [])
    return ". ".join([title["text"], *([below] if isinstance(below, str) else below)])


def _style() -> str:
    variables = {
        theme: "".join(f"--{name}:{colour};" for name, colour in colours(theme).items())
        for theme in ("light", "dark")
    }
    return (
        f":root{{{variables['light']}}}@media(prefers-color-scheme:dark){{:root{{{variables['dark']}}}}}"
        + _STYLE
    )


_STYLE = """
:root{color-scheme:light dark}
body{margin:0;background:var(--background);color:var(--text);
font:16px/1.55 system-ui,"Segoe UI",Arial,"Liberation Sans",sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.5rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem}
h2{font-size:1.3rem;margin:2.6rem 0 .8rem;padding-bottom:.3rem;border-bottom:1px solid var(--grid)}
.subtitle{color:var(--muted);margin:0 0 1rem}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;list-style:none;padding:0;margin:1rem 0}
a{color:var(--accent)}
p{max-width:44rem}
table{border-collapse:collapse;margin:.8rem 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.3rem 1.4rem .3rem 0;border-bottom:1px solid var(--grid)}
.facts th{font-weight:normal;color:var(--muted);white-space:nowrap}
.facts td{overflow-wrap:anywhere}
thead th{font-weight:600}
.number{text-align:right}
.wide,pre{overflow-x:auto}
pre{font:13px/1.5 ui-monospace,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;padding:.9rem
1rem; border:1px solid var(--grid);border-radius:6px} figure{margin:1.4rem 0}
img{max-width:100%;height:auto;display:block} @media print{nav{display:none}section{break-inside:avoid}}
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<header><h1>{title}</h1>{subtitle}</header>
{contents}
{body}
</main>
</body>
</html>
"""


# -- Markdown ------------------------------------------------------------------------------------------


def _section_markdown(section: Section, files: dict[str, bytes]) -> str:
    parts = [f"## {_plain(section.title)}", *map(_plain, _paragraphs(section.text))]
    if section.facts:
        parts.append(
            "\n".join(f"- {_plain(name)}: {_plain(_cell(value))}" for name, value in section.facts.items())
        )
    if section.table:
        parts.append(_table_markdown(section.table))
    if section.code:
        # A fence longer than any in the text ends where it is meant to.
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", section.code)), default=0))
        parts.append(f"{fence}text\n{section.code}\n{fence}")
    for chart in section.charts:
        name = f"chart-{sum(file.endswith('.svg') for file in files) + 1}.svg"
        files[name] = rendered(chart, ".svg")
        parts.append(f"![{_plain(_alternative(chart))}]({name})")
    return "\n\n".join(parts)


def _table_markdown(table: Mapping[str, Sequence[object]]) -> str:
    lines = [
        "| " + " | ".join(_plain(name) for name in table) + " |",
        "|" + "|".join("---:" if _number_class(cells) else "---" for cells in table.values()) + "|",
    ]
    lines += [
        "| " + " | ".join(_plain(_cell(value)) for value in row) + " |"
        for row in zip(*table.values(), strict=True)
    ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return text in one line that Markdown takes as it is: titles of films may hold anything."""
    return re.sub(r"([\\`*_\[\]<>|#~$])", r"\\\1", " ".join(text.split()))

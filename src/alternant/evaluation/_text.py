"""A report in words: Markdown, and a page of HTML with the same tables. Knows plain values only."""

from collections.abc import Sequence
from html import escape
from typing import Any

Table = tuple[str, list[str], list[list[str]]]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --mark: #2563eb; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: .25rem; } h2 { font-size: 1.15rem; margin-top: 2.25rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid var(--line); }
th, td { padding: .3rem .75rem .3rem 0; } td small { opacity: .7; }
td { border-bottom: 1px solid var(--soft); }
td.n, th.n { text-align: right; white-space: nowrap; } tr.own td { font-weight: 600; }
p.note { opacity: .75; font-size: .9rem; }
.scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #16181d; color: #e6e6e6; } }
"""


def as_markdown(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    lines = [f"# {report['model']}", "", *(f"- {fact}" for fact in _facts(report)), ""]
    for title, head, rows in _tables(report):
        lines += [f"## {title}", "", f"| {' | '.join(head)} |", f"|{_rule(head)}|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines.append("")
    lines.append(_note(report))
    return "\n".join(lines) + "\n"


def as_html(report: dict[str, Any]) -> str:
    """Return a report as a page of HTML."""
    title = escape(report["model"])
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f"<ul>{''.join(f'<li>{escape(fact)}</li>' for fact in _facts(report))}</ul>",
    ]
    for heading, head, rows in _tables(report):
        parts.append(f'<h2>{escape(heading)}</h2><div class="scroll"><table><thead><tr>')
        parts += [f"<th{_align(name)}>{escape(name)}</th>" for name in head]
        parts.append("</tr></thead><tbody>")
        for row in rows:
            own = ' class="own"' if report["model"] in row[:3] else ""
            cells = "".join(
                f"<td{_align(name)}>{_cell(cell)}</td>" for name, cell in zip(head, row, strict=True)
            )
            parts.append(f"<tr{own}>{cells}</tr>")
        parts.append("</tbody></table></div>")
    parts.append(f'<p class="note">{escape(_note(report))}</p></body></html>\n')
    return "\n".join(parts)


def _cell(text: str) -> str:
    """Return a cell with the interval, where there is one, below the value."""
    value, bracket, interval = escape(text).partition(" [")
    return f"{value}<br><small>[{interval}</small>" if bracket else value


_WORDS = frozenset({"model", "metric", "baseline", "group", "by"})


def _is_number(name: str) -> bool:
    return name not in _WORDS


def _align(name: str) -> str:
    return ' class="n"' if _is_number(name) else ""


def _rule(head: Sequence[str]) -> str:
    return "|".join(" ---: " if _is_number(name) else " --- " for name in head)


def _facts(report: dict[str, Any]) -> list[str]:
    return [f"{name}: {_fact(value)}" for name, value in report["facts"].items() if value not in (None, "")]


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _note(report: dict[str, Any]) -> str:
    level = report["facts"].get("level", 0.95)
    return (
        f"In brackets: the interval that holds the value for all such users {100 * level:g} % of the time, "
        "by bootstrap over users. Worst 30 %: the mean over the 30 % of users who fare worst. p: how often "
        "chance alone would make a difference as large."
    )


def _tables(report: dict[str, Any]) -> list[Table]:
    tables: list[Table] = []
    models = list(dict.fromkeys(row["model"] for row in report["rows"]))
    metrics = list(dict.fromkeys(row["metric"] for row in report["rows"]))
    by = {(row["metric"], row["model"]): row for row in report["rows"]}
    rows = [[metric, *(_with_interval(by.get((metric, model))) for model in models)] for metric in metrics]
    tables.append(("Metrics", ["metric", *models], rows))
    worst = [
        [
            metric,
            *(number(by[metric, model]["worst_30"]) if (metric, model) in by else "" for model in models),
        ]
        for metric in metrics
        if any((row := by.get((metric, model))) and row["worst_30"] is not None for model in models)
    ]
    if worst:
        tables.append(("Worst 30 % of users", ["metric", *models], worst))
    if report["differences"]:
        tables.append(
            (
                f"{report['model']} less the baselines",
                ["metric", "baseline", "difference", "p", "users"],
                [
                    [
                        row["metric"],
                        row["baseline"],
                        _with_interval({**row, "value": row["difference"]}, "+"),
                        "" if row["p"] is None else f"{row['p']:.2g}",
                        f"{row['n_users']:,}",
                    ]
                    for row in report["differences"]
                ],
            )
        )
    tables += _slice_tables(report["slices"])
    return tables


def _slice_tables(slices: list[dict[str, Any]]) -> list[Table]:
    tables: list[Table] = []
    for by in dict.fromkeys(row["by"] for row in slices):
        some = [row for row in slices if row["by"] == by]
        models = list(dict.fromkeys(row["model"] for row in some))
        groups = list(dict.fromkeys(row["group"] for row in some))
        cells = {(row["group"], row["model"]): row for row in some}
        count = {"user entries": "users", "item entries": "relevant pairs", "entry": "ratings"}[by]
        head = {"user entries": "user's entries", "item entries": "item's entries", "entry": "entry"}[by]
        rows = [
            [
                group,
                f"{max(row['n'] for row in some if row['group'] == group):,}",
                *(
                    number(cells[group, model]["value"]) if (group, model) in cells else ""
                    for model in models
                ),
            ]
            for group in groups
        ]
        tables.append((f"{some[0]['metric']} by {head}", ["group", count, *models], rows))
    return tables


def number(value: float | None, sign: str = "") -> str:
    """Return a number with four decimals, or as many digits as it needs; "–" for what is undefined."""
    if value is None:
        return "–"
    return f"{value:{sign}.4f}" if abs(value) < 1000 else f"{value:{sign},.0f}"


def _with_interval(row: dict[str, Any] | None, sign: str = "") -> str:
    if row is None:
        return ""
    text = number(row["value"], sign=sign)
    if row["low"] is None:
        return text
    return f"{text} [{number(row['low'], sign=sign)}, {number(row['high'], sign=sign)}]"

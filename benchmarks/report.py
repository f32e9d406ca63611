"""What was measured, as a table for people, as JSON for programs. rich draws the table where it is
installed."""

import json
from pathlib import Path
from typing import Any

from benchmarks.options import Options

MB = 1e6


def cells(row: dict[str, Any]) -> list[str]:
    """Return a row of the table of sweeps."""

    def shown(key: str, text: str, scale: float = 1.0) -> str:
        return "–" if row.get(key) is None else text.format(row[key] / scale)

    low, high = row.get("seconds_range", (None, None))
    spread = "–" if low is None else f"{low:.3g} to {high:.3g}"
    excess = row.get("objective_excess")
    return [
        row["engine"],
        shown("seconds", "{:.3g}"),
        spread,
        shown("cpu_seconds", "{:.3g}"),
        shown("ratio", "{:.2f}×"),
        shown("objective", "{:.6g}"),
        "–" if excess is None else f"{excess:+.1e}",
        shown("peak_bytes", "{:,.0f}", MB),
        shown("growth_bytes", "{:,.0f}", MB),
        shown("roofline", "{:.0%}"),
        row["note"],
    ]


SWEEP_COLUMNS = [
    "engine",
    "s per sweep",
    "range",
    "CPU s",
    "times ours",
    "objective",
    "above ours",
    "peak MB",
    "growth MB",
    "of roofline",
    "",
]


def headline(machine: dict[str, Any], options: Options) -> list[str]:
    """Return the lines that say what the figures below were measured on."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return [
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; level {machine['isa']} "
        f"of {', '.join(machine['isa_levels'])}; {options.threads} threads; "
        f"load {machine['load']} when it began",
        versions,
    ]


def caption(row: dict[str, Any], options: Options) -> list[str]:
    """Return the lines above one table of sweeps."""
    short, long = options.sweeps
    lines = [
        f"{row['size']}, {row['work']}, k = {row['n_factors']}: {row['n_entries']:,} entries; medians of "
        f"{options.repeat} rounds of (seconds of {long} sweeps − seconds of {short}) / {long - short}"
    ]
    if options.objective:
        lines.append(
            f"objective per entry after {long} sweeps, in float64; “above ours” is relative to the first row"
        )
    lines.append("CPU s: processor seconds per sweep, of all threads")
    lines.append("growth: over the process that holds the input, in the shorter run; 1 MB is 10⁶ bytes;")
    lines.append(
        f"the entries by user and by item and two buffers of factors are {row['needed_bytes'] / MB:,.0f} MB"
    )
    return lines


def roofline_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Return what the roofline is made of."""
    found = {}
    for row in rows:
        if "floor" in row:
            floor, peaks = row["floor"], row["floor"]["peaks"]
            found.setdefault(
                floor["seconds"],
                f"floor {floor['seconds']:.3g} s ({row['engine']}): operations {floor['operations']:.3g} s "
                f"at {peaks['flops'] / 1e9:,.0f} GFLOP/s, bytes {floor['bytes']:.3g} s, gathered at "
                f"{peaks['gather'][0] / 1e9:.1f} and {peaks['gather'][1] / 1e9:.1f} GB/s",
            )
    return list(found.values())


def table_text(columns: list[str], rows: list[list[str]]) -> str:
    """Return a plain table, columns aligned."""
    widths = [max(len(line[i]) for line in [columns, *rows]) for i in range(len(columns))]
    lines = []
    for line in [columns, ["-" * width for width in widths], *rows]:
        first, *others = zip(line, widths, strict=True)
        padded = [first[0].ljust(first[1])]
        padded += [
            text.rjust(width) if i + 2 < len(columns) else text for i, (text, width) in enumerate(others)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def show(lines: list[str], columns: list[str], rows: list[list[str]]) -> None:
    """Print a table with lines above it; with rich where there is a terminal that is wide enough for
    nothing to fold."""
    print("\n" + "\n".join(lines))
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(table_text(columns, rows))
        return
    console = Console()
    plain = table_text(columns, rows)
    if not console.is_terminal or max(map(len, plain.splitlines())) > console.width:
        print(plain)
        return
    table = Table(box=None, pad_edge=False)
    for i, name in enumerate(columns):
        table.add_column(name, justify="right" if 0 < i < len(columns) - 1 else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def write_json(file: Path, machine: dict[str, Any], options: Options, results: list[dict[str, Any]]) -> None:
    """Write everything, each single run included."""
    asked = {key: str(value) if isinstance(value, Path) else value for key, value in vars(options).items()}
    document = {"machine": machine, "options": asked, "results": results}
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

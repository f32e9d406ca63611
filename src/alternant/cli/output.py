"""Results as a table on a terminal, or as CSV, JSON or Parquet to standard output or a file."""

import csv
import io
import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from alternant._whole_file import whole_file
from alternant.cli import console
from alternant.errors import DataError

Columns = Mapping[str, NDArray[Any]]
_NARROWEST_TITLE = 12
_FILE_WIDTH = 120

Format = Literal["table", "csv", "json", "parquet"]

FormatOption = Annotated[
    Format | None,
    Parameter(
        alias="-f",
        show_default=False,
        help="By default the suffix of --output decides; else a table on a terminal, csv elsewhere.",
    ),
]
OutputOption = Annotated[
    Path | None,
    Parameter(
        name=["--output", "-o"], help="Write the results to this file instead (.csv, .json, .parquet)."
    ),
]


def check(format: Format | None, output: Path | None) -> Format:
    """Return the format to write; refuse what cannot work before any work is done."""
    if output is None:
        if format == "parquet":
            raise DataError("parquet is not text: name a file with --output")
        return format or ("table" if sys.stdout.isatty() else "csv")
    suffixes: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".pq": "parquet"}
    chosen = format or suffixes.get(output.suffix.lower())
    if chosen is None:
        raise DataError(
            f"cannot tell the format of {str(output)!r}: expected .csv, .json or .parquet, or --format"
        )
    check_folder(output)
    return chosen


def check_folder(output: Path) -> None:
    """Refuse an output that is a folder, or whose folder does not exist or cannot be written to."""
    if output.is_dir():
        raise DataError(f"cannot write {str(output)!r}: it is a folder; expected a file name")
    if output.exists() and not output.is_file():
        return  # a device or a pipe, which is written to
    folder = Path(os.path.realpath(output)).parent
    if not folder.is_dir():
        shown = folder if output.is_symlink() else output.parent
        raise DataError(f"cannot write {str(output)!r}: no folder {str(shown)!r}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataError(f"cannot write {str(output)!r}: you may not write into the folder {str(folder)!r}")


def write(
    columns: Columns, *, format: Format, output: Path | None, title: str = "", hidden: Collection[str] = ()
) -> None:
    """Write columns of equal length in `format`, to `output` or standard output.

    `title` stands above a table; `hidden` columns, which the title makes redundant, are left out of one.
    """
    n_rows = len(next(iter(columns.values()), ()))
    if n_rows == 0:
        console.note("nothing to show")
    if output is not None:
        with whole_file(output) as new:
            _write_file(columns, format, new, title)
        console.note(f"wrote {n_rows:,} rows to {output}")
    elif format == "table":
        to = console.out()
        to.print(
            _table({name: column for name, column in columns.items() if name not in hidden}, title, to.width)
        )
    else:
        sys.stdout.write(_text(columns, format))


def with_titles(columns: Columns, titles: Mapping[str, str] | None) -> dict[str, NDArray[Any]]:
    """Return the columns with titles after each column of item ids; an empty one where there is none."""
    result: dict[str, NDArray[Any]] = {}
    for name, values in columns.items():
        result[name] = values
        if titles is not None and name.endswith("item_id"):
            shown = [titles.get(str(label), "") for label in values.tolist()]
            result[name.replace("item_id", "title")] = np.array(shown, dtype=object)
    return result


def named(texts: Sequence[str], titles: Mapping[str, str] | None) -> str:
    """Return ids as typed, for a heading, each with its title where there is one."""
    return ", ".join(f"{text} {titles[text]}" if titles and text in titles else text for text in texts)


def plain_values(values: NDArray[Any]) -> list[Any]:
    """Return an array as Python values; a float32 as the shortest decimal that gives it back."""
    if values.dtype == np.float32:
        return [float(str(value)) for value in values]
    result: list[Any] = values.tolist()
    return result


def _write_file(columns: Columns, format: Format, path: Path, title: str) -> None:
    if format == "parquet":
        from alternant.reading import write_parquet

        write_parquet(columns, path)
    elif format == "table":
        with path.open("w", encoding="utf-8") as stream:
            Console(file=stream, width=_FILE_WIDTH, highlight=False, markup=False).print(
                _table(columns, title, _FILE_WIDTH)
            )
    else:
        path.write_text(_text(columns, format), encoding="utf-8")


def _text(columns: Columns, format: Format) -> str:
    rows = zip(*(plain_values(values) for values in columns.values()), strict=True)
    if format == "json":
        records = [
            {name: _json_value(value) for name, value in zip(columns, row, strict=True)} for row in rows
        ]
        return json.dumps(records, ensure_ascii=False, indent=1) + "\n"
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()


def _json_value(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _table(columns: Columns, title: str, width: int) -> Table:
    table = Table(
        title=console.printable(title) or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    shown: dict[str, list[str]] = {}
    for name, values in columns.items():
        floats = values.dtype.kind == "f"
        shown[name.replace("_", " ")] = [
            f"{value:.3f}" if floats else console.printable(str(value)) for value in values.tolist()
        ]
    # Titles give way where the terminal is narrow; nothing else does. Three columns of space lie around each.
    widths = {name: max(map(len, [name, *cells])) for name, cells in shown.items()}
    titles = [name for name in widths if "title" in name]
    left = width - 1 - 3 * len(widths) - sum(size for name, size in widths.items() if name not in titles)
    for name, values in zip(shown, columns.values(), strict=True):
        most = max(_NARROWEST_TITLE, left // len(titles)) if name in titles else None
        table.add_column(
            name,
            justify="right" if values.dtype.kind in "iuf" else "left",
            min_width=None if most else widths[name],
            max_width=most,
            overflow="ellipsis",
            no_wrap=True,
        )
    for row in zip(*shown.values(), strict=True):
        table.add_row(*row)
    return table

"""Results as a table on a terminal, or as CSV, JSON or Parquet to standard output or a file."""

import csv
import json
import math
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from alternant._whole_file import whole_file
from alternant.cli import console
from alternant.cli.options import UsageError
from alternant.errors import DataError
from alternant.model.lists import Titles, title_column

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
    by_name = suffixes.get(output.suffix.lower())
    if format is not None and by_name is not None and format != by_name:
        raise UsageError(f"{str(output)!r} says {by_name} and --format {format}: leave one of them out")
    chosen = format or by_name
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
    columns: Columns,
    *,
    format: Format,
    output: Path | None,
    title: str = "",
    hidden: Collection[str] = (),
    most: int | None = None,
    nothing: str = "nothing to show",
    footnote: str = "",
) -> None:
    """Write columns of equal length in `format`, to `output` or standard output.

    `title` stands above a table on standard output, `footnote` below it; `hidden` columns, which the title
    makes redundant, are left out of it, and rows after the first `most` too. `nothing` is said where there
    are no rows.
    """
    n_rows = _n_rows(columns)
    if n_rows == 0:
        console.note(nothing)
    if output is not None:
        write_batches([columns], format=format, output=output, title=title)
    elif format == "table":
        to = console.out()
        shown = {name: column[:most] for name, column in columns.items() if name not in hidden}
        to.print(_table(shown, title, to.width))
        if most is not None and n_rows > most:
            console.note(f"the first {most} of {n_rows:,} rows; --output FILE writes all of them")
        if footnote and n_rows:
            console.note(footnote)
    else:
        _write_text([columns], format, sys.stdout)


def write_batches(
    batches: Iterable[Columns], *, format: Format, output: Path | None, title: str = ""
) -> None:
    """Write batches of the same columns one after the other; none is kept but in a table."""
    if output is None:
        _write_text(batches, format, sys.stdout)
        return
    n_rows = 0

    def counting() -> Iterator[Columns]:
        nonlocal n_rows
        for columns in batches:
            n_rows += _n_rows(columns)
            yield columns

    with whole_file(output) as new:
        _write_file(counting(), format, new, title)
    console.note(f"wrote {console.counted(n_rows, 'row')} to {output}")


def with_titles(columns: Columns, titles: Titles | None) -> dict[str, NDArray[Any]]:
    """Return the columns with titles after each column of item ids; an empty one where there is none."""
    result: dict[str, NDArray[Any]] = {}
    for name, values in columns.items():
        result[name] = values
        if titles is not None and name.endswith("item_id"):
            result[name.replace("item_id", "title")] = title_column(values, titles)
    return result


def named(labels: Iterable[int | str], titles: Titles | None) -> str:
    """Return ids for a heading, each with its title where there is one."""
    known: Mapping[Any, str] = titles or {}
    return ", ".join(f"{label} {known[label]}" if label in known else str(label) for label in labels)


def plain_values(values: NDArray[Any]) -> list[Any]:
    """Return an array as Python values; a float32 as the shortest decimal that gives it back."""
    if values.dtype == np.float32:
        return [float(str(value)) for value in values]
    result: list[Any] = values.tolist()
    return result


def _n_rows(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))


def _write_file(batches: Iterable[Columns], format: Format, path: Path, title: str) -> None:
    if format == "parquet":
        from alternant.reading import write_parquet

        write_parquet(batches, path)
    elif format == "table":
        parts = list(batches)
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        with path.open("w", encoding="utf-8") as stream:
            Console(file=stream, width=_FILE_WIDTH, highlight=False, markup=False).print(
                _table(columns, title, _FILE_WIDTH)
            )
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            _write_text(batches, format, stream)


def _write_text(batches: Iterable[Columns], format: Format, stream: TextIO) -> None:
    """Write CSV (what is missing is an empty cell) or one JSON array of records (null)."""
    began = False
    writer = csv.writer(stream, lineterminator="\n")
    for columns in batches:
        rows = zip(*map(_cells, columns.values()), strict=True)
        if format == "csv":
            if not began:
                writer.writerow(columns)
            writer.writerows(rows)
        elif _n_rows(columns):
            records = [dict(zip(columns, row, strict=True)) for row in rows]
            text = json.dumps(records, ensure_ascii=False, indent=1)
            stream.write(("," if began else "[") + text.removeprefix("[").removesuffix("\n]"))
        else:
            continue
        began = True
    if format == "json":
        stream.write("\n]\n" if began else "[]\n")


def _cells(values: NDArray[Any]) -> list[Any]:
    cells = plain_values(values)
    return [cell if math.isfinite(cell) else None for cell in cells] if values.dtype.kind == "f" else cells


def _table(columns: Columns, title: str, width: int) -> Table:
    table = Table(
        title=console.printable(title) or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    shown: dict[str, list[str]] = {}
    for name, values in columns.items():
        floats = values.dtype.kind == "f"
        shown[name.replace("_", " ")] = [
            console.printable(str(value)) if not floats else f"{value:.3f}" if math.isfinite(value) else ""
            for value in values.tolist()
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

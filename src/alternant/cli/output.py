"""Results as a table on a terminal, or as CSV, JSON or Parquet to standard output or a file."""

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from alternant.cli import console
from alternant.errors import DataError

Columns = Mapping[str, NDArray[Any]]
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
    """Refuse an output whose folder does not exist or that is a folder."""
    if output.is_dir():
        raise DataError(f"cannot write {str(output)!r}: it is a folder; expected a file name")
    if not output.absolute().parent.is_dir():
        raise DataError(f"cannot write {str(output)!r}: no folder {str(output.parent)!r}; make it first")


def write(columns: Columns, *, format: Format, output: Path | None, title: str = "") -> None:
    """Write columns of equal length in `format`, to `output` or standard output."""
    n_rows = len(next(iter(columns.values()), ()))
    if output is not None:
        atomically(output, lambda path: _write_file(columns, format, path, title))
        console.note(f"wrote {n_rows:,} rows to {output}")
    elif format == "table":
        console.out().print(_table(columns, title))
    else:
        sys.stdout.write(_text(columns, format))


def atomically(output: Path, write_to: Callable[[Path], None]) -> None:
    """Call `write_to` with a new file beside `output`, then rename it: readers see the old or the new one."""
    handle, name = tempfile.mkstemp(
        prefix=f".{output.name}.", suffix=output.suffix, dir=output.absolute().parent
    )
    os.close(handle)
    try:
        write_to(Path(name))
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def with_titles(columns: Columns, titles: Mapping[str, str] | None) -> dict[str, NDArray[Any]]:
    """Return the columns with titles after each column of item ids; an empty one where there is none."""
    result: dict[str, NDArray[Any]] = {}
    for name, values in columns.items():
        result[name] = values
        if titles is not None and name.endswith("item_id"):
            shown = [titles.get(str(label), "") for label in values.tolist()]
            result[name.replace("item_id", "title")] = np.array(shown, dtype=object)
    return result


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
            Console(file=stream, width=120, highlight=False, markup=False).print(_table(columns, title))
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


def _table(columns: Columns, title: str) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    shown = []
    for name, values in columns.items():
        number = values.dtype.kind in "iuf"
        table.add_column(
            name.replace("_", " "), justify="right" if number else "left", overflow="ellipsis", no_wrap=True
        )
        floats = values.dtype.kind == "f"
        shown.append([f"{value:.3f}" if floats else str(value) for value in values.tolist()])
    for row in zip(*shown, strict=True):
        table.add_row(*row)
    return table

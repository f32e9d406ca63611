"""Results in every format."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from alternant.cli import output
from alternant.errors import DataError

COLUMNS = {
    "item_id": np.array([1, 20]),
    "score": np.array([0.1, np.nan], np.float32),
    "source": np.array(["model", 'a "b", ß'], object),
}


def test_csv_is_read_back(capsys):
    output.write(COLUMNS, format="csv", output=None)
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["item_id", "score", "source"], ["1", "0.1", "model"], ["20", "", 'a "b", ß']]


def test_json_has_no_nan(capsys):
    output.write(COLUMNS, format="json", output=None)
    assert json.loads(capsys.readouterr().out) == [
        {"item_id": 1, "score": 0.1, "source": "model"},
        {"item_id": 20, "score": None, "source": 'a "b", ß'},
    ]


def test_parquet(tmp_path: Path):
    output.write(COLUMNS, format="parquet", output=tmp_path / "x.parquet")
    frame = pl.read_parquet(tmp_path / "x.parquet")
    assert frame["item_id"].to_list() == [1, 20]
    assert frame["score"].dtype == pl.Float32
    assert frame["source"].to_list() == ["model", 'a "b", ß']


def test_a_table(capsys):
    output.write(COLUMNS, format="table", output=None, title="a [title]")
    text = capsys.readouterr().out
    assert "a [title]" in text
    assert "item id   score   source" in text
    assert "0.100" in text


def test_a_table_passes_no_orders_on_to_the_terminal(capsys):
    """Seen to clear the screen, and to break a row in two."""
    columns = {"title": np.array(["\x1b[2Jgone", "two\nlines"], object)}
    output.write(columns, format="table", output=None, title="of \x1b[31m")
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\N{REPLACEMENT CHARACTER}[2Jgone" in text
    assert "two\N{REPLACEMENT CHARACTER}lines" in text
    output.write(columns, format="csv", output=None)  # a file's text as it is
    assert "\x1b[2Jgone" in capsys.readouterr().out


def test_titles_follow_item_ids():
    columns = {
        "item_id": np.array([1, 2]),
        "rank": np.array([1, 2]),
        "similar_item_id": np.array(["02", "x"], object),
    }
    result = output.with_titles(columns, {1: "One", "02": "Two"})
    assert list(result) == ["item_id", "title", "rank", "similar_item_id", "similar_title"]
    assert result["title"].tolist() == ["One", ""]
    assert result["similar_title"].tolist() == ["Two", ""]
    assert list(output.with_titles(columns, None)) == list(columns)


@pytest.mark.parametrize(
    ("format", "name", "chosen"),
    [
        (None, "a.csv", "csv"),
        (None, "a.JSON", "json"),
        (None, "a.parquet", "parquet"),
        ("json", "a.txt", "json"),
        (None, None, "csv"),
    ],
)
def test_which_format(tmp_path: Path, format, name, chosen):
    assert output.check(format, tmp_path / name if name else None) == chosen


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path: Path):
    with pytest.raises(DataError, match=r"parquet is not text: name a file with --output"):
        output.check("parquet", None)
    with pytest.raises(
        DataError,
        match=r"cannot tell the format of 'a\.txt': expected \.csv, \.json or \.parquet, or --format",
    ):
        output.check(None, Path("a.txt"))
    with pytest.raises(DataError, match=r"no folder '.*nowhere'; make it first"):
        output.check(None, tmp_path / "nowhere" / "a.csv")
    with pytest.raises(DataError, match=r"it is a folder; expected a file name"):
        output.check("csv", tmp_path)


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # the superuser may write anywhere
    with pytest.raises(DataError, match=r"cannot write '.*a\.csv': you may not write into the folder '.*'"):
        output.check(None, tmp_path / "a.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(DataError, match=r"cannot write '.*link\.csv': no folder '.*nowhere'; make it first"):
        output.check(None, tmp_path / "link.csv")

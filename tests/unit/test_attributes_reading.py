"""Tables of attributes from files and SQL: types, ids, and every refusal word for word."""

# ruff: noqa: E501 (messages stand as they are)

import json
import logging
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from alternant.attributes import AttributeEncoding
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.reading import read_attributes

MOVIES = """movieId,title,genres,year,score,zip,new
10,"American President, The",Comedy|Drama,1995,4.5,02139,true
20, Toy Story ,,,nan,94110,
30,Se7en,Crime,1995,1e1,10001,False
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(table):
    return {name: array.tolist() for name, array in table.items()}


def test_csv(here, caplog):
    Path("movies.csv").write_text(MOVIES)
    with caplog.at_level(logging.INFO, logger="alternant.reading"):
        table = read_attributes("movies.csv")
    assert listed({name: table[name] for name in table if name != "score"}) == {
        "movieId": [10, 20, 30],
        "title": ["American President, The", "Toy Story", "Se7en"],
        "genres": ["Comedy|Drama", None, "Crime"],
        "year": [1995, None, 1995],
        "zip": ["02139", "94110", "10001"],
        "new": [True, None, False],
    }
    np.testing.assert_array_equal(table["score"], [4.5, np.nan, 10])
    assert caplog.messages == [
        "reading attributes from movies.csv: id=movieId, title, genres, year, score, zip, new"
    ]
    encoding = AttributeEncoding.fit(table, what="item")
    assert [column.kind for column in encoding.columns] == [
        "categorical",
        "tags",
        "numeric",
        "categorical",
        "boolean",
    ]


def test_columns_and_ids_as_the_caller_says(here):
    Path("movies.csv").write_text(MOVIES)
    assert list(read_attributes("movies.csv", columns=["year", "genres"])) == ["movieId", "genres", "year"]
    table = read_attributes("movies.csv", columns={"year": "categorical", "zip": "numeric"}, id_kind="string")
    assert listed(table) == {
        "movieId": ["10", "20", "30"],
        "year": ["1995", None, "1995"],
        "zip": [2139.0, 94110.0, 10001.0],
    }
    assert listed(read_attributes("movies.csv", id_column="zip", columns=["new"]))["zip"][0] == "02139"


def test_users_and_files_without_a_header(here):
    Path("users.tsv").write_text("age\tuserId\n24\t1\n53\t2\n")
    assert listed(read_attributes("users.tsv")) == {"userId": [1, 2], "age": [24, 53]}
    Path("movies.dat").write_bytes("1::Les Misérables::Drama\n2::Jumanji::Children's\n".encode("latin-1"))
    table = read_attributes("movies.dat")
    assert list(table) == ["column1", "column2", "column3"]
    assert table["column2"][0] == "Les Misérables"


def test_typed_sources(here, caplog):
    frame = pl.DataFrame(
        {
            "id": ["a", "b"],
            "tags": [["x", None], None],
            "year": pl.Series([1990, None], dtype=pl.Int16),
            "price": pl.Series([None, "2.50"]).cast(pl.Decimal(6, 2)),
            "shown": pl.Series(["1970-01-02", None]).str.to_date(),
            "kind": pl.Series(["k", "l"], dtype=pl.Categorical),
            "vector": [[0.5], [1.5]],
            "extra": [{"a": 1}, {"a": 2}],
        }
    )
    frame.write_parquet("films.parquet")
    table = read_attributes("films.parquet")
    assert caplog.messages == ["column 'extra' of films.parquet is left out: its type is STRUCT(a BIGINT)"]
    assert table["tags"].tolist() == [["x", None], None]
    assert table["year"].tolist() == [1990, None]
    np.testing.assert_array_equal(table["price"], [np.nan, 2.5])
    assert table["shown"].astype("datetime64[s]").astype(int)[0] == 86400
    assert np.isnat(table["shown"][1])
    assert table["kind"].tolist() == ["k", "l"]
    assert table["vector"].tolist() == [[0.5], [1.5]]
    with pytest.raises(
        DataError, match=r"^attribute 'extra' must hold numbers, booleans, .* got STRUCT\(a BIGINT\); "
    ):
        read_attributes("films.parquet", columns=["extra"])
    Path("films.json").write_text(
        json.dumps([{"id": 1, "tags": ["x", "y"], "ok": True}, {"id": 2, "tags": []}])
    )
    assert listed(read_attributes("films.json")) == {
        "id": [1, 2],
        "tags": [["x", "y"], []],
        "ok": [True, None],
    }
    sql = "select id as item_id, tags from 'films.json' where id = 1"
    assert listed(read_attributes(sql)) == {"item_id": [1], "tags": [["x", "y"]]}


REFUSED = [
    ("a,b\nx,1\n", {}, "t.csv has no column that looks like ids; its columns are 'a', 'b': name one with id_column="),
    ("id,x\n1,2\n", {"id_column": "key"}, "t.csv has no column 'key' (asked for as id_column); its columns are 'id', "
     "'x'"),
    ("id,x\n1,2\n", {"columns": ["y"]}, "t.csv has no column 'y' (asked for in columns=); its columns are 'id', 'x'"),
    ("id,x\n1,2\n", {"columns": ["id"]}, "column 'id' holds the ids and cannot be an attribute"),
    ("id,x\n1,2\n", {"columns": "x"}, "columns must map names to kinds, or be a list of names, got 'x'"),
    ("id,x\n1,2\n", {"id_kind": "text"}, 'id_kind must be "integer", "string" or None, got \'text\''),
    ("id,x\n1,2\n2,old\n", {"columns": {"x": "numeric"}}, "attribute 'x' must be a number, got 'old' in t.csv, "
     "line 3; correct it, or empty the cell"),
    ("userId,x\n1,2\n,3\n", {}, "user ids must not be empty, got 1 empty ones in column 'userId', the first in "
     "t.csv, line 3; drop the rows"),
    ("id,x\n1,2\nz,3\n", {"id_kind": "integer"}, "item ids must be plain integers here, got 'z' in column 'id' in "
     "t.csv, line 3"),
    ("id,x\n", {}, "t.csv has no rows; expected one row per item"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "message"), REFUSED)
def test_refusals_word_for_word(here, text, options, message):
    Path("t.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        read_attributes("t.csv", **options)
    assert str(caught.value) == message


def test_real_movies(shared_data, caplog):
    path = shared_data / "ml-latest-small" / "movies.csv"
    if not path.exists():
        pytest.skip(f"no {path}: set ALTERNANT_DATA to the folder of the real data sets")
    table = read_attributes(path)
    encoding = AttributeEncoding.fit(table, what="item")
    assert [message.split(":")[0] for message in caplog.messages] == ["attribute 'title' is left out"]
    assert encoding.n_features == 19
    assert encoding.feature_names[:2] == ("genres=Action", "genres=Adventure")
    ids, _ = IdMap.from_labels(table["movieId"])
    rows = encoding.encode(table, ids, what="item")
    plain = np.zeros((len(ids), 19))
    for row, text in zip(ids.encode(table["movieId"]), table["genres"], strict=True):
        genres = [] if text == "(no genres listed)" else text.split("|")
        for genre in genres:
            plain[row, encoding.columns[0].categories.index(genre)] = 1 / np.sqrt(len(genres))
    found = np.zeros_like(plain)
    found[rows.row_index(), rows.indices] = rows.values
    np.testing.assert_array_equal(found, plain.astype(np.float32))
    assert AttributeEncoding.fit(table, what="item", columns={"title": "categorical"}).n_features == 9737

"""Tables of attributes become sparse rows: every kind from every frame, against plain NumPy; refusals."""

# ruff: noqa: E501 (messages stand as they are)

import json
import logging
import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from alternant.attributes import AttributeColumn, AttributeEncoding, AttributeMatrix, id_column_of
from alternant.errors import DataError
from alternant.ids import IdMap

IDS = [30, 10, 20, 40]
FILMS = {
    "movieId": IDS,
    "genres": ["Drama|Comedy", "Drama", "(no genres listed)", None],
    "language": ["fr", "en", "", "fr"],
    "cast": [["Ann", "Bob"], ["Bob"], None, ["Cy", "Ann", "Bob", "Bob"]],
    "colour": [True, False, None, True],
    "year": [1990, 2000, None, 2010],
    "minutes": [90.5, math.nan, 100.0, 120.25],
}
NAMES = (
    "genres=Comedy", "genres=Drama", "language=en", "language=fr", "cast=Ann", "cast=Bob", "cast=Cy",
    "colour", "year", "minutes",
)  # fmt: skip


def standardised(values):
    known = np.array([value for value in values if value is not None and not math.isnan(value)])
    return [
        0 if value is None or math.isnan(value) else (value - known.mean()) / known.std() for value in values
    ]


def expected():
    half, third = 1 / math.sqrt(2), 1 / math.sqrt(3)
    year, minutes = standardised(FILMS["year"]), standardised(FILMS["minutes"])
    rows = [
        [half, half, 0, 1, half, half, 0, 1],
        [0, 1, 1, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, third, third, third, 1],
    ]
    return np.array([[*row, a, b] for row, a, b in zip(rows, year, minutes, strict=True)])


def object_array(values):
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        array[row] = value
    return array


FRAMES = {
    "pandas": pd.DataFrame(FILMS),
    "pandas typed": pd.DataFrame(FILMS).convert_dtypes(),
    "polars": pl.DataFrame(FILMS),
    "pyarrow": pa.table(FILMS),
    "pyarrow batch": pa.table(FILMS).combine_chunks().to_batches()[0],
    "pyarrow chunks": pa.concat_tables([pa.table(FILMS).slice(0, 1), pa.table(FILMS).slice(1)]),
    "dict of lists": FILMS,
    "dict of arrays": {name: object_array(values) for name, values in FILMS.items()},
    "dict of series": {name: pl.Series(values) for name, values in FILMS.items()},
    "pandas categories": pd.DataFrame(FILMS).astype({"language": "category", "genres": "category"}),
}


def ids_of(labels):
    """Ids in the order given."""
    ids, codes = IdMap.from_labels(labels)
    return ids.subset(codes.astype(np.int64))


def dense(rows):
    out = np.zeros((rows.n_rows, rows.n_columns))
    out[rows.row_index(), rows.indices] = rows.values
    return out


def fitted(frame, **options):
    return AttributeEncoding.fit(frame, **{"what": "item", **options})


def bits(rows):
    return [part.tobytes() for part in (rows.offsets, rows.indices, rows.values)]


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_every_kind_from_every_frame(frame):
    encoding = fitted(frame)
    assert encoding.feature_names == NAMES
    assert encoding.n_features == len(NAMES)
    assert [column.kind for column in encoding.columns] == [
        "tags", "categorical", "tags", "boolean", "numeric", "numeric"
    ]  # fmt: skip
    rows = encoding.encode(frame, ids_of(IDS), what="item")
    np.testing.assert_allclose(dense(rows), expected(), rtol=1e-6)
    assert rows.values.dtype == np.float32
    assert (rows.values != 0).all()
    assert bits(rows) == bits(fitted(FILMS).encode(FILMS, ids_of(IDS), what="item"))


def test_rows_are_those_of_the_ids_in_their_order(caplog):
    encoding = fitted(FILMS)
    with caplog.at_level(logging.INFO, logger="alternant.attributes"):
        rows = encoding.encode(FILMS, ids_of([40, 99, 10]), what="item")
    np.testing.assert_allclose(dense(rows), [expected()[3], np.zeros(10), expected()[1]], rtol=1e-6)
    assert caplog.messages == [
        "2 of 4 rows of item attributes are of ids that are not asked for, and left out"
    ]


def test_string_ids():
    frame = {**FILMS, "movieId": ["d", "a", "c", "b"]}
    rows = fitted(frame).encode(frame, ids_of(["a", "b", "c", "d"]), what="item")
    np.testing.assert_allclose(dense(rows), expected()[[1, 3, 2, 0]], rtol=1e-6)


def test_only_the_rows_of_known_ids_are_learnt_from():
    frame = {"id": [1, 2, 3], "year": [10.0, 20.0, 1e9], "kind": ["a", "b", "z"]}
    encoding = fitted(frame, ids=ids_of([2, 1, 7]))
    year, kind = encoding.columns
    assert (year.mean, year.scale) == (15, 5)
    assert kind.categories == ("a", "b")


def test_times_are_numbers():
    days = np.array(["1970-01-01", "1970-01-03"], dtype="datetime64[D]")
    [column] = fitted({"id": [1, 2], "released": days}).columns
    assert (column.kind, column.mean, column.scale) == ("numeric", 86400, 86400)


def test_categories_that_were_not_seen_are_left_out_and_do_not_shrink_the_others(caplog):
    encoding = fitted({"id": [1, 2, 3], "genres": ["A|B", "B", "C"], "country": ["x", "y", "x"]})
    later = {"id": [8, 9], "genres": ["A|New|B", "Other"], "country": ["z", "y"], "price": [1, 2]}
    with caplog.at_level(logging.INFO, logger="alternant.attributes"):
        rows = encoding.encode(later, ids_of([8, 9]), what="item")
    half = np.float32(1 / math.sqrt(2))
    assert dense(rows).tolist() == [[half, half, 0, 0, 0], [0, 0, 0, 0, 1]]
    assert caplog.messages == [
        "attribute 'genres': 2 categories without a feature left out, in 2 cells",
        "attribute 'country': 1 category without a feature left out, in 1 cell",
    ]


def test_rare_categories_have_no_feature(caplog):
    frame = {"id": [1, 2, 3, 4], "genres": ["A|B", "B", "B|C", "C"], "country": ["x", "y", "x", "z"]}
    with caplog.at_level(logging.INFO, logger="alternant.attributes"):
        encoding = fitted(frame, min_count=2)
    assert encoding.feature_names == ("genres=B", "genres=C", "country=x")
    assert "attribute 'country': 2 categories with fewer than 2 rows are left out" in caplog.messages
    assert dense(encoding.encode(frame, ids_of([1]), what="item")).tolist() == [[1, 0, 1]]


def test_what_says_the_same_of_every_row_is_left_out(caplog):
    frame = {
        "id": [1, 2, 3],
        "year": [0.1, 0.1, None],
        "is_film": [True, True, True],
        "country": ["x", "x", "x"],
        "nothing": [None, None, None],
        "empty": pl.Series([None, None, None], dtype=pl.List(pl.String)),
        "genres": ["A", None, "A"],
        "is_new": [True, None, True],
    }
    with caplog.at_level(logging.INFO, logger="alternant.attributes"):
        assert fitted(frame).feature_names == ("genres=A", "is_new")
    said = [message for message in caplog.messages if message.endswith("or the same of every row")]
    assert [message.split("'")[1] for message in said] == ["year", "is_film", "country", "nothing", "empty"]


def test_free_text_is_left_out_unless_it_is_asked_for(caplog):
    titles = [f"Film {i}" for i in range(30)]
    frame = {"id": range(30), "title": titles, "genre": ["a", "b"] * 15}
    frame["id"] = list(range(30))
    assert fitted(frame).feature_names == ("genre=a", "genre=b")
    assert caplog.messages == [
        "attribute 'title' is left out: 30 different texts in 30 rows of items look like free text; to keep it, "
        "name it and its kind, as in AttributeTable(frame, columns={'title': \"categorical\"})"
    ]
    caplog.clear()
    assert fitted(frame, columns=["title"]).n_features == 30
    assert fitted(frame, columns={"genre": "tags", "title": "categorical"}).n_features == 32
    assert fitted({"id": [1, 2, 3], "title": titles[:3]}).n_features == 3
    many = [f"w{i % 1001}" for i in range(4004)]
    frame = {"id": list(range(4004)), "word": many, "genre": ["a", "b"] * 2002}
    assert fitted(frame).n_features == 2
    frame["word"] = [f"w{i % 1000}" for i in range(4004)]
    assert fitted(frame).n_features == 1002


def test_kinds_that_are_asked_for():
    frame = {
        "id": [1, 2, 3],
        "shelf": [7, 5, 7],
        "new": [0, 1, 1],
        "tag": ["b", "a", "b"],
        "seen": [True, False, None],
    }
    kinds = {"seen": "numeric", "tag": "tags", "new": "boolean", "shelf": "categorical"}
    encoding = fitted(frame, columns=kinds)
    assert encoding.feature_names == ("shelf=5", "shelf=7", "new", "tag=a", "tag=b", "seen")
    rows = encoding.encode({**frame, "shelf": [7.0, math.nan, 8.5]}, ids_of([1, 2, 3]), what="item")
    assert dense(rows).tolist() == [[0, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, -1], [0, 0, 1, 0, 1, 0]]
    numbers = fitted({"id": [1, 2], "size": [10, 9]}, columns={"size": "categorical"})
    assert numbers.columns[0].categories == ("10", "9")


def test_lists_of_integers_are_tags_and_a_list_holds_what_it_says():
    frame = {"id": [1, 2], "genres": [[10, 9, 9], [9]], "cast": [["A|B"], ["C", " "]]}
    assert fitted(frame).feature_names == ("genres=10", "genres=9", "cast=A|B", "cast=C")


def test_columns_of_other_types_are_left_out(caplog):
    frame = {"id": [1, 2], "vector": [[0.5], [0.25]], "raw": [b"x", b"y"], "genre": ["a", "b"]}
    assert fitted(frame).feature_names == ("genre=a", "genre=b")
    assert caplog.messages == [
        "attribute 'vector' is left out: it holds lists of float; convert it, or pass vectors as an AttributeMatrix",
        "attribute 'raw' is left out: it holds bytes; convert it, or pass vectors as an AttributeMatrix",
    ]
    with pytest.raises(
        DataError, match=r"^attribute 'raw' must hold numbers, booleans, strings or lists of "
    ):
        fitted(frame, columns=["raw"])


@pytest.mark.parametrize(
    ("names", "what", "found"),
    [
        (["title", "movieId"], "item", "movieId"),
        (["User_ID", "age"], "user", "User_ID"),
        (["id", "artist"], "item", "id"),
        (["artist", "country"], "item", "artist"),
        (["isbn", "title"], "item", "isbn"),
        (["title", 3], "item", None),
    ],
)
def test_the_id_column(names, what, found):
    assert id_column_of(names, what) == found


def test_the_id_column_as_the_caller_says():
    encoding = AttributeEncoding.fit({"who": ["b", "a"], "age": [20, 30]}, what="user", id_column="who")
    assert encoding.id_column == "who"
    assert encoding.new_ids({"who": ["c", "b"]}).tolist() == ["c", "b"]
    assert fitted(FILMS).new_ids(pl.DataFrame(FILMS)).tolist() == IDS


REFUSED = [
    ({"title": ["x"], "year": [1]}, {}, "no column looks like the item id; the columns of the frame are 'title', "
     "'year': name one with id_column= of AttributeTable"),
    ({"id": [1], "year": [1]}, {"id_column": "movie"}, "no column 'movie' in the frame; it has 'id', 'year'"),
    ({"id": [3, 1, 3, 1, 1], "year": range(5)}, {}, "each item may have one row of attributes, got 3 of 1; keep one "
     "of them, or name another column than 'id' with id_column= of AttributeTable"),
    ({"id": ["a", None], "year": [1, 2]}, {}, "item ids must not be null, got null in row 1; drop the row"),
    ({"id": [0.5, 1], "year": [1, 2]}, {}, "item ids must be integers or strings, got float64; convert them to "
     "strings"),
    ({"id": ["a", "b"], "year": [1, math.inf]}, {}, "attribute 'year' must be finite, got inf for item 'b'; correct "
     "it, or make it missing"),
    ({"id": [1, 2], "year": [1, 1e39]}, {}, "attribute 'year' must lie within ±3.4e+38 (float32), got 1e+39 for item "
     "2; correct it, or make it missing"),
    ({"id": [1, 2], "new": [1, 2]}, {"columns": {"new": "boolean"}}, "attribute 'new' must be 0 or 1, got 2 for item "
     "2; correct it, or make it missing"),
    ({"id": [1, 2], "x": ["1", "2"]}, {"columns": {"x": "numeric"}}, "attribute 'x' must hold numbers, got str; "
     "convert them to floats, or pass columns= with \"categorical\" or \"tags\" for it"),
    ({"id": [1, 2], "x": [["1"], ["2"]]}, {"columns": {"x": "categorical"}}, "attribute 'x' must hold strings or "
     "integers, got list; convert them, for example with str()"),
    ({"id": [1, 2], "x": [[0.5], [2.0]]}, {"columns": {"x": "tags"}}, "attribute 'x' must hold strings or integers, "
     "got lists of float; pass vectors as an AttributeMatrix"),
    ({"id": [1, 2], "x": [1, 2]}, {"columns": {"x": "number"}}, "columns must map 'x' to one of numeric, boolean, "
     "categorical, tags, got 'number'"),
    ({"id": [1, 2], "x": [1, 2]}, {"columns": "x"}, "columns must map names to kinds, or be a list of names, got 'x'"),
    ({"id": [1, 2], "x": [1, 2]}, {"columns": [1]}, "columns must name columns by strings, got 1"),
    ({"id": [1, 2], "x": [1, 2]}, {"columns": ["y"]}, "no column 'y' in the frame; it has 'id', 'x'"),
    ({"id": [1, 2], "x": [1, 2]}, {"columns": ["id"]}, "column 'id' holds the item ids and cannot be an attribute"),
    ({"id": [1, 2], "x": [1, 2]}, {"min_count": 0}, "min_count must be a positive integer, got 0"),
    ({"id": [1, 2], "x": [1, 2]}, {"what": "film"}, "what must be 'user' or 'item', got 'film'"),
    ({"id": [1, 2], "x": [1, 2], 3: [1, 2]}, {}, "the columns of attributes must have strings as names, got 3; "
     "rename it"),
    ({"id": [1, 2], "x": [1]}, {}, "column 'x' must have 2 rows as 'id', got 1"),
    ({"id": [1, 2], "x": [5, 5]}, {}, "no column of the item attributes can be used: 'x' is left out, as it says "
     "nothing, or the same of every row"),
    ({"id": [1, 2]}, {}, "no column of the item attributes can be used: there is none beside the ids"),
    ({"id": [1], "a": [1], "b": ["x"], "c": [None], "d": [object()], "e": [[]]}, {}, "no column of the item "
     "attributes can be used: 'a' is left out, as it says nothing, or the same of every row; 'b' is left out, as it "
     "says nothing, or the same of every row; 'c' is left out, as it says nothing, or the same of every row (and 2 more, in the log)"),
    ({"id": [], "x": []}, {}, "the table of item attributes has no rows; expected one for each item"),
    ({"id": [1, 2], "x": [1, 2]}, {"ids": ids_of([7, 8])}, "none of the 2 rows of attributes is of one of the 2 "
     "items; the first is of 1: is this the right id column?"),
    ({"id": [1, 2], "x": [1, 2]}, {"ids": ids_of(["1"])}, "item ids are strings here, got integers (int64); did you "
     "mean '1'?"),
    ([1, 2], {}, "frame must be a data frame (pandas, polars, pyarrow or any other with Arrow's interface) or a dict "
     "of arrays, got list"),
    (pl.LazyFrame({"id": [1]}), {}, "a lazy frame must be collected first: pass frame.collect()"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "options", "message"), REFUSED)
def test_refusals_word_for_word(frame, options, message):
    if isinstance(frame, dict):
        frame = {name: list(values) for name, values in frame.items()}
    with pytest.raises(DataError) as caught:
        fitted(frame, **options)
    assert str(caught.value) == message


def test_refusals_of_later_frames():
    encoding = fitted(FILMS)
    with pytest.raises(DataError, match=r"^no column 'genres' in the frame; it has 'movieId', 'year'$"):
        encoding.encode({"movieId": [1], "year": [1]}, ids_of([1]), what="item")
    with pytest.raises(DataError, match=r"^no column 'movieId' in the frame; it has 'id'$"):
        encoding.new_ids({"id": [1]})
    with pytest.raises(DataError, match=r"^each item may have one row of attributes, got 2 of 5; "):
        encoding.new_ids({"movieId": [5, 5]})
    with pytest.raises(DataError, match=r"^attribute 'year' must be finite, got inf for item 30; "):
        encoding.encode({**FILMS, "year": [math.inf, 1, 2, 3]}, ids_of(IDS), what="item")
    with pytest.raises(
        DataError, match="came as a table; pass one with the columns of it, got an AttributeMatrix"
    ):
        encoding.encode(AttributeMatrix([1], [[1.0]]), ids_of([1]), what="item")
    narrow = fitted({"id": [1, 2], "x": [0, 1e-30]})
    with pytest.raises(
        DataError, match=r"^attribute 'x' must lie nearer to what it was fitted on .* got 1e\+20 for"
    ):
        narrow.encode({"id": [1], "x": [1e20]}, ids_of([1]), what="item")


def test_an_infinite_number_of_an_unknown_id_does_not_matter():
    frame = {"id": [1, 2, 3], "x": [1, 3, math.inf]}
    rows = fitted(frame, ids=ids_of([1, 2])).encode(frame, ids_of([2, 1]), what="item")
    assert dense(rows).tolist() == [[1], [-1]]


def test_a_frame_without_rows_gives_empty_rows():
    rows = fitted(FILMS).encode(pl.DataFrame(FILMS).head(0), ids_of(IDS), what="item")
    assert (rows.n_rows, rows.n_columns, rows.n_entries) == (4, 10, 0)


# -- matrices -------------------------------------------------------------------------------------------

DENSE = np.array([[0.0, 2.5, 0.0], [1.0, 0.0, 0.0], [0.0, -1.0, 3.0]])


@pytest.mark.parametrize(
    "matrix",
    [
        DENSE,
        DENSE.tolist(),
        np.asfortranarray(DENSE.astype(">f4")),
        scipy.sparse.csr_array(DENSE),
        scipy.sparse.csc_matrix(DENSE),
        scipy.sparse.coo_array(DENSE),
        scipy.sparse.lil_array(DENSE),
        scipy.sparse.coo_array(
            ([1, 1.5, 1, 0, -1, 3], ([0, 0, 1, 1, 2, 2], [1, 1, 0, 1, 1, 2])), shape=(3, 3)
        ),
    ],
    ids=["dense", "list", "big-endian", "csr", "csc", "coo", "lil", "coo with repeats"],
)
def test_a_matrix_is_used_as_it_is(matrix):
    attributes = AttributeMatrix(["b", "a", "c"], matrix)
    encoding = fitted(attributes)
    assert encoding.id_column is None
    assert encoding.feature_names == ("feature0", "feature1", "feature2")
    rows = encoding.encode(attributes, ids_of(["a", "x", "b", "c"]), what="item")
    assert dense(rows).tolist() == [DENSE[1].tolist(), [0, 0, 0], DENSE[0].tolist(), DENSE[2].tolist()]
    assert rows.n_entries == 4
    assert encoding.new_ids(attributes).tolist() == ["b", "a", "c"]


def test_a_matrix_with_names_and_an_id_map():
    attributes = AttributeMatrix(ids_of([5, 3]), DENSE[:2], names=["x", "y", "z"])
    encoding = fitted(attributes, what="user", ids=ids_of([3]))
    assert encoding.feature_names == ("x", "y", "z")
    assert dense(encoding.encode(attributes, ids_of([3, 5]), what="user")).tolist() == DENSE[[1, 0]].tolist()
    assert AttributeEncoding.from_dict(json.loads(json.dumps(encoding.to_dict()))) == encoding


MATRICES = [
    (lambda: AttributeMatrix([1, 2], DENSE), "matrix must have a row for each of 2 ids, got shape (3, 3)"),
    (lambda: AttributeMatrix([1], [1.0]), "matrix must be two-dimensional, got an array of shape (1,)"),
    (lambda: AttributeMatrix([1], [["x"]]), "matrix must hold numbers, got <U1"),
    (lambda: AttributeMatrix([1], np.empty((1, 0))), "matrix must have a column for each feature, got shape (1, 0)"),
    (lambda: AttributeMatrix([1], pd.DataFrame({"x": [1]})), "matrix must be an array, got a DataFrame: pass the "
     "frame itself as the attributes, or frame.to_numpy()"),
    (lambda: AttributeMatrix([1], [[1, 2]], names=["x", "x"]), "names must be distinct, one for each of 2 columns, "
     "got 1"),
    (lambda: AttributeMatrix([1], [[1]], names="x"), "names must be a sequence of strings or None, got 'x'"),
    (lambda: fitted(AttributeMatrix([1, 1], [[1], [2]])), "each item may have one row of attributes, got 2 of 1; "
     "keep one of them"),
    (lambda: fitted(AttributeMatrix([1, None], [[1], [2]])), "item ids must not be null, got null in row 1; drop the "
     "row"),
    (lambda: fitted(AttributeMatrix(["a", "b"], [[1, 2], [1, math.nan]])), "attribute 'feature1' must be finite in "
     "float32, got nan for item 'b'; correct it"),
    (lambda: fitted(AttributeMatrix([1], [[1e39]])), "attribute 'feature0' must be finite in float32, got 1e+39 for "
     "item 1; correct it"),
    (lambda: fitted(AttributeMatrix([1], [[1]]), columns=["feature0"]), "columns and id_column are for tables, got "
     "an AttributeMatrix; choose among its columns"),
    (lambda: fitted(AttributeMatrix([1], [[1]])).encode(FILMS, ids_of([1]), what="item"), "these item attributes "
     "came as an AttributeMatrix; pass one, got dict"),
    (lambda: fitted(AttributeMatrix([1], [[1]])).encode(AttributeMatrix([1], [[1, 2]]), ids_of([1]), what="item"),
     "an AttributeMatrix must have the same 1 columns as the first one, 'feature0'; got 2, 'feature0', 'feature1'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), MATRICES)
def test_refusals_of_matrices_word_for_word(call, message):
    with pytest.raises(DataError) as caught:
        call()
    assert str(caught.value) == message


# -- storing --------------------------------------------------------------------------------------------


def test_json_round_trip():
    encoding = fitted(FILMS)
    stored = json.loads(json.dumps(encoding.to_dict()))
    assert AttributeEncoding.from_dict(stored) == encoding
    assert stored["columns"][3] == {"name": "colour", "kind": "boolean"}


NUMERIC = {"name": "x", "kind": "numeric", "mean": 0.0, "scale": 1.0}
TAGS = {"name": "x", "kind": "tags", "categories": ["a", "b"]}
STORED = [
    ({}, "a stored attribute encoding must have id_column and columns, got {}"),
    ({"id_column": 1, "columns": [NUMERIC]}, "the id column of attributes must be a string or None, got 1"),
    ({"id_column": "id", "columns": "x"}, "the columns of a stored attribute encoding must be a list, got 'x'"),
    ({"id_column": "id", "columns": []}, "attributes must have at least one column"),
    ({"id_column": "id", "columns": [NUMERIC, NUMERIC]}, "the columns of attributes must have distinct names"),
    ({"id_column": None, "columns": [TAGS]}, "the columns of an attribute matrix must be numeric, of mean 0 and "
     "scale 1"),
    ([NUMERIC | {"scale": 0.0}], "the scale of attribute 'x' must be positive, got 0.0"),
    ([NUMERIC | {"mean": "1"}], "the mean of attribute 'x' must be finite, got '1'"),
    ([NUMERIC | {"mean": math.nan}], "the mean of attribute 'x' must be finite, got nan"),
    ([NUMERIC | {"name": 1}], "the name of an attribute must be a string, got 1"),
    ([{"name": "x", "kind": "numeric"}], "a stored attribute must have kind, mean, name, scale, got {'name': 'x', "
     "'kind': 'numeric'}"),
    ([{"name": "x", "kind": "number"}], "attribute 'x' must be one of numeric, boolean, categorical, tags, got "
     "'number'"),
    (["x"], "a stored attribute must have kind, name, got 'x'"),
    ([TAGS | {"categories": "ab"}], "the categories of a stored attribute must be a list, got 'ab'"),
    ([TAGS | {"categories": []}], "attribute 'x' is tags and must have categories"),
    ([TAGS | {"categories": ["a", 1]}], "the categories of attribute 'x' must be strings that are not empty"),
    ([TAGS | {"categories": ["b", "a"]}], "the categories of attribute 'x' must be sorted and distinct"),
]  # fmt: skip


@pytest.mark.parametrize(("stored", "message"), STORED)
def test_stored_encodings_that_lie(stored, message):
    if isinstance(stored, list):
        stored = {"id_column": "id", "columns": stored}
    with pytest.raises(DataError) as caught:
        AttributeEncoding.from_dict(stored)
    assert str(caught.value) == message


def test_a_column_without_categories_has_none():
    with pytest.raises(DataError, match=r"^attribute 'x' is boolean and must have no categories$"):
        AttributeColumn("x", "boolean", categories=("a",))


# -- properties -----------------------------------------------------------------------------------------

ROW = st.fixed_dictionaries(
    {
        "size": st.none() | st.floats(-1e6, 1e6, width=32),
        "count": st.none() | st.integers(-1000, 2**60),
        "genre": st.none() | st.sampled_from(["", "a", "b", "é", "日本"]),
        "tags": st.none() | st.lists(st.sampled_from("abcd"), max_size=4),
        "words": st.none() | st.lists(st.sampled_from(["x", "y", " z "]), max_size=3).map("|".join),
        "is_new": st.none() | st.booleans(),
    }
)
TABLES = st.lists(ROW, min_size=2, max_size=12)


def table(rows, labels):
    """A polars frame: its columns keep their types in any order, and where nothing is left but nulls."""
    schema = {"id": pl.Int64, "size": pl.Float64, "count": pl.Int64, "genre": pl.String, "is_new": pl.Boolean,
              "tags": pl.List(pl.String), "words": pl.String}  # fmt: skip
    return pl.DataFrame(
        [{"id": label, **row} for label, row in zip(labels, rows, strict=True)], schema=schema
    )


def usable(rows):
    """What the table becomes, or None where no column of it says anything."""
    try:
        return fitted(table(rows, range(len(rows))))
    except DataError as error:
        if "can be used" not in str(error):
            raise
        return None


@settings(max_examples=60)
@given(TABLES, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    """Seen to catch a mean by np.mean, and categories in order of appearance."""
    encoding = usable(rows)
    if encoding is None:
        return
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = table([rows[i] for i in order], order)
    assert fitted(shuffled) == encoding
    ids = ids_of(list(range(len(rows))))
    frame = table(rows, range(len(rows)))
    assert bits(encoding.encode(shuffled, ids, what="item")) == bits(encoding.encode(frame, ids, what="item"))


@settings(max_examples=60)
@given(TABLES)
def test_a_row_alone_has_the_bits_that_it_has_among_others(rows):
    """Seen to catch tags weighted by the tags of all rows, and standardising anew while encoding."""
    encoding = usable(rows)
    if encoding is None:
        return
    frame = table(rows, range(len(rows)))
    together = encoding.encode(frame, ids_of(list(range(len(rows)))), what="item")
    for row in range(len(rows)):
        alone = encoding.encode(frame[row], ids_of([row]), what="item")
        block = together.block(row, row + 1)
        assert alone.indices.tobytes() == block.indices.tobytes()
        assert alone.values.tobytes() == block.values.tobytes()

"""IdMap: labels to positions and back, what is refused and in which words."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from alternant.errors import DataError, UnknownIdError
from alternant.ids import IdMap

WORDS = ["pear", "apple", "pear", "zoë", "a word of more than twelve bytes", "apple"]


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        np.array,
        lambda w: np.array(w, dtype=object),
        lambda w: np.array(w, dtype=np.dtypes.StringDType()),
        pd.Series,
        lambda w: pd.Series(w, dtype="category"),
        pd.Index,
        pl.Series,
        lambda w: pl.Series(w, dtype=pl.Categorical),
        pa.array,
        lambda w: pa.array(w, pa.large_string()),
        lambda w: pa.array(w, pa.string_view()),
        lambda w: pa.array(["unused", *w]).slice(1),
        lambda w: pa.array(["unused", *w]).dictionary_encode().slice(1),
        lambda w: pa.chunked_array([w[:2], [], w[2:]]),
    ],
)
def test_strings_of_every_origin_are_numbered_in_the_same_order(make):
    ids, codes = IdMap.from_labels(make(WORDS))
    assert ids.kind == "string"
    assert ids.labels.tolist() == sorted(set(WORDS))
    assert codes.dtype == np.int32
    assert ids.labels[codes].tolist() == WORDS
    assert ids.encode(make(WORDS)).tolist() == codes.tolist()


@pytest.mark.parametrize(
    "make",
    [
        list,
        np.array,
        lambda x: np.array(x, dtype=np.int16),
        lambda x: np.array(x, dtype=">i8"),
        lambda x: np.array(x, dtype=object),
        lambda x: pd.Series(x, dtype="Int32"),
        pl.Series,
        pa.array,
        lambda x: pa.array(x).dictionary_encode(),
        lambda x: pa.chunked_array([x[:1], x[1:]]),
    ],
)
def test_integers_of_every_origin_are_numbered_in_the_same_order(make):
    labels = [30, -5, 30, 0]
    ids, codes = IdMap.from_labels(make(labels))
    assert ids.labels.dtype == np.int64
    assert ids.labels.tolist() == [-5, 0, 30]
    assert codes.tolist() == [2, 0, 2, 1]
    assert ids.encode(make(labels)).tolist() == codes.tolist()


def test_the_whole_range_of_int64():
    labels = [2**63 - 1, -(2**63), 0, -1]
    ids, codes = IdMap.from_labels(labels)
    assert ids.labels.tolist() == sorted(labels)
    assert ids.decode(codes).tolist() == labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, None], "user ids must not be null, got null in row 1; drop the row"),
        (["a", None], "user ids must not be null, got null in row 1; drop the row"),
        (["a", float("nan")], "user ids must not be null, got null in row 1; drop the row"),
        (pa.array(["a", None]), "user ids must not be null, got null in row 1; drop the row"),
        (pl.Series([None, 3]), "user ids must not be null, got null in row 0; drop the row"),
        ([None], "user ids must not be null, got null in row 0; drop the row"),
        (
            [True, False],
            r"user ids must be integers or strings, got bool; convert them, for example with str\(\)",
        ),
        ([1.5], "user ids must be integers or strings, got float64; convert them to strings"),
        ([1.0, 2.0], r"user ids must be integers or strings, got float64; convert with .astype\('int64'\)"),
        (
            pd.Series([1, None, 3]).to_numpy(),
            r"got float64 \(whole numbers with a gap in row 1\); drop the rows with gaps, then convert",
        ),
        (pd.Series([1, None, 3]), r"whole numbers with a gap in row 1"),
        ([1, "a"], "user ids must be integers or strings, got a mixture of int and str"),
        ([b"a"], "user ids must be integers or strings, got bytes"),
        (
            np.array([2**63], dtype=np.uint64),
            "user ids must fit in 64-bit signed integers, got 9223372036854775808",
        ),
        ([2**70], "user ids must be integers or strings, got integers beyond 64 bits"),
        (pa.array([b"x"]), "user ids must be integers or strings, got binary"),
        ("abc", "user ids must be an array or a sequence, got str"),
        (np.zeros((2, 2), dtype=int), r"user ids must be one-dimensional, got an array of shape \(2, 2\)"),
    ],
)
def test_labels_that_cannot_be_ids_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        IdMap.from_labels(labels, what="user")


def test_unknown_ids_are_named_with_a_remedy_or_marked():
    ids, _ = IdMap.from_labels(["alice", "carol"])
    message = r"^no user 'bob' in this model \(2 users\); recommend from a history with model.fold_in$"
    with pytest.raises(UnknownIdError, match=message):
        ids.encode(["alice", "bob"], remedy="recommend from a history with model.fold_in")
    with pytest.raises(UnknownIdError, match=r"^no item 7 in this model \(3 items\)$"):
        IdMap.from_range(3).encode_one(7, what="item")
    assert ids.encode(["alice", "bob"], unknown="mark").tolist() == [0, -1]
    assert ids.encode([]).tolist() == []


def test_labels_of_the_other_kind_are_refused():
    with pytest.raises(DataError, match=r"user ids are integers here, got strings \(str\)"):
        IdMap.from_range(3).encode(["1"])
    with pytest.raises(DataError, match=r"user ids are strings here, got integers \(int64\)"):
        IdMap.from_labels(["1"])[0].encode([1])
    assert "1" not in IdMap.from_range(3)
    assert 1 in IdMap.from_range(3)
    assert 1.5 not in IdMap.from_range(3)


def test_dictionaries_with_unused_entries_do_not_invent_ids():
    labels = pd.Series(["b", "a"], dtype=pd.CategoricalDtype(["unused", "a", "b"]))
    ids, codes = IdMap.from_labels(labels)
    assert ids.labels.tolist() == ["a", "b"]
    assert codes.tolist() == [1, 0]


def test_dictionaries_that_are_encoded_may_hold_unknown_labels():
    ids, _ = IdMap.from_labels(["a", "b"])
    labels = pa.array(["b", "x", "b"]).dictionary_encode()
    assert ids.encode(labels, unknown="mark").tolist() == [1, -1, 1]
    assert ids.encode(labels.filter(pa.array([True, False, True]))).tolist() == [1, 1]
    with pytest.raises(UnknownIdError, match="no user 'x'"):
        ids.encode(labels)


@pytest.mark.parametrize("text", ["1_0", "007", "+7", "7.0", "", "\u0663"])
def test_parse_takes_nobody_for_somebody_else(text):
    """Python's int() makes 10 of 1_0 and 7 of 007; in a file, they are strings."""
    with pytest.raises(DataError, match="ids are integers here, got"):
        IdMap.from_range(20).parse(text)
    assert IdMap.from_range(20).parse(" 7 ") == 7


def test_parse_reads_what_is_typed():
    assert IdMap.from_range(3).parse("12") == 12
    assert IdMap.from_labels(["12"])[0].parse("12") == "12"
    with pytest.raises(DataError, match="ids are integers here, got 'x'"):
        IdMap.from_range(3).parse("x")


@pytest.mark.parametrize("labels", [["m", "b"], [7, 3]])
def test_growing_appends_new_labels_sorted_and_keeps_old_positions(labels):
    ids, _ = IdMap.from_labels(labels)
    new = ["z", "a", "m"] if ids.kind == "string" else [9, 1, 7]
    grown = ids.grown(new)
    assert grown.labels[: len(ids)].tolist() == ids.labels.tolist()
    assert grown.labels[len(ids) :].tolist() == sorted(set(new) - set(labels))
    assert grown.hashes[: len(ids)].tolist() == ids.hashes.tolist()
    assert ids.grown([]) is ids
    with pytest.raises(DataError, match=f"id ids are {ids.kind}s here, got"):
        ids.grown([1] if ids.kind == "string" else ["a"])


def test_maps_are_immutable():
    ids, _ = IdMap.from_labels(["a", "b"])
    for array in (*ids.to_arrays().values(), ids.labels, ids.hashes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]
    with pytest.raises(AttributeError, match="cannot assign"):
        ids.offsets = None


def test_decode_refuses_positions_outside():
    with pytest.raises(DataError, match=r"positions must lie in \[0, 3\)"):
        IdMap.from_range(3).decode([3])
    with pytest.raises(DataError, match=r"positions must lie in \[0, 3\)"):
        IdMap.from_range(3).decode([-1])


OFFSETS = np.array([0, 1, 2])
TWO = np.frombuffer(b"ab", dtype=np.uint8)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": np.array([1, 1])}, "ids must be distinct, got 1 twice"),
        ({"labels": np.array([1.0])}, r"stored ids need labels of int64, shape \(n,\), got float64"),
        ({"offsets": np.array([0, 1]), "bytes": TWO}, "must rise from 0 to the number of bytes"),
        ({"offsets": np.array([1, 2]), "bytes": TWO}, "must rise from 0 to the number of bytes"),
        ({"offsets": np.array([0, 2, 1, 2]), "bytes": TWO}, "must rise from 0 to the number of bytes"),
        (
            {"offsets": OFFSETS, "bytes": np.array([97, 97], dtype=np.uint8)},
            "ids must be distinct, got 'a' twice",
        ),
        ({"offsets": OFFSETS, "bytes": np.array([0xC3, 0xA9], dtype=np.uint8)}, "cut a character in two"),
        ({"offsets": OFFSETS, "bytes": np.array([0xFF, 97], dtype=np.uint8)}, "not valid UTF-8"),
        ({"offsets": OFFSETS}, r"ids must be stored as labels, or as offsets and bytes, got \['offsets'\]"),
    ],
)
def test_stored_maps_that_lie_are_refused(arrays, message):
    with pytest.raises(DataError, match=message):
        IdMap.from_arrays(arrays)


def test_hashes_never_change():
    """Start values are drawn by them: a new number here would be a new model for everybody."""
    assert IdMap.from_labels([0, 1, -1])[0].hashes.tolist() == HASHES_OF_INTEGERS
    words = ["", "a", "abcd", "abcdefghi", "a label of more than sixteen bytes"]
    ids, codes = IdMap.from_labels(words)
    assert ids.hashes[codes].tolist() == HASHES_OF_WORDS


HASHES_OF_INTEGERS = [2717770620714153248, 11286133854226296554, 16572613472718614229]
HASHES_OF_WORDS = [
    10874994732282882608,
    6252265298672247938,
    12001192873306840076,
    16067544959757069175,
    15482889954903617727,
]


def test_repr_and_equality():
    ids, _ = IdMap.from_labels(["a", "b", "c", "d"])
    assert repr(ids) == "IdMap(4 string ids: 'a', 'b', 'c', …)"
    assert ids == IdMap.from_labels(["d", "c", "b", "a"])[0]
    assert ids != IdMap.from_range(4)
    assert ids != "a"


def test_an_unknown_label_that_is_known_in_another_spelling():
    strings, _ = IdMap.from_labels(["0111161", "8"])
    integers, _ = IdMap.from_labels([7, 8])
    with pytest.raises(UnknownIdError, match=r"no user '111161' in .*; did you mean '0111161'\?"):
        strings.encode(["111161"])
    with pytest.raises(DataError, match=r"are strings here, got integers \(.*\); did you mean '0111161'\?"):
        strings.encode([111161])
    with pytest.raises(DataError, match=r"ids are integers here, got strings \(.*\); did you mean 7\?"):
        integers.encode(["007"])
    with pytest.raises(UnknownIdError, match=r"no user '9' in this model \(2 users\)$"):
        strings.encode(["9"])

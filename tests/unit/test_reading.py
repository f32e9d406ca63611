"""Files and SQL to interactions: what is guessed, what ids become, and every refusal word for word."""

import gzip
import logging
import os
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from alternant.errors import DataError
from alternant.reading import read, read_titles, write_parquet
from alternant.reading._duckdb import translated

DATA = Path(os.environ.get("ALTERNANT_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {path}: set ALTERNANT_DATA to the folder of the real data sets")
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


RATINGS = "userId,movieId,rating,timestamp\n1,10,4.0,100\n1,20,3.5,200\n2,10,5,300\n"


def rows(interactions):
    entries = interactions.entries()
    users, items = (
        interactions.user_ids.decode(entries.user_index),
        interactions.item_ids.decode(entries.item_index),
    )
    return list(zip(users.tolist(), items.tolist(), entries.values.tolist(), strict=True))


EXPECTED = [(1, 10, 4.0), (1, 20, 3.5), (2, 10, 5.0)]


def test_csv(here):
    Path("ratings.csv").write_text(RATINGS)
    interactions = read("ratings.csv")
    assert rows(interactions) == EXPECTED
    assert interactions.entries().times.tolist() == [100, 200, 300]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "::", " "])
@pytest.mark.parametrize("header", [True, False])
def test_delimiters_with_and_without_header(here, delimiter, header):
    text = RATINGS if header else RATINGS.split("\n", 1)[1]
    Path("ratings.dat").write_text(text.replace(",", delimiter))
    assert rows(read("ratings.dat")) == EXPECTED


def test_gz_and_byte_order_mark_and_windows_lines(here):
    with gzip.open("ratings.csv.gz", "wb") as stream:
        stream.write(("\ufeff" + RATINGS.replace("\n", "\r\n")).encode())
    assert rows(read("ratings.csv.gz")) == EXPECTED


def test_glob_reads_files_in_the_order_of_their_names(here):
    Path("part-2.csv").write_text("userId,movieId,rating\n1,20,3.5\n2,10,5\n")
    Path("part-1.csv").write_text("userId,movieId,rating\n1,10,4.0\n1,20,1\n")
    assert rows(read("part-*.csv", duplicates="last")) == EXPECTED


def test_glob_of_different_columns_is_refused(here):
    Path("a.csv").write_text("user,item\n1,2\n")
    Path("b.csv").write_text("item,user\n1,2\n")
    with pytest.raises(
        DataError, match=r"b\.csv has other columns than a\.csv: expected user, item; got item, user"
    ):
        read("*.csv")


def test_a_path_with_pattern_characters_is_that_file(here):
    Path("ratings [1].csv").write_text(RATINGS)
    assert rows(read("ratings [1].csv")) == EXPECTED
    assert rows(read(here / "ratings [1].csv")) == EXPECTED


def test_parquet_and_json(here):
    frame = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [10, 20, 10], "score": [4.0, 3.5, 5.0]})
    frame.write_parquet("ratings.parquet")
    frame.write_ndjson("ratings.ndjson")
    frame.write_json("ratings.json")
    for name in ("ratings.parquet", "ratings.ndjson", "ratings.json"):
        assert rows(read(name)) == EXPECTED


def test_sql_over_files(here):
    Path("ratings.csv").write_text(RATINGS)
    assert rows(read("select userId, movieId, rating from 'ratings.csv' where rating > 3.6;")) == [
        (1, 10, 4.0),
        (2, 10, 5.0),
    ]
    assert rows(read("FROM 'ratings.csv'")) == EXPECTED
    plays = read("select userId, movieId, sum(rating) as plays from 'ratings.csv' group by all")
    assert rows(plays) == EXPECTED


def test_leading_zeros_make_a_column_of_strings(here, caplog):
    Path("ratings.dat").write_text("1::0104257::8::1\n2::1104257::7::2\n")
    with caplog.at_level(logging.INFO, logger="alternant.reading"):
        interactions = read("ratings.dat")
    assert interactions.item_ids.labels.tolist() == ["0104257", "1104257"]
    assert interactions.user_ids.labels.tolist() == [1, 2]
    assert "item ids are strings, as written: '0104257' is not a plain integer" in caplog.text


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["1", " 2 ", "-3", "0"], [-3, 0, 1, 2]),
        (["9223372036854775807", "1"], [1, 9223372036854775807]),
        (["9223372036854775808", "1"], ["1", "9223372036854775808"]),
        (["+1", "2"], ["+1", "2"]),
        (["1.0", "2"], ["1.0", "2"]),
        (["1e3", "2"], ["1e3", "2"]),
        (["-0", "2"], ["-0", "2"]),
        (["a", " b ", "ß"], ["a", "b", "ß"]),
        (['"x, y"', "z"], ["x, y", "z"]),
    ],
)
def test_what_ids_of_text_become(here, texts, labels):
    Path("ratings.csv").write_text("user,item\n" + "".join(f"{text},i\n" for text in texts), encoding="utf-8")
    assert read("ratings.csv").user_ids.labels.tolist() == labels


def test_the_kind_of_ids_can_be_set(here):
    Path("ratings.csv").write_text("user,item\n1,07\n2,8\n")
    interactions = read("ratings.csv", user_kind="string")
    assert interactions.user_ids.labels.tolist() == ["1", "2"]
    assert interactions.item_ids.labels.tolist() == ["07", "8"]
    with pytest.raises(
        DataError,
        match=r"item ids must be plain integers here, got '07' in column 'item' in ratings\.csv, line 2",
    ):
        read("ratings.csv", item_kind="integer")
    typed = read("select 1 as user, '2' as item", user_kind="string", item_kind="integer")
    assert (typed.user_ids.labels.tolist(), typed.item_ids.labels.tolist()) == (["1"], [2])
    with pytest.raises(DataError, match=r'user_kind must be "integer", "string" or None, got \'int\''):
        read("ratings.csv", user_kind="int")


def test_what_was_guessed_is_said_aloud(here, caplog):
    Path("ratings.csv").write_text(RATINGS)
    with caplog.at_level(logging.INFO, logger="alternant.reading"):
        read("ratings.csv")
    assert caplog.messages == ["reading ratings.csv: user=userId, item=movieId, value=rating, time=timestamp"]
    caplog.clear()
    Path("u.data").write_text("196\t242\t3\t881250949\n186\t302\t3\t891717742\n")
    with caplog.at_level(logging.INFO, logger="alternant.reading"):
        read("u.data")
    assert caplog.messages == [
        "reading u.data: user=column1, item=column2, value=column3, time=column4 "
        "(no header line: columns by position)"
    ]


def test_columns_by_name_win_over_guesses(here):
    Path("a.csv").write_text("when,who,what,rating,stars,w\n7,1,10,1,4,0.5\n8,1,20,1,3.5,1\n9,2,10,1,5,1\n")
    interactions = read("a.csv", user="who", item="what", value="stars", time="when", weight="w")
    assert rows(interactions) == EXPECTED
    assert interactions.entries().weights.tolist() == [0.5, 1.0, 1.0]
    assert interactions.entries().times.tolist() == [7, 8, 9]


def test_an_empty_name_means_no_such_column(here):
    Path("ratings.csv").write_text(RATINGS)
    interactions = read("ratings.csv", value="", time="")
    assert not interactions.has_times
    assert interactions.entries().values.tolist() == [1.0, 1.0, 1.0]  # counts


def test_events(here):
    Path("events.csv").write_text("user,item,event\na,x,view\na,y,buy\n")
    interactions = read("events.csv", event="event", event_weights={"view": 1, "buy": 5})
    assert interactions.entries().weights.tolist() == [1.0, 5.0]


def test_times_as_text_become_unix_seconds(here):
    Path("ratings.csv").write_text("user;item;date\na;x;2020-01-01\na;y;2020-01-01T02:00:10.7+02:00\n")
    assert read("ratings.csv").entries().times.tolist() == [1577836800, 1577836810]
    Path("floats.csv").write_text("user,item,time\na,x,10.9\na,y,-0.5\n")
    assert read("floats.csv").entries().times.tolist() == [10, -1]


def test_a_guessed_time_that_is_none_is_left_out_aloud(here, caplog):
    Path("ratings.csv").write_text("user,item,date\na,x,Monday\n")
    assert not read("ratings.csv").has_times
    assert "ratings.csv: column 'date' is left out, 'Monday' is not a time" in caplog.text
    with pytest.raises(
        DataError,
        match=r"time must be a number or a time, got 'Monday' in column 'date' in ratings\.csv, line 2",
    ):
        read("ratings.csv", time="date")


def test_latin_1(here, caplog):
    Path("ratings.csv").write_bytes("user,item\nJosé,1\n".encode("latin-1"))
    assert read("ratings.csv").user_ids.labels.tolist() == ["José"]
    late = "user,item\n" + "".join(f"u{i},1\n" for i in range(20_000)) + "José,1\n"
    Path("late.csv").write_bytes(late.encode("latin-1"))
    with caplog.at_level(logging.INFO, logger="alternant.reading"):
        assert "José" in read("late.csv").user_ids
    assert "late.csv is not UTF-8; reading it as Latin-1" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"ratings\.csv is empty; expected one line per interaction: user, item, value"),
        ("\n \n", r"ratings\.csv is empty"),
        ("user,item,rating\n", r"ratings\.csv has no rows; expected one row per interaction"),
        (
            "who,item\na,1\n",
            r"no column that looks like the user id; its columns are 'who', 'item': name one",
        ),
        (
            "user,item,rating\na,1,2\nb,2,good\n",
            r"must be a number, got 'good' in column 'rating' in ratings\.csv, line 3;",
        ),
        ("user,item,rating\na,1,2\n\nb,2\n", r"ratings\.csv, line 4: expected 3 columns, got 2"),
        ("user,item,rating\na,1,2\nb,2,3,4\n", r"ratings\.csv, line 3: expected 3 columns, got 4"),
        (
            "user,item,rating\na,1,2\n ,2,3\n",
            r"user ids must not be empty, got 1 .* the first in ratings\.csv, line 3; drop",
        ),
        ("user,item,rating\na,1,nan\n", r"values must be finite, got nan for user 'a', item 1"),
        ("user,item,rating\na,1,2\na,1,3\n", r"each user and item may occur once"),
    ],
)  # fmt: skip
def test_refused_text(here, text, message):
    Path("ratings.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read("ratings.csv")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nope.csv", r"no file 'nope\.csv' \(looked from "),
        ("nope*.csv", r"no file matches 'nope\*\.csv' \(looked from "),
        (".", r"'\.' is a folder; name a file, or a glob such as "),
        ("https://example.org/ratings.csv", r"expected a file on this machine; download it first"),
        ("model.safetensors", r"expected CSV, TSV, Parquet, JSON or a '::' file, got \.safetensors"),
        ("empty.parquet", r"empty\.parquet is empty; expected one row per interaction"),
        ("broken.parquet", r"cannot read broken\.parquet: "),
        ("broken.json", r"cannot read broken\.json: "),
        ("broken.csv.gz", r"cannot read broken\.csv\.gz: "),
        ("{good.csv,model.safetensors}", r"no file '\{good\.csv"),
        ("*.csv*", r"cannot read broken\.csv\.gz"),
        ("select 1; select 2", r"expected one SELECT statement as source, got 'select 1; select 2'"),
        ("select user from nowhere", r"cannot read the SQL query: .*nowhere"),
        ("select 1 as user, 2 as item where false", r"the SQL query has no rows"),
        (
            "select 1 as user, 2 as item, 'x' as rating",
            r"must be a number, got 'x' in column 'rating' in the SQL query",
        ),
        ("select 1.5 as user, 2 as item", r"user ids must be integers or strings, got decimal"),
    ],
)  # fmt: skip
def test_refused_sources(here, source, message):
    Path("good.csv").write_text(RATINGS)
    Path("model.safetensors").write_bytes(b"x")
    Path("empty.parquet").touch()
    Path("broken.parquet").write_bytes(b"PAR1 no")
    Path("broken.json").write_text("[{")
    Path("broken.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=message):
        read(source)


def test_a_named_column_that_is_missing(here):
    Path("ratings.csv").write_text(RATINGS)
    message = (
        r"no column 'uid' \(asked for as user\); its columns are 'userId', 'movieId', 'rating', 'timestamp'"
    )
    with pytest.raises(DataError, match=message):
        read("ratings.csv", user="uid")
    assert rows(read("ratings.csv", user="USERID")) == EXPECTED


def test_titles(here, caplog):
    Path("movies.csv").write_text(
        'movieId,title,genres\n1,Toy Story (1995),Comedy\n11,"American President, The",Drama\n3,,x\n'
    )
    with caplog.at_level(logging.INFO, logger="alternant.reading"):
        assert read_titles("movies.csv") == {1: "Toy Story (1995)", 11: "American President, The"}
    assert caplog.messages == ["reading titles from movies.csv: id=movieId, title=title"]
    assert read_titles("movies.csv", item_kind="string")["11"] == "American President, The"
    Path("movies.dat").write_bytes("1::Les Misérables (1995)::Drama\n1::again::x\n".encode("latin-1"))
    assert read_titles("movies.dat") == {1: "Les Misérables (1995)"}
    pl.DataFrame({"id": [7], "name": ["Seven"]}).write_parquet("films.parquet")
    assert read_titles("films.parquet") == {7: "Seven"}
    assert read_titles("films.parquet").get(np.int64(7)) == "Seven"
    Path("odd.csv").write_text("id,name\n 7 ,Seven\n007,Bond\n,Nobody\n")
    assert read_titles("odd.csv") == {"7": "Seven", "007": "Bond"}
    with pytest.raises(DataError, match=r"item ids must be plain integers here, got '007' in column 'id' in"):
        read_titles("odd.csv", item_kind="integer")
    with pytest.raises(DataError, match=r'item_kind must be "integer", "string" or None, got 3'):
        read_titles("odd.csv", item_kind=3)
    Path("none.csv").write_text("movieId,title\n")
    with pytest.raises(DataError, match=r"none\.csv has no rows; expected one row per item"):
        read_titles("none.csv")
    Path("ids.csv").write_text("movieId,year\n1,1999\n")
    message = r"ids\.csv has no column of titles; expected one called title or name, got 'movieId', 'year'"
    with pytest.raises(DataError, match=message):
        read_titles("ids.csv")


def test_write_parquet_is_read_back(here):
    columns = {
        "user": np.array(["a", "ß"], object),
        "item": np.array([1, 2]),
        "rating": np.array([1, 0.1], np.float32),
    }
    write_parquet(columns, "it's.parquet")
    assert rows(read("it's.parquet")) == [("a", 1, 1.0), ("ß", 2, pytest.approx(0.1))]


def test_movielens_small():
    interactions = read(real("ml-latest-small/ratings.csv"))
    assert (interactions.n_users, interactions.n_items, interactions.n_entries) == (610, 9724, 100836)
    titles = read_titles(real("ml-latest-small/movies.csv"))
    assert titles[11] == "American President, The (1995)"
    assert all(label in titles for label in interactions.item_ids.labels.tolist())


def test_movietweetings():
    interactions = read(real("movietweetings-100k/ratings.dat"))
    assert (interactions.n_users, interactions.n_items, interactions.n_entries) == (16554, 10506, 100000)
    titles = read_titles(real("movietweetings-100k/movies.dat"))
    assert titles["0104257"] == "A Few Good Men (1992)"
    assert all(label in titles for label in interactions.item_ids.labels.tolist())


def test_messages_do_not_show_our_sql_nor_speak_of_reading_when_we_write(here):
    Path("fake.parquet").write_text("not parquet")
    with pytest.raises(DataError, match=r"^cannot read fake\.parquet: [^\n]*too small to be a Parquet file$"):
        read("fake.parquet")
    with pytest.raises(DataError, match=r"(?s)^cannot read the SQL query: [^\n]*nowhere does not exist$"):
        read("select * from nowhere")
    with pytest.raises(DataError, match=r"^cannot write none/x\.parquet: IO Error: Cannot open file"):
        write_parquet({"id": np.array([1])}, "none/x.parquet")


def test_bytes_that_are_no_text(here):
    """Seen to say "File is not latin-1 encoded", which nobody claimed."""
    Path("ratings.csv").write_bytes(bytes(range(128, 256)) * 20)
    with pytest.raises(DataError, match=r"cannot read ratings\.csv: expected text in UTF-8 or Latin-1$"):
        read("ratings.csv", user="column1", item="column1")


def test_a_pipe_is_refused(here):
    """Seen to say "has no rows": the first look had taken them."""
    os.mkfifo("ratings.csv")
    for reader in (read, read_titles):
        with pytest.raises(
            DataError, match=r"'ratings\.csv' is a pipe or a device, .*; save it to a file first"
        ):
            reader("ratings.csv")
    Path("ratings-1.csv").write_text(RATINGS)
    assert rows(read("rating*.csv")) == EXPECTED  # a glob passes over what is no file


def test_a_field_that_never_ends(here):
    """Longer than csv.field_size_limit(): as an open quote makes it, or a line that is one wide row."""
    Path("long.csv").write_text('user,item\n"' + "x" * 200_000 + ",1\n")
    with pytest.raises(DataError, match=r"cannot read long\.csv: field larger .*; is a quote left open\?"):
        read("long.csv")
    names = ",".join(f"a_column_whose_name_is_rather_long_{number}" for number in range(4_000))
    values = ",".join(["1"] * 4_000)
    Path("wide.csv").write_text(f"user,item,{names}\n1,2,{values}\n")
    assert read("wide.csv").n_entries == 1


def test_utf_16_is_named(here):
    Path("ratings.csv").write_bytes(RATINGS.encode("utf-16"))
    with pytest.raises(DataError, match=r"ratings\.csv is UTF-16; expected text in UTF-8: save it as that"):
        read("ratings.csv")


def test_an_sql_query_may_end_with_a_comment(here):
    Path("ratings.csv").write_text(RATINGS)
    assert rows(read("select * from 'ratings.csv' -- all of them")) == EXPECTED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"user": 3}, r"user must be the name of a column or None, got 3"),
        ({"value": False}, r"value must be the name of a column or None, got False"),
        ({"item": ["a"]}, r"item must be the name of a column or None, got \['a'\]"),
        ({"user": ""}, r"user must be the name of a column, got ''"),
        ({"event": "rating", "event_weights": 5}, r"event_weights must map event types to numbers, got 5"),
        (
            {"event": "rating", "event_weights": {"4.0": "x"}},
            r"the weight of an event must be a number, got 'x' for '4\.0'",
        ),
    ],
)
def test_refused_names_of_columns(here, arguments, message):
    Path("ratings.csv").write_text("userId,movieId,rating\n1,10,4.0\n")
    with pytest.raises(DataError, match=message):
        read("ratings.csv", **arguments)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Query interrupted"),
        duckdb.InterruptException("INTERRUPT Error: Interrupted!"),
        DataError("the Arrow stream failed: INTERRUPT Error: Interrupted!"),
    ],
)
def test_an_interrupted_query_is_a_keyboard_interrupt(error):
    with pytest.raises(KeyboardInterrupt), translated("ratings.csv"):
        raise error


def test_other_errors_of_others_stay_as_they_are():
    with pytest.raises(RuntimeError, match="the moon"), translated("ratings.csv"):
        raise RuntimeError("the moon")

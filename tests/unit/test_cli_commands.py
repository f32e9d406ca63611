"""The commands, run in process through the application: results, formats, titles, errors, exit statuses."""

import csv
import gzip
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from alternant import weighting
from alternant.als import ExplicitALS, ImplicitALS
from alternant.cli import main
from alternant.cli.app import COMMANDS
from alternant.cli.fit import SELECTION, SETTINGS
from alternant.model import load
from alternant.reading import read, read_attributes
from alternant.synthetic import catalogue


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with ratings.csv, movies.csv and a model fitted to them by the command line."""
    folder = tmp_path_factory.mktemp("made")
    films = catalogue(n_users=60, n_items=40, n_entries=900, seed=5)
    entries = films.interactions.entries()
    rows = zip(
        (entries.user_index + 1).tolist(), (entries.item_index + 1).tolist(), entries.values, strict=True
    )
    ratings = "userId,movieId,rating\n" + "".join(f"{u},{i},{r}\n" for u, i, r in rows)
    (folder / "ratings.csv").write_text(ratings)
    with (folder / "movies.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["movieId", "title"])
        writer.writerows(films.titles.items())
    arguments = [
        "fit",
        str(folder / "ratings.csv"),
        "-o",
        str(folder / "model.safetensors"),
        "--n-factors",
        "4",
    ]
    assert main(arguments) == 0
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    """A copy of that folder as the working directory, and a terminal of 80 columns."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def run(capsys, *arguments):
    """Run a command that succeeds; return what it wrote on standard output and standard error."""
    capsys.readouterr()
    status = main(list(arguments))
    said = capsys.readouterr()
    assert status == 0, said.err
    return said.out, said.err


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def failing(capsys, *arguments):
    capsys.readouterr()
    status = main(list(arguments))
    said = capsys.readouterr()
    assert said.out == ""
    return status, said.err


@pytest.mark.parametrize("estimator", [ExplicitALS, ImplicitALS])
def test_the_options_of_fit_are_the_fields_of_the_estimator(here, capsys, monkeypatch, estimator):
    """Nothing is written twice: each field of both estimators is an option, with its help and default."""
    monkeypatch.setenv("COLUMNS", "400")  # no help is broken in two
    text = " ".join(run(capsys, "fit", "--help")[0].replace("│", " ").split())
    for name, field in estimator.__dataclass_fields__.items():
        assert f"--{name.replace('_', '-')} " in text
        assert field.metadata["help"] in text
        if field.default not in (None, ""):
            default = str(field.default).lower()
            assert f"[default: {default}]" in text or f"{default}; " in text or f"; {default} with" in text
    every = {*ExplicitALS.__dataclass_fields__, *ImplicitALS.__dataclass_fields__}
    assert sorted(option.name for option in SETTINGS) == sorted(every)
    assert {option.name for option in SELECTION} == set(weighting.select.__kwdefaults__)


def test_fit_of_what_people_did(here, capsys):
    """Ratings are not needed, and the commands that read a model work on such a one."""
    lines = [line.rsplit(",", 1)[0] for line in Path("ratings.csv").read_text().splitlines()]
    Path("plays.csv").write_text(
        "\n".join(f"{line},{'x' if place else 'page'}" for place, line in enumerate(lines))
    )
    arguments = ["plays.csv", "--implicit", "--n-factors", "3", "--unobserved-weight", "0.2", "--seed", "2"]
    run(capsys, "fit", *arguments)
    expected = ImplicitALS(n_factors=3, unobserved_weight=0.2, seed=2).fit(read("plays.csv"))
    stored = load("model.safetensors")
    np.testing.assert_array_equal(stored.item_table, expected.item_table)
    assert stored.settings == expected.settings
    facts = json.loads(run(capsys, "inspect", "-f", "json")[0])
    assert facts["settings"]["estimator"] == "ImplicitALS"
    assert "ImplicitALS" in run(capsys, "inspect")[0]
    row = table(run(capsys, "predict", "--user", "1", "--item", "2")[0])[0]
    assert np.float32(row["prediction"]) == stored.predict(1, 2)
    said = run(capsys, "predict", "model.safetensors", "ratings.csv", "-o", "p.csv")[1]
    assert "RMSE" not in said
    old = table(run(capsys, "recommend", "--user", "7", "-k", "3")[0])
    history = [lines[0], *(line for line in lines if line.startswith("7,"))]
    Path("new.csv").write_text("\n".join(history))
    new = table(run(capsys, "fold-in", "model.safetensors", "new.csv", "-k", "3")[0])
    assert [(row["item_id"], row["score"]) for row in new] == [(row["item_id"], row["score"]) for row in old]


def test_a_settings_file_of_the_implicit_model(here, capsys):
    Path("s.toml").write_text('model = "implicit"\nn_factors = 3\nform = "hkv"\nregularization = 2\n')
    run(capsys, "fit", "ratings.csv", "--config", "s.toml")
    settings = load("model.safetensors").settings
    assert (settings["estimator"], settings["form"], settings["regularization"]) == (
        "ImplicitALS",
        "hkv",
        2.0,
    )
    assert failing(capsys, "fit", "ratings.csv", "--config", "s.toml", "--no-implicit") == (
        1,
        "error: 'form' is a setting of the implicit model only; add model = \"implicit\"\n",
    )
    Path("s.toml").write_text('model = "ials"\n')
    assert failing(capsys, "fit", "ratings.csv", "--config", "s.toml") == (
        1,
        'error: model of the settings file must be "explicit" or "implicit", got \'ials\'\n',
    )


def test_attributes_from_files(here, capsys):
    """An item that only the file of attributes has is in the model, and is predicted by its attributes."""
    Path("genres.csv").write_text(
        "movieId,genre\n" + "".join(f"{i},{'drama' if i % 2 else 'comedy'}\n" for i in range(1, 42))
    )
    Path("people.csv").write_text("userId,age\n" + "".join(f"{u},{20 + u}\n" for u in range(1, 61)))
    run(
        capsys, "fit", "ratings.csv", "--n-factors", "3",
        "--item-attributes", "genres.csv", "--user-attributes", "people.csv",
    )  # fmt: skip
    expected = ExplicitALS(n_factors=3).fit(
        read("ratings.csv"),
        item_attributes=read_attributes("genres.csv"),
        user_attributes=read_attributes("people.csv"),
    )
    stored = load("model.safetensors")
    assert stored.n_items == 41
    np.testing.assert_array_equal(stored.item_table, expected.item_table)
    np.testing.assert_array_equal(stored.user_table, expected.user_table)
    assert failing(capsys, "-q", "fit", "ratings.csv", "--item-attributes", "no.csv")[1].startswith(
        "error: no file 'no.csv'"
    )


def test_a_link_that_is_a_switch_or_auto(here, capsys):
    for typed, stored in (("false", False), ("true", True), ("auto", "auto")):
        run(capsys, "fit", "ratings.csv", "--n-factors", "2", "--link", typed)
        assert load("model.safetensors").settings["link"] is stored or stored == "auto"
        assert load("model.safetensors").settings["link"] == stored


def test_days_from_the_times_of_files(here, capsys):
    lines = Path("ratings.csv").read_text().splitlines()
    timed = [f"{line},{86_400 * (number % 3)}" for number, line in enumerate(lines[1:])]
    Path("timed.csv").write_text("\n".join([f"{lines[0]},timestamp", *timed]) + "\n")
    run(capsys, "fit", "timed.csv", "--n-factors", "3", "--day-bias-regularization", "2.5")
    model, ratings = load("model.safetensors"), read("timed.csv")
    assert model.problem.day_ridge == 2.5
    entries = ratings.entries()
    users, items = ratings.user_ids.decode(entries.user_index), ratings.item_ids.decode(entries.item_index)
    expected = model.predict(users, items, times=entries.times)
    assert np.abs(expected - model.predict(users, items)).max() > 0
    out, _ = run(capsys, "predict", "model.safetensors", "timed.csv")
    np.testing.assert_array_equal([np.float32(row["prediction"]) for row in table(out)], expected)
    out, _ = run(capsys, "predict", "model.safetensors", "timed.csv", "--time-column", "")
    np.testing.assert_array_equal(
        [np.float32(row["prediction"]) for row in table(out)], model.predict(users, items)
    )
    run(capsys, "fit", "timed.csv", "--n-factors", "3", "--day-bias-regularization", "auto")
    assert load("model.safetensors").settings["day_bias_regularization"] == "auto"
    assert failing(capsys, "-q", "fit", "ratings.csv", "--day-bias-regularization", "auto") == (
        1,
        "error: day_bias_regularization needs times, and these interactions have none; "
        "name the time column with --time-column\n",
    )
    assert (
        "is a setting of the explicit model only"
        in failing(capsys, "-q", "fit", "timed.csv", "--implicit", "--day-bias-regularization", "auto")[1]
    )


def test_fit_saves_what_python_would_fit(here, capsys):
    _, said = run(
        capsys,
        "fit",
        "ratings.csv",
        "--n-factors",
        "3",
        "--regularization",
        "0.5",
        "--no-biases",
        "--seed",
        "4",
    )
    assert "reading ratings.csv: user=userId, item=movieId, value=rating" in said
    assert "60 users × 40 items" in said
    assert "wrote model.safetensors: 60 users, 40 items, 3 factors" in said
    settings = ExplicitALS(n_factors=3, regularization=0.5, biases=False, seed=4)
    expected, stored = settings.fit(read("ratings.csv")), load("model.safetensors")
    np.testing.assert_array_equal(stored.item_table, expected.item_table)
    np.testing.assert_array_equal(stored.user_table, expected.user_table)
    assert stored.settings == expected.settings


def test_a_settings_file_and_options_that_win_over_it(here, capsys):
    Path("settings.toml").write_text(
        'n_factors = 5\nn_sweeps = 2\n[reading]\nvalue = "rating"\n[selection]\npositive_if = ">= 3"\n'
        "min_user_entries = 5\n"
    )
    run(capsys, "fit", "ratings.csv", "--config", "settings.toml", "--n-sweeps", "3")
    model = load("model.safetensors")
    assert (model.settings["n_factors"], model.settings["n_sweeps"]) == (5, 3)
    assert model.value_range[0] == 3.0
    assert model.user_counts.min() >= 5


def test_selection_from_the_command_line(here, capsys):
    run(capsys, "fit", "ratings.csv", "--positive-if", ">= 4", "--min-item-entries", "3")
    model = load("model.safetensors")
    assert model.value_range[0] == 4.0
    assert model.item_counts.min() >= 3


def test_recommend(here, capsys):
    out, _ = run(capsys, "recommend", "--user", "7", "--user", "3", "-k", "4")
    rows = table(out)
    assert list(rows[0]) == ["user_id", "rank", "item_id", "score", "prediction", "source"]
    assert [row["user_id"] for row in rows] == ["7"] * 4 + ["3"] * 4
    expected = load("model.safetensors").recommend([7, 3], 4)
    assert [int(row["item_id"]) for row in rows] == expected.item_id.tolist()
    np.testing.assert_array_equal([np.float32(row["score"]) for row in rows], expected.score)
    predicted = load("model.safetensors").predict(expected.user_id, expected.item_id)
    np.testing.assert_array_equal([np.float32(row["prediction"]) for row in rows], predicted)


def test_recommend_with_titles_as_a_table(here, capsys):
    out, said = run(
        capsys, "recommend", "--user", "7", "-k", "3", "--titles", "movies.csv", "--format", "table"
    )
    titles = {row["movieId"]: row["title"] for row in table(Path("movies.csv").read_text())}
    best = load("model.safetensors").recommend([7], 3).item_id
    assert "recommended to user 7" in out
    assert all(titles[str(label)] in out for label in best)
    assert "user id" not in out  # the heading says it
    assert max(map(len, out.splitlines())) <= 80
    assert "reading titles from movies.csv: id=movieId, title=title" in said


def test_recommend_users_and_unknown_users(here, capsys):
    rows = table(run(capsys, "recommend", "--item", "3", "-k", "2")[0])
    assert [int(row["user_id"]) for row in rows] == load("model.safetensors").recommend_users(
        [3], 2
    ).user_id.tolist()
    rows = table(run(capsys, "recommend", "--user", "999", "-k", "2", "--unknown", "fallback")[0])
    assert [row["source"] for row in rows] == ["fallback", "fallback"]
    assert failing(capsys, "recommend", "--user", "999") == (
        1,
        "error: no user 999 in this model (60 users); recommend from a history with alternant fold-in\n",
    )


def test_seen_items(here, capsys):
    seen = {row["movieId"] for row in table(Path("ratings.csv").read_text()) if row["userId"] == "7"}
    new = {row["item_id"] for row in table(run(capsys, "recommend", "--user", "7", "-k", "99")[0])}
    everything = table(run(capsys, "recommend", "--user", "7", "-k", "99", "--no-exclude-seen")[0])
    assert not new & seen
    assert len(everything) == 40 == len(new | seen)


def test_similar(here, capsys):
    rows = table(run(capsys, "similar", "--item", "3", "-k", "2", "--titles", "movies.csv")[0])
    assert list(rows[0]) == ["item_id", "title", "rank", "similar_item_id", "similar_title", "similarity"]
    expected = load("model.safetensors").similar_items([3], 2)
    assert [int(row["similar_item_id"]) for row in rows] == expected.neighbour_id.tolist()
    rows = table(run(capsys, "similar", "--user", "3", "-k", "2", "--titles", "movies.csv")[0])
    assert list(rows[0]) == ["user_id", "rank", "similar_user_id", "similarity"]


def test_predict_each_user_with_each_item(here, capsys):
    out, _ = run(capsys, "predict", "--user", "1", "--user", "2", "--item", "3", "--item", "4", "-f", "json")
    rows = json.loads(out)
    model = load("model.safetensors")
    assert [(row["user_id"], row["item_id"]) for row in rows] == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert [np.float32(row["prediction"]) for row in rows] == model.predict(
        [1, 1, 2, 2], [3, 4, 3, 4]
    ).tolist()


def test_predict_a_file_and_say_the_error(here, capsys):
    out, said = run(capsys, "predict", "model.safetensors", "ratings.csv", "--clip", "-o", "p.parquet")
    frame = pl.read_parquet("p.parquet")
    assert out == ""
    assert frame.columns == ["user_id", "item_id", "prediction", "rating"]
    error = float(((frame["prediction"] - frame["rating"]) ** 2).mean() ** 0.5)
    assert f"RMSE {error:.4f} over {len(frame):,} ratings" in said
    assert frame["prediction"].min() >= 1
    assert frame["prediction"].max() <= 5
    Path("pairs.csv").write_text("user,item\n1,3\n999,4\n")
    rows = table(run(capsys, "predict", "model.safetensors", "pairs.csv", "--unknown", "nan")[0])
    assert [row["prediction"] == "" for row in rows] == [False, True]
    assert list(rows[0]) == ["user_id", "item_id", "prediction"]  # no ratings made up of counts


def test_fold_in_of_a_stored_user_gives_the_same_list(here, capsys):
    lines = Path("ratings.csv").read_text().splitlines()
    history = [lines[0], *(line.replace("7,", "1007,", 1) for line in lines if line.startswith("7,"))]
    with gzip.open("new.csv.gz", "wt") as stream:
        stream.write("\n".join(history))
    new = table(run(capsys, "fold-in", "model.safetensors", "new.csv.gz", "-k", "5")[0])
    old = table(run(capsys, "recommend", "--user", "7", "-k", "5")[0])
    assert [row["user_id"] for row in new] == ["1007"] * 5
    assert [(row["item_id"], row["score"]) for row in new] == [(row["item_id"], row["score"]) for row in old]


def test_ids_of_a_model_decide_what_ids_of_a_file_are(here, capsys):
    """One film with a leading zero makes strings of a model's ids; a history without one has to agree."""
    Path("r.csv").write_text("user,item,rating\n1,07,5\n1,8,3\n2,8,4\n2,9,1\n3,9,2\n")
    run(capsys, "fit", "r.csv", "-o", "r.safetensors", "--n-factors", "1")
    Path("new.csv").write_text("user,item,rating\n5,8,5\n")
    rows = table(run(capsys, "fold-in", "r.safetensors", "new.csv")[0])
    assert {row["item_id"] for row in rows} == {"07", "9"}
    assert len(table(run(capsys, "predict", "r.safetensors", "r.csv")[0])) == 5
    Path("odd.csv").write_text("user,item,rating\n5,07,5\n")
    status, said = failing(capsys, "-q", "fold-in", "model.safetensors", "odd.csv")
    assert (status, said) == (
        1,
        "error: item ids must be plain integers here, got '07' in column 'item' in odd.csv, line 2\n",
    )


def test_inspect(here, capsys):
    out, _ = run(capsys, "inspect", "--titles", "movies.csv")
    assert "n_factors = 4" in out
    assert "60" in out
    facts = json.loads(run(capsys, "inspect", "-f", "json")[0])
    assert facts["settings"] == load("model.safetensors").settings
    assert (facts["users"], facts["items"], facts["sweeps"]) == (
        60,
        40,
        load("model.safetensors").trace[-1].sweep - 1,
    )


def test_export(here, capsys):
    run(capsys, "export", "-o", "out", "--titles", "movies.csv")
    model = load("model.safetensors")
    items, users = pl.read_parquet("out/items.parquet"), pl.read_parquet("out/users.parquet")
    assert items.columns == ["item_id", "title", "n_ratings", "bias", "f0", "f1", "f2", "f3"]
    assert users.columns == ["user_id", "n_ratings", "bias", "f0", "f1", "f2", "f3"]
    np.testing.assert_array_equal(items.select("f0", "f1", "f2", "f3").to_numpy(), model.item_factors)
    np.testing.assert_array_equal(users["bias"].to_numpy(), model.user_biases)
    run(capsys, "export", "-o", "out", "-f", "csv")
    rows = table(Path("out/users.csv").read_text())
    np.testing.assert_array_equal([np.float32(row["f3"]) for row in rows], model.user_factors[:, 3])


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ["recomend"],
            2,
            'error: unknown command "recomend". Did you mean "recommend"?; see alternant --help\n',
        ),
        (["fit"], 2, "error: name a ratings file; see alternant fit --help\n"),
        (["fit", "ratings.csv", "--factors", "3"], 2, "error: unknown option: --factors"),
        (
            ["fit", "ratings.csv", "--n-factors", "x"],
            2,
            'error: invalid value for --n-factors: unable to convert "x"',
        ),
        (
            ["fit", "ratings.csv", "--n-factors", "-8"],
            2,
            "error: --n-factors must be an integer from 1 to 65535, got -8",
        ),
        (["fit", "nope.csv"], 1, "error: no file 'nope.csv' (looked from "),
        (
            ["fit", "movies.csv"],
            1,
            "error: movies.csv has no column that looks like the user id; "
            "its columns are 'movieId', 'title': name one with --user-column\n",
        ),
        (
            ["fit", "ratings.csv", "-o", "model.bin"],
            1,
            "error: a model file ends in .safetensors, got 'model.bin'\n",
        ),
        (
            ["fit", "ratings.csv", "-o", "no/model.safetensors"],
            1,
            "error: cannot write 'no/model.safetensors': no folder",
        ),
        (["fit", "ratings.csv", "--config", "no.toml"], 1, "error: no settings file 'no.toml'\n"),
        (["recommend"], 2, "error: expected one of --user, --item and --all, got none; see"),
        (["recommend", "--user", "1", "--all"], 2, "error: expected one of --user, --item and --all, got"),
        (["recommend", "--all", "-f", "table"], 2, "error: all users are no table to read: name a file with"),
        (["recommend", "--user", "1", "-o", "r.csv", "-f", "json"], 2, "error: 'r.csv' says csv and"),
        (["recommend", "model.safetensors", "--user", "1", "2"], 2, "error: unexpected 2; repeat --user for"),
        (["fit", "ratings.csv", "--regularization", "no"], 2,
         "error: invalid value for --regularization: expected a number or auto, got 'no'"),
        (["fit", "ratings.csv", "--link", "no"], 2,
         "error: invalid value for --link: expected true, false or auto, got 'no'"),
        (["fit", "ratings.csv", "--form", "hkv"], 2,
         "error: --form is a setting of the implicit model only; add --implicit; see alternant --help\n"),
        (["fit", "ratings.csv", "--implicit", "--no-biases"], 2,
         "error: --biases is a setting of the explicit model only; leave it out, or leave out"),
        (["fit", "ratings.csv", "--implicit", "--value", "target", "--alpha", "-1"], 2,
         'error: --alpha must be a number above 0, or "auto", got -1.0'),
        (["similar", "--user", "1", "--item", "1"], 2, "error: expected --item or --user, got both; see"),
        (["recommend", "--user", "x"], 1, "error: user ids are integers here, got 'x'\n"),
        (["predict", "--user", "1"], 2, "error: expected a file of pairs, or both --user and --item; see"),
        (["inspect", "no.safetensors"], 1, "error: no model file 'no.safetensors'; make one with"),
        (["inspect", "ratings.csv"], 1, "error: ratings.csv is not a model file"),
        (
            ["recommend", "--user", "1", "-f", "parquet"],
            1,
            "error: parquet is not text: name a file with --output\n",
        ),
    ],
)  # fmt: skip
def test_errors(here, capsys, arguments, status, message):
    got, said = failing(capsys, "--quiet", *arguments)
    assert got == status
    assert said.startswith(message)
    assert "Traceback" not in said


def test_remedies_are_in_the_words_of_the_command_line(here, capsys):
    Path("twice.csv").write_text("user,item,rating\n1,2,3\n1,2,4\n")
    assert "pass --duplicates sum" in failing(capsys, "fit", "twice.csv")[1]
    Path("gap.csv").write_text("user,item,rating\n1,2,3\n1,3,\n")
    assert "pass --on-invalid drop" in failing(capsys, "fit", "gap.csv")[1]
    run(capsys, "fit", "gap.csv", "--on-invalid", "drop")


def test_events_need_weights(here, capsys):
    Path("events.csv").write_text("user,item,stars,event\n1,2,3,view\n1,3,4,buy\n2,3,5,view\n")
    said = failing(capsys, "fit", "events.csv", "--event-column", "event")[1]
    assert "as in --event-column type --event-weights buy=5" in said
    weighted = ["fit", "events.csv", "--event-column", "event", "--event-weights", "view=1,buy=5"]
    assert "ExplicitALS needs values (ratings)" in failing(capsys, *weighted)[1]
    run(capsys, *weighted, "--value-column", "stars")
    assert load("model.safetensors").history.entries().weights.tolist() == [1.0, 5.0, 1.0]


def test_debug_shows_the_traceback(here, capsys):
    status, said = failing(capsys, "fit", "nope.csv", "--debug")
    assert status == 1
    assert "Traceback (most recent call last)" in said
    assert said.endswith("\n")


def test_quiet_says_nothing_but_results(here, capsys):
    out, said = run(capsys, "recommend", "--user", "7", "--titles", "movies.csv", "-q")
    assert said == ""
    assert len(table(out)) == 10


def test_a_failed_fit_leaves_the_old_model(here, capsys):
    before = Path("model.safetensors").read_bytes()
    assert failing(capsys, "fit", "movies.csv")[0] == 1
    assert Path("model.safetensors").read_bytes() == before


def test_every_command_has_help(here, capsys):
    text = run(capsys, "--help")[0]
    for command in COMMANDS:
        name = command.__name__.replace("_", "-")
        assert name in text
        first = (command.__doc__ or "").splitlines()[0]
        assert first in " ".join(run(capsys, name, "--help")[0].split())


def test_in_a_process_of_its_own(here):
    """Results on standard output, the rest on standard error; a pipe that closes early."""
    command = [sys.executable, "-c", "import sys; from alternant.cli import main; sys.exit(main())"]
    done = subprocess.run([*command, "recommend", "--user", "7"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(table(done.stdout)) == 10
    # The reader goes away before everything is written (`| head`): no traceback.
    writer = subprocess.Popen(
        [*command, "predict", "model.safetensors", "ratings.csv", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    writer.stdout.close()
    said = writer.stderr.read()
    writer.stderr.close()
    assert (writer.wait(timeout=60), said) == (0, b"")


def test_whole_numbers_are_not_rounded(here, capsys):
    """cyclopts makes 2 of 1.5."""
    for option in (["fit", "ratings.csv", "--n-factors", "1.5"], ["recommend", "--user", "1", "-k", "1.5"]):
        status, said = failing(capsys, *option)
        assert status == 2
        assert said == f'error: invalid value for {option[-2]}: unable to convert "1.5" into int; see ' + (
            "alternant --help\n"
        )


def test_an_event_is_weighed_once(here, capsys):
    assert failing(
        capsys, "fit", "ratings.csv", "--event-column", "rating", "--event-weights", "1=1,1=2"
    ) == (1, "error: --event-weights must name each event once, got '1=1,1=2'\n")


def test_no_model_and_what_to_do(here, capsys):
    for command in (["inspect"], ["export"], ["recommend", "--user", "1"], ["similar", "--item", "1"]):
        assert failing(capsys, command[0], "none.safetensors", *command[1:]) == (
            1,
            "error: no model file 'none.safetensors'; make one with alternant fit\n",
        )
    assert failing(capsys, "inspect", ".") == (1, "error: '.' is a folder; name the model file in it\n")


def test_a_selection_that_leaves_nothing(here, capsys):
    status, said = failing(capsys, "fit", "ratings.csv", "--positive-if", "> 100")
    assert status == 1
    assert said.endswith("entries is left by --positive-if '> 100'; ask for less\n")


def test_a_settings_file_with_a_value_for_a_table_or_a_byte_order_mark(here, capsys):
    Path("settings.toml").write_text("reading = 3\n")
    assert failing(capsys, "fit", "ratings.csv", "--config", "settings.toml") == (
        1,
        "error: [reading] of settings.toml must be a table, got 3\n",
    )
    Path("settings.toml").write_text("\ufeffn_factors = 3\n", encoding="utf-8")
    run(capsys, "fit", "ratings.csv", "--config", "settings.toml")
    assert load("model.safetensors").n_factors == 3


def test_warnings_speak_of_options(here, capsys):
    said = run(capsys, "fit", "ratings.csv", "--value-column", "", "-q")[1]
    assert said.endswith("name the value column with --value-column\n")


def test_memory_that_is_not_there(here, capsys, monkeypatch):
    def refuse(*_, **__):
        raise MemoryError

    monkeypatch.setattr("alternant.cli.fit.ExplicitALS.fit", refuse)
    status, said = failing(capsys, "fit", "ratings.csv", "-q")
    assert (status, said) == (1, "error: not enough memory; try fewer factors, fewer threads or less data\n")


def test_titles_that_belong_to_other_items(here, capsys):
    Path("other.csv").write_text("id,title\ntt01,One\n")
    said = run(capsys, "recommend", "--user", "7", "--titles", "other.csv", "-q")[1]
    assert said == (
        "warning: no id in other.csv (1 title), such as 'tt01', is an item of the model "
        "(40 items, such as 1)\n"
    )
    Path("both.csv").write_text("id,title\n003,No\n3,Three\ntt01,One\n")  # strings, and yet 3 is found
    rows = table(run(capsys, "similar", "--item", "3", "--titles", "both.csv", "-q")[0])
    assert rows[0]["title"] == "Three"


def test_ratings_that_are_not_recognised(here, capsys):
    text = Path("ratings.csv").read_text()
    Path("odd.csv").write_text(text.replace("rating", "punkte"))
    refused = (
        1,
        "error: no column of odd.csv looks like ratings; unused: 'punkte'; name one with --value-column "
        'NAME, or say --value-column "" where every row counts 1\n',
    )
    told = refused[1].rstrip() + "; --implicit is for clicks, plays and purchases\n"
    assert failing(capsys, "fit", "odd.csv") == (1, told)
    assert failing(capsys, "fold-in", "model.safetensors", "odd.csv") == refused
    assert (
        "no column looks like ratings (unused: 'punkte'): no RMSE"
        in run(capsys, "predict", "model.safetensors", "odd.csv")[1]
    )
    run(capsys, "fit", "odd.csv", "--value-column", "punkte", "--n-factors", "4")
    Path("settings.toml").write_text('[reading]\nvalue = "punkte"\n')
    run(capsys, "fit", "odd.csv", "--config", "settings.toml")
    said = run(capsys, "fit", "odd.csv", "--value-column", "", "-q")[1]
    assert said.startswith("warning: every value is 1.0")


def test_all_users_batch_by_batch(here, capsys, monkeypatch):
    monkeypatch.setattr("alternant.cli.recommend.USERS_AT_ONCE", 7)
    expected = load("model.safetensors").recommend(np.arange(1, 61), 3)
    for name in ("all.csv", "all.json", "all.parquet"):
        out, said = run(capsys, "recommend", "--all", "-k", "3", "--titles", "movies.csv", "-o", name)
        assert (out, said.splitlines()[-1]) == ("", f"wrote {len(expected.rank)} rows to {name}")
    written = pl.read_csv("all.csv"), pl.read_json("all.json"), pl.read_parquet("all.parquet")
    for frame in written:
        assert frame.columns == ["user_id", "rank", "item_id", "title", "score", "prediction", "source"]
        assert frame["user_id"].to_list() == expected.user_id.tolist()
        assert frame["item_id"].to_list() == expected.item_id.tolist()
    assert (
        Path("all.csv").read_text()
        == run(capsys, "recommend", "--all", "-k", "3", "--titles", "movies.csv", "-f", "csv")[0]
    )


def test_what_may_be_recommended(here, capsys):
    best = [row["item_id"] for row in table(run(capsys, "recommend", "--user", "7")[0])]
    without = table(run(capsys, "recommend", "--user", "7", "--exclude", best[0], "--exclude", best[1])[0])
    assert [row["item_id"] for row in without][:8] == best[2:]
    among = table(
        run(capsys, "recommend", "--user", "7", "--candidates", best[4], "--candidates", best[1])[0]
    )
    assert [row["item_id"] for row in among] == [best[1], best[4]]
    counts = load("model.safetensors").item_counts
    for command in (["recommend", "--user", "7"], ["similar", "--item", "3"]):
        rows = table(run(capsys, *command, "-k", "40", "--min-entries", "25", "--titles", "movies.csv")[0])
        ids = [int(row.get("similar_item_id", row["item_id"])) for row in rows]
        assert ids
        assert all(counts[label - 1] >= 25 for label in ids)


def test_a_fallback_has_no_prediction(here, capsys):
    rows = table(run(capsys, "recommend", "--user", "999", "-k", "2", "--unknown", "fallback")[0])
    assert [row["prediction"] for row in rows] == ["", ""]
    rows = json.loads(
        run(capsys, "recommend", "--user", "999", "-k", "1", "--unknown", "fallback", "-f", "json")[0]
    )
    assert rows[0]["prediction"] is None


def test_a_table_says_what_the_score_is(here, capsys):
    said = run(capsys, "recommend", "--user", "7", "-f", "table")[1]
    assert "score: what the list is sorted by" in said


def test_histories_with_unknown_items(here, capsys):
    Path("new.csv").write_text("userId,movieId,rating\n1,3,5\n1,999,4\n2,999,4\n")
    said = failing(capsys, "fold-in", "model.safetensors", "new.csv")[1]
    assert "no item 999 in this model" in said
    assert "take the item in by alternant update or a new fit" in said
    out, said = run(capsys, "fold-in", "model.safetensors", "new.csv", "--unknown", "drop", "-k", "2")
    assert "left out 2 entries of 1 unknown item; 1 of 2 users have none left" in said
    assert [(row["user_id"], row["source"]) for row in table(out)] == [
        ("1", "model"), ("1", "model"), ("2", "fallback"), ("2", "fallback")
    ]  # fmt: skip


def test_a_long_table_of_predictions_shows_its_beginning(here, capsys):
    out, said = run(capsys, "predict", "model.safetensors", "ratings.csv", "-f", "table")
    assert len(out.strip().splitlines()) == 24
    n_rows = len(Path("ratings.csv").read_text().splitlines()) - 1
    assert f"the first 20 of {n_rows} rows; --output FILE writes all of them" in said


def test_a_user_who_has_rated_everything(here, capsys):
    Path("full.csv").write_text("user,item,rating\n007,a,5\n007,b,3\n1,a,4\n")
    run(capsys, "fit", "full.csv", "-o", "full.safetensors", "--n-factors", "1")
    assert (
        "nothing to recommend: 007 has rated all items"
        in run(capsys, "recommend", "full.safetensors", "--user", "007")[1]
    )


def test_facts_of_inspect_are_of_their_types(here, capsys):
    facts = json.loads(run(capsys, "inspect", "-f", "json", "--titles", "movies.csv")[0])
    assert facts["ids"] == {"users": "integer", "items": "integer"}
    assert isinstance(facts["most_rated"][0]["item_id"], int)
    assert isinstance(facts["most_rated"][0]["title"], str)
    assert facts["objective"] == load("model.safetensors").trace[-1].objective


def test_messages_in_the_words_of_the_command_line(here, capsys):
    Path("twice.csv").write_text("user,item,rating\n1,2,3\n1,2,4\n")
    assert failing(capsys, "fit", "twice.csv", "-q")[1] == (
        "error: each user and item may occur once, but user 1, item 2 occurs again in data row 2 "
        "(1 such row); pass --duplicates sum, mean, max or last to merge them\n"
    )
    Path("comma.csv").write_text('user;item;rating\n1;2;"4,5"\n')
    said = failing(capsys, "fit", "comma.csv", "-q", "--value-column", "rating")[1]
    assert "write its decimal comma as a point, or name another column with --value-column" in said
    said = failing(capsys, "fit", "select 1 as user, x as item from 'ratings.csv'", "-q")[1]
    assert said.count("\n") == 1
    assert "describe" not in said
    Path("s.toml").write_text("[model]\nn_factors = 3\n")
    assert failing(capsys, "fit", "ratings.csv", "--config", "s.toml")[1] == (
        "error: s.toml needs no [model]: settings of the model stand before any table\n"
    )
    Path("s.toml").write_text('[reading]\nuser_column = "u"\n')
    assert failing(capsys, "fit", "ratings.csv", "--config", "s.toml")[1] == (
        "error: unknown setting 'user_column' in [reading] of s.toml; there it is called 'user'\n"
    )


def test_ids_in_another_spelling(here, capsys):
    Path("r.csv").write_text("user,item,rating\n1,0111161,5\n1,8,3\n2,8,4\n")
    run(capsys, "fit", "r.csv", "-o", "r.safetensors", "--n-factors", "1")
    said = failing(capsys, "similar", "r.safetensors", "--item", "111161")[1]
    assert said.startswith("error: no item '111161' in this model (2 items); did you mean '0111161'?")


def test_quiet_draws_no_bar(here, capsys, monkeypatch):
    monkeypatch.setattr("alternant.cli.progress._can_show_a_bar", lambda shown_on: True)
    assert "sweep" in run(capsys, "fit", "ratings.csv")[1]  # the bar
    assert run(capsys, "fit", "ratings.csv", "--quiet") == ("", "")

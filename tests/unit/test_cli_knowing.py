"""Explored lists, explanations and updates on the command line, against what the model answers."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from alternant.cli import main
from alternant.model import load
from alternant.reading import read
from alternant.synthetic import catalogue


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with ratings.csv, movies.csv and a model of these."""
    folder = tmp_path_factory.mktemp("made")
    films = catalogue(n_users=40, n_items=30, n_entries=500, seed=5)
    entries = films.interactions.entries()
    with (folder / "ratings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["userId", "movieId", "rating"])
        writer.writerows(
            zip((entries.user_index + 1).tolist(), (entries.item_index + 1).tolist(),
                entries.values.tolist(), strict=True)
        )  # fmt: skip
    with (folder / "movies.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["movieId", "title", "genres", "year"])
        for item, title in films.titles.items():
            writer.writerow([item, title, "|".join(films.genres[item]), 1990 + item % 3])
    model = str(folder / "model.safetensors")
    assert main(["fit", str(folder / "ratings.csv"), "-o", model, "--n-factors", "4", "-q"]) == 0
    return folder


@pytest.fixture
def here(made, monkeypatch):
    monkeypatch.chdir(made)
    monkeypatch.setenv("COLUMNS", "100")
    return made


def run(capsys, *arguments):
    capsys.readouterr()
    status = main(list(arguments))
    said = capsys.readouterr()
    assert status == 0, said.err
    return said.out, said.err


def failing(capsys, *arguments):
    capsys.readouterr()
    status = main(list(arguments))
    said = capsys.readouterr()
    assert said.out == ""
    return status, said.err


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_recommend_explores(here, capsys):
    model = load("model.safetensors")
    for options, settings in (
        (["--explore", "ucb", "--explore-weight", "0.5"], {"explore": "ucb", "explore_weight": 0.5}),
        (["--explore", "thompson", "--seed", "3"], {"explore": "thompson", "seed": 3}),
    ):
        rows = rows_of(run(capsys, "recommend", "--user", "7", "-k", "4", *options)[0])
        expected = model.recommend(7, 4, **settings)
        assert [int(row["item_id"]) for row in rows] == expected.item_id.tolist()
        assert [np.float32(row["score"]) for row in rows] == expected.score.tolist()
        predicted = model.predict(7, expected.item_id)
        assert [np.float32(row["prediction"]) for row in rows] == predicted.tolist()
    everybody = rows_of(
        run(capsys, "recommend", "--all", "-k", "4", "--explore", "thompson", "--seed", "3")[0]
    )
    assert [row for row in everybody if row["user_id"] == "7"] == rows
    said = run(capsys, "recommend", "--user", "7", "--explore", "ucb", "-f", "table")[1]
    assert said == "explored by ucb; prediction: without exploration\n"


def test_only_lists_of_items_are_explored(here, capsys):
    status, said = failing(capsys, "recommend", "--item", "7", "--explore", "ucb")
    assert status == 2
    assert said.startswith("error: --explore is for lists of items (--user, --all), not of users for")
    status, said = failing(capsys, "recommend", "--user", "7", "--explore", "ucb", "--explore-weight", "-1")
    assert status == 1
    assert said.startswith("error: explore_weight must be a number of at least 0, got -1")


def test_lists_may_be_diverse(here, capsys):
    model = load("model.safetensors")
    rows = rows_of(run(capsys, "recommend", "--user", "7", "-k", "5", "--diversity", "0.8")[0])
    expected = model.recommend(7, 5, diversity=0.8)
    assert [int(row["item_id"]) for row in rows] == expected.item_id.tolist()
    assert expected.item_id.tolist() != model.recommend(7, 5).item_id.tolist()
    status, said = failing(capsys, "recommend", "--item", "7", "--diversity", "0.8")
    assert status == 2
    assert said.startswith(
        "error: --diversity is for lists of items (--user, --all), not of users for --item"
    )


def test_explanations_sum_to_the_scores(here, capsys):
    model = load("model.safetensors")
    pairs = ["--user", "7", "--user", "8", "--item", "3", "--item", "4"]
    rows = rows_of(run(capsys, "explain", *pairs, "-k", "3")[0])
    for user in (7, 8):
        for item in (3, 4):
            own = [row for row in rows if (row["user_id"], row["item_id"]) == (str(user), str(item))]
            assert len(own) == 4
            parts = [float(row["contribution"]) for row in own]
            assert sum(parts) == pytest.approx(model.score(user, item), abs=1e-5)
            assert abs(parts[0]) >= abs(parts[1]) >= abs(parts[2])
            n_terms = len(model.explain(user, item).label)
            assert (own[3]["kind"], own[3]["label"]) == ("weaker terms", f"{n_terms - 3} terms")
    every = rows_of(run(capsys, "explain", "--user", "7", "--item", "3", "-k", "1000")[0])
    assert len(every) == len(model.explain(7, 3).label)
    assert {row["kind"] for row in every} == {"history", "item bias"}


def test_explanations_have_titles(here, capsys):
    titles = {row["movieId"]: row["title"] for row in rows_of(Path("movies.csv").read_text())}
    ask = ["explain", "--user", "7", "--item", "3", "--titles", "movies.csv"]
    rows = rows_of(run(capsys, *ask, "-k", "1000")[0])
    for row in rows:
        assert row["title"] == titles["3"]
        assert row["label_title"] == (titles[row["label"]] if row["kind"] == "history" else "")
    shown, said = run(capsys, *ask, "-f", "table")
    assert shown.startswith(f"user 7, item 3 {titles['3']}: score ")
    assert said.endswith("\ncontributions of a user and an item sum to the score\n")


def test_what_explain_refuses(here, capsys):
    status, said = failing(capsys, "explain", "--user", "7")
    assert (status, said) == (2, "error: expected both --user and --item; see alternant --help\n")
    status, said = failing(capsys, "explain", "--user", "7", "--item", "3", "-k", "0")
    assert status == 2
    assert said.startswith("error: invalid value for -k: expected a positive integer, got 0; see ")
    status, said = failing(capsys, "explain", "--user", "700", "--item", "3")
    assert status == 1
    assert said.startswith("error: no user 700 in this model (40 users)")


def test_an_update_takes_in_what_came_later(here, capsys, tmp_path):
    Path(tmp_path / "later.csv").write_text("userId,movieId,rating\n7,3,1\n99,3,5\n99,4,4\n7,77,5\n")
    new = str(tmp_path / "new.safetensors")
    out, said = run(capsys, "update", "model.safetensors", str(tmp_path / "later.csv"), "-o", new)
    assert out == ""
    assert said.splitlines()[-1] == f"wrote {new}: 41 users (before: 40), 31 items (before: 30)"
    old = load("model.safetensors")
    later = read(str(tmp_path / "later.csv"))
    expected = old.updated(later)
    np.testing.assert_array_equal(load(new).user_table, expected.user_table)
    np.testing.assert_array_equal(load(new).item_table, expected.item_table)
    run(capsys, "update", "model.safetensors", str(tmp_path / "later.csv"), "-o", new, "--mode", "full",
        "--refresh", "users")  # fmt: skip
    expected = old.updated(later, mode="full", refresh="users")
    np.testing.assert_array_equal(load(new).user_table, expected.user_table)
    assert load(new).user_counts[6] == 2


def test_an_update_takes_people_and_items_out(here, capsys, tmp_path):
    new = str(tmp_path / "new.safetensors")
    gone = ["--remove-user", "7", "--remove-user", "8", "--remove-item", "3"]
    run(capsys, "update", "model.safetensors", *gone, "-o", new)
    model = load(new)
    assert (model.n_users, model.n_items) == (38, 29)
    assert 7 not in model.user_ids
    assert 3 not in model.item_ids
    # into its own place
    run(capsys, "update", new, "--remove-user", "9", "-o", new)
    assert load(new).n_users == 37
    assert load(new).stopped == model.stopped


def test_attributes_in_an_update_are_read_as_in_the_fit(here, capsys, tmp_path):
    model, new = str(tmp_path / "model.safetensors"), str(tmp_path / "new.safetensors")
    use = ["--item-attributes", "movies.csv", "--item-attributes-id", "movieId", "--item-attributes-use",
           "genres", "--item-attributes-use", "year=categorical"]  # fmt: skip
    run(capsys, "fit", "ratings.csv", "-o", model, "--n-factors", "4", *use)
    names = load(model).item_prior.encoding.feature_names
    assert {"year=1990", "year=1991", "year=1992"} < set(names)
    assert all(name.startswith(("year=", "genres=")) for name in names)
    (tmp_path / "more.csv").write_text("movieId,title,genres,year\n500,New,comedy,1991\n")
    run(capsys, "update", model, "--item-attributes", str(tmp_path / "more.csv"), "-o", new)
    assert load(new).n_items == load(model).n_items + 1
    features = load(new).item_prior.features.block(load(new).n_items - 1, load(new).n_items)
    assert "year=1991" in [names[place] for place in features.indices.tolist()]


def test_choices_of_attributes_that_cannot_be(here, capsys):
    status, said = failing(capsys, "fit", "ratings.csv", "--item-attributes-use", "year")
    assert status == 2
    assert said.startswith("error: --item-attributes-use is for a file: name it with --item-attributes")
    use = ["--user-attributes", "movies.csv", "--user-attributes-use", "year=class"]
    status, said = failing(capsys, "fit", "ratings.csv", *use)
    assert status == 2
    assert "expected NAME or NAME=KIND, a kind being numeric, boolean, categorical, tags, got" in said
    use = ["--item-attributes", "movies.csv", "--item-attributes-use", "decade", "-q"]
    status, said = failing(capsys, "fit", "ratings.csv", *use)
    assert status == 1
    assert said.startswith("error: movies.csv has no column 'decade'")


def test_what_update_refuses(here, capsys, tmp_path):
    status, said = failing(capsys, "update", "model.safetensors", "ratings.csv")
    assert (status, said) == (2, "error: name the model file to write with --output; see alternant --help\n")
    status, said = failing(capsys, "update", "model.safetensors", "-o", "new.safetensors")
    assert status == 2
    assert said.startswith("error: expected a file of later ratings, attributes, --remove-user or")
    status, said = failing(capsys, "update", "model.safetensors", "ratings.csv", "-o", "new.model")
    assert (status, said) == (1, "error: a model file ends in .safetensors, got 'new.model'\n")
    status, said = failing(capsys, "update", "--remove-user", "700", "-o", "new.safetensors")
    assert status == 1
    assert "no user 700 in this model" in said
    (tmp_path / "odd.csv").write_text("userId,movieId,punkte\n1,2,3\n")
    status, said = failing(
        capsys, "update", "model.safetensors", str(tmp_path / "odd.csv"), "-o", "n.safetensors"
    )
    assert status == 1
    assert "looks like ratings" in said


def test_numbers_and_files_that_cannot_be_meant(here, capsys, tmp_path, monkeypatch):
    for command in (["recommend", "--user", "7"], ["similar", "--item", "3"]):
        status, said = failing(capsys, *command, "-k", "0")
        assert status == 2
        assert said.startswith("error: invalid value for -k: expected a positive integer, got 0; see ")
        status, said = failing(capsys, *command, "--min-entries", "-1")
        assert status == 2
        assert "--min-entries: expected an integer of at least 0, got -1; see " in said
        monkeypatch.chdir(tmp_path)  # without a model: the second id is taken for the name of one
        status, said = failing(capsys, *command, "8")
        assert (status, said) == (
            1, "error: no model file '8'; make one with alternant fit; where it is an id: repeat --user or "
            "--item before each\n",
        )  # fmt: skip
        monkeypatch.chdir(here)


def test_remedies_of_attributes_are_said_in_options(here, capsys, tmp_path):
    """Seen to name AttributeTable, which nobody on a command line has."""
    twice = tmp_path / "twice.csv"
    twice.write_text("movieId,genres\n1,Drama\n1,Drama\n")
    said = failing(capsys, "fit", "ratings.csv", "--item-attributes", str(twice), "-q")[1]
    assert "each item may have one row" in said
    assert "another column than 'movieId' with --item-attributes-id" in said
    titled = tmp_path / "titled.csv"
    titled.write_text("movieId,title,kind\n" + "".join(f"{n},film {n},{n % 2}\n" for n in range(1, 60)))
    output = str(tmp_path / "m.safetensors")
    said = run(
        capsys, "fit", "ratings.csv", "--item-attributes", str(titled), "-q", "-o", output, "--n-sweeps", "1"
    )[1]
    assert "name it and its kind, as in --item-attributes-use 'title=categorical'" in said

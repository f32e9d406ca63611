"""Explored lists, explanations and updates on the command line, against what the model answers."""

import csv
import io

import numpy as np
import pytest

from alternant.cli import main
from alternant.model import load
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
    assert (status, said) == (
        2, "error: --explore ranks items for --user or --all, not users for --item; see alternant --help\n",
    )  # fmt: skip
    status, said = failing(capsys, "recommend", "--user", "7", "--explore", "ucb", "--explore-weight", "-1")
    assert status == 1
    assert said.startswith("error: explore_weight must be a number of at least 0, got -1")

"""``alternant tune``: the best settings as a command and a settings file, and the history of trials."""

import csv
import shlex
import tomllib

import pytest

from alternant import ImplicitALS, load
from alternant.cli import main
from alternant.reading import read
from alternant.splitting import random_split
from alternant.synthetic import catalogue
from alternant.tuning import tune


@pytest.fixture
def here(tmp_path, monkeypatch):
    entries = catalogue(n_users=60, n_items=40, n_entries=900, seed=5).interactions.entries()
    rows = zip(
        (entries.user_index + 1).tolist(), (entries.item_index + 1).tolist(), entries.values, strict=True
    )
    (tmp_path / "r.csv").write_text("userId,movieId,rating\n" + "".join(f"{u},{i},{r}\n" for u, i, r in rows))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_printed_command_fits_what_python_found(here, capsys):
    typed = ["--implicit", "--metric", "recall@5", "--n-trials", "4", "--seed", "2", "--history", "h.csv"]
    assert main(["tune", "r.csv", *typed, "--test", "random"]) == 0
    output = capsys.readouterr()
    data = read("r.csv")
    expected = tune(
        ImplicitALS(seed=2),
        random_split(data, test_fraction=0.1, seed=2),
        metric="recall@5",
        n_trials=4,
        seed=2,
        test=True,
    )
    assert output.out == expected.command("r.csv") + "\n"
    assert f"test recall@5 {expected.test:.4f} (before: {expected.start_test:.4f})" in output.err
    assert tomllib.loads((here / "tuned.toml").read_text()) == {"model": "implicit", **expected.settings()}
    rows = list(csv.DictReader((here / "h.csv").read_text().splitlines()))
    assert [row["state"] for row in rows] == [trial.state for trial in expected.trials]
    # both ways to fit them give the same model
    program, *arguments = shlex.split(output.out)
    assert program == "alternant"
    assert main([*arguments, "-o", "a.safetensors"]) == 0
    assert main(["fit", "r.csv", "--config", "tuned.toml", "-o", "b.safetensors"]) == 0
    models = [load(name) for name in ("a.safetensors", "b.safetensors")]
    assert models[0].settings == models[1].settings
    assert (models[0].user_table == models[1].user_table).all()
    assert models[0].n_factors == expected.estimator.n_factors


def test_names_of_columns_are_part_of_the_command(here, capsys):
    assert (
        main(["tune", "r.csv", "--value-column", "rating", "--n-trials", "1", "--validation", "r.csv"]) == 0
    )
    assert capsys.readouterr().out.rstrip().endswith(" --value-column rating")


def test_a_search_goes_on(here, capsys):
    for n in ("2", "3"):
        assert main(["tune", "r.csv", "--implicit", "--n-trials", n, "--storage", "search.db"]) == 0
    assert "trial 2: " in capsys.readouterr().err


def test_a_budget_of_time(here, capsys):
    assert main(["tune", "r.csv", "--implicit", "--budget", "1s", "--n-jobs", "2"]) == 0
    assert "the time budget of 1 s is used up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "status", "message"),
    [
        (["--budget", "ten"], 2, "expected a duration such as 90s, 10m or 1h, got 'ten'"),
        (["--budget", "0s"], 2, "expected a duration such as 90s, 10m or 1h, got '0s'"),
        (["--n-trials", "0"], 2, "expected a positive integer, got 0"),
        (["-o", "tuned.json"], 1, "a settings file ends in .toml, got 'tuned.json'"),
        (["--test", "later"], 1, "--test must be random, time, last or none, got 'later'"),
        (["--implicit", "--metric", "rmse"], 1, "rmse compares predictions with ratings"),
    ],
)
def test_refusals(here, capsys, typed, status, message):
    assert main(["tune", "r.csv", *typed]) == status
    assert message in capsys.readouterr().err

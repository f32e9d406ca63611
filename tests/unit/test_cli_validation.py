"""``alternant fit --validation``: the best sweep by a file of held-out ratings."""

import pytest

from alternant import ExplicitALS, ImplicitALS, load
from alternant.cli import main
from alternant.reading import read
from alternant.splitting import random_split
from alternant.synthetic import catalogue


def write(part, path):
    entries = part.entries()
    rows = zip(
        (entries.user_index + 1).tolist(), (entries.item_index + 1).tolist(), entries.values, strict=True
    )
    path.write_text("userId,movieId,rating\n" + "".join(f"{u},{i},{r}\n" for u, i, r in rows))


@pytest.fixture
def here(tmp_path, monkeypatch):
    split = random_split(catalogue(n_users=60, n_items=40, n_entries=900, seed=5).interactions, seed=2)
    write(split.train, tmp_path / "train.csv")
    write(split.test, tmp_path / "held_out.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("implicit", [False, True])
def test_fit_stops_where_python_would(here, capsys, implicit):
    typed = ["--n-factors", "6", "--tol", "0", "--patience", "1", "--n-sweeps", "20"]
    if implicit:
        typed += ["--implicit", "--validation-metric", "recall@5"]
    assert main(["fit", "train.csv", "--validation", "held_out.csv", *typed]) == 0
    kind, metric = (ImplicitALS, "recall@5") if implicit else (ExplicitALS, "auto")
    estimator = kind(n_factors=6, tol=0, patience=1, n_sweeps=20)
    expected = estimator.fit(read("train.csv"), validation=read("held_out.csv"), validation_metric=metric)
    model = load("model.safetensors")
    assert [entry.validation for entry in model.trace] == [entry.validation for entry in expected.trace]
    said = capsys.readouterr().err
    assert model.stopped == expected.stopped
    assert f"{expected.stopped}; objective" in said
    assert "rmse" in said or "recall@5" in said


def test_a_time_budget(here, capsys):
    assert main(["fit", "train.csv", "--time-budget", "1e-9", "--n-factors", "2"]) == 0
    assert "the time budget of 1e-09 s ran out in sweep 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "status", "message"),
    [
        (["--validation", "none.csv"], 1, "none.csv"),
        (["--validation", "held_out.csv", "--validation-metric", "auc"], 1, "got 'auc'"),
        (["--implicit", "--validation-metric", "rmse"], 1, "rmse compares predictions with ratings"),
        (["--patience", "0"], 2, "--patience must be a positive integer, got 0"),
        (["--time-budget", "0"], 2, "--time-budget must be a number of seconds above 0, or None, got 0"),
    ],
)
def test_refusals(here, capsys, typed, status, message):
    assert main(["fit", "train.csv", *typed]) == status
    assert message in capsys.readouterr().err

"""alternant evaluate and alternant protocol."""

import csv
import io
import json

import pytest

from alternant import ExplicitALS, read
from alternant.cli import main
from alternant.evaluation import evaluate
from alternant.splitting import random_split
from alternant.synthetic import catalogue

pytest.importorskip("cyclopts")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    entries = catalogue(n_users=60, n_items=40, n_entries=900, seed=1).interactions.entries()
    with (folder / "ratings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["userId", "movieId", "rating", "timestamp"])
        writer.writerows(
            [u, i, v, (7 * u + 13 * i) % 101]
            for u, i, v in zip(
                entries.user_index.tolist(), entries.item_index.tolist(), entries.values.tolist(), strict=True
            )
        )
    return folder


@pytest.fixture
def here(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def run(capsys, *arguments, status=0):
    capsys.readouterr()
    assert main(list(arguments)) == status
    return capsys.readouterr()


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_evaluate_shows_what_the_library_finds(here, capsys):
    said = run(capsys, "evaluate", "ratings.csv", "--n-factors", "4", "--seed", "5")
    split = random_split(read("ratings.csv"), seed=5)
    report = evaluate(ExplicitALS(n_factors=4, seed=5), split, seed=5)
    rows = {(row["model"], row["metric"]): row for row in table(said.out)}
    assert float(rows["ExplicitALS", "rmse"]["value"]) == report["rmse"]
    assert float(rows["biases", "rmse"]["low"]) == report.row("rmse", "biases").low
    assert "Split(train=" in said.err
    assert "against biases, p = " in said.err


@pytest.mark.parametrize(
    ("options", "how"),
    [
        (("--split", "last", "--n-last", "2"), "the last 2 of each user's entries aside by time"),
        (("--split", "time"), "from time"),
        (("--split", "users", "--fraction", "0.2"), "users held out"),
        (("--split", "items", "--metric", "rmse"), "4 items held out"),
        (("--implicit",), "the last 0.1 of each user's entries aside by time"),
    ],
)
def test_every_way_of_splitting(here, capsys, tmp_path, options, how):
    run(capsys, "evaluate", "ratings.csv", "--n-factors", "3", "--report", str(tmp_path / "r"), *options)
    facts = json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))["facts"]
    assert how in facts["split"]
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"report.html", "report.md", "report.json"}


def test_a_saved_model_is_measured_on_a_test_file(here, capsys):
    lines = (here / "ratings.csv").read_text().splitlines()
    (here / "train.csv").write_text("\n".join([lines[0], *lines[1:700]]) + "\n")
    (here / "test.csv").write_text("\n".join([lines[0], *lines[700:]]) + "\n")
    run(capsys, "fit", "train.csv", "-o", "m.safetensors", "--n-factors", "3")
    said = run(capsys, "evaluate", "train.csv", "--model", "m.safetensors", "--test", "test.csv")
    again = run(capsys, "evaluate", "train.csv", "--test", "test.csv", "--n-factors", "3")
    assert said.out == again.out
    failed = run(capsys, "evaluate", "train.csv", "--model", "m.safetensors", "--test", "train.csv", status=1)
    assert "entries that the other parts have too" in failed.err


def test_metrics_and_baselines_are_chosen(here, capsys):
    said = run(
        capsys, "evaluate", "ratings.csv", "--implicit", "--n-factors", "3", "--metric", "ndcg@5", "--metric",
        "recall@9", "--baseline", "popularity",
    )  # fmt: skip
    found = [(row["model"], row["metric"]) for row in table(said.out)]
    assert found == [(m, n) for m in ("ImplicitALS", "popularity") for n in ("ndcg@5", "recall@9")]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--model", "m.safetensors"), 2, "--model and --history need --test"),
        (("--test", "ratings.csv", "--split", "time"), 2, "leave out --split, --fraction and --n-last"),
        (("--n-last", "2"), 2, "--n-last goes with --split last"),
        (("--metric", "map@5"), 1, "no metric 'map@5'"),
        (("--report", "ratings.csv"), 1, "expected a folder to write a report into, got the file"),
        (("--implicit", "--metric", "rmse"), 1, "rmse compares predictions with ratings"),
    ],
)
def test_what_does_not_go_together_is_refused(here, capsys, arguments, status, message):
    assert message in run(capsys, "evaluate", "ratings.csv", *arguments, status=status).err


def test_protocols_run_on_files(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.txt").write_text("0 0 1 2\n1 0 1\n2 1 2\n3 0 2 3\n")
    (tmp_path / "test.txt").write_text("1 2\n2 0\n")
    (tmp_path / "train.csv").write_text("0,0\n0,1\n1,1\n1,2\n2,0\n2,2\n")
    (tmp_path / "tr.csv").write_text("9,0\n")
    (tmp_path / "te.csv").write_text("9,1\n")
    (tmp_path / "negative").write_text("(1,0)\t2\n")
    rows = table(
        run(
            capsys, "protocol", "lightgcn", "--train", "train.txt", "--test", "test.txt", "--factors", "2"
        ).out
    )
    assert [(row["metric"], row["model"]) for row in rows][:2] == [
        ("recall@20", "ImplicitALS"),
        ("ndcg@20", "ImplicitALS"),
    ]
    said = run(
        capsys, "protocol", "liang", "--train", "train.csv", "--history", "tr.csv", "--test", "te.csv",
        "--n-factors", "2",
    )  # fmt: skip
    assert table(said.out)[0]["metric"] == "ndcg@100"
    said = run(capsys, "protocol", "he", "--train", "train.csv", "--negatives", "negative", "--factors", "2")
    assert table(said.out)[0]["metric"] == "sampled_hit_rate@10"
    assert "warning: metrics of sampled items do not estimate" in said.err
    assert "liang needs --history and --test" in run(
        capsys, "protocol", "liang", "--train", "train.csv", status=2
    ).err  # fmt: skip
    assert "lightgcn has no use for --negatives" in run(
        capsys, "protocol", "lightgcn", "--train", "train.txt", "--test", "test.txt", "--negatives",
        "negative", status=2,
    ).err  # fmt: skip

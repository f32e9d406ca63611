"""The benchmarks: their data, what they compare, the workers, tables and files. No time is asserted."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, kernels
from alternant.kernels import peaks

pytest.importorskip("benchmarks", reason="not in the source distribution")
from benchmarks import __main__ as program
from benchmarks import chart, instructions, quality, report, roofline, topk
from benchmarks.engines import PEERS, Engine, Fitter, Job, ours
from benchmarks.launching import WorkerError, launch, reason
from benchmarks.made_data import SIZES, Ratings, Size, made, make
from benchmarks.options import Options, parse
from benchmarks.problems import (
    ALPHA,
    EXPLICIT_RIDGE,
    IMPLICIT_RIDGE,
    Factors,
    Judge,
    alternant_settings,
    interactions_of,
    starts,
)
from benchmarks.sweeps import rotated
from benchmarks.worker import sweeps

TINY = SIZES["tiny"]


@pytest.fixture(scope="module")
def tiny():
    return make(TINY, seed=0)


# -- data ----------------------------------------------------------------------------------------------


def test_made_data_are_what_their_size_says(tiny):
    assert (tiny.n_users, tiny.n_items) == (TINY.n_users, TINY.n_items)
    assert tiny.n_entries == pytest.approx(TINY.n_entries, rel=0.01)
    users = tiny.users()
    assert len(np.unique(users.astype(np.int64) * tiny.n_items + tiny.items)) == tiny.n_entries
    assert np.diff(tiny.offsets).min() >= 1
    assert set(np.unique(tiny.values)) <= set(np.arange(1, 11) / 2)
    inside = np.diff(users) == 0
    assert (np.diff(tiny.items)[inside] > 0).all()


def test_a_few_items_have_most_of_the_entries():
    ratings = make(Size(2_000, 1_000, 40_000), seed=0)
    counts = np.sort(np.bincount(ratings.items, minlength=1_000))[::-1]
    assert counts[:100].sum() > 0.5 * ratings.n_entries
    per_user = np.diff(ratings.offsets)
    assert np.median(per_user) < 0.7 * per_user.mean()


def test_the_same_seed_gives_the_same_bytes(tiny):
    again, other = make(TINY, seed=0), make(TINY, seed=1)
    for name in ("offsets", "items", "values"):
        assert getattr(again, name).tobytes() == getattr(tiny, name).tobytes()
    assert other.items.tobytes() != tiny.items.tobytes()


def test_data_are_made_once(tmp_path, tiny):
    folder = made("tiny", folder=tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [folder.name]
    loaded = Ratings.load(folder)
    assert loaded.n_items == tiny.n_items
    np.testing.assert_array_equal(loaded.items, tiny.items)
    (folder / "items.npy").write_bytes((folder / "values.npy").read_bytes())  # a mark: it is not made anew
    assert made("tiny", folder=tmp_path) == folder
    assert Ratings.load(folder).items.dtype == np.float32


def test_the_gowalla_shape_has_short_rows():
    ratings = make(SIZES["gowalla"], seed=0)
    assert 15 <= np.median(np.diff(ratings.offsets)) <= 25
    assert ratings.n_entries == pytest.approx(810_000, rel=0.005)


def test_three_sizes_have_one_shape():
    shapes = [SIZES[name] for name in ("1M", "20M", "100M")]
    for n in ("n_users", "n_items"):
        means = [size.n_entries / getattr(size, n) for size in shapes]
        assert max(means) < 1.001 * min(means)


# -- objectives ----------------------------------------------------------------------------------------


def dense(ratings):
    values = np.zeros((ratings.n_users, ratings.n_items))
    values[ratings.users(), ratings.items] = ratings.values
    stored = np.zeros(values.shape, bool)
    stored[ratings.users(), ratings.items] = True
    return values, stored


def random_factors(ratings, k, *, biases):
    rng = np.random.default_rng(0)
    tables = [rng.standard_normal((n, k)).astype(np.float32) for n in (ratings.n_users, ratings.n_items)]
    if not biases:
        return Factors(*tables)
    return Factors(*tables, *(rng.standard_normal(len(table)).astype(np.float32) for table in tables))


def test_the_implicit_value_is_the_formula(tiny):
    found = random_factors(tiny, 3, biases=False)
    x, y = found.users.astype(float), found.items.astype(float)
    values, stored = dense(tiny)
    p = x @ y.T
    expected = np.sum(np.where(stored, (1 + ALPHA * values) * (1 - p) ** 2, p**2))
    some = stored.any(axis=0)
    expected += IMPLICIT_RIDGE * (np.sum(x**2) + np.sum(y[some] ** 2))
    # An item without entries is outside the objective: other libraries leave it at 0.
    expected -= np.sum((x @ y[~some].T) ** 2)
    assert Judge("implicit", tiny).value(found) * tiny.n_entries == pytest.approx(expected, rel=1e-10)


def test_the_explicit_value_is_the_formula(tiny):
    found = random_factors(tiny, 3, biases=True)
    x, y, b, c = (each.astype(float) for each in vars(found).values())
    values, stored = dense(tiny)
    left = values - tiny.values.mean(dtype=float) - b[:, None] - c - x @ y.T
    expected = np.sum(left[stored] ** 2)
    for counts, table, biases in ((stored.sum(axis=1), x, b), (stored.sum(axis=0), y, c)):
        expected += EXPLICIT_RIDGE * np.sum(counts * (np.sum(table**2, axis=1) + biases**2))
    assert Judge("explicit", tiny).value(found) * tiny.n_entries == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("work", ["implicit", "explicit"])
def test_the_value_is_what_our_fit_minimises(work, tiny):
    estimator = ImplicitALS if work == "implicit" else ExplicitALS
    seen = []
    estimator(n_factors=4, n_sweeps=2, tol=0.0, **alternant_settings(work)).fit(
        interactions_of(tiny),
        callback=lambda e: seen.append((e.objective, e.user_table.copy(), e.item_table.copy())),
    )
    value, users, items = seen[-1]
    k = 4
    biases = (users[:, k], items[:, k]) if work == "explicit" else ()
    found = Judge(work, tiny).value(Factors(users[:, :k], items[:, :k], *biases))
    assert found * tiny.n_entries == pytest.approx(value, rel=1e-6)


def test_starts_are_zero_where_nothing_is_known():
    ratings = make(Size(30, 200, 300), seed=0)
    users, items = starts(ratings, 4, seed=0)
    counts = np.bincount(ratings.items, minlength=ratings.n_items)
    assert (counts == 0).any()
    np.testing.assert_array_equal((items != 0).all(axis=1), counts > 0)
    assert (users != 0).all()


# -- engines -------------------------------------------------------------------------------------------


def job(folder, name, engine, work="implicit", **more):
    return {
        "kind": "sweeps",
        "engine": name,
        "solver": engine.options.get("solver", "auto"),
        "isa": engine.options.get("isa"),
        "work": work,
        "data": str(folder),
        "n_factors": 4,
        "threads": 1,
        "seed": 0,
        "short": 1,
        "long": 2,
        "limit": 100.0,
        **more,
    }


def runnable(name):
    if name.startswith("alternant"):
        return ours("auto", None)[1]
    engine = PEERS[name]
    if engine.missing() is not None:
        pytest.skip(engine.missing())
    return engine


@pytest.mark.parametrize("work", ["implicit", "explicit"])
@pytest.mark.parametrize(
    "name",
    [
        "alternant auto",
        *(
            pytest.param(name, marks=pytest.mark.nightly if name in ("Spark", "LensKit") else ())
            for name in PEERS
        ),
    ],
)
def test_a_worker_of_each_engine(name, work, tmp_path, tiny):
    """Planted fault seen to fail: implicit given α·v instead of 1 + α·v."""
    pytest.importorskip("scipy")
    engine = runnable(name)
    if work not in engine.works:
        pytest.skip(f"{name} has no {work} model")
    folder = made("tiny", folder=tmp_path)
    asked = job(folder, name, engine, work, factors=str(tmp_path / "found.npz"))
    result = launch(asked, engine, timeout=300)
    assert [run[0] for run in result["runs"]] == [1, 2]
    assert result["process_seconds"] > sum(run[1] for run in result["runs"])
    assert result["peak_bytes"] > 10**7
    with np.load(tmp_path / "found.npz") as stored:
        found = Factors(**{key: stored[key] for key in stored.files})
    assert found.users.shape == (tiny.n_users, 4)
    if work in engine.own_sum:
        return
    # Two sweeps leave nobody far from where exact sweeps from the same start are: they minimise the same sum.
    launch(
        job(
            folder,
            "alternant exact",
            ours("exact", None)[1],
            work,
            kind="path",
            lengths=[2, 40],
            factors=str(tmp_path),
        ),
        ours("exact", None)[1],
        timeout=300,
    )
    judge = Judge(work, tiny)

    def value(n_sweeps):
        with np.load(tmp_path / f"{n_sweeps}.npz") as stored:
            return judge.value(Factors(**{key: stored[key] for key in stored.files}))

    mine = judge.value(found)
    assert value(40) < mine
    if engine.exact or name == "alternant auto":
        assert mine == pytest.approx(value(2), rel=2e-3 if engine.exact else 2e-2)
    zeros = Factors(*(np.zeros((n, 4), np.float32) for n in (tiny.n_users, tiny.n_items)))
    assert mine < judge.value(zeros)


def test_a_worker_that_fails_says_why(tmp_path):
    engine = ours("auto", None)[1]
    with pytest.raises(WorkerError, match="No such file"):
        launch(job(tmp_path / "nowhere", "alternant auto", engine), engine, timeout=60)
    with pytest.raises(WorkerError, match="took longer than 0 s"):
        launch(job(tmp_path / "nowhere", "alternant auto", engine), engine, timeout=0.01)


def test_the_line_that_says_why():
    assert reason("Traceback\n  File x\nValueError: no\n") == "ValueError: no"
    java = "py4j.protocol.Py4JJavaError: An error\n: java.lang.StackOverflowError\n\tat java.base/x\n"
    assert reason(java) == "py4j.protocol.Py4JJavaError: An error"
    assert reason("Killed\n") == "Killed"
    assert reason("") == ""


def test_what_is_not_installed_is_left_out():
    absent = Engine("absent", "no_such_package_anywhere", ("implicit",))
    assert absent.missing() == "no_such_package_anywhere is not installed"
    options = Options(engines=())
    assert list(options.chosen("implicit")) == ["alternant auto"]
    options = Options(engines=("irspack CG",), isa=("portable",), solvers=("auto", "exact"))
    assert list(options.chosen("explicit")) == ["alternant auto portable", "alternant exact portable"]
    assert options.skipped == {"irspack CG": "has no explicit model"}


def test_environments():
    assert PEERS["implicit CG"].environment(2)["OPENBLAS_NUM_THREADS"] == "1"
    assert PEERS["LensKit"].environment(2)["LK_NUM_THREADS"] == "2"
    assert PEERS["Spark"].environment(2)["OMP_NUM_THREADS"] == "1"


def fake_fitter(seconds_per_sweep, clock, monkeypatch, sample=None):
    monkeypatch.setattr("benchmarks.worker.time.perf_counter", lambda: clock[0])

    def fit(n_sweeps):
        clock[0] += 5.0 + seconds_per_sweep * n_sweeps
        return f"factors of {n_sweeps}"

    return Fitter(fit, sample)


def test_seconds_are_the_difference_of_two_lengths(monkeypatch):
    result, factors = sweeps(fake_fitter(2.0, [0.0], monkeypatch), short=1, long=3, limit=20.0)
    assert result["seconds"] == pytest.approx(2.0)
    assert (result["n_sweeps"], result["slow"], factors) == (3, False, "factors of 3")
    assert result["growth_bytes"] is None or result["growth_bytes"] >= 0


def test_a_slow_sweep_is_not_repeated(monkeypatch):
    result, factors = sweeps(fake_fitter(30.0, [0.0], monkeypatch), short=1, long=3, limit=20.0)
    assert result["seconds"] == pytest.approx(30.0)
    assert (result["n_sweeps"], result["slow"], factors) == (2, True, "factors of 2")


def test_a_sweep_that_takes_too_long_is_estimated_from_some_rows(monkeypatch):
    strides = []

    def sample(stride):
        strides.append(stride)
        return 200.0

    result, factors = sweeps(fake_fitter(200.0, [0.0], monkeypatch, sample), short=1, long=3, limit=20.0)
    assert strides == [64, 10]
    assert (result["seconds"], result["sampled"], result["slow"], factors) == (200.0, 10, True, None)


def test_a_sample_of_rows_estimates_implicits_cholesky(tiny):
    pytest.importorskip("implicit")
    from benchmarks.engines import implicit_engine

    fitter = implicit_engine.fitter(
        tiny, Job("implicit Cholesky", "implicit", 4, 1, options={"use_cg": False})
    )
    assert fitter.sample is not None
    assert 0.0 < fitter.sample(3) < 10.0


def test_every_engine_goes_first_in_turn():
    assert [rotated(["a", "b", "c"], turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rotated(["a", "b", "c"], 2)) == ["a", "b", "c"]


# -- roofline ------------------------------------------------------------------------------------------


def test_operations_by_formula():
    counts = np.array([0, 2, 10, 100])
    exact = roofline.row_multiply_adds(counts, 10, exact=True)
    assert exact.tolist() == [0.0, 2 * 2 * 10 / 2 + 8 / 6, 500 + 1000 / 6, 100 * 100 / 2 + 1000 / 6]
    chosen = roofline.row_multiply_adds(counts, 10, exact=False)
    assert chosen.tolist() == [0.0, exact[1], exact[2], exact[3]]
    assert roofline.row_multiply_adds(np.array([1000]), 100, exact=False)[0] == 8 * 1000 * 100


def test_the_floor_is_what_takes_longer(tiny):
    work = roofline.work_of(tiny, 8, exact=True, implicit=True)
    assert work.gathered_rows == tiny.n_entries
    assert work.multiply_adds > 1.5 * 64 * (tiny.n_users + tiny.n_items)
    fast_memory = roofline.floor_of(work, 8, roofline.Peaks(1e9, (math.inf, math.inf)))
    assert fast_memory.seconds == fast_memory.operations == 2 * work.multiply_adds / 1e9
    slow_memory = roofline.floor_of(work, 8, roofline.Peaks(math.inf, (1e6, 1e6)))
    assert slow_memory.seconds == pytest.approx((2 * 32 * tiny.n_entries + work.other_bytes) / 1e6)


@pytest.mark.parametrize("level", kernels.isa_levels())
def test_peaks_are_measured_at_every_level(level, tiny):
    before = kernels.isa()
    kernels.set_isa(level)
    try:
        found = roofline.measured_peaks(tiny, 20, threads=2)
        table = np.arange(21 * 37, dtype=np.float32).reshape(21, 37) % 7
        indices = np.array([0, 20, 3, 3], np.int32)
        total = kernels.peaks._kernels.gather_rows(table, indices, 2)
    finally:
        kernels.set_isa(before)
    assert all(np.isfinite([found.flops, *found.gather]))
    assert min(found.flops, *found.gather) > 1e6
    assert total == pytest.approx(table[indices].sum())


def test_a_gather_outside_the_table_is_refused():
    with pytest.raises(ValueError, match="an index lies outside the table"):
        peaks.gather_rate(np.ones((3, 4), np.float32), np.array([0, 3], np.int32), n_threads=1)


# -- what is shown -------------------------------------------------------------------------------------


def rows():
    return [
        {
            "engine": "alternant auto",
            "size": "1M",
            "n_factors": 64,
            "seconds": 0.5,
            "seconds_range": [0.4, 0.7],
        }
        | {
            "ratio": 1.0,
            "objective": 0.25,
            "objective_excess": 0.0,
            "peak_bytes": 5e8,
            "roofline": 0.25,
            "note": "",
        },
        {"engine": "other", "size": "1M", "n_factors": 64, "note": "took longer than 5 s"},
    ]


def test_the_table():
    found = report.table_text(report.SWEEP_COLUMNS, [report.cells(row) for row in rows()]).splitlines()
    assert re.split(r"\s{2,}", found[0])[:4] == ["engine", "s per sweep", "range", "CPU s"]
    assert re.split(r"\s{2,}", found[2]) == [
        *("alternant auto", "0.5", "0.4 to 0.7", "–", "1.00×", "0.25", "+0.0e+00", "500", "–", "25%"),
    ]
    assert found[3].startswith("other")
    assert found[3].endswith("took longer than 5 s")


def test_a_chart(tmp_path, monkeypatch):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    file = tmp_path / "bars.svg"
    assert chart.write(file, rows()) == f"chart: {file}"
    assert "alternant auto" in file.read_text()
    curve = [
        {**rows()[0], "metric": m, "metric_name": "recall", "n_sweeps": n} for n, m in ((1, 0.1), (2, 0.2))
    ]
    assert chart.write(tmp_path / "curve.svg", curve).startswith("chart: ")


def test_without_altair_there_is_no_chart(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    assert "pip install altair" in chart.write(tmp_path / "x.svg", rows())
    assert not list(tmp_path.iterdir())


def test_options_that_make_no_sense(capsys):
    for arguments, text in (
        (["--sweeps", "3", "3"], "must be longer than the first"),
        (["--engines", "cuda"], "no engine 'cuda'; there are 'implicit CG'"),
        (["--isa", "mmx"], "not 'mmx'"),
        (["--repeat", "0"], "must be at least 1"),
    ):
        with pytest.raises(SystemExit):
            parse(arguments)
        assert text in capsys.readouterr().err


# -- whole runs ----------------------------------------------------------------------------------------


def run(capsys, *arguments):
    assert program.main([*arguments, "--threads", "1", "--repeat", "1", "--engines"]) == 0
    return capsys.readouterr().out


def test_a_whole_run(tmp_path, capsys):
    pytest.importorskip("scipy")
    file = tmp_path / "found.json"
    said = run(capsys, "--size", "tiny", "--factors", "4", "--data", str(tmp_path), "--json", str(file))
    assert re.search(r"^tiny, implicit, k = 4: [\d,]+ entries; medians of 1 rounds", said, re.MULTILINE)
    assert f"level {kernels.isa()} of" in said
    assert "1 threads" in said
    document = json.loads(file.read_text())
    (row,) = document["results"]
    assert document["machine"]["isa"] == kernels.isa()
    assert row["objective_excess"] == 0.0
    assert row["needed_bytes"] == 16 * row["n_entries"] + 8 * (500 + 2) + 2 * 4 * 4 * 500
    assert row["seconds"] == row["runs"][0]["seconds"]
    assert row["growth_bytes"] is None or row["growth_bytes"] > 0


def test_scale_compares_seconds_per_entry(tmp_path, capsys, monkeypatch):
    pytest.importorskip("scipy")
    monkeypatch.setitem(SIZES, "1M", Size(600, 400, 12_000))
    said = run(capsys, "--work", "scale", "--size", "tiny", "1M", "--factors", "4", "--data", str(tmp_path))
    assert re.search(
        r"^alternant auto, k = 4, 1M: .* ns per entry, .*× that of tiny; gathering", said, re.MULTILINE
    )


def test_cold_is_a_whole_process(tmp_path, capsys):
    pytest.importorskip("scipy")
    said = run(capsys, "--work", "cold", "--size", "tiny", "--factors", "4", "--data", str(tmp_path))
    assert re.search(r"^alternant auto +\d+\.\d+ +1\.00×", said, re.MULTILINE)


def test_topk(tmp_path, capsys):
    pytest.importorskip("scipy")
    said = run(capsys, "--work", "topk", "--size", "tiny", "--factors", "4", "--data", str(tmp_path))
    assert "trained factors" in said
    assert "Gaussian factors" in said


@pytest.mark.filterwarnings("ignore:OpenBLAS:RuntimeWarning")
def test_ours_and_implicit_rank_alike(tmp_path, tiny):
    pytest.importorskip("implicit")
    rng = np.random.default_rng(0)
    users, items = (rng.standard_normal((n, 4)).astype(np.float32) for n in (tiny.n_users, tiny.n_items))
    np.savez(tmp_path / "factors.npz", users=users, items=items)
    asked = {"threads": 1}
    mine, theirs = (each(tiny, users, items, asked)() for each in (topk._ours, topk._implicit))
    assert np.mean(mine == theirs.ravel()) > 0.999


def test_quality_on_made_up_data(tmp_path, capsys, monkeypatch):
    pytest.importorskip("scipy")
    monkeypatch.delenv("ALTERNANT_DATA", raising=False)
    monkeypatch.setattr(quality, "LENGTHS", [1, 2])
    said = run(
        capsys, "--quality", "--work", "explicit", "--size", "tiny", "--factors", "4", "--data", str(tmp_path)
    )
    assert re.search(r"^alternant auto +4 +2 +\S+ +0\.\d+", said, re.MULTILINE)


def test_recall_counts_the_held_out_items_in_a_list(tiny):
    train, test = quality.split(tiny, seed=0)
    assert train.n_entries + test.n_entries == tiny.n_entries
    assert test.n_entries == pytest.approx(0.1 * tiny.n_entries, rel=0.2)
    # With the identity as table of items, the held-out items of a user score 1 and all others 0.
    _, held = dense(test)
    perfect = Factors(held.astype(np.float32), np.eye(tiny.n_items, dtype=np.float32))
    assert quality.recall(perfect, train, test) == 1.0
    assert quality.recall(Factors(-perfect.users, perfect.items), train, test) < 0.2


# -- instructions --------------------------------------------------------------------------------------


def test_the_cases_run_and_are_stored():
    names = instructions.run_cases(instructions.Switch(None))
    stored = json.loads(instructions.STORED.read_text(encoding="utf-8"))
    for by_level in stored.values():
        assert {tuple(sorted(by_case)) for by_case in by_level.values()} == {tuple(sorted(names))}


def test_a_count_may_differ_by_ten_per_cent():
    assert not instructions.differs(1099, 1000)
    assert instructions.differs(1101, 1000)
    assert instructions.differs(899, 1000)
    assert instructions.differs(1, None)
    assert instructions.compare({"avx2": {"a": 1, "b": 2}}, {"avx2": {"a": 3}}) == [
        ("avx2", "a", 1, 3),
        ("avx2", "b", 2, None),
    ]


def test_another_compiler_is_not_compared(capsys, monkeypatch):
    monkeypatch.setattr(instructions, "compiler", lambda: "a compiler of 2040")
    assert instructions.main([]) == 0
    assert "there are no numbers for a compiler of 2040" in capsys.readouterr().out


def test_without_valgrind_nothing_is_compared(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(instructions, "STORED", tmp_path / "stored.json")
    instructions.STORED.write_text(json.dumps({instructions.compiler(): {}}))
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.main([]) == 0
    assert "not compared, needs valgrind" in capsys.readouterr().out


def test_the_module_says_what_it_can_do():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"],
        cwd=instructions.STORED.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in PEERS:
        assert name in done.stdout

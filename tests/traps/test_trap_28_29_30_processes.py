"""Traps 28 to 30: a fork after a fit hangs; threads are not what one parameter says; Ctrl-C is ignored."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, kernels
from alternant.kernels import _threads
from tables import random_ratings, ratings_of


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, which must end within a minute."""
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


FIT = """
    import os, sys
    import numpy as np
    from alternant import ExplicitALS, Interactions
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.choice(2000 * 300, 60_000, replace=False), 300)
    ratings = Interactions.from_arrays(users, items, rng.integers(1, 6, 60_000).astype(float))
    settings = ExplicitALS(n_factors=16, n_sweeps=2, n_threads=2)
    model = settings.fit(ratings)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_trap_28_fit_and_recommend_in_a_forked_child():
    done = run(
        FIT
        + """
    child = os.fork()
    if child == 0:
        again = settings.fit(ratings)
        same = np.array_equal(again.user_table, model.user_table)
        same = same and len(again.recommend(range(100), k=3)) == len(model.recommend(range(100), k=3))
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))
"""
    )
    assert done.returncode == 0, done.stderr


def test_trap_29_one_number_of_threads_from_argument_variable_affinity_or_quota(monkeypatch, tmp_path):
    monkeypatch.setenv("ALTERNANT_NUM_THREADS", "5")
    assert kernels.available_threads() == kernels.ThreadCount(5, "ALTERNANT_NUM_THREADS")
    assert kernels.resolve_threads(None) == 5
    assert kernels.resolve_threads(3) == 3
    monkeypatch.delenv("ALTERNANT_NUM_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(_threads, "_cgroup_quota", lambda: None)
    assert kernels.available_threads() == kernels.ThreadCount(8, "CPU affinity")
    monkeypatch.setattr(_threads, "_cgroup_quota", lambda: 2.5)
    assert kernels.available_threads() == kernels.ThreadCount(3, "cgroup CPU quota")


@pytest.mark.parametrize("value", ["0", "-2", "two", "1.5", "9" * 30])
def test_trap_29_a_bad_variable_is_refused(monkeypatch, value):
    monkeypatch.setenv("ALTERNANT_NUM_THREADS", value)
    with pytest.raises(DataError, match="ALTERNANT_NUM_THREADS must be an integer from 1 to 4096, got"):
        kernels.resolve_threads(None)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
        ({"cpu.max": "nonsense\n"}, None),
    ],
)
def test_trap_29_the_cgroup_quota_is_read(tmp_path: Path, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert _threads._cgroup_quota(tmp_path) == quota


def test_trap_29_no_more_threads_run_than_were_asked_for():
    """Counted by the operating system while the fit runs: one more than the caller's for n_threads=2."""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are counted in /proc")
    ratings = ratings_of(random_ratings(0, 4000, 500, known=0.2))
    before, most, done = len(os.listdir("/proc/self/task")), 0, threading.Event()

    def watch():
        nonlocal most
        while not done.is_set():
            most = max(most, len(os.listdir("/proc/self/task")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    ExplicitALS(n_factors=32, n_sweeps=4, n_threads=2).fit(ratings)
    done.set()
    watcher.join()
    assert before < most <= before + 2  # the watcher and one worker


BIG = """
    import numpy as np, os, signal, sys, threading, time
    from alternant import ExplicitALS, Interactions
    rng = np.random.default_rng(0)
    cells = np.unique(rng.integers(0, 20_000 * 2_000, 1_000_000))
    stars = rng.integers(1, 6, cells.size).astype(float)
    ratings = Interactions.from_arrays(cells // 2_000, cells % 2_000, stars)
    seen = []
    def interrupt():
        while len(seen) < {after}:
            time.sleep(0.01)
        time.sleep(0.05)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    sent = []
    threading.Thread(target=interrupt, daemon=True).start()
    settings = ExplicitALS(n_factors=96, n_sweeps=1000, tol=0)
"""


def test_trap_30_ctrl_c_keeps_the_finished_sweeps():
    done = run(
        BIG.format(after=5)
        + """
    model = settings.fit(ratings, callback=lambda event: seen.append(event.sweep) and None)
    print(model.stopped, "|", len(model.trace), "|", np.isfinite(model.user_table).all())
    print("seconds", time.perf_counter() - sent[0], file=sys.stderr)
"""
    )
    assert done.returncode == 0, done.stderr
    # Five half-sweeps were seen, so the third sweep was under way: two whole ones and the closing pass stay.
    assert done.stdout.startswith("interrupted after 2 whole sweeps | 5 | True"), done.stdout


def test_trap_30_ctrl_c_before_the_first_whole_sweep_is_raised_within_a_second():
    done = run(
        BIG.format(after=0)
        + """
    try:
        settings.fit(ratings)
    except KeyboardInterrupt:
        print("raised after", time.perf_counter() - sent[0])
"""
    )
    assert done.stdout.startswith("raised after"), done.stderr
    assert float(done.stdout.split()[-1]) < 1.0


def test_trap_30_another_thread_can_stop_a_half_sweep():
    from alternant.solvers import solve_side

    ratings = ratings_of(random_ratings(0, 8000, 500, known=0.2))
    model = ExplicitALS(n_factors=128, n_sweeps=1).fit(ratings)
    stop = np.zeros(1, np.int32)
    threading.Timer(0.02, stop.fill, [1]).start()

    def solve_for_ever():
        while True:
            solve_side(model.problem, "users", ratings.by_user, model.fixed_items, stop=stop)

    with pytest.raises(InterruptedError, match="stopped between two chunks"):
        solve_for_ever()

"""The entry: what is searched and measured on, the search, the last choice, the test."""

import os
import time
from dataclasses import replace

from alternant import _settings
from alternant.als import ExplicitALS, ImplicitALS, check_metric, validator
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.kernels import resolve_threads
from alternant.splitting import Split, leave_last_out, random_split, time_split
from alternant.tuning._finals import Finalist, PutAside, finals
from alternant.tuning._result import Trial, Tuned
from alternant.tuning._search import Job, Search
from alternant.tuning._space import Estimator, Space, check_space, default_space
from alternant.tuning._study import Study

INTERRUPTED = "interrupted"
DEFAULT_TRIALS = 40
SEARCH_SHARE = 0.75
"""Of the time; the rest is for the last choice."""
MOST_SWEEPS = 24

# From small start values errors of ratings stand still for a while, longer with the link.
FIRST_SWEEP = {"explicit": 8, "implicit": 4}


def tune(
    estimator: Estimator,
    data: Interactions | Split,
    *,
    metric: str = "auto",
    n_trials: int | None = None,
    time_budget: float | None = None,
    space: Space | None = None,
    validation: Interactions | None = None,
    test: bool = False,
    storage: str | os.PathLike[str] | None = None,
    n_jobs: int = 1,
    seed: int = 0,
    n_threads: int | None = None,
) -> Tuned:
    """Look for settings of an estimator that are better on held-out entries.

    Every trial fits the estimator to the training entries less a validation part, and is given up when it is
    worse than the median of the others after as many sweeps. Of ratings it stops early, so that the number of
    sweeps is found, too. The first trial is that of the settings as they are. The number of factors is small
    at first and doubled while that helps, with λ refined. At the end the five best and the settings as they
    are are fitted on three further parts, and their averages decide: the best of many values on one part is
    best by luck in good part.

    Parameters
    ----------
    estimator : ExplicitALS or ImplicitALS
        Settings that `space` does not have stay as they are.
    data : Interactions or Split
        Of a split, the training part only; its test part is looked at once, at the end, with `test`.
    metric : str
        As `validation_metric` of ``fit``. "auto": "rmse" for ratings, "ndcg@20" else.
    n_trials : int, optional
        So many trials in all, those in `storage` included; 40 where there is no time budget either.
    time_budget : float, optional
        Seconds; the trial during which they end is cut short.
    space : mapping of settings to Range or Choice, optional
        What is searched; None: :func:`default_space`.
    validation : Interactions, optional
        The validation part; there is no last choice on further parts then. None: 10 % of the training part,
        put aside as the test part was, where that was by time or the last of each user; else at random.
    test : bool, default False
        Measure the best settings and those given on the split's test part at the end, fitted to the whole
        training part.
    storage : path, optional
        Where trials are kept, so that a search that was stopped goes on: SQLite for .db and .sqlite, else a
        journal. A process at a time.
    n_jobs : int, default 1
        Trials at a time; each has its share of the threads. With more than 1 the result depends on which
        trials end first.
    seed : int, default 0
        With `n_trials` and one job, the same seed and data give the same trials, on the same build and level
        of instructions.
    n_threads : int, optional
        For all trials together.

    Returns
    -------
    Tuned
        Ctrl-C ends the search with what was found.

    Raises
    ------
    DataError
        An argument out of range, nothing to measure on, or a storage that holds another search.
    MissingExtraError
        Optuna is not installed: importing ``alternant.tuning`` says so.

    Examples
    --------
    >>> from alternant import ImplicitALS
    >>> from alternant.synthetic import catalogue
    >>> plays = catalogue(n_users=60, n_items=40, n_entries=900).interactions
    >>> tuned = tune(ImplicitALS(n_factors=8), plays, n_trials=3)
    >>> len(tuned.trials), tuned.further >= tuned.start_further
    (3, True)
    """
    if not isinstance(estimator, ExplicitALS | ImplicitALS):
        raise DataError(f"estimator must be ExplicitALS or ImplicitALS, got {type(estimator).__name__}")
    if isinstance(estimator, ExplicitALS) and estimator.n_samples > 0:
        raise DataError("a sampled fit has no regularization to tune; leave out n_samples")
    kind = "explicit" if isinstance(estimator, ExplicitALS) else "implicit"
    if callable(metric):
        raise DataError("metric must be a name such as 'ndcg@20', got a function")
    name = check_metric(metric, kind)  # type: ignore[arg-type]
    n_jobs = _settings.integer("n_jobs", n_jobs, 1)
    seed = _settings.integer("seed", seed, 0, 2**64 - 1)
    if n_trials is not None:
        n_trials = _settings.integer("n_trials", n_trials, 1)
    elif time_budget is None:
        n_trials = DEFAULT_TRIALS
    if time_budget is not None:
        time_budget = _settings.number("time_budget", time_budget, "seconds above 0", lambda x: x > 0)
    if test and not isinstance(data, Split):
        raise DataError("test needs a Split, whose test part is put aside; got interactions alone")
    train = data.train if isinstance(data, Split) else data
    check_interactions(train)
    put_aside = _put_aside(data.how if isinstance(data, Split) and train.has_times else "", seed)
    train, held_out = put_aside(train, 0) if validation is None else (train, validation)
    if space is None:
        space = default_space(estimator, train)
    check_space(space, estimator)
    sign = -1 if name in ("rmse", "mae") else 1
    first_sweep = FIRST_SWEEP[kind]
    stops_early = kind == "explicit"
    n_sweeps = max(MOST_SWEEPS, estimator.n_sweeps) if stops_early else estimator.n_sweeps
    job = Job(
        replace(
            estimator,
            n_sweeps=n_sweeps,
            patience=max(first_sweep, estimator.patience) if stops_early else n_sweeps,
            n_threads=max(1, resolve_threads(n_threads) // n_jobs),
        ),
        estimator,
        train,
        held_out,
        name,
        sign,
        stops_early,
    )
    about = {
        "estimator": f"{type(estimator).__name__} {replace(estimator, n_threads=None)!r}",
        "metric": name,
        "space": repr(dict(space)),
        "entries": [train.n_users, train.n_items, train.n_entries, held_out.n_entries],
    }
    study = Study(space, sign=sign, seed=seed, storage=storage, first_sweep=first_sweep, about=about)
    until = None if time_budget is None else time.monotonic() + time_budget
    share = SEARCH_SHARE if validation is None else 1.0
    try:
        stopped = Search(study, job, space, n_trials, time_budget, share).run(n_jobs)
        trials = study.trials
    finally:
        study.close()
    last: tuple[Finalist, ...] = ()
    if validation is None and stopped != INTERRUPTED:
        alone = replace(job, base=replace(job.base, n_threads=resolve_threads(n_threads)))
        last = finals(alone, trials, put_aside, until)
    tuned = _tuned(trials, job, last, stopped)
    if not test or stopped == INTERRUPTED or not isinstance(data, Split):
        return tuned
    start_test = _tested(job.given, data, name, n_threads)
    is_given = tuned.estimator == job.given
    return replace(
        tuned,
        test=start_test if is_given else _tested(tuned.estimator, data, name, n_threads),
        start_test=start_test,
    )


def _put_aside(how: str, seed: int) -> PutAside:
    """Return how parts are put aside: a tenth of the entries, as the test part of a split was."""

    def by_time(data: Interactions, number: int) -> tuple[Interactions, Interactions]:
        for _ in range(max(number, 1)):  # windows one before the other
            split = time_split(data, test_fraction=0.1)
            data = split.train
        return split.train, split.test

    def last(data: Interactions, number: int) -> tuple[Interactions, Interactions]:
        for _ in range(max(number, 1)):
            split = leave_last_out(data, fraction=0.1, seed=seed)
            data = split.train
        return split.train, split.test

    def random(data: Interactions, number: int) -> tuple[Interactions, Interactions]:
        split = random_split(data, test_fraction=0.1, seed=(seed + number) % 2**64)
        return split.train, split.test

    if "last" in how:
        return last
    return by_time if "time" in how else random


def _tuned(trials: tuple[Trial, ...], job: Job, last: tuple[Finalist, ...], stopped: str) -> Tuned:
    """Return the best of the last choice, or of all trials where there was none."""
    done = [trial for trial in trials if trial.value is not None]
    if not done:
        if stopped == INTERRUPTED:
            raise KeyboardInterrupt
        raise DataError("no trial came to an end; see the log, or give the search more time")
    start = next((trial.value for trial in done if not trial.settings), None)
    if last:
        best, n_sweeps = last[0].trial, last[0].n_sweeps
    else:
        best = max(done, key=lambda trial: job.sign * (trial.value or 0.0))
        n_sweeps = best.n_sweeps
    estimator = replace(job.given, **best.settings, n_sweeps=n_sweeps) if best.settings else job.given
    return Tuned(
        estimator,
        job.metric,
        float(best.value or 0.0),
        start,
        trials,
        stopped,
        further=last[0].value if last else None,
        start_further=next((each.value for each in last if not each.trial.settings), None),
    )


def _tested(estimator: Estimator, split: Split, metric: str, n_threads: int | None) -> float:
    """Fit the training part of a split, and measure on its test part."""
    threads = resolve_threads(n_threads)
    ruler = validator(
        split.test,
        metric,
        split.train,
        kind="explicit" if isinstance(estimator, ExplicitALS) else "implicit",
        all_count=isinstance(estimator, ImplicitALS) and estimator.value == "ignore",
        n_threads=threads,
    )
    return ruler.measure(replace(estimator, n_threads=threads).fit(split.train))

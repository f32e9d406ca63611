"""The search: trials one after another or beside each other, until the budget is used up."""

import logging
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from alternant import _settings
from alternant.als import ExplicitALS, ImplicitALS, check_metric, validator
from alternant.errors import AlternantError, DataError
from alternant.interactions import Interactions, check_interactions
from alternant.kernels import resolve_threads
from alternant.splitting import Split, leave_last_out, random_split, time_split
from alternant.training import HalfSweep
from alternant.tuning._plan import Next, few_factors, plan
from alternant.tuning._result import Tuned
from alternant.tuning._space import Estimator, Range, Space, check_space, default_space
from alternant.tuning._study import Asked, Study

logger = logging.getLogger("alternant.tuning")

DEFAULT_TRIALS = 40
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

    Every trial fits the estimator to the training entries less a validation part, with early stopping on that
    part, and is given up when it is worse than the median of the others after as many sweeps. The first is
    that of the settings as they are, so that the result is no worse on the validation part. The number of
    factors is small at first and doubled while that helps, with λ refined.

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
        The validation part. None: 10 % of the training part, put aside as the test part was, where that was
        by time or the last of each user; else at random.
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
    >>> len(tuned.trials), tuned.value >= tuned.start_value
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
    train, held_out = _parts(data, validation, seed)
    if space is None:
        space = default_space(estimator, train)
    check_space(space, estimator)
    sign = -1 if name in ("rmse", "mae") else 1
    first_sweep = FIRST_SWEEP[kind]
    job = _Job(
        replace(
            estimator,
            n_sweeps=max(MOST_SWEEPS, estimator.n_sweeps),
            patience=max(first_sweep, estimator.patience),
            n_threads=max(1, resolve_threads(n_threads) // n_jobs),
        ),
        estimator,
        train,
        held_out,
        name,
        sign,
    )
    about = {
        "estimator": f"{type(estimator).__name__} {replace(estimator, n_threads=None)!r}",
        "metric": name,
        "space": repr(dict(space)),
        "entries": [train.n_users, train.n_items, train.n_entries, held_out.n_entries],
    }
    study = Study(space, sign=sign, seed=seed, storage=storage, first_sweep=first_sweep, about=about)
    stopped = _Search(study, job, space, n_trials, time_budget).run(n_jobs)
    return _tuned(study, job, stopped, data if test and isinstance(data, Split) else None, n_threads)


def _parts(
    data: Interactions | Split, validation: Interactions | None, seed: int
) -> tuple[Interactions, Interactions]:
    """Return what trials are fitted to, and what they are measured on. Never looks at a test part."""
    train = data.train if isinstance(data, Split) else data
    check_interactions(train)
    if validation is not None:
        return train, validation
    how = data.how if isinstance(data, Split) else ""
    if "time" in how and train.has_times and "last" not in how:
        split = time_split(train, test_fraction=0.1)
    elif "last" in how:
        split = leave_last_out(train, fraction=0.1, seed=seed)
    else:
        split = random_split(train, test_fraction=0.1, seed=seed)
    return split.train, split.test


@dataclass(frozen=True, eq=False)
class _Job:
    """What every trial is a fit of: `base` has the most sweeps and the threads of one trial."""

    base: Estimator
    given: Estimator
    train: Interactions
    held_out: Interactions
    metric: str
    sign: int

    def run(self, asked: Asked, until: float | None, is_over: Callable[[], bool]) -> bool:
        """Fit one trial and tell the study; return whether Ctrl-C was pressed during it."""
        began = time.perf_counter()
        ended: dict[str, Any] = {"hopeless": False}

        def follow(event: HalfSweep) -> bool:
            if event.validation is not None and asked.is_hopeless(event.validation, event.sweep):
                ended["hopeless"] = True
            return ended["hopeless"] or is_over()

        left = None if until is None else max(until - time.monotonic(), 1e-3)
        try:
            estimator = replace(self.base, **asked.settings, time_budget=left)
            model = estimator.fit(
                self.train, validation=self.held_out, validation_metric=self.metric, callback=follow
            )
        except AlternantError as error:
            logger.warning("trial %d failed: %s", asked.number, error)
            asked.tell("failed", None, n_sweeps=0, seconds=time.perf_counter() - began)
            return False
        except KeyboardInterrupt:
            asked.tell("failed", None, n_sweeps=0, seconds=time.perf_counter() - began)
            return True
        was_interrupted = model.stopped.startswith("interrupted") or (is_over() and not ended["hopeless"])
        values = [entry.validation for entry in model.trace if entry.side == "items"]
        signed = [-math.inf if value is None else self.sign * value for value in values]
        value, n_sweeps = model.trace[-1].validation, 1 + signed.index(max(signed))
        state = "pruned" if ended["hopeless"] else "failed" if was_interrupted else "complete"
        seconds = time.perf_counter() - began
        asked.tell(state, value, n_sweeps=n_sweeps, seconds=seconds)  # type: ignore[arg-type]
        logger.info(
            "trial %d: %s %.4f in %d sweeps, %.1f s%s; %s",
            asked.number,
            self.metric,
            value,
            n_sweeps,
            seconds,
            "" if state == "complete" else f" ({state})",
            _in_words(asked.settings),
        )
        return was_interrupted


class _Search:
    """Asks the plan for the next trial as long as there is a budget."""

    def __init__(
        self, study: Study, job: _Job, space: Space, n_trials: int | None, time_budget: float | None
    ) -> None:
        self.study, self.job, self.space = study, job, space
        self.n_trials, self.time_budget = n_trials, time_budget
        self.began = time.monotonic()
        self.until = None if time_budget is None else self.began + time_budget
        self.n_before = self.n_begun = len(study.trials)
        self.is_over = False

    def run(self, n_jobs: int) -> str:
        """Run trials until the budget is used up; return why it ended."""
        return self._one_by_one() if n_jobs == 1 else self._beside(n_jobs)

    def _one_by_one(self) -> str:
        while (why := self._end()) is None:
            if self.job.run(self._next(), self.until, lambda: False):
                return "interrupted"
        return why

    def _beside(self, n_jobs: int) -> str:
        running: set[Future[bool]] = set()
        with ThreadPoolExecutor(n_jobs) as pool:
            try:
                while True:
                    why = self._end()
                    while why is None and len(running) < n_jobs:
                        running.add(pool.submit(self.job.run, self._next(), self.until, lambda: self.is_over))
                        why = self._end()
                    if not running:
                        return why or ""
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    for each in ended:
                        each.result()
            except KeyboardInterrupt:
                self.is_over = True  # trials end with their half-sweep
                return "interrupted"

    def _end(self) -> str | None:
        if self.n_trials is not None and self.n_begun >= self.n_trials:
            return "all trials done"
        if self.n_begun > self.n_before and self.until is not None and time.monotonic() >= self.until:
            return f"the time budget of {self.time_budget:g} s is used up"
        return None

    def _share(self) -> float:
        """Return which share of the budget is used up."""
        shares = [0.0]
        if self.n_trials is not None:
            shares.append(self.n_begun / self.n_trials)
        if self.time_budget is not None:
            shares.append((time.monotonic() - self.began) / self.time_budget)
        return max(shares)

    def _next(self) -> Asked:
        number, self.n_begun = self.n_begun, self.n_begun + 1
        if number == 0:
            return self.study.ask(Next({}))
        few = few_factors(self.space)
        if number == 1 and few is not None:
            return self.study.ask(Next(_middle(self.space, self.job.given, few)))
        return self.study.ask(plan(self.space, self.study.done, self._share(), self.study.tried))


def _middle(space: Space, given: Estimator, few: int) -> dict[str, Any]:
    """Return the settings as they are, by numbers of the space, at few factors."""
    settings: dict[str, Any] = {}
    for name, where in space.items():
        value = getattr(given, name)
        if isinstance(where, Range):
            is_number = isinstance(value, int | float) and where.low <= value <= where.high
            middle = math.sqrt(where.low * where.high) if where.log else (where.low + where.high) / 2
            is_word = where.word is not None and value == where.word
            settings[name] = value if is_number or is_word else middle
        else:
            settings[name] = value if value in where.values else where.values[0]
    return settings | {"n_factors": few}


def _tuned(study: Study, job: _Job, stopped: str, split: Split | None, n_threads: int | None) -> Tuned:
    """Return the best of all trials; with a split, measure it on its test part."""
    trials = study.trials
    done = [trial for trial in trials if trial.value is not None]
    if not done:
        if stopped == "interrupted":
            raise KeyboardInterrupt
        raise DataError("no trial came to an end; see the log, or give the search more time")
    best = max(done, key=lambda trial: job.sign * (trial.value or 0.0))
    estimator = replace(job.given, **best.settings, n_sweeps=best.n_sweeps)
    start = next((trial.value for trial in done if not trial.settings), None)
    tuned = Tuned(estimator, job.metric, float(best.value or 0.0), start, trials, stopped)
    if split is None or stopped == "interrupted":
        return tuned

    def measured(each: Estimator) -> float:
        threads = resolve_threads(n_threads)
        ruler = validator(
            split.test,
            job.metric,
            split.train,
            kind="explicit" if isinstance(each, ExplicitALS) else "implicit",
            all_count=isinstance(each, ImplicitALS) and each.value == "ignore",
            n_threads=threads,
        )
        model = replace(each, n_threads=threads).fit(split.train)
        return ruler.measure(model)

    return replace(tuned, test=measured(estimator), start_test=measured(job.given))


def _in_words(settings: dict[str, Any]) -> str:
    words = [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in settings.items()
    ]
    return ", ".join(words) or "the settings given"

"""Trials one after another, or beside each other, until the budget is used up."""

import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from alternant.errors import AlternantError
from alternant.interactions import Interactions
from alternant.model import FactorModel
from alternant.training import HalfSweep
from alternant.tuning._plan import Next, few_factors, plan
from alternant.tuning._space import Estimator, Range, Space
from alternant.tuning._study import Asked, Study

logger = logging.getLogger("alternant.tuning")


@dataclass(frozen=True, eq=False)
class Job:
    """What every trial is a fit of: `base` has the most sweeps and the threads of one trial."""

    base: Estimator
    given: Estimator
    train: Interactions
    held_out: Interactions
    metric: str
    sign: int
    stops_early: bool

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
        value, n_sweeps = outcome(model, self)
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


class Search:
    """Asks the plan for the next trial as long as there is a budget."""

    def __init__(
        self,
        study: Study,
        job: Job,
        space: Space,
        n_trials: int | None,
        time_budget: float | None,
        share: float,
    ) -> None:
        self.study, self.job, self.space = study, job, space
        self.n_trials, self.time_budget = n_trials, time_budget
        self.began = time.monotonic()
        self.share = share  # of the time budget that the search may use
        self.until = None if time_budget is None else self.began + share * time_budget
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
            shares.append((time.monotonic() - self.began) / (self.share * self.time_budget))
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


def outcome(model: FactorModel, job: "Job") -> tuple[float, int]:
    """Return the value of a fit and its number of sweeps.

    Of ratings those of its best sweep. Lists can be best by accident in one of the first sweeps, far from
    where the fit converges to, with a value that other data do not confirm: so what counts is the last sweep.
    """
    values = [entry.validation or 0.0 for entry in model.trace if entry.side == "items"]
    if not job.stops_early:
        return values[-1], job.given.n_sweeps
    signed = [job.sign * value for value in values]
    return model.trace[-1].validation or 0.0, 1 + signed.index(max(signed))


def _in_words(settings: dict[str, Any]) -> str:
    words = [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in settings.items()
    ]
    return ", ".join(words) or "the settings given"

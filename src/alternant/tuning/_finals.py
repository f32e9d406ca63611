"""The last choice: the best trials and the settings as they were, measured on parts that no trial saw.

The best of hundreds of values on one validation part is best by luck in good part, above all where few users
are measured. So a few of them are fitted again on other parts, and their averages decide.
"""

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from alternant.errors import AlternantError
from alternant.interactions import Interactions
from alternant.tuning._plan import Settings
from alternant.tuning._result import Trial
from alternant.tuning._search import Job, outcome

logger = logging.getLogger("alternant.tuning")

N_FINALISTS = 5
N_PARTS = 3

PutAside = Callable[[Interactions, int], tuple[Interactions, Interactions]]
"""From interactions and a number to what is fitted, and what is measured on."""


@dataclass(frozen=True)
class Finalist:
    """Settings that were measured on all further parts.

    trial : Trial it comes from
    value : the average of the metric
    n_sweeps : the median of the best sweeps
    """

    trial: Trial
    value: float
    n_sweeps: int


def finals(
    job: Job, trials: Sequence[Trial], put_aside: PutAside, until: float | None
) -> tuple[Finalist, ...]:
    """Measure the settings as they were and the best others; the best comes first.

    Empty where the time, or Ctrl-C, ends it before two were measured, or where they were the only ones.
    """
    done = [trial for trial in trials if trial.value is not None]
    given = [trial for trial in done if not trial.settings]
    best: list[Trial] = []
    for trial in sorted(done, key=lambda each: job.sign * (each.value or 0.0), reverse=True):
        if trial.settings and all(trial.settings != each.settings for each in best):
            best.append(trial)
    chosen = [*given, *best[:N_FINALISTS]]
    if len(chosen) < 2:
        return ()
    parts = [put_aside(job.train, number) for number in range(1, N_PARTS + 1)]
    found = []
    for trial in chosen:
        finalist = _measured(job, trial, parts, until)
        if finalist is None:
            break
        found.append(finalist)
    if len(found) < 2:
        return ()
    return tuple(sorted(found, key=lambda each: job.sign * each.value, reverse=True))


def _measured(
    job: Job, trial: Trial, parts: Sequence[tuple[Interactions, Interactions]], until: float | None
) -> Finalist | None:
    settings: Settings = trial.settings
    values, n_sweeps = [], [trial.n_sweeps]
    for train, held_out in parts:
        if until is not None and time.monotonic() >= until:
            return None
        try:
            model = replace(job.base, **settings).fit(
                train, validation=held_out, validation_metric=job.metric
            )
        except (AlternantError, KeyboardInterrupt) as error:
            logger.warning(
                "trial %d was not measured on further parts: %s", trial.number, error or "interrupted"
            )
            return None
        if model.stopped.startswith("interrupted"):
            return None
        value, sweeps = outcome(model, job)
        values.append(value)
        n_sweeps.append(sweeps)
    finalist = Finalist(trial, statistics.fmean(values), round(statistics.median(n_sweeps)))
    logger.info("trial %d on further parts: %s %.4f", trial.number, job.metric, finalist.value)
    return finalist

"""What a search found: the best settings, and every trial."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._frames import FrameType, make_frame
from alternant.als import ExplicitALS
from alternant.tuning._space import Estimator

State = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class Trial:
    """One fit.

    Attributes
    ----------
    number : int, from 0
    settings : those in which it differed from the estimator that was given
    value : float, of the metric on the validation entries: of ratings the best sweep's, of lists the last
        one's; None where the trial was given up
    n_sweeps : int, of the settings; 0 where the trial failed
    seconds : float
    state : "complete", "pruned" (given up for values far from the best) or "failed"
    """

    number: int
    settings: Mapping[str, Any]
    value: float | None
    n_sweeps: int
    seconds: float
    state: State


@dataclass(frozen=True, eq=False, repr=False)
class Tuned:
    """The result of :func:`tune`; ``print`` shows it.

    Attributes
    ----------
    estimator : ExplicitALS or ImplicitALS with the best settings, to be fitted to all of the data
    metric : str
    value : float, that of the best settings on the validation entries. It is too good: it was picked
    start_value : float or None, that of the settings as they were given
    trials : Trial of each fit
    further, start_further : float or None, the averages on further parts that decided, and that of the
        settings as they were given
    test : float or None, the metric on the test part that was never looked at before, of the best settings
        fitted to the whole training part
    start_test : float or None, the same of the settings as they were given
    stopped : why the search ended
    """

    estimator: Estimator
    metric: str
    value: float
    start_value: float | None
    trials: tuple[Trial, ...]
    stopped: str
    further: float | None = None
    start_further: float | None = None
    test: float | None = None
    start_test: float | None = None

    def command(self, source: str = "ratings.csv", more: Sequence[str] = ()) -> str:
        """Return the best settings as a command line that fits `source` with them, and with `more` words."""
        words = ["alternant", "fit", source]
        if not isinstance(self.estimator, ExplicitALS):
            words.append("--implicit")
        for name, value in self.settings().items():
            flag = "--" + name.replace("_", "-")
            if value is True and name != "link":
                words.append(flag)
            elif value is False and name != "link":
                words.append("--no-" + name.replace("_", "-"))
            else:
                words += [flag, str(value).lower() if isinstance(value, bool) else str(value)]
        return shlex.join([*words, *more])

    def settings(self) -> dict[str, Any]:
        """Return the settings in which the best estimator differs from the default one."""
        default = type(self.estimator)()
        return {
            field.name: value
            for field in fields(self.estimator)
            if (value := getattr(self.estimator, field.name)) != getattr(default, field.name)
        }

    def to_toml(self) -> str:
        """Return the settings file that ``alternant fit --config`` takes."""
        model = "explicit" if isinstance(self.estimator, ExplicitALS) else "implicit"
        lines = [f'model = "{model}"']
        lines += [f"{name} = {_toml(value)}" for name, value in self.settings().items()]
        return "\n".join(lines) + "\n"

    def to_frame(self, frame_type: FrameType | None = None) -> Any:
        """Return a frame of the trials: number, state, value, n_sweeps, seconds and one column per setting.

        `frame_type` None is the first of pandas, polars and pyarrow that is installed.
        """
        return make_frame(self.columns(), frame_type)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns of :meth:`to_frame`: a setting is NaN, or "" where it has words, of trials that
        left it as it was."""
        columns: dict[str, NDArray[Any]] = {
            "number": np.array([trial.number for trial in self.trials], np.int64),
            "state": np.array([trial.state for trial in self.trials], object),
            "value": np.array([trial.value for trial in self.trials], np.float64),
            "n_sweeps": np.array([trial.n_sweeps for trial in self.trials], np.int64),
            "seconds": np.array([trial.seconds for trial in self.trials], np.float64),
        }
        for name in dict.fromkeys(name for trial in self.trials for name in trial.settings):
            found = [trial.settings.get(name) for trial in self.trials]
            if all(isinstance(value, int | float | None) and not isinstance(value, bool) for value in found):
                columns[name] = np.array(found, np.float64)
            else:
                columns[name] = np.array(["" if value is None else str(value) for value in found], object)
        return columns

    def __repr__(self) -> str:
        start = "" if self.start_value is None else f" (before: {self.start_value:.4f})"
        n_pruned = sum(trial.state == "pruned" for trial in self.trials)
        lines = [
            f"Tuned: validation {self.metric} {self.value:.4f}{start}",
            f"  {len(self.trials)} trials, {n_pruned} of them given up early; {self.stopped}",
        ]
        if self.further is not None:
            before = "" if self.start_further is None else f" (before: {self.start_further:.4f})"
            lines.append(f"  on further parts {self.metric} {self.further:.4f}{before}")
        if self.test is not None:
            before = "" if self.start_test is None else f" (before: {self.start_test:.4f})"
            lines.append(f"  test {self.metric} {self.test:.4f}{before}")
        return "\n".join([*lines, f"  {self.command()}"])


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return (
        '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else repr(value)
    )

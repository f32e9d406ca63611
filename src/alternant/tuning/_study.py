"""The door to Optuna: a study, what it proposes, what it is told, and where it is stored."""

import json
import os
import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from alternant.errors import DataError
from alternant.tuning._plan import Done, Next, Settings
from alternant.tuning._result import State, Trial
from alternant.tuning._space import Choice, Range, Space

_NAME = "alternant"
_STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


class Study:
    """A search in progress.

    Values are the metric's own; `sign` is 1 where larger is better, else -1. No trial is given up before
    `first_sweep`.
    """

    def __init__(
        self,
        space: Space,
        *,
        sign: int,
        seed: int,
        storage: str | os.PathLike[str] | None,
        first_sweep: int,
        about: dict[str, Any],
    ) -> None:
        self.space, self.sign = space, sign
        self._database: optuna.storages.RDBStorage | None = None
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # what it would print is in our log
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that may change: its version is pinned by the extra
            self._study = optuna.create_study(
                study_name=_NAME,
                storage=self._opened(storage),
                direction="maximize" if sign > 0 else "minimize",
                pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=first_sweep),
                load_if_exists=True,
            )
        try:
            _check_same(self._study, about)
        except DataError:
            self.close()
            raise
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)  # of a process that was killed
        self._sampler = optuna.samplers.TPESampler(
            seed=(seed + len(self._study.trials)) % 2**32, n_startup_trials=8
        )

    def close(self) -> None:
        """Let go of the database, where there is one; nothing may be asked or told any more."""
        if self._database is not None:
            self._database.remove_session()
            self._database.engine.dispose()

    def _opened(self, storage: str | os.PathLike[str] | None) -> Any:
        """Return what Optuna keeps trials in."""
        if storage is None:
            return None
        name = os.fspath(storage)
        if "://" not in name:
            if not name.endswith((".db", ".sqlite", ".sqlite3")):
                return optuna.storages.JournalStorage(JournalFileBackend(name))
            name = f"sqlite:///{os.path.abspath(name)}"
        self._database = optuna.storages.RDBStorage(name)
        return self._database

    def ask(self, what: Next) -> "Asked":
        """Begin a trial."""
        if what.settings is not None:
            self._study.enqueue_trial(_parameters(self.space, what.settings))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._study.sampler = (
                optuna.samplers.PartialFixedSampler(dict(what.fixed), self._sampler)
                if what.fixed
                else self._sampler
            )
            trial = self._study.ask()
            # The settings as they are lie nowhere in the space: the sampler must learn nothing from them.
            searched = {} if what.settings == {} else self.space
            proposed = {name: _suggested(trial, name, where) for name, where in searched.items()}
        settings = _used(proposed) if what.settings is None else dict(what.settings)
        trial.set_user_attr("settings", json.dumps(settings))
        return Asked(self._study, trial, settings)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials that have ended, those of earlier runs of the same storage too."""
        ended = [each for each in self._study.get_trials(deepcopy=False) if each.state in _STATES]
        return tuple(
            Trial(
                each.number,
                json.loads(each.user_attrs.get("settings", "{}")),
                each.value if each.state == TrialState.COMPLETE else None,
                int(each.user_attrs.get("n_sweeps", 0)),
                float(each.user_attrs.get("seconds", 0.0)),
                _STATES[each.state],
            )
            for each in ended
        )

    @property
    def done(self) -> tuple[Done, ...]:
        """The trials with a value, larger is better."""
        return tuple(
            Done(trial.settings, self.sign * trial.value) for trial in self.trials if trial.value is not None
        )

    @property
    def tried(self) -> Sequence[Settings]:
        """The settings of all trials, running ones too."""
        return [
            json.loads(each.user_attrs["settings"])
            for each in self._study.get_trials(deepcopy=False)
            if "settings" in each.user_attrs
        ]


class Asked:
    """A trial in progress."""

    def __init__(self, study: optuna.Study, trial: optuna.Trial, settings: dict[str, Any]) -> None:
        self._study, self._trial, self.settings = study, trial, settings
        self.number = trial.number

    def is_hopeless(self, value: float, sweep: int) -> bool:
        """Report the value after a sweep; return whether it is worse than the median of other trials."""
        self._trial.report(value, sweep)
        return self._trial.should_prune()

    def tell(self, state: State, value: float | None, *, n_sweeps: int, seconds: float) -> None:
        """End the trial."""
        self._trial.set_user_attr("n_sweeps", n_sweeps)
        self._trial.set_user_attr("seconds", round(seconds, 3))
        ends = {ours: theirs for theirs, ours in _STATES.items()}
        self._study.tell(self._trial, value if state == "complete" else None, state=ends[state])


def _check_same(study: optuna.Study, about: dict[str, Any]) -> None:
    """Refuse to go on with a search of something else."""
    stored = study.user_attrs.get("about")
    text = json.dumps(about, sort_keys=True)
    if stored is None:
        study.set_user_attr("about", text)
    elif stored != text:
        before = json.loads(stored)
        name = next((key for key in about if before.get(key) != about[key]), "space")
        raise DataError(
            f"the storage holds a search with another {name}: {before.get(name)!r}, now {about.get(name)!r}; "
            "name another file, or remove this one"
        )


def _suggested(trial: optuna.Trial, name: str, where: Range | Choice) -> Any:
    if isinstance(where, Choice):
        return trial.suggest_categorical(name, list(where.values))
    if (
        where.word is not None
        and trial.suggest_categorical(f"{name}.kind", [where.word, "number"]) == where.word
    ):
        return where.word
    if where.whole:
        return trial.suggest_int(name, int(where.low), int(where.high), log=where.log)
    found = float(f"{trial.suggest_float(name, where.low, where.high, log=where.log):.4g}")  # to be read
    return min(max(found, where.low), where.high)


def _parameters(space: Space, settings: Settings) -> dict[str, Any]:
    """Return settings as the parameters that Optuna calls them."""
    parameters: dict[str, Any] = {}
    for name, value in settings.items():
        where = space[name]
        if isinstance(where, Range) and where.word is not None:
            parameters[f"{name}.kind"] = where.word if value == where.word else "number"
            if value == where.word:
                continue
        parameters[name] = value
    return parameters


def _used(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no effect beside other settings."""
    if settings.get("link") is False:
        settings.pop("link_regularization", None)
    return settings

"""The search for settings: budget, seed, storage, pruning, and that a test part is not looked at."""

import dataclasses
import logging
import tomllib

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, ImplicitALS, Interactions
from alternant.cli.config import load as load_settings
from alternant.cli.fit import SECTIONS
from alternant.splitting import Split, leave_last_out, random_split, time_split
from alternant.synthetic import catalogue
from alternant.tuning import Choice, Range, Trial, Tuned, default_space, tune
from alternant.tuning._plan import Done, plan

DATA = catalogue(n_users=80, n_items=50, n_entries=1500).interactions
SPLIT = random_split(DATA, test_fraction=0.2, seed=1)
SMALL = {"n_factors": Range(2, 8, whole=True), "regularization": Range(0.001, 0.1)}


def without_seconds(tuned):
    return [dataclasses.replace(trial, seconds=0.0) for trial in tuned.trials]


def test_the_best_trial_is_the_result():
    tuned = tune(ImplicitALS(n_factors=4), DATA, n_trials=6, space=SMALL)
    values = [trial.value for trial in tuned.trials if trial.state == "complete"]
    assert tuned.value in values
    assert tuned.trials[0].settings == {}
    assert tuned.start_value == tuned.trials[0].value
    best = next(trial for trial in tuned.trials if trial.value == tuned.value)
    n_sweeps = tuned.estimator.n_sweeps
    assert tuned.estimator == dataclasses.replace(
        ImplicitALS(n_factors=4), **best.settings, n_sweeps=n_sweeps
    )
    assert n_sweeps == 12
    # what a trial is said to have reached is what a plain fit reaches in its last sweep
    parts = random_split(DATA, test_fraction=0.1, seed=0)
    model = dataclasses.replace(tuned.estimator, patience=12).fit(parts.train, validation=parts.test)
    assert model.trace[-2].validation == tuned.value


def test_further_parts_decide():
    """The averages that decide are of fits to parts that no trial was measured on."""
    fits = []

    class Spy(ImplicitALS):
        def fit(self, interactions, **rest):
            model = super().fit(interactions, **rest)
            fits.append((rest["validation"], model))
            return model

    tuned = tune(Spy(n_factors=4), DATA, n_trials=9, space=SMALL)
    first, further = fits[:9], fits[9:]
    assert len(further) == 3 * 6  # the settings as they were, and five more, on three parts
    primary = {pair for held_out, _ in first for pair in pairs_of(held_out)}
    for held_out, _ in further:
        assert primary.isdisjoint(pairs_of(held_out))
    means = [
        np.mean([model.trace[-2].validation for _, model in further[begin : begin + 3]])
        for begin in range(0, 18, 3)
    ]
    assert tuned.further == pytest.approx(max(means))
    assert tuned.start_further == pytest.approx(means[0])
    assert f"on further parts ndcg@20 {tuned.further:.4f} (before: {tuned.start_further:.4f})" in str(tuned)


def test_a_validation_part_of_ones_own_decides_alone():
    parts = random_split(DATA, test_fraction=0.3, seed=7)
    tuned = tune(ImplicitALS(n_factors=4), parts.train, n_trials=6, space=SMALL, validation=parts.test)
    assert tuned.further is None
    assert tuned.value == max(trial.value for trial in tuned.trials if trial.value is not None)


def pairs_of(data):
    entries = data.entries()
    return set(zip(entries.user_index.tolist(), entries.item_index.tolist(), strict=True))


def test_errors_are_minimised():
    tuned = tune(ExplicitALS(n_factors=4, link=False), DATA, n_trials=6, space=SMALL)
    assert tuned.metric == "rmse"
    assert tuned.further <= tuned.start_further
    assert tuned.value in {trial.value for trial in tuned.trials if trial.state == "complete"}


def test_the_seed_decides():
    first, again = (tune(ImplicitALS(n_factors=4), DATA, n_trials=10, space=SMALL, seed=3) for _ in range(2))
    assert without_seconds(first) == without_seconds(again)
    other = tune(ImplicitALS(n_factors=4), DATA, n_trials=10, space=SMALL, seed=4)
    assert without_seconds(first) != without_seconds(other)
    threads = tune(ImplicitALS(n_factors=4), DATA, n_trials=10, space=SMALL, seed=3, n_threads=3)
    assert without_seconds(first) == without_seconds(threads)


@pytest.mark.parametrize("name", ["search.db", "search.journal"])
def test_a_search_goes_on_where_it_stopped(tmp_path, name):
    estimator, path = ImplicitALS(n_factors=4), tmp_path / name
    first = tune(estimator, DATA, n_trials=3, space=SMALL, storage=path)
    assert len(first.trials) == 3
    second = tune(estimator, DATA, n_trials=5, space=SMALL, storage=path)
    assert without_seconds(second)[:3] == without_seconds(first)
    assert [trial.number for trial in second.trials] == [0, 1, 2, 3, 4]
    same = tune(estimator, DATA, n_trials=5, space=SMALL, storage=path)
    assert without_seconds(same) == without_seconds(second)
    assert same.estimator == second.estimator
    with pytest.raises(DataError, match="holds a search with another metric: 'ndcg@20', now 'recall@5'"):
        tune(estimator, DATA, metric="recall@5", n_trials=5, space=SMALL, storage=path)
    with pytest.raises(DataError, match="holds a search with another entries"):
        tune(estimator, SPLIT.train, n_trials=5, space=SMALL, storage=path)


def test_hopeless_trials_are_given_up():
    """Seen to fail without the callback of trials, which then all end as complete."""
    tuned = tune(ImplicitALS(), DATA, n_trials=16)
    given_up = [trial for trial in tuned.trials if trial.state == "pruned"]
    assert given_up
    assert all(trial.value is None for trial in given_up)


class _Untouchable:
    """Stands for the test part of a split: whoever looks at it fails."""

    def __getattr__(self, name):
        raise AssertionError(f"the test part was asked for {name}")


@pytest.mark.parametrize("how", ["a random 0.1 of the entries aside", "from time 5 on aside", "last 1 aside"])
def test_the_test_part_is_not_looked_at(how):
    split = object.__new__(Split)
    fields = {"train": SPLIT.train, "test": _Untouchable(), "history": None, "unused": None, "how": how}
    for name, value in fields.items():
        object.__setattr__(split, name, value)
    tuned = tune(ImplicitALS(n_factors=4), split, n_trials=2, space=SMALL)
    assert tuned.test is None
    with pytest.raises(DataError, match="got _Untouchable"):
        tune(ImplicitALS(n_factors=4), split, n_trials=2, space=SMALL, test=True)


def test_the_test_part_is_measured_once_when_asked():
    tuned = tune(ExplicitALS(n_factors=4), SPLIT, n_trials=4, test=True)
    for estimator, value in ((tuned.estimator, tuned.test), (ExplicitALS(n_factors=4), tuned.start_test)):
        model = estimator.fit(SPLIT.train)
        entries = SPLIT.test.entries()
        users = SPLIT.test.user_ids.decode(entries.user_index)
        items = SPLIT.test.item_ids.decode(entries.item_index)
        errors = model.predict(users, items, unknown="fallback", clip=True).astype(float) - entries.values
        assert value == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-6)
    assert f"test rmse {tuned.test:.4f} (before: {tuned.start_test:.4f})" in str(tuned)


def test_validation_is_put_aside_as_the_test_part_was():
    times = np.arange(DATA.n_entries)
    entries = DATA.entries()
    timed = Interactions.from_arrays(entries.user_index, entries.item_index, entries.values, times=times)
    seen = []

    def spy(estimator, split):
        class Spy(type(estimator)):
            def fit(self, interactions, **rest):
                seen.append((interactions, rest["validation"]))
                return super().fit(interactions, **rest)

        return tune(Spy(n_factors=2), split, n_trials=1, space=SMALL)

    spy(ImplicitALS(), time_split(timed, test_fraction=0.2))
    train, held_out = seen.pop()
    assert train.by_user.times.max() < held_out.by_user.times.min()
    spy(ImplicitALS(), leave_last_out(timed, n_last=2))
    train, held_out = seen.pop()
    last = dict(zip(train.entries().user_index, train.entries().times, strict=True))
    assert all(
        time > last[user]
        for user, time in zip(held_out.entries().user_index, held_out.entries().times, strict=True)
    )


def test_a_time_budget_ends_the_search():
    """No timed assertion: a budget of nothing still gives the trial that was begun, cut after one sweep."""
    tuned = tune(ImplicitALS(n_factors=4), DATA, time_budget=1e-6, space=SMALL)
    assert len(tuned.trials) == 1
    assert tuned.stopped == "the time budget of 1e-06 s is used up"
    tuned = tune(ImplicitALS(n_factors=4), DATA, time_budget=1.0, space=SMALL)
    assert tuned.stopped == "the time budget of 1 s is used up"
    assert tuned.estimator.time_budget is None


def test_trials_beside_each_other_share_the_threads():
    seen = []

    class Spy(ImplicitALS):
        def fit(self, interactions, **rest):
            seen.append(self.n_threads)
            return super().fit(interactions, **rest)

    tuned = tune(Spy(n_factors=4), DATA, n_trials=7, space=SMALL, n_jobs=3, n_threads=6)
    assert seen[:7] == [2] * 7
    assert set(seen[7:]) == {6}  # the last choice, one after another
    assert sorted(trial.number for trial in tuned.trials) == list(range(7))
    assert tuned.estimator.n_threads is None


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_ends_with_what_was_found(n_jobs, monkeypatch):
    if n_jobs == 1:

        class Stops(ImplicitALS):
            fits = 0

            def fit(self, interactions, **rest):
                Stops.fits += 1
                if Stops.fits == 3:
                    raise KeyboardInterrupt
                return super().fit(interactions, **rest)

        tuned = tune(Stops(n_factors=4), DATA, n_trials=9, space=SMALL)
        assert [trial.state for trial in tuned.trials] == ["complete", "complete", "failed"]
    else:
        from alternant.tuning import _search

        calls = []

        def wait(running, return_when):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return plain(running, return_when=return_when)

        plain = _search.wait
        monkeypatch.setattr(_search, "wait", wait)
        tuned = tune(ImplicitALS(n_factors=4), DATA, n_trials=30, space=SMALL, n_jobs=2)
        assert 3 <= len(tuned.trials) <= 6
    assert tuned.stopped == "interrupted"


def test_a_failed_trial_is_no_end(caplog):
    space = {"regularization": Choice((0.0, 0.1)), "n_factors": Choice((2,))}
    estimator = ExplicitALS(n_factors=2, link=False, biases=False, center=False, regularization=0.1)
    few = Interactions.from_arrays([1, 1, 2, 2, 3], [1, 2, 1, 3, 2], [1.0, 2.0, 3.0, 4.0, 5.0])
    held_out = Interactions.from_arrays([1], [3], [2.0])
    with caplog.at_level(logging.WARNING, logger="alternant.tuning"):
        tuned = tune(estimator, few, n_trials=8, space=space, validation=held_out)
    assert "failed" in {trial.state for trial in tuned.trials}
    assert any("failed: no unique solution" in message for message in caplog.messages)
    assert tuned.estimator.regularization == 0.1


def tuned_with(estimator):
    trial = Trial(0, {"n_factors": 3, "link": True}, 0.5, 4, 1.0, "complete")
    return Tuned(estimator, "rmse", 0.5, None, (trial,), "all trials done")


@pytest.mark.parametrize(
    "estimator",
    [
        ExplicitALS(n_factors=3, link=True, regularization=0.25, biases=False),
        ExplicitALS(link=False, n_sweeps=7, bias_regularization=2.5),
        ImplicitALS(n_factors=48, unobserved_weight=0.125, nonnegative=True, item_discount=0.15),
        ImplicitALS(),
    ],
)
def test_settings_survive_toml_and_the_command_line(estimator, tmp_path):
    tuned = tuned_with(estimator)
    (tmp_path / "tuned.toml").write_text(tuned.to_toml())
    sections = load_settings(tmp_path / "tuned.toml", SECTIONS)
    settings = dict(sections[""])
    kind = {"explicit": ExplicitALS, "implicit": ImplicitALS}[settings.pop("model")]
    assert kind(**settings) == estimator
    assert tomllib.loads(tuned.to_toml()) == {"model": sections[""]["model"], **settings}
    assert tuned.command("a b.csv").startswith("alternant fit 'a b.csv'")


def test_the_history_as_a_frame():
    frame = tune(ExplicitALS(n_factors=4), DATA, n_trials=4).to_frame("polars")
    assert frame.columns[:5] == ["number", "state", "value", "n_sweeps", "seconds"]
    assert {"regularization", "link", "link_regularization", "n_factors"} < set(frame.columns)
    assert frame["number"].to_list() == [0, 1, 2, 3]
    assert frame["link"][0] == ""
    assert frame["n_sweeps"].min() >= 1


def test_the_plan_doubles_the_factors_while_that_helps():
    space = {"n_factors": Range(8, 256, whole=True), "regularization": Range(0.01, 1.0)}
    done, tried = [Done({}, 0.1), Done({"n_factors": 32, "regularization": 0.1}, 0.2)], []
    assert plan(space, done, 0.3, tried).fixed == {"n_factors": 32}
    asked = []
    value_of = {64: 0.3, 128: 0.25}
    for _ in range(6):
        step = plan(space, done, 0.6, tried)
        asked.append((step.settings["n_factors"], step.settings["regularization"]))
        tried.append(step.settings)
        bonus = 0.01 if step.settings["regularization"] == 0.14 else 0.0
        done.append(Done(step.settings, value_of[step.settings["n_factors"]] + bonus))
    assert asked == [(64, 0.1), (64, 0.14), (64, 0.07), (128, 0.14), (128, 0.196), (128, 0.098)]
    step = plan(space, done, 0.6, tried)  # 128 were not better: around the best from here on
    assert step.settings is None
    assert step.fixed == {"n_factors": 64}


def test_the_default_spaces_lie_around_the_rules():
    model = ImplicitALS(n_factors=2).fit(DATA)
    space = default_space(ImplicitALS(), DATA)
    for name, value in (
        ("unobserved_weight", model.problem.unobserved_weight),
        ("regularization", model.problem.user_ridge.slope),
    ):
        assert np.sqrt(space[name].low * space[name].high) == pytest.approx(value)
    model = ExplicitALS(n_factors=2).fit(DATA)
    space = default_space(ExplicitALS(), DATA)
    ridge = space["regularization"]
    assert np.sqrt(ridge.low * ridge.high) == pytest.approx(model.problem.user_ridge.slope)
    assert ridge.word == "auto"
    assert set(default_space(ImplicitALS(form="hkv", regularization=1.0), DATA)) == {
        "alpha",
        "regularization",
        "n_factors",
        "item_discount",
    }


@pytest.mark.parametrize("form", ["hkv", "missing-as-zero"])
def test_other_forms_are_tuned_too(form):
    tuned = tune(ImplicitALS(form=form, n_factors=4, regularization=1.0), DATA, n_trials=4)
    assert tuned.estimator.form == form


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(DataError, match="estimator must be ExplicitALS or ImplicitALS, got str"):
        tune("implicit", DATA)
    with pytest.raises(DataError, match="'n_sweeps' cannot be searched; expected settings of ImplicitALS"):
        tune(ImplicitALS(), DATA, space={"n_sweeps": Range(1, 2)})
    with pytest.raises(DataError, match=r"'alpha' must be searched in a Range or a Choice, got \(1, 2\)"):
        tune(ImplicitALS(), DATA, space={"alpha": (1, 2)})
    with pytest.raises(DataError, match="space must be a mapping"):
        tune(ImplicitALS(), DATA, space={})
    with pytest.raises(DataError, match="both above 0 with log=True, got 0 and 1"):
        Range(0, 1)
    with pytest.raises(DataError, match="a choice must have at least one value"):
        Choice(())
    with pytest.raises(DataError, match="test needs a Split"):
        tune(ImplicitALS(), DATA, test=True)
    with pytest.raises(DataError, match="a sampled fit has no regularization to tune"):
        tune(ExplicitALS(n_samples=3), DATA)
    with pytest.raises(DataError, match="rmse compares predictions with ratings"):
        tune(ImplicitALS(), DATA, metric="rmse")
    with pytest.raises(DataError, match="metric must be a name such as 'ndcg@20', got a function"):
        tune(ImplicitALS(), DATA, metric=max)
    with pytest.raises(DataError, match="n_trials must be a positive integer, got 0"):
        tune(ImplicitALS(), DATA, n_trials=0)

"""Settings that an estimator does not have are refused in words that help."""

import copy
import inspect
import pickle
from dataclasses import replace

import pytest

from alternant import AlternantError, ExplicitALS, ImplicitALS, UnknownSettingError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("factors", "n_factors"),
        ("iterations", "n_sweeps"),
        ("regularisation", "regularization"),
        ("regParam", "regularization"),
        ("random_state", "seed"),
        ("n_jobs", "n_threads"),
        ("bias", "biases"),
    ],
)
def test_the_closest_setting_is_named(given, meant):
    with pytest.raises(TypeError, match=f"^ExplicitALS has no setting '{given}'; did you mean '{meant}'\\?$"):
        ExplicitALS(**{given: 10})


def test_where_nothing_is_close_all_are_named():
    with pytest.raises(UnknownSettingError, match="no setting 'colour'; it has n_factors, regularization, "):
        ImplicitALS(colour=1)
    # the other estimator's setting is none of this one's
    with pytest.raises(UnknownSettingError, match="ImplicitALS has no setting 'biases'"):
        ImplicitALS(biases=True)
    assert issubclass(UnknownSettingError, AlternantError)


def test_settings_go_by_name():
    with pytest.raises(
        UnknownSettingError, match=r"go by name, got 10 .*; write ExplicitALS\(n_factors=10\)"
    ):
        ExplicitALS(10)
    with pytest.raises(UnknownSettingError, match="has no setting 'factors'"):
        replace(ExplicitALS(), factors=3)


def test_estimators_are_still_plain_dataclasses():
    estimator = ImplicitALS(n_factors=3)
    assert pickle.loads(pickle.dumps(estimator)) == estimator  # noqa: S301 - its own
    assert copy.deepcopy(estimator) == estimator
    assert list(inspect.signature(ImplicitALS).parameters) == list(ImplicitALS.__dataclass_fields__)

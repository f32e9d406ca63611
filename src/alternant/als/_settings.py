"""Settings of the estimators: declared with their help, checked when an estimator is made."""

from collections.abc import Callable
from dataclasses import field
from typing import Any

from alternant import _settings
from alternant.kernels import MOST_THREADS


def setting(default: Any, help: str) -> Any:
    """Declare a setting whose one line of help the command line shows too."""
    return field(default=default, metadata={"help": help})


def replace_field(estimator: Any, name: str, value: object) -> None:
    """Set a field of a frozen estimator that is being made."""
    object.__setattr__(estimator, name, value)


def number(
    estimator: Any,
    name: str,
    expected: str,
    fits: Callable[[float], bool],
    *,
    words: tuple[str, ...] = (),
) -> None:
    """Refuse what is no number that fits; `words` pass, and None does where it is the default."""
    value = getattr(estimator, name)
    if isinstance(value, str) and value in words:
        return
    if value is None and type(estimator).__dataclass_fields__[name].default is None:
        return
    replace_field(estimator, name, _settings.number(name, value, expected, fits))


def yes_or_no(estimator: Any, *names: str) -> None:
    """Refuse what is neither True nor False."""
    for name in names:
        replace_field(estimator, name, _settings.boolean(name, getattr(estimator, name)))


def one_of(estimator: Any, name: str, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the choices."""
    _settings.choice(name, getattr(estimator, name), choices)


def check_shared(estimator: Any) -> None:
    """Check the settings that all estimators have."""
    for name, least, most in (
        # The kernels index columns by small numbers.
        ("n_factors", 1, 65_535),
        ("n_sweeps", 1, None),
        ("seed", 0, 2**64 - 1),
    ):
        bounds = (least,) if most is None else (least, most)
        replace_field(estimator, name, _settings.integer(name, getattr(estimator, name), *bounds))
    if estimator.n_threads is not None:
        replace_field(
            estimator, "n_threads", _settings.integer("n_threads", estimator.n_threads, 1, MOST_THREADS)
        )
    number(estimator, "tol", "a number from 0 up to 1", lambda x: 0 <= x < 1)
    number(estimator, "init_scale", "a number of at least 0", lambda x: x >= 0)
    number(estimator, "l1_regularization", "a number of at least 0", lambda x: x >= 0)
    number(estimator, "attribute_regularization", "a number above 0", lambda x: x > 0)
    number(estimator, "user_discount", "a number from 0 to 2", lambda x: 0 <= x <= 2)
    number(estimator, "item_discount", "a number from 0 to 2", lambda x: 0 <= x <= 2)
    yes_or_no(estimator, "nonnegative")
    one_of(estimator, "init", ("random", "spectral"))
    one_of(estimator, "solver", ("auto", "exact"))

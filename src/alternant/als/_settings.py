"""Settings of the estimators: declared with their help, checked when an estimator is made."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from alternant import _settings
from alternant.errors import UnknownSettingError
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


_ELSEWHERE = {
    "n_factors": "rank embedding_size embedding_dim latent_dim dim k no_components",
    "n_sweeps": "iterations n_iterations n_iter niter max_iter maxiter epochs n_epochs",
    "regularization": "reg reg_param regparam lambda lambda_ reg_lambda reg_all",
    "seed": "random_state random_seed",
    "n_threads": "num_threads nthreads n_jobs workers num_workers",
    "unobserved_weight": "alpha0 unobserved",
    "nonnegative": "nonneg non_negative",
    "tol": "tolerance eps",
}
"""What other libraries call a setting, in lower case."""


def refuse_unknown(estimator: type, positional: tuple[object, ...], given: Iterable[str]) -> None:
    """Refuse settings that an estimator does not have, and those without a name."""
    known = list(estimator.__dataclass_fields__)  # type: ignore[attr-defined]
    if positional:
        raise UnknownSettingError(
            f"settings of {estimator.__name__} go by name, got {positional[0]!r} without one; "
            f"write {estimator.__name__}({known[0]}={positional[0]!r})"
        )
    unknown = next((name for name in given if name not in known), None)
    if unknown is None:
        return
    called = {name: ours for ours, names in _ELSEWHERE.items() if ours in known for name in names.split()}
    close = difflib.get_close_matches(unknown.lower(), known, n=1)
    meant = called.get(unknown.lower()) or (close[0] if close else None)
    hint = f"did you mean {meant!r}?" if meant else f"it has {', '.join(known)}"
    raise UnknownSettingError(f"{estimator.__name__} has no setting {unknown!r}; {hint}")


@dataclass(frozen=True, kw_only=True)
class FactorSettings:
    """The settings that all estimators have; their docstrings say what they mean."""

    def __new__(cls, *args: object, **settings: object) -> Self:
        """Refuse unknown settings in our words, before ``__init__`` would in Python's."""
        refuse_unknown(cls, args, settings)
        return super().__new__(cls)

    n_factors: int = setting(64, "length of a user's or item's vector")
    regularization: float | Literal["auto"] = setting("auto", "ridge λ, or auto: a rule from the data")
    attribute_regularization: float = setting(10.0, "ridge of the attributes' coefficients, in units of λ")
    nonnegative: bool = setting(False, "factors of at least 0")
    l1_regularization: float = setting(0.0, "L1 ridge of factors: λ₁·size^ν·Σ|factor|")
    transforms: str = setting("", "transforms of values, as in 'log(epsilon=1) half_life(days=30)'")
    user_discount: float = setting(0.0, "γ: entries weigh n_user^−γ")
    item_discount: float = setting(0.0, "γ: entries weigh n_item^−γ")
    n_sweeps: int = setting(12, "the most sweeps over users and items")
    tol: float = setting(1e-4, "stop when a sweep lowers the objective by less than this share; 0: never")
    patience: int = setting(3, "with validation: stop after so many sweeps without a better one")
    time_budget: float | None = setting(None, "start no sweep after so many seconds; none: no limit")
    init: Literal["random", "spectral"] = setting(
        "random", "start values: random, or leading singular vectors"
    )
    init_scale: float = setting(0.05, "size of random start values")
    solver: Literal["auto", "exact"] = setting("auto", "how rows are solved")
    seed: int = setting(0, "seed of the start values")
    n_threads: int | None = setting(None, "threads; none: what the machine offers")

    def __post_init__(self) -> None:
        for name, least, most in (
            # The kernels index columns by small numbers.
            ("n_factors", 1, 65_535),
            ("n_sweeps", 1, None),
            ("patience", 1, None),
            ("seed", 0, 2**64 - 1),
        ):
            replace_field(self, name, _settings.integer(name, getattr(self, name), least, most))
        if self.n_threads is not None:
            replace_field(self, "n_threads", _settings.integer("n_threads", self.n_threads, 1, MOST_THREADS))
        number(self, "regularization", 'a number of at least 0, or "auto"', lambda x: x >= 0, words=("auto",))
        number(self, "tol", "a number from 0 up to 1", lambda x: 0 <= x < 1)
        number(self, "time_budget", "a number of seconds above 0, or None", lambda x: x > 0)
        for name in ("init_scale", "l1_regularization"):
            number(self, name, "a number of at least 0", lambda x: x >= 0)
        number(self, "attribute_regularization", "a number above 0", lambda x: x > 0)
        for name in ("user_discount", "item_discount"):
            number(self, name, "a number from 0 to 2", lambda x: 0 <= x <= 2)
        yes_or_no(self, "nonnegative")
        one_of(self, "init", ("random", "spectral"))
        one_of(self, "solver", ("auto", "exact"))

"""The estimators: settings in, a fitted model out. They hold no state: `fit` always starts afresh."""

import logging
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from alternant import _settings
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.kernels import MOST_THREADS, resolve_threads
from alternant.model import FactorModel, TraceEntry
from alternant.objective import BiasModel, ExplicitObjective, Ridge, fit_biases, scale_free_ridge
from alternant.training import Callback, Initial, LocalBackend, alternate, finish, item_start

logger = logging.getLogger("alternant.als")

DEFAULT_EXPONENT = 0.5


def _setting(default: Any, help: str) -> Any:
    """Declare a setting whose one line of help the command line shows too."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class ExplicitALS:
    """Alternating least squares for ratings: predict the value that a user would give to an item.

    With the ridge D of a row of n entries, `fit` minimises over the stored entries (user u, item i, value r,
    weight w)

        Σ w (r − mean − b_u − b_i − p_u·q_i)²  +  Σ_u D_u·(p_u, b_u)²  +  Σ_i D_i·(q_i, b_i)²

    by solving every user's ridge regression exactly with the items fixed, then every item's with the users
    fixed. With ``regularization=λ, regularization_exponent=0, biases=False, center=False`` that is Σ (r −
    u·v)² + λ(‖U‖² + ‖V‖²).

    Every stored value counts as it is: zeros and negative values are ratings like any other.

    Parameters
    ----------
    n_factors : int, default 32
        k, the length of a user's or item's vector (the bias not counted).
    regularization : float or "auto", default "auto"
        λ: the ridge of a row is λ·n^ν on every column. "auto" is the scale-free rule: s·(0.65·asp·√n + 3) on
        factors and 3 on the bias, where s is the standard deviation of what a bias model leaves of the values
        and asp = aspect^¼ + aspect^−¼, aspect = n_items / n_users. It needs no tuning, and values times ten
        give predictions times ten.
    item_regularization : float, "auto" or None, default None
        λ of the items where it differs; None: the same as `regularization`.
    regularization_exponent : float, default 0.5
        ν, with a λ that is a number (0: plain ridge; 1: as Spark and ALS-WR). "auto" is made for 0.5.
    biases : bool, default True
        Learn a bias per user and per item, jointly with the factors.
    center : bool, default True
        Take the weighted mean off the values.
    n_sweeps : int, default 12
        The most sweeps: one is all users, then all items.
    tol : float, default 1e-4
        Stop when the objective falls by less than this share in a sweep (from the fourth on); 0: never.
    init : {"random", "spectral"}, default "random"
        Start the items at small random numbers that belong to their ids, or at the leading singular vectors.
    init_scale : float, default 0.05
        σ: random starts are N(0, s·σ²/k).
    solver : {"auto", "exact"}, default "auto"
        How rows are solved; today both mean exactly.
    seed : int, default 0
        From 0 to 2⁶⁴ − 1. The same seed and data give the same bits, for any number of threads.
    n_threads : int or None, default None
        None: ALTERNANT_NUM_THREADS, else what CPU affinity and the cgroup quota allow.

    Raises
    ------
    DataError
        A setting out of its range.

    Examples
    --------
    >>> from alternant import ExplicitALS, Interactions
    >>> ratings = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5.0, 3.0, 4.0])
    >>> model = ExplicitALS(n_factors=1).fit(ratings)
    >>> model.n_users, model.n_items
    (2, 2)
    """

    n_factors: int = _setting(32, "length of a user's or item's vector")
    regularization: float | Literal["auto"] = _setting("auto", "ridge λ, or auto: the scale-free rule")
    item_regularization: float | Literal["auto"] | None = _setting(None, "λ of the items where it differs")
    regularization_exponent: float = _setting(
        DEFAULT_EXPONENT, "ν of the ridge λ·n^ν of a row with n entries"
    )
    biases: bool = _setting(True, "learn a bias per user and per item")
    center: bool = _setting(True, "take the mean off the values")
    n_sweeps: int = _setting(12, "the most sweeps over users and items")
    tol: float = _setting(1e-4, "stop when a sweep lowers the objective by less than this share; 0: never")
    init: Literal["random", "spectral"] = _setting(
        "random", "start values: random, or leading singular vectors"
    )
    init_scale: float = _setting(0.05, "size of random start values")
    solver: Literal["auto", "exact"] = _setting("auto", "how rows are solved")
    seed: int = _setting(0, "seed of the start values")
    n_threads: int | None = _setting(None, "threads; none: what the machine offers")

    def __post_init__(self) -> None:
        def replace(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        # A positive integer below 2¹⁶: the kernels index columns by small numbers.
        replace("n_factors", _settings.integer("n_factors", self.n_factors, 1, 65_535))
        replace("n_sweeps", _settings.integer("n_sweeps", self.n_sweeps, 1))
        replace("seed", _settings.integer("seed", self.seed, 0, 2**64 - 1))
        if self.n_threads is not None:
            replace("n_threads", _settings.integer("n_threads", self.n_threads, 1, MOST_THREADS))
        for name, words, fits in (
            ("regularization", 'a number of at least 0, or "auto"', lambda x: x >= 0),
            ("item_regularization", 'a number of at least 0, "auto" or None', lambda x: x >= 0),
            ("regularization_exponent", "a number from 0 to 2", lambda x: 0 <= x <= 2),
            ("tol", "a number from 0 up to 1", lambda x: 0 <= x < 1),
            ("init_scale", "a number of at least 0", lambda x: x >= 0),
        ):
            value = getattr(self, name)
            if not (name.endswith("regularization") and isinstance(value, str) and value == "auto") and not (
                name == "item_regularization" and value is None
            ):
                replace(name, _settings.number(name, value, words, fits))
        for name in ("biases", "center"):
            replace(name, _settings.boolean(name, getattr(self, name)))
        _settings.choice("init", self.init, ("random", "spectral"))
        _settings.choice("solver", self.solver, ("auto", "exact"))
        uses_rule = "auto" in (self.regularization, self.item_regularization)
        if uses_rule and self.regularization_exponent != DEFAULT_EXPONENT:
            raise DataError(
                f'regularization="auto" is made for regularization_exponent={DEFAULT_EXPONENT}, '
                f"got {self.regularization_exponent!r}; give regularization as a number"
            )

    def fit(
        self, interactions: Interactions, *, initial: Initial | None = None, callback: Callback | None = None
    ) -> FactorModel:
        """Fit the model to `interactions`, from the beginning.

        Parameters
        ----------
        interactions : Interactions
            With values.
        initial : FactorModel or floating array of shape (n_items, n_factors), optional
            Item factors to start from instead of `init`. A model's are matched by id, its biases too; items
            that it does not know start as `init` says. (Users need no start: they are solved first.)
        callback : function of a HalfSweep, optional
            Called after each half-sweep with its number, objective, seconds and tables; a true result ends
            the fit.

        Returns
        -------
        FactorModel
            A snapshot; the estimator stays as it was. Ctrl-C ends the fit with the last whole sweep, and
            ``model.stopped`` says so.

        Raises
        ------
        DataError
            No interactions, no values, or start values of another shape.
        SingularSystemError
            A row without a unique solution, by id: only possible where the ridge is 0.
        DivergedError
            Values so large that factors overflow.
        """
        check_interactions(interactions)
        if interactions.n_entries == 0:
            raise DataError("interactions must not be empty: there is nothing to fit")
        if not interactions.has_values:
            raise DataError(
                "ExplicitALS needs values (ratings), got interactions without; "
                "name the value column with value="
            )
        n_threads = resolve_threads(self.n_threads)
        values = interactions.summary()
        if values.value_min == values.value_max:
            logger.warning(
                "every value is %s, so the model can predict nothing else; if that is not meant, name the "
                "value column with value=",
                values.value_min,
            )
        bias_model = fit_biases(interactions, center=self.center, n_threads=n_threads)
        objective = self._objective(interactions, bias_model)
        start = item_start(
            interactions,
            objective,
            init=self.init,
            scale=self.init_scale * math.sqrt(bias_model.scale),
            seed=self.seed,
            initial=initial,
            n_threads=n_threads,
        )
        backend = LocalBackend(interactions, objective, n_threads)
        trained = alternate(
            backend,
            start,
            n_users=interactions.n_users,
            item_penalty=objective.penalty("items", start, interactions.by_item.counts),
            n_sweeps=self.n_sweeps,
            tol=self.tol,
            callback=callback,
        )
        finished = finish(
            backend, objective, trained.item_table, n_users=interactions.n_users, n_threads=n_threads
        )
        item_counts = interactions.by_item.counts
        value = float(finished.users.losses.sum()) + objective.penalty(
            "items", finished.item_table, item_counts
        )
        last = trained.trace[-1]
        in_range = (
            None
            if values.value_min is None or values.value_max is None
            else (values.value_min, values.value_max)
        )
        return FactorModel(
            user_ids=interactions.user_ids,
            item_ids=interactions.item_ids,
            user_table=finished.users.table,
            item_table=finished.item_table,
            problem=objective,
            settings={"estimator": type(self).__name__, **asdict(self)},
            user_counts=interactions.by_user.counts,
            item_counts=item_counts,
            omega=finished.omega,
            history=interactions,
            trace=(*trained.trace, TraceEntry(last.sweep + 1, "users", value, last.seconds)),
            stopped=trained.stopped,
            value_range=in_range,
            frame_type=interactions.frame_type,
        )

    def _objective(self, interactions: Interactions, bias_model: BiasModel) -> ExplicitObjective:
        """Resolve "auto" on these data."""

        def ridge(regularization: float | Literal["auto"]) -> Ridge:
            if regularization == "auto":
                return scale_free_ridge(interactions, bias_model.scale)
            return Ridge.plain(regularization, self.regularization_exponent)

        items = self.regularization if self.item_regularization is None else self.item_regularization
        return ExplicitObjective(
            n_factors=self.n_factors,
            biases=self.biases,
            mean=bias_model.mean,
            user_ridge=ridge(self.regularization),
            item_ridge=ridge(items),
        )

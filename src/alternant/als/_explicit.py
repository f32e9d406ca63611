"""The estimator of ratings."""

import logging
import math
from dataclasses import dataclass
from typing import Any, Literal

from alternant import _settings
from alternant.als._catalogue import check_not_empty, with_attributes
from alternant.als._fitting import fit_model
from alternant.als._sampled import fit_sampled, refuse_settings
from alternant.als._settings import FactorSettings, number, replace_field, setting, yes_or_no
from alternant.als._validation import Metric, check_metric, validator
from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.kernels import resolve_threads
from alternant.model import FactorModel
from alternant.objective import (
    BiasModel,
    ExplicitObjective,
    Ridge,
    day_ridge_rule,
    fit_biases,
    scale_free_ridge,
)
from alternant.preparation import Preparation
from alternant.training import Callback, Initial

logger = logging.getLogger("alternant.als")

DEFAULT_EXPONENT = 0.5

# What sampling draws itself, or has no use for.
NOT_SAMPLED = (
    "regularization",
    "item_regularization",
    "regularization_exponent",
    "biases",
    "bias_regularization",
    "day_bias_regularization",
    "link_regularization",
    "attribute_regularization",
    "nonnegative",
    "l1_regularization",
    "n_sweeps",
    "tol",
    "patience",
    "time_budget",
    "init",
    "init_scale",
)


@dataclass(frozen=True, kw_only=True)
class ExplicitALS(FactorSettings):
    """Alternating least squares for ratings: predict the value that a user would give to an item.

    With the ridge D of a row of n entries, `fit` minimises over the stored entries (user u, item i, value r,
    weight w)

        Σ w (r − mean − b_u − b_i − p_u·q_i)²  +  Σ_u D_u·(p_u − m_u, b_u)²  +  Σ_i D_i·(q_i − m_i, b_i)²

    by solving every user's ridge regression exactly with the items fixed, then every item's with the users
    fixed. With ``regularization=λ, regularization_exponent=0, biases=False, center=False`` that is Σ (r −
    u·v)² + λ(‖U‖² + ‖V‖²). The prior means m are 0, but for the link and attributes: see below.

    Every stored value counts as it is: zeros and negative values are ratings like any other.

    Parameters
    ----------
    n_factors : int, default 64
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
    bias_regularization : float or None, default None
        The ridge of every bias; None: 3 with "auto", else λ·n^ν.
    center : bool, default True
        Take the weighted mean off the values.
    day_bias_regularization : float, "auto" or None, default None
        λ of a bias per user and day, d: then Σ w (r − mean − b_u − d_{u,day} − b_i − p_u·q_i)² + λ Σ d² and
        the rest as above. A day is 86,400 s of the entries' times, which have to be Unix seconds (datetimes
        are). None: no such biases; "auto": the noise's variance over that of users' days, from the data. They
        are for filling in ratings of days that are in the data, and ``predict`` wants their times for it;
        they say nothing of a day to come.
    link : bool or "auto", default "auto"
        Learn from who rated what: m_u = n_u^−½ Σ β_j over the items j that the user rated, the same for
        items, with β learnt along. "auto": where `regularization` is "auto".
    link_regularization : float, default 80
        The ridge of β, in units of the slope of D: λ, or s·0.65·asp with "auto".
    attribute_regularization : float, default 10
        The same for the coefficients of attributes, whose sum over a row's features is part of m.
    nonnegative : bool, default False
        Factors of at least 0, by coordinate descent; biases are free.
    l1_regularization : float, default 0
        λ₁: a row adds λ₁·n^ν·Σ|factor|, by coordinate descent.
    transforms : str, default ""
        Transforms of values, in order, as in ``"log(epsilon=1) half_life(days=30)"``. Predictions undo log
        and normalize; scores, explanations and uncertainties, and with bm25 or tfidf predictions too, are on
        the scale that they leave. See :class:`alternant.preparation.Preparation`.
    user_discount, item_discount : float, default 0
        γ: an entry's weight is multiplied by n_user^−γ · n_item^−γ over its mean.
    n_samples : int, default 0
        Predict the average over Gibbs draws of so many sweeps, instead of minimising: ridges and noise are
        drawn along, and settings about them, starts and stopping cannot be given. "auto" has the link on. See
        docs/sampling.md. 0: off.
    burn_in : int, default 20
        Sweeps before those.
    n_kept : int, default 20
        The most draws that the model holds, evenly spaced: its tables have n_kept · n_factors columns.
    n_sweeps : int, default 12
        The most sweeps: one is all users, then all items.
    tol : float, default 1e-4
        Stop when the objective falls by less than this share in a sweep (from the fourth on); 0: never.
    patience : int, default 3
        With `validation` entries, stop when so many sweeps, from the fourth on, brought no better value.
    time_budget : float or None, default None
        Seconds; the sweep in which they run out is the last. None: no limit.
    init : {"random", "spectral"}, default "random"
        Start the items at small random numbers that belong to their ids, or at the leading singular vectors.
    init_scale : float, default 0.05
        σ: random starts are N(0, s·σ²/k).
    solver : {"auto", "exact"}, default "auto"
        "exact": every row to float32 accuracy in every sweep. "auto": a few steps from where the row was,
        where that is faster; the fit converges to the same solution, and the users' pass that ends it is
        exact (docs/performance.md).
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

    item_regularization: float | Literal["auto"] | None = setting(None, "λ of the items where it differs")
    regularization_exponent: float = setting(DEFAULT_EXPONENT, "ν of the ridge λ·n^ν of a row with n entries")
    biases: bool = setting(True, "learn a bias per user and per item")
    bias_regularization: float | None = setting(None, "ridge of biases; none: 3 with auto, else λ·n^ν")
    center: bool = setting(True, "take the mean off the values")
    link: bool | Literal["auto"] = setting(
        "auto", "learn from who rated what, too; auto: where regularization is auto"
    )
    day_bias_regularization: float | Literal["auto"] | None = setting(
        None, "ridge of a bias per user and day, or auto; none: no such biases"
    )
    link_regularization: float = setting(80.0, "ridge of the link's coefficients, in units of λ")
    n_samples: int = setting(0, "average over Gibbs draws of so many sweeps; 0: minimise instead")
    burn_in: int = setting(20, "sweeps before those")
    n_kept: int = setting(20, "the most draws to keep, evenly spaced")

    def __post_init__(self) -> None:
        super().__post_init__()
        words = 'a number of at least 0, "auto" or None'
        number(self, "item_regularization", words, lambda x: x >= 0, words=("auto",))
        number(self, "regularization_exponent", "a number from 0 to 2", lambda x: 0 <= x <= 2)
        number(self, "bias_regularization", "a number of at least 0, or None", lambda x: x >= 0)
        words = 'a number above 0, "auto" or None'
        number(self, "day_bias_regularization", words, lambda x: x > 0, words=("auto",))
        number(self, "link_regularization", "a number above 0", lambda x: x > 0)
        for name, least in (("n_samples", 0), ("burn_in", 0), ("n_kept", 1)):
            replace_field(self, name, _settings.integer(name, getattr(self, name), least))
        yes_or_no(self, "biases", "center")
        if self.link != "auto":
            yes_or_no(self, "link")
        self._preparation()
        if self.n_samples > 0:
            refuse_settings(self, NOT_SAMPLED, self.n_samples)
        uses_rule = "auto" in (self.regularization, self.item_regularization)
        if uses_rule and self.regularization_exponent != DEFAULT_EXPONENT:
            raise DataError(
                f'regularization="auto" is made for regularization_exponent={DEFAULT_EXPONENT}, '
                f"got {self.regularization_exponent!r}; give regularization as a number"
            )

    def fit(
        self,
        interactions: Interactions,
        *,
        user_attributes: Any = None,
        item_attributes: Any = None,
        initial: Initial | None = None,
        validation: Interactions | None = None,
        validation_metric: Metric = "auto",
        callback: Callback | None = None,
    ) -> FactorModel:
        """Fit the model to `interactions`, from the beginning.

        Parameters
        ----------
        interactions : Interactions
            With values.
        user_attributes, item_attributes : frame, dict of columns, AttributeTable or AttributeMatrix, optional
            An id column and attributes (numbers, categories, tags): the factors of a row are drawn to what
            its attributes say, and ids that only appear here get that. See
            :class:`alternant.attributes.AttributeEncoding`.
        initial : FactorModel or floating array of shape (n_items, n_factors), optional
            Item factors to start from instead of `init`. A model's are matched by id, its biases too, and
            its coefficients of the link (by id) and of attributes (by the feature's name); items that it does
            not know start as `init` says, coefficients at 0. (Users need no start: they are solved first.)
        validation : Interactions, optional
            Entries that are not trained on. After each sweep `validation_metric` is computed on them with the
            tables of that moment (``HalfSweep.validation``, ``model.trace``), `patience` says when to stop,
            and the model is that of the best sweep. Entries of unknown ids, and for lists users without
            training entries, are left out, and their number is logged.
        validation_metric : str or function, default "auto"
            "rmse", "mae", or a metric of lists, over all items that the user has not seen: "ndcg@20",
            "recall@20", "precision@20", with any number. "auto": "rmse", for `ImplicitALS` "ndcg@20". Or a
            function of a FactorModel and the validation entries, where larger is better: negate an error.
        callback : function of a HalfSweep, optional
            Called after each half-sweep with its number, objective, seconds and tables; a true result ends
            the fit.

        Returns
        -------
        FactorModel
            A snapshot; the estimator stays as it was. Ctrl-C ends the fit with the last whole sweep (the best
            one with `validation`), and ``model.stopped`` says so.

        Raises
        ------
        DataError
            No interactions, no values (of interactions or, for errors, of `validation`), no validation entry
            of known ids, a metric that is none or not finite, no times where `day_bias_regularization` wants
            them, or start values of another shape.
        SingularSystemError
            A row without a unique solution, by id: only possible where the ridge is 0.
        DivergedError
            Values so large that factors overflow.
        """
        check_not_empty(interactions)
        if not interactions.has_values:
            raise DataError(
                "ExplicitALS needs values (ratings), got interactions without; "
                "name the value column with value="
            )
        if self.day_bias_regularization is not None and not interactions.has_times:
            raise DataError(
                "day_bias_regularization needs times, and these interactions have none; "
                "name the time column with time="
            )
        n_threads = resolve_threads(self.n_threads)
        values = interactions.summary()
        if values.value_min == values.value_max:
            logger.warning(
                "every value is %s, so the model can predict nothing else; if that is not meant, name the "
                "value column with value=",
                values.value_min,
            )
        catalogue = with_attributes(interactions, user_attributes, item_attributes)
        check_metric(validation_metric, "explicit")
        held_out = None
        if validation is not None:
            held_out = validator(
                validation,
                validation_metric,
                catalogue.interactions,
                kind="explicit",
                n_threads=n_threads,
            )
        prepared = self._preparation().fit(catalogue.interactions)
        bias_model = fit_biases(prepared.interactions, center=self.center, n_threads=n_threads)
        if self.n_samples > 0:
            if validation is not None:
                raise DataError(
                    "validation has no meaning with n_samples: draws are averaged, none of them is the best"
                )
            if initial is not None:
                raise DataError("initial has no meaning with n_samples: draws forget where they started")
            return fit_sampled(
                catalogue,
                prepared,
                bias_model,
                self,
                link=self._has_link,
                n_samples=self.n_samples,
                burn_in=self.burn_in,
                n_kept=self.n_kept,
                callback=callback,
                n_threads=n_threads,
            )
        objective = self._objective(
            prepared.interactions,
            bias_model,
            has_user_attributes=catalogue.users is not None,
            has_item_attributes=catalogue.items is not None,
        )
        return fit_model(
            catalogue,
            prepared,
            objective,
            self,
            init_scale=self.init_scale * math.sqrt(bias_model.scale),
            initial=initial,
            n_threads=n_threads,
            validator=held_out,
            callback=callback,
        )

    @property
    def _has_link(self) -> bool:
        return self.regularization == "auto" if self.link == "auto" else self.link

    def _preparation(self) -> Preparation:
        return Preparation(
            value="rating",
            transforms=self.transforms,
            user_discount=self.user_discount,
            item_discount=self.item_discount,
        )

    def _objective(
        self,
        interactions: Interactions,
        bias_model: BiasModel,
        *,
        has_user_attributes: bool,
        has_item_attributes: bool,
    ) -> ExplicitObjective:
        """Resolve "auto" on these data."""

        def ridge(regularization: float | Literal["auto"]) -> Ridge:
            if regularization == "auto":
                return scale_free_ridge(interactions, bias_model.scale, bias=self.bias_regularization)
            return Ridge.plain(regularization, self.regularization_exponent, bias=self.bias_regularization)

        items = self.regularization if self.item_regularization is None else self.item_regularization
        user_ridge, item_ridge = ridge(self.regularization), ridge(items)
        link = self._has_link
        day_ridge = self.day_bias_regularization
        return ExplicitObjective(
            n_factors=self.n_factors,
            biases=self.biases,
            mean=bias_model.mean,
            user_ridge=user_ridge,
            item_ridge=item_ridge,
            nonnegative=self.nonnegative,
            l1=self.l1_regularization,
            day_ridge=day_ridge_rule(interactions, bias_model) if day_ridge == "auto" else day_ridge,
            user_link=self.link_regularization * user_ridge.slope if link else None,
            item_link=self.link_regularization * item_ridge.slope if link else None,
            user_attributes=self.attribute_regularization * user_ridge.slope if has_user_attributes else None,
            item_attributes=self.attribute_regularization * item_ridge.slope if has_item_attributes else None,
        )

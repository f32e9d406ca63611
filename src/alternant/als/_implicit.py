"""The estimator of implicit data: clicks, plays, purchases."""

import logging
from dataclasses import dataclass, replace
from typing import Any, Literal

from alternant.als._catalogue import check_not_empty, with_attributes
from alternant.als._fitting import fit_model
from alternant.als._settings import FactorSettings, number, one_of, setting
from alternant.als._validation import Metric, check_metric, validator
from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.kernels import resolve_threads
from alternant.model import FactorModel
from alternant.objective import (
    Form,
    ImplicitObjective,
    Ridge,
    implicit_ridge_rule,
    n_active,
    positives,
    rows_of,
    unobserved_weight_rule,
    weak_positives_warning,
)
from alternant.preparation import Preparation
from alternant.training import Callback, Initial

logger = logging.getLogger("alternant.als")

FORMS: tuple[Form, ...] = ("ials", "hkv", "missing-as-zero")
VALUES = ("confidence", "count", "target", "ignore")


@dataclass(frozen=True, kw_only=True)
class ImplicitALS(FactorSettings):
    """Alternating least squares for what people did: rank the items that a user would take next.

    With p = x_u·y_i, the target t and the weight e = α·w·d·|v| of a stored entry (value v, weight w,
    discount d), `fit` minimises

        Σ_stored c (t − p)²  +  α₀ Σ_P s_u v_i p²  +  Σ_u λ·size_u^ν ‖x_u‖²  +  Σ_i λ·size_i^ν ‖y_i‖²

    where size = n + α₀·n_other of a row with n entries, and

    - ``form="ials"`` (Rendle et al. 2021): c = e, P is all pairs;
    - ``form="hkv"`` (Hu, Koren and Volinsky 2008): c = α₀ s_u v_i + e, P is the pairs that are not stored;
    - ``form="missing-as-zero"``: c = e, P is the pairs that are not stored.

    What stored values mean is `value`'s to say; a value of 0 is no entry with "confidence" and "count".

    Parameters
    ----------
    n_factors : int, default 128
        k, the length of a user's or item's vector.
    form : {"ials", "hkv", "missing-as-zero"}
    value : {"confidence", "count", "target", "ignore"}
        "confidence": |v| is how sure the entry is, its target is 1, or 0 (a dislike) where v is negative;
        "count": the same, negative values are refused; "target": v is the target, |v| counts as 1; "ignore":
        every stored entry is alike.
    alpha : float or "auto", default "auto"
        α, what an entry's weight is multiplied by. "auto": with "ials" the number that makes the mean weight
        1, else 1.
    unobserved_weight : float or "auto", default "auto"
        α₀. "auto": with "ials" 14 · entries / (users · items), else 1.
    unobserved_user_exponent, unobserved_item_exponent : float, default 0
        s_u = (n_u / mean n_u)^exponent, and v_i alike.
    regularization : float or "auto", default "auto"
        λ. "auto", with "ials" and exponent 1 only: 0.18 / √gm, gm = √(mean user size · mean item size).
    item_regularization : float or None, default None
        λ of the items where it differs.
    regularization_exponent : float or None, default None
        ν; None: 1 with "ials", else 0.
    item_regularization_exponent : float or None, default None
        ν of the items where it differs.
    attribute_regularization : float, default 1
        Ridge of the attributes' coefficients, in units of the mean ridge of a row.
    nonnegative : bool, default False
        Factors of at least 0, by coordinate descent.
    l1_regularization : float, default 0
        λ₁: a row adds λ₁·size^ν·Σ|factor|.
    transforms : str, default ""
        Transforms of values, in order, as in ``"log(epsilon=1) half_life(days=30)"``; see
        :class:`alternant.preparation.Preparation`.
    user_discount, item_discount : float, default 0
        γ: what an entry adds is multiplied by n_user^−γ · n_item^−γ over its mean.
    n_sweeps, tol, patience, time_budget, init, init_scale, solver, seed, n_threads
        As in :class:`alternant.ExplicitALS`; random starts are N(0, init_scale² / k).

    Raises
    ------
    DataError
        A setting out of its range, or "auto" where the rule does not hold.

    Examples
    --------
    >>> from alternant import ImplicitALS, Interactions
    >>> plays = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"])
    >>> model = ImplicitALS(n_factors=2).fit(plays)
    >>> model.recommend("bob").item_id.tolist()
    ['y']
    """

    n_factors: int = setting(128, "length of a user's or item's vector")
    form: Literal["ials", "hkv", "missing-as-zero"] = setting(
        "ials", "the objective: ials, hkv or missing-as-zero"
    )
    value: Literal["confidence", "count", "target", "ignore"] = setting("confidence", "what values mean")
    alpha: float | Literal["auto"] = setting("auto", "α, which multiplies the weights of entries")
    unobserved_weight: float | Literal["auto"] = setting("auto", "α₀, the weight of pairs not stored")
    unobserved_user_exponent: float = setting(0.0, "users' unobserved weight grows with n^exponent")
    unobserved_item_exponent: float = setting(0.0, "items' unobserved weight grows with n^exponent")
    item_regularization: float | None = setting(None, "λ of the items where it differs")
    regularization_exponent: float | None = setting(
        None, "ν of the ridge λ·size^ν; none: 1 with ials, else 0"
    )
    item_regularization_exponent: float | None = setting(None, "ν of the items where it differs")
    attribute_regularization: float = setting(1.0, "ridge of the attributes' coefficients")
    init_scale: float = setting(0.1, "size of random start values")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self, "form", FORMS)
        one_of(self, "value", VALUES)
        number(self, "alpha", 'a number above 0, or "auto"', lambda x: x > 0, words=("auto",))
        number(
            self, "unobserved_weight", 'a number of at least 0, or "auto"', lambda x: x >= 0, words=("auto",)
        )
        number(self, "regularization", 'a number of at least 0, or "auto"', lambda x: x >= 0, words=("auto",))
        number(self, "item_regularization", "a number of at least 0, or None", lambda x: x >= 0)
        for name in ("regularization_exponent", "item_regularization_exponent"):
            number(self, name, "a number from 0 to 2, or None", lambda x: 0 <= x <= 2)
        for name in ("unobserved_user_exponent", "unobserved_item_exponent"):
            number(self, name, "a number from -2 to 2", lambda x: -2 <= x <= 2)
        self._preparation()
        if self.regularization != "auto":
            return
        if self.form != "ials":
            raise DataError(
                f'regularization="auto" is a rule for form="ials", got form={self.form!r}; '
                "give regularization as a number"
            )
        if self._exponent("users") != 1.0 or self._exponent("items") != 1.0:
            raise DataError(
                'regularization="auto" is made for regularization_exponent=1, '
                f"got {self._exponent('users')!r} and {self._exponent('items')!r} for users and items; "
                "give regularization as a number"
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
        """Fit the model to `interactions`, from the beginning; parameters, result and errors as in
        :meth:`alternant.ExplicitALS.fit`, except that values are not needed.
        """
        check_not_empty(interactions)
        n_threads = resolve_threads(self.n_threads)
        catalogue = with_attributes(interactions, user_attributes, item_attributes)
        check_metric(validation_metric, "implicit")
        held_out = None
        if validation is not None:
            held_out = validator(
                validation,
                validation_metric,
                catalogue.interactions,
                kind="implicit",
                all_count=self.value == "ignore",
                n_threads=n_threads,
            )
        prepared = self._preparation().fit(catalogue.interactions)
        if prepared.interactions.n_entries == 0:
            raise DataError(
                f"no entry is left: with value={self.value!r} an entry of value 0 is none; "
                'pass value="ignore" where every row counts'
            )
        objective = self._objective(
            prepared.interactions,
            has_user_attributes=catalogue.users is not None,
            has_item_attributes=catalogue.items is not None,
        )
        if positives(prepared.interactions) == 0:
            logger.warning(
                "no entry has a target above 0, so every score is 0; a negative value under "
                'value="confidence" is a dislike'
            )
        if (warning := weak_positives_warning(objective, prepared.interactions)) is not None:
            logger.warning("%s", warning)
        return fit_model(
            catalogue,
            prepared,
            objective,
            self,
            init_scale=self.init_scale,
            initial=initial,
            n_threads=n_threads,
            validator=held_out,
            callback=callback,
        )

    def _exponent(self, side: Literal["users", "items"]) -> float:
        default = 1.0 if self.form == "ials" else 0.0
        users = default if self.regularization_exponent is None else self.regularization_exponent
        if side == "items" and self.item_regularization_exponent is not None:
            return self.item_regularization_exponent
        return users

    def _preparation(self) -> Preparation:
        alpha = 1.0 if self.alpha == "auto" and self.form != "ials" else self.alpha
        return Preparation(
            value=self.value,
            transforms=self.transforms,
            user_discount=self.user_discount,
            item_discount=self.item_discount,
            scale=alpha,
        )

    def _objective(
        self, interactions: Interactions, *, has_user_attributes: bool, has_item_attributes: bool
    ) -> ImplicitObjective:
        """Resolve "auto" on these data."""
        n_users, n_items = n_active(interactions)
        unobserved = self.unobserved_weight
        if unobserved == "auto":
            unobserved = unobserved_weight_rule(interactions) if self.form == "ials" else 1.0
        users = self.regularization
        if users == "auto":
            users = implicit_ridge_rule(interactions, unobserved)
        items = users if self.item_regularization is None else self.item_regularization
        objective = ImplicitObjective(
            n_factors=self.n_factors,
            form=self.form,
            unobserved_weight=unobserved,
            user_ridge=Ridge.plain(users, self._exponent("users")),
            item_ridge=Ridge.plain(items, self._exponent("items")),
            n_users=n_users,
            n_items=n_items,
            user_exponent=self.unobserved_user_exponent,
            item_exponent=self.unobserved_item_exponent,
            mean_user_count=interactions.n_entries / n_users,
            mean_item_count=interactions.n_entries / n_items,
            nonnegative=self.nonnegative,
            l1=self.l1_regularization,
        )
        return replace(
            objective,
            user_attributes=self._attribute_ridge(objective, "users", interactions)
            if has_user_attributes
            else None,
            item_attributes=self._attribute_ridge(objective, "items", interactions)
            if has_item_attributes
            else None,
        )

    def _attribute_ridge(
        self, objective: ImplicitObjective, side: Literal["users", "items"], interactions: Interactions
    ) -> float:
        """Return the ridge of attribute coefficients: in units of the mean ridge of a row with entries."""
        counts = rows_of(interactions, side).counts
        return self.attribute_regularization * float(
            objective.diagonal(side, counts[counts > 0])[:, 0].mean()
        )

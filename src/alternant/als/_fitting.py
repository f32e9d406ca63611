"""What all estimators do once their objective is resolved: start, alternate, finish, and make a model."""

import logging
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from alternant.als._settings import FactorSettings
from alternant.attributes import AttributeEncoding
from alternant.days import UserDays
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions, check_interactions
from alternant.model import FactorModel, TraceEntry
from alternant.model.priors import SidePrior, prior_parts, side_prior
from alternant.objective import Objective, Side, Table, rows_of
from alternant.preparation import Prepared, value_steps
from alternant.prior import PriorPart, coefficient_penalty, prior_mean, with_means
from alternant.training import (
    Callback,
    Initial,
    LocalBackend,
    SideState,
    State,
    alternate,
    coefficient_start,
    finish,
    item_start,
)

logger = logging.getLogger("alternant.als")


@dataclass(frozen=True, eq=False)
class SideAttributes:
    """The attributes of one side, encoded: `features` is EntryRows of shape (n_ids, n_features)."""

    encoding: AttributeEncoding
    features: EntryRows


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The interactions, their ids grown by those that only attributes know, and the attributes."""

    interactions: Interactions
    users: SideAttributes | None
    items: SideAttributes | None


def check_not_empty(interactions: Interactions) -> None:
    """Refuse what cannot be fitted."""
    check_interactions(interactions)
    if interactions.n_entries == 0:
        raise DataError("interactions must not be empty: there is nothing to fit")


def with_attributes(interactions: Interactions, user_attributes: Any, item_attributes: Any) -> Catalogue:
    """Encode attributes; ids that only they know join the interactions' ids, without entries."""
    users = _encoding(user_attributes, "user", interactions.user_ids)
    items = _encoding(item_attributes, "item", interactions.item_ids)
    grown = interactions.grown(
        user_labels=() if users is None else users.new_ids(user_attributes, what="user"),
        item_labels=() if items is None else items.new_ids(item_attributes, what="item"),
    )
    return Catalogue(
        grown,
        None if users is None else _encoded(users, user_attributes, "user", grown.user_ids),
        None if items is None else _encoded(items, item_attributes, "item", grown.item_ids),
    )


def _encoding(attributes: Any, what: Literal["user", "item"], ids: IdMap) -> AttributeEncoding | None:
    return None if attributes is None else AttributeEncoding.fit(attributes, what=what, ids=ids)


def _encoding_of(attributes: SideAttributes | None) -> AttributeEncoding | None:
    return None if attributes is None else attributes.encoding


def _encoded(
    encoding: AttributeEncoding, attributes: Any, what: Literal["user", "item"], ids: IdMap
) -> SideAttributes:
    return SideAttributes(encoding, encoding.encode(attributes, ids, what=what))


def fit_model(
    catalogue: Catalogue,
    prepared: Prepared,
    objective: Objective,
    estimator: FactorSettings,
    *,
    init_scale: float,
    initial: Initial | None,
    n_threads: int,
    callback: Callback | None,
) -> FactorModel:
    """Minimise `objective` over prepared interactions, and return the model.

    Parameters
    ----------
    init_scale : random starts are N(0, init_scale² / k)
    """
    data = prepared.interactions
    user_parts = _parts(objective, "users", data, catalogue.users)
    item_parts = _parts(objective, "items", data, catalogue.items)
    start = item_start(
        data,
        objective,
        init=estimator.init,
        scale=init_scale,
        seed=estimator.seed,
        initial=initial,
        n_threads=n_threads,
    )
    user_coefficients = coefficient_start(
        user_parts, "users", data, objective, _encoding_of(catalogue.users), initial
    )
    item_coefficients = coefficient_start(
        item_parts, "items", data, objective, _encoding_of(catalogue.items), initial
    )
    days = None if objective.day_ridge is None else UserDays.of(data.by_user)
    backend = LocalBackend(
        data, objective, n_threads, user_parts, item_parts, days, exact=estimator.solver == "exact"
    )
    constant = objective.constant(data)
    trained = alternate(
        backend,
        State(
            SideState(np.zeros((data.n_users, objective.width), np.float32), user_coefficients),
            SideState(start, item_coefficients),
        ),
        n_sweeps=estimator.n_sweeps,
        tol=estimator.tol,
        constant=constant,
        callback=callback,
    )
    finished = finish(backend, objective, trained.state, n_threads=n_threads)
    regularization = (
        float(finished.users.penalties.sum())
        + coefficient_penalty(user_parts, finished.user_coefficients)
        + backend.penalty("items", SideState(finished.items.table, finished.item_coefficients))
    )
    value = constant + float((finished.users.losses - finished.users.penalties).sum()) + regularization
    last = trained.trace[-1]
    unobserved = backend.unobserved("users", finished.items, finished.users.table)
    user_mean = prior_mean(user_parts, finished.user_coefficients, n_threads=n_threads)
    item_mean = prior_mean(item_parts, finished.item_coefficients, n_threads=n_threads)
    # The range of what predict gives: of raw values, where transforms of them are undone.
    undoes = bool(value_steps(prepared.fitted.preparation))
    return FactorModel(
        user_ids=data.user_ids,
        item_ids=data.item_ids,
        user_table=with_means(finished.users.table, data.by_user.counts, user_mean),
        item_table=with_means(finished.items.table, data.by_item.counts, item_mean),
        problem=objective,
        settings={"estimator": type(estimator).__name__, **asdict(estimator)},
        user_counts=data.by_user.counts,
        item_counts=data.by_item.counts,
        omega=finished.omega,
        gram=finished.items.gram,
        preparation=None if prepared.fitted.is_trivial else prepared.fitted,
        user_prior=_prior(user_parts, finished.user_coefficients, catalogue.users),
        item_prior=_prior(item_parts, finished.item_coefficients, catalogue.items),
        user_unobserved=objective.unobserved_scale("users", data.by_user.counts),
        item_unobserved=objective.unobserved_scale("items", data.by_item.counts),
        day_biases=None
        if days is None or finished.users.day_biases is None
        else days.biases(finished.users.day_biases),
        history=catalogue.interactions,
        trace=(
            *trained.trace,
            TraceEntry(last.sweep + 1, "users", value, last.seconds, unobserved, regularization),
        ),
        stopped=trained.stopped,
        value_range=(catalogue.interactions if undoes else data).summary().value_range,
        frame_type=catalogue.interactions.frame_type,
    )


def _parts(
    objective: Objective, side: Side, data: Interactions, attributes: SideAttributes | None
) -> tuple[PriorPart, ...]:
    other_rows = data.by_item if side == "users" else data.by_user
    features = None if attributes is None else attributes.features
    rows = rows_of(data, side)
    return tuple(prior_parts(objective, side, rows, features, columns=other_rows, fitted=True))


def _prior(
    parts: tuple[PriorPart, ...], coefficients: tuple[Table, ...], attributes: SideAttributes | None
) -> SidePrior:
    if attributes is None:
        return side_prior(parts, coefficients, None, None)
    return side_prior(parts, coefficients, attributes.encoding, attributes.features)

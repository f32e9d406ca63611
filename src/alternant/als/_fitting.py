"""What all estimators do once their objective is resolved: start, alternate, finish, and make a model."""

from dataclasses import replace

import numpy as np

from alternant.als._catalogue import Catalogue, SideAttributes, encoding_of
from alternant.als._making import ModelMaker
from alternant.als._settings import FactorSettings
from alternant.als._validation import Validator
from alternant.days import UserDays
from alternant.interactions import Interactions
from alternant.model import FactorModel, TraceEntry
from alternant.model.priors import prior_parts
from alternant.objective import Objective, Side, rows_of
from alternant.preparation import Prepared
from alternant.prior import PriorPart, coefficient_penalty
from alternant.training import (
    Callback,
    Initial,
    LocalBackend,
    SideState,
    State,
    Validation,
    alternate,
    coefficient_start,
    finish,
    item_start,
)


def fit_model(
    catalogue: Catalogue,
    prepared: Prepared,
    objective: Objective,
    estimator: FactorSettings,
    *,
    init_scale: float,
    initial: Initial | None,
    n_threads: int,
    validator: Validator | None,
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
        user_parts, "users", data, objective, encoding_of(catalogue.users), initial
    )
    item_coefficients = coefficient_start(
        item_parts, "items", data, objective, encoding_of(catalogue.items), initial
    )
    days = None if objective.day_ridge is None else UserDays.of(data.by_user)
    backend = LocalBackend(
        data, objective, n_threads, user_parts, item_parts, days, exact=estimator.solver == "exact"
    )
    constant = objective.constant(data)
    maker = ModelMaker(catalogue, prepared, objective, estimator, backend)
    trained = alternate(
        backend,
        State(
            SideState(np.zeros((data.n_users, objective.width), np.float32), user_coefficients),
            SideState(start, item_coefficients),
        ),
        n_sweeps=estimator.n_sweeps,
        tol=estimator.tol,
        constant=constant,
        validation=None if validator is None else _validation(validator, maker, estimator.patience),
        time_budget=estimator.time_budget,
        callback=callback,
    )
    finished = finish(backend, objective, trained.state, n_threads=n_threads)
    items = SideState(finished.items.table, finished.item_coefficients)
    regularization = (
        float(finished.users.penalties.sum())
        + coefficient_penalty(user_parts, finished.user_coefficients)
        + backend.penalty("items", items)
    )
    value = constant + float((finished.users.losses - finished.users.penalties).sum()) + regularization
    last = trained.trace[-1]
    unobserved = backend.unobserved("users", finished.items, finished.users.table)
    end = TraceEntry(last.sweep + 1, "users", value, last.seconds, unobserved, regularization)
    users = SideState(finished.users.table, finished.user_coefficients, day_biases=finished.users.day_biases)
    model = maker.model(
        State(users, items),
        omega=finished.omega,
        gram=finished.items.gram,
        trace=(*trained.trace, end),
        stopped=trained.stopped,
    )
    if validator is None:
        return model
    end = replace(end, validation=validator.measure(model))
    return replace(model, trace=(*trained.trace, end))


def _validation(validator: Validator, maker: "ModelMaker", patience: int) -> Validation:
    """Return how the loop measures: by a model of the tables of that moment."""
    return Validation(
        validator.name,
        lambda state: validator.measure(maker.unfinished(state)),
        validator.larger_is_better,
        patience,
    )


def _parts(
    objective: Objective, side: Side, data: Interactions, attributes: SideAttributes | None
) -> tuple[PriorPart, ...]:
    other_rows = data.by_item if side == "users" else data.by_user
    features = None if attributes is None else attributes.features
    rows = rows_of(data, side)
    return tuple(prior_parts(objective, side, rows, features, columns=other_rows, fitted=True))

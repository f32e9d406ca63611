"""This library: the whole of `fit`, from a scipy matrix of users' rows, as the others take it."""

import numpy as np
from scipy import sparse

from alternant import ExplicitALS, ImplicitALS, Interactions
from alternant.training import HalfSweep
from benchmarks.engines import Fitter, Job
from benchmarks.made_data import Ratings
from benchmarks.problems import Factors, alternant_settings, starts


def fitter(ratings: Ratings, job: Job) -> Fitter:
    matrix = sparse.csr_matrix(
        (ratings.values, ratings.items, ratings.offsets), shape=(ratings.n_users, ratings.n_items)
    )
    _, items = starts(ratings, job.n_factors, seed=job.start)
    estimator_class = ImplicitALS if job.work == "implicit" else ExplicitALS
    settings = alternant_settings(job.work) | {"solver": job.options.get("solver", "auto")}
    wants_factors = job.options.get("factors", False)

    def fit(n_sweeps: int) -> Factors:
        found: list[Factors] = []

        def keep(event: HalfSweep) -> None:
            # The model has one more pass over the users than everybody else: take what was there before it.
            if wants_factors and event.sweep == n_sweeps and event.side == "items":
                found.append(_factors(event.user_table, event.item_table, job.n_factors))

        estimator = estimator_class(
            n_factors=job.n_factors, n_sweeps=n_sweeps, tol=0.0, n_threads=job.threads, **settings
        )
        model = estimator.fit(Interactions.from_matrix(matrix), initial=items, callback=keep)
        return found[0] if found else Factors(model.user_table, model.item_table)

    return Fitter(fit)


def _factors(users: np.ndarray, items: np.ndarray, k: int) -> Factors:
    if users.shape[1] == k:
        return Factors(users.copy(), items.copy())
    return Factors(users[:, :k].copy(), items[:, :k].copy(), users[:, k].copy(), items[:, k].copy())

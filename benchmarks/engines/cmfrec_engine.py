"""cmfrec: CMF_implicit, and CMF with mean and biases. It draws its own start, and solves items first."""

import cmfrec
import numpy as np
from scipy import sparse

from benchmarks.engines import Fitter, Job
from benchmarks.made_data import Ratings
from benchmarks.problems import ALPHA, EXPLICIT_RIDGE, IMPLICIT_RIDGE, Factors


def fitter(ratings: Ratings, job: Job) -> Fitter:
    matrix = sparse.coo_matrix(
        (ratings.values, (ratings.users(), ratings.items)), shape=(ratings.n_users, ratings.n_items)
    )
    shared = {
        "k": job.n_factors,
        "use_cg": job.options["use_cg"],
        "finalize_chol": False,  # a last sweep by Cholesky would not be a sweep like the others
        "use_float": True,
        "precompute_for_predictions": False,
        "nthreads": job.threads,
        "random_state": job.start + 1,
        "verbose": False,
    }

    def fit(n_sweeps: int) -> Factors:
        if job.work == "implicit":
            model = cmfrec.CMF_implicit(lambda_=IMPLICIT_RIDGE, alpha=ALPHA, niter=n_sweeps, **shared)
        else:
            model = cmfrec.CMF(lambda_=EXPLICIT_RIDGE, scale_lam=True, niter=n_sweeps, **shared)
        model.fit(matrix)
        if job.work == "implicit":
            return Factors(np.asarray(model.A_), np.asarray(model.B_))
        return Factors(
            np.asarray(model.A_),
            np.asarray(model.B_),
            np.asarray(model.user_bias_),
            np.asarray(model.item_bias_),
        )

    return Fitter(fit)

"""irspack: IALSRecommender with its three solvers; it uses no BLAS."""

import numpy as np
from irspack import IALSRecommender
from scipy import sparse

from benchmarks.engines import Fitter, Job
from benchmarks.made_data import Ratings
from benchmarks.problems import ALPHA, IMPLICIT_RIDGE, Factors, starts


def fitter(ratings: Ratings, job: Job) -> Fitter:
    matrix = sparse.csr_matrix(
        ((ALPHA * ratings.values).astype(np.float32), ratings.items, ratings.offsets),
        shape=(ratings.n_users, ratings.n_items),
    )
    users, items = starts(ratings, job.n_factors, seed=job.start)

    def fit(n_sweeps: int) -> Factors:
        recommender = IALSRecommender(
            matrix,
            n_components=job.n_factors,
            loss_type="ORIGINAL",  # c = alpha0 + value
            alpha0=1.0,
            reg=IMPLICIT_RIDGE,
            nu=0.0,
            solver_type=job.options["solver_type"],
            n_threads=job.threads,
        )
        recommender.start_learning()
        core = recommender.trainer.core_trainer
        core.user, core.item = users.copy(), items.copy()
        for _ in range(n_sweeps):
            recommender.run_epoch()
        return Factors(core.user, core.item)

    return Fitter(fit)

"""implicit (Ben Frederickson): AlternatingLeastSquares on the CPU."""

import time

import numpy as np
from implicit.cpu import _als, als
from scipy import sparse

from benchmarks.engines import Fitter, Job
from benchmarks.made_data import Ratings
from benchmarks.problems import ALPHA, IMPLICIT_RIDGE, Factors, starts


def confidences(ratings: Ratings) -> sparse.csr_matrix:
    """Return 1 + α·v, which its users store for the confidence of the paper."""
    values = (1.0 + ALPHA * ratings.values).astype(np.float32)
    return sparse.csr_matrix(
        (values, ratings.items, ratings.offsets), shape=(ratings.n_users, ratings.n_items)
    )


def fitter(ratings: Ratings, job: Job) -> Fitter:
    matrix = confidences(ratings)
    users, items = starts(ratings, job.n_factors, seed=job.start)

    def fit(n_sweeps: int) -> Factors:
        model = als.AlternatingLeastSquares(
            factors=job.n_factors,
            regularization=IMPLICIT_RIDGE,
            iterations=n_sweeps,
            use_cg=job.options["use_cg"],
            num_threads=job.threads,
        )
        model.user_factors, model.item_factors = users.copy(), items.copy()
        model.fit(matrix, show_progress=False)
        return Factors(model.user_factors, model.item_factors)

    def sample(stride: int) -> float:
        """Solve every stride-th row of both sides; the Gramian, which is whole, counts once."""
        seconds = 0.0
        for rows, mine, fixed in ((matrix, users, items), (matrix.T.tocsr(), items, users)):
            part, out = rows[::stride], np.ascontiguousarray(mine[::stride])
            began = time.perf_counter()
            fixed.T.dot(fixed)
            gramian = time.perf_counter() - began
            began = time.perf_counter()
            # als.least_squares is a version in Python, which its own fit does not use.
            _als.least_squares(part, out, fixed, IMPLICIT_RIDGE, num_threads=job.threads)
            solved = time.perf_counter() - began
            seconds += gramian + stride * max(solved - gramian, 0.0)
        return seconds

    return Fitter(fit, sample=None if job.options["use_cg"] else sample)

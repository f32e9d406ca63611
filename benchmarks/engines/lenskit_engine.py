"""LensKit: ImplicitMFScorer, and BiasedMFScorer, whose biases are fitted beforehand and stay."""

import numpy as np
import pandas as pd
from lenskit.als import BiasedMFScorer, ImplicitMFScorer
from lenskit.data import from_interactions_df
from lenskit.training import TrainingOptions

from benchmarks.engines import Fitter, Job
from benchmarks.made_data import Ratings
from benchmarks.problems import ALPHA, EXPLICIT_RIDGE, IMPLICIT_RIDGE, Factors, starts


def fitter(ratings: Ratings, job: Job) -> Fitter:
    frame = pd.DataFrame({"user_id": ratings.users(), "item_id": ratings.items, "rating": ratings.values})
    dataset = from_interactions_df(frame, users=np.arange(ratings.n_users), items=np.arange(ratings.n_items))
    users, items = starts(ratings, job.n_factors, seed=job.start)

    def fit(n_sweeps: int) -> Factors:
        if job.work == "implicit":
            scorer = ImplicitMFScorer(
                embedding_size=job.n_factors, weight=ALPHA, use_ratings=True, regularization=IMPLICIT_RIDGE
            )
        else:
            scorer = BiasedMFScorer(embedding_size=job.n_factors, regularization=EXPLICIT_RIDGE)
        trainer = scorer.create_trainer(dataset, TrainingOptions(rng=job.start + 1))
        trainer.load_parameters({"user_embeddings": users.copy(), "item_embeddings": items.copy()})
        for _ in range(n_sweeps):
            trainer.train_epoch()
        return Factors(scorer.user_embeddings, scorer.item_embeddings)

    return Fitter(fit)

"""How many held-out ratings lie in the 90 % intervals of `FactorModel.uncertainty`, on data of that model.

    python benchmarks/coverage.py

900 users, 300 items, 8 factors, a signal of variance 1; a third of the users each with 20, 60 and 200
ratings, and 20 more put aside. "true ridge" is the one that the data were drawn with, "auto" the default with
the link. Printed are the shares inside prediction ± 1.645 · uncertainty(of="rating"), of two seeds.
"""

import math

import numpy as np

from alternant import ExplicitALS, Interactions

N_USERS, N_ITEMS, K = 900, 300, 8
ENTRIES = (20, 60, 200)
INTERVAL = 1.645


def one(estimator: ExplicitALS, noise: float, *, biases: bool, seed: int) -> list[float]:
    """Return the share inside for each number of entries."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(N_USERS, K)) @ (rng.normal(size=(N_ITEMS, K)) / math.sqrt(K)).T
    if biases:
        signal += 0.3 * rng.normal(size=(N_USERS, 1)) + 0.3 * rng.normal(size=N_ITEMS)
    ratings = signal + noise * rng.normal(size=signal.shape)
    counts = np.repeat(ENTRIES, N_USERS // len(ENTRIES))
    order = np.argsort(rng.random(signal.shape), axis=1)
    users = np.repeat(np.arange(N_USERS), counts)
    items = np.concatenate([order[user, :count] for user, count in enumerate(counts)])
    model = estimator.fit(Interactions.from_arrays(users, items, ratings[users, items]))
    # No user has more than 200 entries, so these are held out.
    users, items = np.repeat(np.arange(N_USERS), 20), order[:, 200:220].ravel()
    width = INTERVAL * model.uncertainty(users, items, of="rating")
    inside = np.abs(ratings[users, items] - model.predict(users, items)) <= width
    return [float(inside[counts[users] == count].mean()) for count in ENTRIES]


def main() -> None:
    """Print a row for each ridge, with and without biases, and each ratio of signal to noise."""
    print(f"{'ridge':<12}{'biases':<8}{'signal:noise':<14}" + "".join(f"{n:>5} entries" for n in ENTRIES))
    for ridge in ("true ridge", "auto"):
        for biases in (False, True):
            for ratio in (3, 1):
                noise = 1.0 / ratio
                shared = {"n_factors": K, "biases": biases, "center": biases, "n_sweeps": 40}
                estimator = ExplicitALS(**shared)
                if ridge == "true ridge":
                    # σ² over the variance of factors, which both sides share.
                    estimator = ExplicitALS(
                        **shared, regularization=noise**2 * math.sqrt(K), regularization_exponent=0.0
                    )
                shares = np.mean(
                    [one(estimator, noise, biases=biases, seed=seed) for seed in range(2)], axis=0
                )
                row = "".join(f"{100 * share:>11.1f} %" for share in shares)
                print(f"{ridge:<12}{biases!s:<8}{f'{ratio}:1':<14}{row}", flush=True)


if __name__ == "__main__":
    main()

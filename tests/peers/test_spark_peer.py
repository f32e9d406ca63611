"""Spark's ALS minimises our explicit objective with ν = 1; its implicit one is our form "hkv" but for the
ridge, which counts positive entries only, and comes as near as we like by making every term small.

It has no function for its loss; it is written out here in its own settings and tested on its solutions: the
users are solved last, so they answer the items. The items' side is the same code with the two swapped. Needs
Java.
"""

import shutil

import numpy as np
import pytest

from peers.objectives import explicit_objective, implicit_objective
from peers.problems import N_FACTORS, is_minimum, random_factors, small_data

pytest.importorskip("pyspark")
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
    pytest.mark.filterwarnings("ignore"),
]
REG_PARAM, ALPHA = 0.13, 1.7


def converted_settings(*, reg_param=0.1):
    """Return ExplicitALS's keyword arguments; the default is Spark's."""
    return {
        "regularization": reg_param,
        "regularization_exponent": 1.0,
        "biases": False,
        "center": False,
    }


def converted_implicit_settings(*, reg_param=0.1, alpha=1.0, scale=2.0**-30):
    """Return ImplicitALS's keyword arguments, of an objective that is `scale` times Spark's.

    Spark's ridge is λ n where ours is λ (n + α₀ n_other). With all terms times `scale`, α₀ is that small
    too, and the ridge of a row differs by no more than the share scale · n_other / n. No value may be
    negative: Spark does not count those in n, and we do.
    """
    return {
        "form": "hkv",
        "value": "confidence",
        "alpha": scale * alpha,
        "unobserved_weight": scale,
        "regularization": scale * reg_param,
        "regularization_exponent": 1.0,
    }


def explicit_loss(data, users, items):
    per_entry = (
        (data.values - users @ items.T) ** 2
        + REG_PARAM * np.sum(users**2, axis=1)[:, None]
        + REG_PARAM * np.sum(items**2, axis=1)
    )
    return np.sum(per_entry[data.stored])


def implicit_loss(data, users, items):
    positive = data.values > 0
    confidence = 1 + ALPHA * np.abs(data.values)
    per_positive = np.sum(users**2, axis=1)[:, None] + np.sum(items**2, axis=1)
    return np.sum(confidence * (positive - users @ items.T) ** 2) + REG_PARAM * np.sum(per_positive[positive])


@pytest.fixture(scope="module")
def session():
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = (
        builder.config("spark.sql.shuffle.partitions", "1").config("spark.driver.memory", "1g").getOrCreate()
    )
    yield spark
    spark.stop()


def fitted(session, data, *, implicit):
    rows, columns = np.nonzero(data.stored)
    entries = zip(rows.tolist(), columns.tolist(), data.values[rows, columns].tolist(), strict=True)
    frame = session.createDataFrame(list(entries), ["user", "item", "rating"])
    model = ALS(
        rank=N_FACTORS,
        maxIter=2,
        regParam=REG_PARAM,
        implicitPrefs=implicit,
        alpha=ALPHA,
        numUserBlocks=1,
        numItemBlocks=1,
        seed=1,
    ).fit(frame)
    sides = []
    for factors, n in ((model.userFactors, len(data.stored)), (model.itemFactors, data.stored.shape[1])):
        table = np.full((n, N_FACTORS), np.nan)
        for row in factors.collect():
            table[row["id"]] = row["features"]
        sides.append(table)
    return sides


def test_the_explicit_loss_is_ours():
    data = small_data(1)
    users, items, *_ = random_factors(1)
    ours = explicit_objective(converted_settings(reg_param=REG_PARAM), data, users, items)
    assert explicit_loss(data, users, items) == pytest.approx(ours, rel=1e-5)


def test_the_implicit_loss_is_ours():
    data = small_data(1)
    users, items, *_ = random_factors(1)
    scale = 2.0**-30
    settings = converted_implicit_settings(reg_param=REG_PARAM, alpha=ALPHA, scale=scale)
    ours = implicit_objective(settings, data, users, items)
    assert scale * implicit_loss(data, users, items) == pytest.approx(ours, rel=1e-5)


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
def test_the_losses_are_what_its_solver_minimises(session, implicit, swapped):
    data = small_data(2, negative=True)
    data = data.transposed() if swapped else data
    users, items = fitted(session, data, implicit=implicit)
    loss = implicit_loss if implicit else explicit_loss
    assert is_minimum(lambda x: loss(data, x, items), users)

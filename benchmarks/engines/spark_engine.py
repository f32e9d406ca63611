"""Spark's ALS on one machine, local[threads], from a Parquet file. Its ridge is λ n on both sides, and it
draws its own start."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

from benchmarks import memory
from benchmarks.engines import Fitter, Job
from benchmarks.made_data import Ratings
from benchmarks.problems import ALPHA, EXPLICIT_RIDGE, Factors


def fitter(ratings: Ratings, job: Job) -> Fitter:
    folder = tempfile.TemporaryDirectory(prefix="alternant-benchmarks-")
    path = Path(folder.name) / "ratings.parquet"
    columns = {"user": ratings.users(), "item": ratings.items, "rating": ratings.values}
    pq.write_table(pa.table(columns), path, row_group_size=1 << 20)
    session = (
        SparkSession.builder.master(f"local[{job.threads}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", job.options.get("memory", "8g"))
        .config("spark.local.dir", folder.name)
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    # Every tenth sweep writes a checkpoint; without them, twenty sweeps overflow its stack.
    session.sparkContext.setCheckpointDir(folder.name)
    frame = session.read.parquet(str(path)).cache()
    frame.count()

    def fit(n_sweeps: int) -> Factors:
        model = ALS(
            rank=job.n_factors,
            maxIter=n_sweeps,
            regParam=EXPLICIT_RIDGE,
            implicitPrefs=job.work == "implicit",
            alpha=ALPHA,
            seed=job.start + 1,
        ).fit(frame)
        sides = []
        for factors, n in ((model.userFactors, ratings.n_users), (model.itemFactors, ratings.n_items)):
            table = np.zeros((n, job.n_factors), np.float32)
            if job.options.get("factors"):
                found = factors.toPandas()
                table[found["id"]] = np.stack(found["features"])
            else:
                factors.count()  # both are computed only when they are asked for
            sides.append(table)
        return Factors(sides[0], sides[1])

    jvm = session.sparkContext._gateway.proc.pid  # type: ignore[union-attr]
    # `folder` is referred to here so that it lives as long as the fitter.
    return Fitter(fit, children_peak=lambda: memory.peak(jvm) if folder else 0)

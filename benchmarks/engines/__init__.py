"""The libraries that are measured. Each module holds `fitter(ratings, job)`: it brings the data into the
form that its library takes, and returns how to fit; only what that does is timed. Nothing is imported
before it is asked for."""

import importlib
import importlib.metadata
import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.made_data import Ratings
from benchmarks.problems import Factors


@dataclass(frozen=True)
class Job:
    """What one engine is to do, as it is passed to a worker.

    start : seed of the start values; threads : how many
    options : what the engine's module needs besides
    """

    engine: str
    work: str
    n_factors: int
    threads: int
    start: int = 0
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitter:
    """How to fit, from the same start each time.

    fit : function of the number of sweeps
    sample : function of a stride s: the estimated seconds of a sweep from every s-th row of both sides;
    None: no such way
    children_peak : bytes that processes of the library's own held at most; None: it has none
    """

    fit: Callable[[int], Factors]
    sample: Callable[[int], float] | None = None
    children_peak: Callable[[], int] | None = None


@dataclass(frozen=True)
class Engine:
    """One row of the tables.

    module : its module in this folder; package : what has to be installed
    works : what it can do
    own_sum : the works in which it minimises another sum than everybody else, so that objectives do not
    compare
    single_blas : whether its authors want a BLAS of one thread beside the threads of their own
    exact : whether it solves rows exactly
    gives_factors : whether the factors after its last sweep can be had without a copy that would be timed
    """

    module: str
    package: str
    works: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    own_sum: tuple[str, ...] = ()
    single_blas: bool = True
    exact: bool = False
    gives_factors: bool = True

    def missing(self) -> str | None:
        """Return what keeps it from running here, or None."""
        if importlib.util.find_spec(self.package) is None:
            return f"{self.package} is not installed"
        if self.module == "spark" and shutil.which("java") is None:
            return "no Java"
        return None

    def version(self) -> str:
        """Return the version of its package."""
        return importlib.metadata.version(self.package)

    def environment(self, threads: int) -> dict[str, str]:
        """Return the environment that its authors recommend for so many threads.

        implicit's README asks for OPENBLAS_NUM_THREADS=1; LensKit has variables of its own (threads of its
        solver, threads of the BLAS that runs in between); Spark sets OMP_NUM_THREADS to the cores of a
        task, which is 1.
        """
        blas = "1" if self.single_blas else str(threads)
        found = {"OPENBLAS_NUM_THREADS": blas, "MKL_NUM_THREADS": blas, "OMP_NUM_THREADS": str(threads)}
        if self.module == "lenskit":
            found |= {"LK_NUM_THREADS": str(threads), "LK_NUM_BACKEND_THREADS": str(threads)}
        if self.module == "spark":
            found["OMP_NUM_THREADS"] = "1"
        return found

    def fitter(self, ratings: Ratings, job: Job) -> Fitter:
        """Import the library and hand it the data."""
        module = importlib.import_module(f"benchmarks.engines.{self.module}_engine")
        made: Fitter = module.fitter(ratings, job)
        return made


BOTH = ("implicit", "explicit")

PEERS = {
    "implicit CG": Engine("implicit", "implicit", ("implicit",), {"use_cg": True}),
    "implicit Cholesky": Engine("implicit", "implicit", ("implicit",), {"use_cg": False}, exact=True),
    "irspack CG": Engine("irspack", "irspack", ("implicit",), {"solver_type": "CG"}),
    "irspack Cholesky": Engine("irspack", "irspack", ("implicit",), {"solver_type": "CHOLESKY"}, exact=True),
    "irspack iALS++": Engine("irspack", "irspack", ("implicit",), {"solver_type": "IALSPP"}),
    "cmfrec CG": Engine("cmfrec", "cmfrec", BOTH, {"use_cg": True}),
    "LensKit": Engine("lenskit", "lenskit", BOTH, own_sum=("explicit",), single_blas=False, exact=True),
    "Spark": Engine("spark", "pyspark", BOTH, own_sum=BOTH, exact=True, gives_factors=False),
}


def ours(solver: str, isa: str | None) -> tuple[str, Engine]:
    """Return the name and the engine of this library, with a solver and at an instruction-set level (None:
    the best)."""
    name = f"alternant {solver}" + ("" if isa is None else f" {isa}")
    options = {"solver": solver, "isa": isa}
    return name, Engine("alternant", "alternant", BOTH, options, exact=solver == "exact", gives_factors=False)

"""Memory that the kernels do not get is a MemoryError, whichever other compiled modules are about."""

import subprocess
import sys

CODE = """
import resource, duckdb, numpy as np
from alternant import ExplicitALS, Interactions
data = Interactions.from_arrays([1, 2], [1, 1], [1.0, 2.0])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))
try:
    ExplicitALS(n_factors=60_000, n_threads=1).fit(data)
except MemoryError as error:
    print("MemoryError")
"""


def test_memory_that_is_not_there_beside_duckdb():
    """Seen to be a duckdb.OutOfMemoryException: modules of nanobind in one domain share their translators."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    assert done.stdout == "MemoryError\n", done.stderr

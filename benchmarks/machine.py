"""What a measurement was made on."""

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

import alternant
from alternant import kernels
from benchmarks.engines import Engine


def machine(engines: dict[str, Engine]) -> dict[str, Any]:
    """Return processor, cores, level, load and versions, JSON-able."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    except OSError:
        pass
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "alternant": alternant.__version__,
    }
    for engine in engines.values():
        if engine.package not in versions and engine.missing() is None:
            versions[engine.package] = engine.version()
    return {
        "processor": cpu,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "isa": kernels.isa(),
        "isa_levels": list(kernels.isa_levels()),
        "load": round(os.getloadavg()[0], 2),
        "versions": versions,
    }

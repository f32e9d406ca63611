"""``alternant doctor``: what this installation runs on."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table

from alternant import __version__, kernels
from alternant.cli import console

_OPTIONAL = (
    ("duckdb", "read", "reading CSV, Parquet, JSON and SQL"),
    ("cyclopts", "cli", "the command line"),
    ("rich", "cli", "the command line"),
    ("pandas", None, "results as pandas frames"),
    ("polars", None, "results as polars frames"),
    ("pyarrow", None, "results as Arrow tables"),
    ("scipy", None, "sparse matrices as input"),
)


def doctor(
    *,
    format: Annotated[
        Literal["table", "json"],
        Parameter(alias="-f", help="A table to read, or JSON to attach to a report."),
    ] = "table",
) -> None:
    """Show what this installation runs on: version, processor, threads, memory, optional packages."""
    facts = examine()
    if format == "json":
        sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
        return
    levels = ", ".join(facts["isa_levels"])
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("alternant", f"{facts['version']}, Python {facts['python']}, numpy {facts['numpy']}")
    table.add_row("system", facts["system"])
    table.add_row("processor", facts["processor"])
    table.add_row("instruction sets", f"{facts['isa']} in use, of {levels}  (choose with ALTERNANT_ISA)")
    table.add_row(
        "threads",
        f"{facts['n_threads']}, from {facts['n_threads_source']}  (choose with ALTERNANT_NUM_THREADS)",
    )
    table.add_row("memory", _memory_text(facts["memory_bytes"], facts["memory_available_bytes"]))
    for part in facts["optional"]:
        state = part["version"] or f"not installed: pip install {_install(part)}"
        table.add_row(part["package"], f"{state}  ({part['purpose']})")
    console.out().print(table)


def examine() -> dict[str, Any]:
    """Return the facts that ``doctor`` shows, JSON-able."""
    threads = kernels.available_threads()
    memory, available = _memory()
    return {
        "version": __version__,
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "isa": kernels.isa(),
        "isa_levels": list(kernels.isa_levels()),
        "n_threads": threads.n_threads,
        "n_threads_source": threads.source,
        "memory_bytes": memory,
        "memory_available_bytes": available,
        "optional": [
            {"package": package, "extra": extra, "purpose": purpose, "version": _version(package)}
            for package, extra, purpose in _OPTIONAL
        ],
    }


def _version(package: str) -> str | None:
    if importlib.util.find_spec(package) is None:
        return None
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "installed"


def _install(part: dict[str, Any]) -> str:
    return f"'alternant[{part['extra']}]'" if part["extra"] else part["package"]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} CPUs"
    except OSError:
        pass
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs"


def _memory() -> tuple[int | None, int | None]:
    """Return total and available bytes; None where the system does not tell. A cgroup limit lowers both."""
    total = available = None
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        total, available = (int(fields[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = int(Path(file).read_text())
        except (OSError, ValueError):
            continue
        total = limit if total is None else min(total, limit)
        available = available if available is None else min(available, limit)
    return total, available


def _memory_text(total: int | None, available: int | None) -> str:
    if total is None:
        return "unknown"
    return f"{total / 2**30:.1f} GiB" + (
        "" if available is None else f", {available / 2**30:.1f} GiB available"
    )

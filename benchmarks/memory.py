"""The memory of a process: now, and at most so far. From /proc where it is, else from getrusage."""

import resource
import sys
from pathlib import Path


def _field(name: str, pid: int | None) -> int | None:
    try:
        lines = Path(f"/proc/{'self' if pid is None else pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), None)


def resident(pid: int | None = None) -> int:
    """Return the resident bytes of a process now (None: this one); its peak where the system does not
    tell."""
    found = _field("VmRSS:", pid)
    return peak(pid) if found is None else found


def peak(pid: int | None = None) -> int:
    """Return the most resident bytes so far, or since `forget_peak`."""
    found = _field("VmHWM:", pid)
    if found is not None:
        return found
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def forget_peak() -> bool:
    """Let the peak of this process begin anew from what it holds now; returns whether the system can do
    that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True

"""Instructions that the kernels execute, counted by callgrind and compared with stored numbers: seconds on
a shared machine are noise, counts are not. valgrind knows no AVX-512, so that the portable and the AVX2
kernels are counted.

    scripts/instructions            compare with benchmarks/instructions.json; 1 if one differs by more than
    3 % scripts/instructions --write    record what this compiler's build takes

A case is the second sweep of a small fit, the first of which was not counted, or one ranking; what Python
does in between is in it. Numbers are kept per compiler, since another one may make other code of the same
source; without numbers for this one nothing is compared. Needs valgrind with its headers, and a C compiler
for the few lines that switch counting on.
"""

import argparse
import ctypes
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from alternant import ExplicitALS, ImplicitALS, _kernels
from alternant.kernels import isa_levels
from alternant.retrieval import top_k
from alternant.training import HalfSweep
from benchmarks.made_data import Size, make
from benchmarks.problems import alternant_settings, interactions_of

STORED = Path(__file__).with_name("instructions.json")
LEVELS = ("portable", "avx2")
# Between Python 3.11 and 3.13 counts differ by up to 7 %: calls of short work hold some of the interpreter's own.
TOLERANCE = 0.1
SWITCH = r"""
#include <valgrind/callgrind.h>
void begin(void) { CALLGRIND_START_INSTRUMENTATION; CALLGRIND_ZERO_STATS; }
void end(const char* name) { CALLGRIND_DUMP_STATS_AT(name); CALLGRIND_STOP_INSTRUMENTATION; }
"""


class Switch:
    """Turns counting on, and off with a name for what was counted; None: counts nothing."""

    def __init__(self, library: Path | None) -> None:
        self._library = None if library is None else ctypes.CDLL(str(library))

    def begin(self) -> None:
        if self._library is not None:
            self._library.begin()

    def end(self, name: str) -> None:
        if self._library is not None:
            self._library.end(name.encode())


SHAPES = {
    "short rows": (Size(160, 120, 1_600, spread=0.5), 64),
    "rows of k": (Size(48, 48, 770, spread=0.1, exponent=0.3), 16),
    "long rows": (Size(24, 320, 2_400, spread=0.2, exponent=0.5), 32),
}


def run_cases(switch: Switch) -> list[str]:
    """Run everything that is counted; returns the names."""
    names = []
    for shape, (size, k) in SHAPES.items():
        data = interactions_of(make(size, seed=0))
        for work, estimator in (("implicit", ImplicitALS), ("explicit", ExplicitALS)):
            for solver in ("exact", "auto"):
                names.append(f"{work} {solver}, {shape}, k = {k}")

                def second_sweep(event: HalfSweep, name: str = names[-1]) -> None:
                    if (event.sweep, event.side) == (1, "items"):
                        switch.begin()
                    elif (event.sweep, event.side) == (2, "items"):
                        switch.end(name)

                settings = alternant_settings(work) | {"n_factors": k, "solver": solver}
                estimator(n_sweeps=2, tol=0.0, n_threads=1, **settings).fit(data, callback=second_sweep)
    rng = np.random.Generator(np.random.Philox(0))
    users, items = (rng.standard_normal((n, 64), dtype=np.float32) for n in (60, 1_000))
    names.append("top 10 of 1,000 for 60, k = 64")
    top_k(users, items, 10, n_threads=1)  # once before, for what is done at the first call only
    switch.begin()
    top_k(users, items, 10, n_threads=1)
    switch.end(names[-1])
    return names


def counted(level: str, switch: Path, folder: Path) -> dict[str, int]:
    """Return the instructions of each case at a level."""
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/{level}"]
    command += [sys.executable, "-m", "benchmarks.instructions", "--count", str(switch)]
    environment = os.environ | {"ALTERNANT_ISA": level, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: counting at level {level} failed:\n{done.stderr[-2000:]}")
    found: dict[str, int] = {}
    for file in folder.glob(f"{level}*"):
        text = file.read_text(encoding="utf-8", errors="replace")
        name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
        total = re.search(r"^totals: (\d+)", text, re.MULTILINE)
        if name and total:
            found[name[1]] = int(total[1])
    return found


def compiler() -> str:
    """Return the compiler that built the kernels, as it signed them."""
    code = Path(str(_kernels.__file__)).read_bytes()
    signed = sorted(
        {each.decode() for each in re.findall(rb"(?:GCC: \([^\x00]*|clang version [^\x00]*)", code)}
    )
    return "; ".join(signed) or "unknown compiler"


def measure() -> dict[str, dict[str, int]] | str:
    """Return the counts by level and case, or why there are none."""
    cc = shutil.which(os.environ.get("CC", "cc"))
    if shutil.which("valgrind") is None or cc is None:
        return "needs valgrind and a C compiler"
    with tempfile.TemporaryDirectory(prefix="alternant-instructions-") as scratch:
        folder = Path(scratch)
        (folder / "switch.c").write_text(SWITCH)
        switch = folder / "switch.so"
        built = subprocess.run(
            [cc, "-shared", "-fPIC", "-O1", "-o", str(switch), str(folder / "switch.c")],
            capture_output=True,
            check=False,
        )
        if built.returncode != 0:
            return "needs the headers of valgrind"
        levels = [level for level in LEVELS if level in isa_levels()]
        with ThreadPoolExecutor() as pool:  # a process for each, at once
            return dict(
                zip(levels, pool.map(lambda level: counted(level, switch, folder), levels), strict=True)
            )


def compare(
    found: dict[str, dict[str, int]], stored: dict[str, dict[str, int]]
) -> list[tuple[str, str, int, int | None]]:
    """Return (level, case, now, stored or None) of all that was counted."""
    return [
        (level, case, now, stored.get(level, {}).get(case))
        for level, by_case in found.items()
        for case, now in sorted(by_case.items())
    ]


def differs(now: int, before: int | None) -> bool:
    """Return whether a count is out of the tolerance, or not stored."""
    return before is None or abs(now - before) > TOLERANCE * before


def main(arguments: list[str]) -> int:
    """Compare or write; see the module."""
    parser = argparse.ArgumentParser(prog="scripts/instructions", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--write", action="store_true", help="record the counts of this compiler's build")
    parser.add_argument("--count", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.count is not None:
        gc.disable()  # it comes when it likes
        run_cases(Switch(options.count))
        return 0
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    key = compiler()
    if not options.write and key not in stored:
        print(f"instructions: not compared, there are no numbers for {key}")
        return 0
    found = measure()
    if isinstance(found, str):
        print(f"instructions: not compared, {found}")
        return 0
    if options.write:
        stored[key] = found
        STORED.write_text(
            json.dumps(stored, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        print(f"instructions: recorded {sum(map(len, found.values()))} counts for {key}")
        return 0
    bad = 0
    for level, case, now, before in compare(found, stored[key]):
        change = "not stored" if before is None else f"{now / before - 1.0:+.1%}"
        verdict = "  <- more than 10 % off" if differs(now, before) else ""
        bad += bool(verdict)
        print(f"{level:<9} {case:<45} {now:>14,}  {change}{verdict}")
    if bad:
        print(f"instructions: {bad} differ; if meant, run scripts/instructions --write and commit the file")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command line of ``python -m benchmarks``."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from alternant import kernels
from benchmarks.engines import PEERS, Engine, ours
from benchmarks.made_data import SIZES

WORKS = ("implicit", "explicit", "topk", "cold", "scale")


@dataclass(frozen=True)
class Options:
    """What is to be measured; see the help of each option."""

    work: str = "implicit"
    quality: bool = False
    sizes: tuple[str, ...] = ("1M",)
    factors: tuple[int, ...] = (64,)
    solvers: tuple[str, ...] = ("auto",)
    isa: tuple[str | None, ...] = (None,)
    engines: tuple[str, ...] | None = None
    repeat: int = 5
    threads: int = 2
    sweeps: tuple[int, int] = (1, 3)
    limit: float = 20.0
    timeout: float = 3600.0
    objective: bool = True
    seed: int = 0
    data: Path | None = None
    json: Path | None = None
    chart: Path | None = None
    list: bool = False
    skipped: dict[str, str] = field(default_factory=dict, compare=False)

    def chosen(self, work: str) -> dict[str, Engine]:
        """Return the engines to run for a work, ours first; what cannot run goes into `skipped`."""
        found = dict(ours(solver, level) for solver in self.solvers for level in self.isa)
        for name, engine in PEERS.items():
            if self.engines is not None and name not in self.engines:
                continue
            if work not in engine.works:
                self.skipped[name] = f"has no {work} model"
            elif (why := engine.missing()) is not None:
                self.skipped[name] = why
            else:
                found[name] = engine
        return found


def parse(arguments: list[str]) -> Options:
    """Return the options; ends the program where they make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure alternant beside the libraries that are installed here: one at a time, in turn, "
        "each in a process of its own. Nothing is installed or downloaded.",
        epilog="Work kinds: implicit and explicit (seconds per sweep, objective, memory), topk (ten items "
        "for every user), cold (a whole process: import and one sweep), scale (seconds per entry at several "
        "sizes).",
    )
    parser.add_argument(
        "--work", choices=WORKS, default="implicit", help="what to measure (default: implicit)"
    )
    parser.add_argument(
        "--quality",
        action="store_true",
        help="a held-out metric against seconds instead of seconds per sweep",
    )
    parser.add_argument(
        "--size", dest="sizes", nargs="+", choices=list(SIZES), help="which made-up data (default: 1M)"
    )
    parser.add_argument(
        "--factors", nargs="+", type=int, default=[64], help="numbers of factors (default: 64)"
    )
    parser.add_argument(
        "--solver",
        dest="solvers",
        nargs="+",
        choices=("auto", "exact"),
        default=["auto"],
        help="ours (default: auto)",
    )
    parser.add_argument(
        "--isa", nargs="+", default=[None], help="our instruction-set levels (default: the best)"
    )
    parser.add_argument(
        "--engines",
        nargs="*",
        metavar="NAME",
        help="the others, as --list names them (default: all; nothing: none)",
    )
    parser.add_argument("--repeat", type=int, default=5, help="rounds, whose median is shown (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="of every library (default: 2)")
    parser.add_argument(
        "--sweeps", nargs=2, type=int, default=[1, 3], help="the two run lengths (default: 1 3)"
    )
    parser.add_argument(
        "--limit", type=float, default=20.0, help="a sweep of more seconds is measured once (default: 20)"
    )
    parser.add_argument(
        "--timeout", type=float, default=3600.0, help="seconds for one process (default: 3600)"
    )
    parser.add_argument(
        "--no-objective", dest="objective", action="store_false", help="leave out the objectives"
    )
    parser.add_argument("--seed", type=int, default=0, help="of data and start values (default: 0)")
    parser.add_argument("--data", type=Path, help="folder for data (default: a folder in the user's cache)")
    parser.add_argument("--json", type=Path, help="write everything that was measured")
    parser.add_argument(
        "--chart", type=Path, help="write a chart: .svg or .png (needs Altair and vl-convert), .html"
    )
    parser.add_argument(
        "--list", action="store_true", help="show what is installed and what would run, and end"
    )
    found = vars(parser.parse_args(arguments))
    default_size = ["1M", "20M"] if found["work"] == "scale" else ["1M"]
    found["sizes"] = found["sizes"] or default_size
    found = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    for name in found["engines"] or ():
        if name not in PEERS:
            parser.error(f"no engine {name!r}; there are {', '.join(map(repr, PEERS))}")
    for level in found["isa"]:
        if level is not None and level not in kernels.isa_levels():
            parser.error(f"this machine has {', '.join(kernels.isa_levels())}, not {level!r}")
    if min(found["repeat"], found["threads"], *found["factors"], found["sweeps"][0]) < 1:
        parser.error("--repeat, --threads, --factors and --sweeps must be at least 1")
    if found["sweeps"][1] <= found["sweeps"][0]:
        parser.error("the second run of --sweeps must be longer than the first")
    return Options(**found)

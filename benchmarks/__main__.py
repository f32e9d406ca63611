"""``python -m benchmarks``: see --help, and docs/performance.md."""

import sys
from typing import Any

from benchmarks import chart, cold, quality, report, sweeps, topk
from benchmarks.engines import PEERS, ours
from benchmarks.machine import machine
from benchmarks.options import Options, parse


def main(arguments: list[str]) -> int:
    """Measure, print, and write what was asked for."""
    options = parse(arguments)
    work = "implicit" if options.work in ("topk", "cold", "scale") else options.work
    engines = options.chosen(work)
    if options.list:
        show_list(options)
        return 0
    facts = machine(engines)
    print("\n".join(report.headline(facts, options)), flush=True)
    results: list[dict[str, Any]] = []
    if options.quality:
        results = quality.run(options, work, progress)
    elif options.work == "topk":
        results = topk.run(options, progress)
    elif options.work == "cold":
        results = cold.run(options, progress)
    else:
        for size in options.sizes:
            for k in options.factors:
                rows = sweeps.measure(options, work, size, k, progress)
                results += rows
                lines = report.caption(rows[0], options) + report.roofline_lines(rows)
                report.show(lines, report.SWEEP_COLUMNS, [report.cells(row) for row in rows])
        if options.work == "scale":
            sweeps.show_scale(results)
    for name, why in options.skipped.items():
        print(f"left out: {name}: {why}")
    if options.json is not None:
        report.write_json(options.json, facts, options, results)
    if options.chart is not None:
        print(chart.write(options.chart, results))
    return 0


def progress(line: str) -> None:
    """Say on stderr what is being done."""
    print(line, file=sys.stderr, flush=True)


def show_list(options: Options) -> None:
    """Print what is installed, and for which work kinds."""
    rows = [[name, engine.version(), ", ".join(engine.works), ""] for name, engine in [ours("auto", None)]]
    for name, engine in PEERS.items():
        why = engine.missing()
        rows.append([name, "–" if why else engine.version(), ", ".join(engine.works), why or ""])
    report.show([f"would run for --work {options.work}:"], ["engine", "version", "models", ""], rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

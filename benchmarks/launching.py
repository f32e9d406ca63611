"""Workers: started one at a time, each in an environment of its own, and their results."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.engines import Engine

ROOT = Path(__file__).resolve().parents[1]


class WorkerError(RuntimeError):
    """A worker failed, was killed, or took too long."""


def launch(job: dict[str, Any], engine: Engine, *, timeout: float) -> dict[str, Any]:
    """Run one worker to its end; returns its result, and `process_seconds` from its start to its end."""
    environment = os.environ | engine.environment(job["threads"])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment.pop("ALTERNANT_ISA", None)
    if job.get("isa"):
        environment["ALTERNANT_ISA"] = job["isa"]
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", json.dumps(job)]
    began = time.perf_counter()
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise WorkerError(f"took longer than {timeout:.0f} s") from None
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise WorkerError(reason(done.stderr) or f"exit status {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result | {"process_seconds": seconds}


def reason(stderr: str) -> str:
    """Return the line of a traceback, Java's too, that says what went wrong; "" if there is none."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return (named or lines or [""])[-1].strip()[:200]

"""Ids for two string columns: ours, DuckDB and Polars side by side, at any size.

    python benchmarks/ids.py --rows 10_000_000 --folder /tmp/ids

makes a Parquet and an Arrow file of (user, item) once (seeded; log-normal users named "user_%d", items of
power-law popularity named by 16 hexadecimal digits), then turns both columns into int codes, each engine in a
process of its own with the same number of threads. It prints seconds (wall, CPU) and peak memory: of the
whole process, and of its anonymous part (without the pages of a mapped file). What every engine delivers are
the codes of all rows, in memory, and their distinct labels.

DuckDB is run in two ways (an ENUM of the distinct values; a join with numbered distinct values, which gives
up the order of rows); Polars casts to Categorical in its streaming engine (whose codes are numbered by
appearance, not sorted). `interactions` is the whole of ours: ids, and entries by user and by item.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = ("ours", "duckdb-enum", "duckdb-join", "polars", "interactions")
ROWS_A_GROUP = 1 << 20


def make_files(folder: Path, n_rows: int, n_users: int, n_items: int, seed: int) -> None:
    """Write ratings.parquet and ratings.arrow of `n_rows` rows, a row group (1 Mi rows) at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    user_share = np.cumsum(rng.lognormal(0.0, 1.0, n_users))
    item_share = np.cumsum((10.0 + np.arange(n_items)) ** -0.9)
    names = np.char.mod("%016x", rng.permutation(n_items).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    item_names = pa.array(names.tolist())
    user_names = pa.array([f"user_{number}" for number in rng.permutation(n_users)])
    schema = pa.schema([("user", pa.string()), ("item", pa.string())])
    with (
        pq.ParquetWriter(folder / "ratings.parquet", schema) as parquet,
        pa.OSFile(str(folder / "ratings.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, schema) as arrow,
    ):
        for begin in range(0, n_rows, ROWS_A_GROUP):
            n = min(ROWS_A_GROUP, n_rows - begin)
            users = np.searchsorted(user_share, rng.random(n) * user_share[-1]).clip(max=n_users - 1)
            items = np.searchsorted(item_share, rng.random(n) * item_share[-1]).clip(max=n_items - 1)
            batch = pa.record_batch(
                [user_names.take(pa.array(users)), item_names.take(pa.array(items))], schema
            )
            parquet.write_batch(batch)
            arrow.write_batch(batch)


def _arrow_table(path: Path) -> Any:
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _stream(path: Path) -> Any:
    """Return what yields the file's batches one after the other."""
    if path.suffix == ".arrow":
        return _arrow_table(path)
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, memory_map=False, pre_buffer=False)
    return pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(1 << 18))


def run_ours(path: Path, n_threads: int) -> tuple[int, int, int]:
    """Number both columns by :func:`alternant.ids.number_columns`."""
    from alternant.ids import number_columns

    numbered = number_columns(_stream(path), ["user", "item"], n_threads=n_threads)
    (users, user_codes), (items, item_codes) = numbered["user"], numbered["item"]
    return len(users), len(items), int(user_codes[-1]) + int(item_codes[-1])


def run_interactions(path: Path, n_threads: int) -> tuple[int, int, int]:
    """Build interactions: both columns numbered, rows counted, entries by user and by item."""
    from alternant.interactions import Interactions

    built = Interactions.from_frame(_stream(path), user="user", item="item")
    return built.n_users, built.n_items, built.n_entries


def _duckdb(path: Path, n_threads: int) -> tuple[Any, str]:
    import duckdb

    connection = duckdb.connect(config={"threads": n_threads})
    if path.suffix == ".arrow":
        connection.register("ratings", _arrow_table(path))
        return connection, "ratings"
    return connection, f"read_parquet('{path}')"


def run_duckdb_enum(path: Path, n_threads: int) -> tuple[int, int, int]:
    """Make an ENUM of each column's distinct values, and a table of the codes."""
    connection, source = _duckdb(path, n_threads)
    for name in ("user", "item"):
        connection.execute(
            f"create type {name}_ids as enum (select distinct {name} from {source} order by 1)"
        )
    codes = "enum_code(user::user_ids) u, enum_code(item::item_ids) i"
    connection.execute(f"create table codes as select {codes} from {source}")
    counted = "select len(enum_range(null::user_ids)), len(enum_range(null::item_ids))"
    sizes = connection.execute(counted).fetchone()
    return int(sizes[0]), int(sizes[1]), 0


def run_duckdb_join(path: Path, n_threads: int) -> tuple[int, int, int]:
    """Number each column's distinct values, and join (the order of rows is given up, which is faster)."""
    connection, source = _duckdb(path, n_threads)
    connection.execute("set preserve_insertion_order = false")
    for name in ("user", "item"):
        connection.execute(
            f"create table {name}s as select {name}, (row_number() over (order by {name}) - 1)::integer code "
            f"from (select distinct {name} from {source})"
        )
    connection.execute(
        f"create table codes as select users.code u, items.code i from {source} r "
        "join users on r.user = users.user join items on r.item = items.item"
    )
    counted = "select (select count(*) from users), (select count(*) from items)"
    sizes = connection.execute(counted).fetchone()
    return int(sizes[0]), int(sizes[1]), 0


def run_polars(path: Path, n_threads: int) -> tuple[int, int, int]:
    """Cast to Categorical and to its physical codes in the streaming engine."""
    import polars as pl

    frame = pl.scan_ipc(path) if path.suffix == ".arrow" else pl.scan_parquet(path)
    columns = [
        pl.col(name).cast(pl.Categorical(pl.Categories(name, "", pl.UInt32))).to_physical()
        for name in ("user", "item")
    ]
    codes = frame.select(columns).collect(engine="streaming")
    return int(codes["user"].max()) + 1, int(codes["item"].max()) + 1, 0  # type: ignore[arg-type]


RUN: dict[str, Callable[[Path, int], tuple[int, int, int]]] = {
    "ours": run_ours,
    "duckdb-enum": run_duckdb_enum,
    "duckdb-join": run_duckdb_join,
    "polars": run_polars,
    "interactions": run_interactions,
}


class _AnonymousPeak:
    """The most anonymous memory that this process had, looked at every 10 ms (Linux)."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            with open("/proc/self/status") as status:
                kilobytes = next((int(line.split()[1]) for line in status if line.startswith("RssAnon")), 0)
            self.peak = max(self.peak, kilobytes * 1024)

    def stop(self) -> int:
        """Return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self.peak


def run_here(engine: str, path: Path, n_threads: int) -> dict[str, Any]:
    """Run `engine` in this process and return what was measured."""
    watch = _AnonymousPeak()
    wall, cpu = time.perf_counter(), time.process_time()
    n_users, n_items, _ = RUN[engine](path, n_threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    anonymous = watch.stop()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "engine": engine, "source": path.suffix[1:], "seconds": wall, "cpu_seconds": cpu, "peak_bytes": peak,
        "peak_anonymous_bytes": anonymous, "n_users": n_users, "n_items": n_items,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--users", type=int, help="default: a twentieth of the rows")
    parser.add_argument("--items", type=int, help="default: a two-hundredth of the rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True, help="where the files are kept")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--sources", nargs="+", default=["arrow", "parquet"], choices=("arrow", "parquet"))
    parser.add_argument("--json", type=Path, help="append one line per run to this file")
    parser.add_argument("--run", nargs=2, metavar=("ENGINE", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        engine, file = given.run
        print(json.dumps(run_here(engine, Path(file), given.threads)))
        return
    folder = given.folder / f"{given.rows}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "done").exists():
        make_files(
            folder, given.rows, given.users or given.rows // 20, given.items or given.rows // 200, given.seed
        )
        (folder / "done").touch()
    print(f"{given.rows:,} rows, {given.threads} threads")
    print(f"{'source':8} {'engine':13} {'seconds':>8} {'CPU':>8} {'peak MB':>8} {'anonymous MB':>13}")
    for source in given.sources:
        for engine in given.engines:
            command = [
                sys.executable, __file__, "--folder", str(given.folder), "--threads", str(given.threads),
                "--run", engine, str(folder / f"ratings.{source}"),
            ]  # fmt: skip
            limits = {name: str(given.threads) for name in ("POLARS_MAX_THREADS", "ALTERNANT_NUM_THREADS")}

            done = subprocess.run(command, capture_output=True, text=True, env=os.environ | limits)
            if done.returncode != 0:
                print(f"{source:8} {engine:13} failed: {done.stderr.strip().splitlines()[-1:]}")
                continue
            got = json.loads(done.stdout)
            print(
                f"{source:8} {engine:13} {got['seconds']:8.2f} {got['cpu_seconds']:8.2f} "
                f"{got['peak_bytes'] / 1e6:8.0f} {got['peak_anonymous_bytes'] / 1e6:13.0f}",
                flush=True,
            )
            if given.json:
                with given.json.open("a") as out:
                    out.write(json.dumps({"rows": given.rows, "threads": given.threads} | got) + "\n")


if __name__ == "__main__":
    main()

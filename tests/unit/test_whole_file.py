"""Files that appear whole or not at all, and devices, pipes and streams that are never replaced."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import numpy as np
import pytest

from alternant import modelfile
from alternant._whole_file import whole_file
from alternant.cli import output
from alternant.reading._duckdb import translated


def write(path: Path, text: str) -> None:
    with whole_file(path) as new:
        new.write_text(text)


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")

    def interrupted():
        with whole_file(target) as new:
            new.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        interrupted()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own(tmp_path):
    target = tmp_path / "a.csv"
    umask = os.umask(0)
    os.umask(umask)
    write(target, "one")
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask
    target.chmod(0o600)
    with whole_file(target) as new:
        assert new.stat().st_mode & 0o777 == 0o600  # before anything is in it
        new.write_text("two")
    assert target.read_text() == "two"
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path, there):
    link, target = tmp_path / "link.csv", tmp_path / "target.csv"
    link.symlink_to("target.csv")
    if there:
        target.write_text("old")
    write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_long_name_is_no_longer_beside_it(tmp_path):
    target = tmp_path / ("a" * 251 + ".csv")
    write(target, "x")
    assert target.read_text() == "x"


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    target = tmp_path / "gone" / "a.csv"
    with pytest.raises(FileNotFoundError, match=r"No such file or directory: '.*gone/a\.csv'$"):
        write(target, "x")


def reading(pipe: Path) -> tuple[threading.Thread, list[bytes]]:
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    thread.start()
    return thread, found


@pytest.mark.parametrize("format", ["csv", "json", "parquet", "table"])
def test_a_pipe_gets_the_bytes_and_stays(tmp_path, format):
    """Seen to fail on a rename over whatever is there: the reader waits for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread, found = reading(pipe)
    output.write({"id": np.array([1, 2])}, format=format, output=pipe)
    thread.join(timeout=10)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    output.write({"id": np.array([1, 2])}, format=format, output=tmp_path / "file")
    assert found == [(tmp_path / "file").read_bytes()]


def test_a_model_goes_into_a_pipe(tmp_path):
    pipe, file = tmp_path / "pipe.safetensors", tmp_path / "file.safetensors"
    os.mkfifo(pipe)
    thread, found = reading(pipe)
    for path in (pipe, file):
        modelfile.write(path, {"a": np.arange(3)}, {})
    thread.join(timeout=10)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert found == [file.read_bytes()]


def test_a_device_stays_a_device(tmp_path):
    """A device of its own, made here: never the machine's."""
    device = tmp_path / "null.safetensors"
    try:
        os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        device.write_bytes(b"")
    except PermissionError:
        pytest.skip("making a device needs privileges")
    write(device, "x")
    modelfile.write(device, {"a": np.arange(3)}, {})
    assert stat.S_ISCHR(device.lstat().st_mode)
    assert os.listdir(tmp_path) == [device.name]


def test_standard_output_is_added_to_what_is_there(tmp_path):
    """``-o /dev/stdout >> log``; seen to fail on a rename, which loses what the log held."""
    log, link = tmp_path / "log", tmp_path / "stdout"
    link.symlink_to("/proc/self/fd/1")
    log.write_text("before\n")
    code = f"from alternant._whole_file import whole_file\nwith whole_file({str(link)!r}) as new:\n" + (
        "    new.write_text('mine\\n')\n"
    )
    with log.open("a") as stream:
        subprocess.run([sys.executable, "-c", code], stdout=stream, check=True, timeout=60)
        stream.write("after\n")
    assert log.read_text() == "before\nmine\nafter\n"
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert piped.stdout == b"mine\n"


def test_what_does_not_fit_is_an_error_that_names_the_file(tmp_path):
    """Files have a limit here, as disks do. Seen to name no file."""
    code = """
import os, resource
from alternant import ImplicitALS
from alternant.synthetic import catalogue
films = catalogue(n_users=300, n_items=100, n_entries=3000).interactions
model = ImplicitALS(n_factors=64, n_sweeps=1).fit(films)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    model.save("model.safetensors")
except OSError as error:
    print(error.errno, error.filename, os.listdir())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (f"{errno.EFBIG} model.safetensors []\n", "")


def test_what_the_system_refuses_to_duckdb_is_an_os_error(tmp_path):
    """Seen to be a DataError with the name of the file beside and a piece of JSON."""
    beside = tmp_path / "lists.csv"
    told = f'IO Error: Async write failed: {{"exception_message":"No space left: {beside}","errno":"28"}}'

    def lists():
        with whole_file(beside) as new, translated(str(new), doing="write"):
            raise duckdb.IOException(told)

    with pytest.raises(OSError, match=r"No space left on device: .*/lists\.csv'$") as caught:
        lists()
    assert caught.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == []

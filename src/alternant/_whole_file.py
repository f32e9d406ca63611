"""Write a file whole or not at all. What is no file (a device, a pipe) is written to, and never replaced."""

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a write, which knows no name


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path to write to; when the block ends without an error, what it wrote is at `path`.

    A reader of `path` finds the old file or the new one, never a part. Links are followed, and the
    permissions of the old file stay. Where `path` is a device, a pipe or one of our own streams
    (``/dev/null``, ``/dev/stdout``), the bytes are added to it when all of them are there.

    Raises
    ------
    OSError
        The file cannot be written; the old one, if any, is as it was, and nothing else is left.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with whole_file(file) as new:
    ...     _ = new.write_text("all of it")
    ...     file.exists()
    False
    >>> file.read_text()
    'all of it'
    """
    there = _status(path)
    if there is not None and not _can_be_replaced(there):
        with tempfile.TemporaryDirectory(prefix="alternant-") as folder:
            new = Path(folder) / "new"
            yield new
            with open(new, "rb") as source, open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as target:
                shutil.copyfileobj(source, target)
        return
    target_path = Path(os.path.realpath(path))
    beside = target_path.with_name(f".alternant-{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, "xb"):
            pass
        if there is not None:
            os.chmod(beside, stat.S_IMODE(there.st_mode))  # before a byte of it: a private file stays private
        yield beside
        _to_disk(beside, os.O_RDWR)
        os.replace(beside, target_path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        is_full = isinstance(error, OSError) and error.filename is None and error.errno in _FULL
        if isinstance(error, OSError) and (is_full or error.filename == str(beside)):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error  # the name that is known
        raise
    # The rename is on disk when the folder is; where folders cannot be opened, the system decides when.
    if hasattr(os, "O_DIRECTORY"):
        _to_disk(target_path.parent, os.O_RDONLY | os.O_DIRECTORY)


def _status(path: str | os.PathLike[str]) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _can_be_replaced(there: os.stat_result) -> bool:
    """Tell a regular file; but one that our output goes to (``>> log``) holds what others wrote, too."""
    if not stat.S_ISREG(there.st_mode):
        return False
    for stream in (1, 2):
        try:
            if os.path.samestat(there, os.fstat(stream)):
                return False
        except OSError:  # closed
            continue
    return True


def _to_disk(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

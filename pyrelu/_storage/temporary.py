"""Temporary files: whose they are, and what POSIX and Windows have in common.

A process that is killed leaves its temporary files. The next one removes them, but not those of living processes: on POSIX
these hold a lock; on Windows no file can be removed while it is open.
"""

import os
import time
from contextlib import suppress

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# On Windows a file must be closed before it replaces another. In that moment a process cannot tell it from one that
# was left behind; so it removes none that is younger, in seconds.
_CLOSED_FOR_LESS_THAN = 60


def create(path: str) -> int | None:
    """Open a new file as this process's own; return None if another one took it for left behind meanwhile."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    if fcntl is None:
        return handle
    with suppress(OSError):  # not all file systems have locks
        fcntl.flock(handle, fcntl.LOCK_EX)
    if os.fstat(handle).st_nlink:
        return handle
    os.close(handle)
    return None


def can_move_open_files() -> bool:
    """Return whether a file may get another name while it is open."""
    return fcntl is not None


def remove_if_left(path: str) -> None:
    """Remove a temporary file unless it is a living process's own."""
    with suppress(OSError):
        if fcntl is None:
            if time.time() - os.stat(path).st_mtime > _CLOSED_FOR_LESS_THAN:
                os.unlink(path)
            return
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)


def sync(folder: str) -> None:
    """Flush a folder's entries to disk, where folders can be opened."""
    if fcntl is None:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Optuna's journal file, made to survive a process that is killed at any moment."""

import os
import sys
from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

if sys.platform != "win32":
    import fcntl

    class _KernelLock(JournalFileOpenLock):  # the base class of Optuna's locks is private
        """An exclusive lock that the kernel drops when its process dies, however it dies.

        Optuna's own lock files stay behind a killed process: the next one waits 30 seconds, or for ever where the
        journal's path is relative (its link then points nowhere and is never seen to age; Optuna 5.0.0).
        """

        def __init__(self, path: Path) -> None:
            super().__init__(str(path))
            self._path = path

        def acquire(self) -> bool:
            file = self._path.open("a")
            fcntl.flock(file, fcntl.LOCK_EX)
            self._held = file  # by whoever has the lock, and no thread that still waits for it
            return True

        def release(self) -> None:
            self._held.close()


def journal_storage(path: Path) -> JournalStorage:
    """The storage in a journal file, which is created if there is none.

    Args:
        path: the journal; `path` with `.lock` behind it is its lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.lock")
    lock = JournalFileOpenLock(str(path)) if sys.platform == "win32" else _KernelLock(beside)
    lock.acquire()
    try:
        _drop_half_line(path)
    finally:
        lock.release()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _drop_half_line(path: Path) -> None:
    """Cut off a last line that a stopped process did not finish; Optuna refuses a journal that goes on behind one."""
    if path.is_file():
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)

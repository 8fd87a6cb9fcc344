"""One process at a time in a run's folder."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_toolkit.errors import InputError
from edge_toolkit.files import writing

if sys.platform != "win32":
    import fcntl


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """The only process that searches or trains in a run's folder, which is made if there is none.

    Raises:
        InputError: another process is at it, or the folder cannot be written to.
    """
    with writing(run):
        run.mkdir(parents=True, exist_ok=True)
        file = (run / ".searching").open("a")
    with file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"--out {run}: another process is at work in it; wait for it, or stop it") from None
        yield

"""Busy neighbours: processes that compute and move memory while a model is measured, as other programs do."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BUSY = """
import os, sys
import numpy as np
parent = os.getppid()
values = np.arange(2_000_000, dtype=np.float32)
sys.stdout.write("ready\\n")
sys.stdout.flush()
while os.getppid() == parent:
    np.sqrt(values, out=values)
    values += 1
"""
"""8 MB a turn: more than a core's own cache. It ends with the process that started it."""


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """That many busy processes until the block ends; the system puts them on cores as it likes."""
    busy = [
        subprocess.Popen([sys.executable, "-c", _BUSY], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        for each in busy:
            if each.stdout is not None:
                each.stdout.readline()  # until it is at work
        yield
    finally:
        for each in busy:
            each.kill()
            each.communicate()

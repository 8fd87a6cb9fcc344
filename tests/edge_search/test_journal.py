"""The journal behind a process that was killed while it wrote, or while it held the lock."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna

from edge_search.journal import journal_storage

HOLDS_THE_LOCK = """
import sys
from pathlib import Path
from edge_search.journal import journal_storage
storage = journal_storage(Path(sys.argv[1]))
storage._backend._lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def lock_of(journal: Path) -> Path:
    return journal.with_name(f"{journal.name}.lock")


def is_locked(path: Path) -> bool:
    """Whether the kernel refuses the file to another opener."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_lock_is_held_while_a_thread_writes_and_no_longer(tmp_path: Path) -> None:
    """Eight threads on one lock object, as the jobs of a search have it; each must be alone while it holds it."""
    path = tmp_path / "study.journal"
    lock = journal_storage(path)._backend._lock
    inside, most = 0, 0
    together = threading.Barrier(8)

    def work() -> None:
        nonlocal inside, most
        together.wait()
        for _ in range(50):
            lock.acquire()
            inside += 1
            most = max(most, inside)
            assert is_locked(lock_of(path))
            inside -= 1
            lock.release()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work) for _ in range(8)]:
            done.result()
    assert most == 1
    assert not is_locked(lock_of(path))


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    command = [sys.executable, "-c", HOLDS_THE_LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(lock_of(path))
        os.kill(holder.pid, signal.SIGKILL)
    study = optuna.create_study(storage=journal_storage(path), study_name="after")
    study.tell(study.ask(), 1.0)
    assert [trial.value for trial in study.trials] == [1.0]


def test_a_half_written_line_is_dropped_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    study = optuna.create_study(storage=journal_storage(path), study_name="kept")
    study.tell(study.ask(), 1.0)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":4,"wor')
    again = optuna.load_study(storage=journal_storage(path), study_name="kept")
    assert path.read_bytes() == whole
    again.tell(again.ask(), 2.0)
    reread = optuna.load_study(storage=journal_storage(path), study_name="kept")
    assert [trial.value for trial in reread.trials] == [1.0, 2.0]

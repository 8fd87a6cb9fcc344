"""Frames at a display's pace, on a clock that only the model and the waiting move; and busy neighbours."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from edge_deploy.neighbours import neighbours
from edge_deploy.paced import paced
from edge_toolkit.cli import main
from edge_toolkit.frames import Frames
from tests.edge_deploy.conftest import IRMaker


class Machine:
    """A model whose requests take what they are told to, s; waiting wakes up `late` s after its time."""

    def __init__(self, takes: Iterable[float], late: float = 0.0) -> None:
        self.now, self.late, self.takes = 100.0, late, iter(takes)
        self.began: list[float] = []

    def infer(self) -> None:
        self.began.append(self.now)
        self.now += next(self.takes)

    @property
    def request_ms(self) -> float:
        raise AssertionError("a frame is timed from when it was due")

    def run(self, fps: float, seconds: float) -> Frames:
        def wait(duration: float) -> None:
            self.now += duration + self.late

        return paced(self, fps, seconds, lambda: self.now, wait)


def every(value: float) -> Iterator[float]:
    while True:
        yield value


def test_frames_begin_on_time_and_none_is_missed() -> None:
    machine = Machine(every(0.004))
    found = machine.run(100, 1)
    assert (found.count, found.missed) == (100, 0)
    assert found.response_ms == pytest.approx((4, 4, 4))
    assert found.late_ms == pytest.approx((0, 0))
    assert (found.jitter_ms, found.drift_ms) == pytest.approx((0, 0))
    gaps = [later - earlier for earlier, later in zip(machine.began, machine.began[1:], strict=False)]
    assert gaps == pytest.approx([0.01] * 99)


def test_waking_late_is_part_of_the_response() -> None:
    found = Machine(every(0.004), late=0.002).run(100, 1)
    assert found.late_ms == pytest.approx((2, 2))
    assert found.response_ms[0] == pytest.approx(6)
    assert found.missed == 0


@pytest.mark.parametrize(
    ("takes", "missed", "begun"),
    [
        ([0.004] * 20, 0, 20),
        ([0.012] + [0.004] * 18, 2, 19),  # the first is late, and the second's time has passed
        ([0.025] + [0.004] * 17, 3, 18),  # over two more
        ([0.012] * 10, 20, 10),  # every other frame begins, and is late
        ([0.004] * 19 + [0.5], 1, 20),  # beyond the last there is none to miss
    ],
)
def test_late_frames_and_those_they_run_over_are_missed(takes: list[float], missed: int, begun: int) -> None:
    machine = Machine(takes)
    found = machine.run(100, 0.2)
    assert (found.count, found.missed, len(machine.began)) == (20, missed, begun)


def test_drift_is_the_last_tenth_over_the_first() -> None:
    found = Machine([0.001] * 10 + [0.002] * 80 + [0.004] * 10).run(100, 1)
    assert found.drift_ms == pytest.approx(3)


def test_neighbours_are_busy_while_the_block_runs_and_gone_behind_it() -> None:
    import psutil

    def children() -> list[psutil.Process]:
        return [each for each in psutil.Process().children() if "np.sqrt" in " ".join(each.cmdline())]

    with neighbours(2):
        running = children()
        assert len(running) == 2
        assert all(each.cpu_times().user > 0 for each in running)
    assert children() == []
    with neighbours(0):
        assert children() == []


def test_the_command_tells_frames_and_load(ir: IRMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    file = tmp_path / "profile.json"
    words = ["-t", "0.02", "--fps", "200", "--minutes", "0.002", "--load", "1", "--tree", "--json", str(file)]
    with pytest.raises(SystemExit) as stopped:
        main(["profile", str(ir("sequence")), *words])
    assert stopped.value.code == 0
    plain = json.loads(file.read_text())
    assert (plain["frames"]["fps"], plain["frames"]["count"], plain["conditions"]["load"]) == (200, 24, 1)
    out = capsys.readouterr().out
    assert "at 200 fps:" in out
    tree = out[out.index("rows by block") :].splitlines()
    names = [line.split()[0] for line in tree if line.startswith("  ")]
    assert len(names) >= len([row for row in plain["rows"] if row["name"] not in ("runtime", "binding")])

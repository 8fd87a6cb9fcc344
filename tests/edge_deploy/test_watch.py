"""What others took of the machine, from hand-made counts of the kernel's; and how a model's requests drift."""

from collections import namedtuple
from typing import Any

import pytest

from edge_deploy.watch import Watch, drift, shares

Linux = namedtuple("Linux", "user nice system idle iowait irq softirq steal guest guest_nice")
Windows = namedtuple("Windows", "user system idle interrupt dpc")
START = Linux(*range(100, 1100, 100))


def later(start: Any = START, **spent: float) -> Any:
    return start._replace(**{name: getattr(start, name) + each for name, each in spent.items()})


SHARES: list[tuple[list[Any], list[Any], float, tuple[float | None, float | None]]] = [
    ([START], [later(idle=10)], 0.0, (0.0, 0.0)),
    ([START], [later(user=4, idle=6)], 4.0, (0.0, 0.0)),  # all of it is ours
    ([START], [later(user=4, idle=6)], 1.0, (0.3, 0.0)),
    ([START], [later(user=4, idle=6)], 5.0, (0.0, 0.0)),  # our own clock ran a little ahead
    ([START], [later(user=1, nice=1, system=1, irq=1, softirq=1, idle=5)], 2.0, (0.3, 0.0)),
    ([START], [later(user=2, iowait=3, idle=5)], 2.0, (0.0, 0.0)),  # waiting for a disk computes nothing
    ([START], [later(user=2, idle=6, steal=2)], 2.0, (0.0, 0.2)),  # others of this machine took nothing
    ([START], [later(user=5, guest=5, idle=5)], 0.0, (0.5, 0.0)),  # a guest's time is among the user's
    ([START], [later(nice=5, guest_nice=5, idle=5)], 0.0, (0.5, 0.0)),
    ([START, START], [later(user=10), later(idle=10)], 5.0, (0.25, 0.0)),  # of both cores' time
    ([Windows(0, 0, 0, 0, 0)], [Windows(3, 1, 5, 1, 0)], 4.0, (0.1, None)),  # where nobody tells what is stolen
    ([START], [START], 0.0, (None, None)),  # no tick of the clock in between
    ([], [], 0.0, (None, None)),
]


@pytest.mark.parametrize(("before", "after", "own_s", "expected"), SHARES)
def test_shares_of_others_and_of_the_hypervisor(
    before: list[Any], after: list[Any], own_s: float, expected: tuple[float | None, float | None]
) -> None:
    for found, right in zip(shares(before, after, own_s), expected, strict=True):
        assert found == (right if right is None else pytest.approx(right, abs=1e-12))


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([], 0.0),
        ([1.0, 1.0, 1.0, 9.0, 9.0], 0.0),  # too few to tell
        ([1.0, 1.0, 5.0, 5.0, 2.0, 2.0], 1.0),
        ([2.0, 2.0, 5.0, 5.0, 1.0, 1.0], -0.5),
        ([1.0, 1.0, 9.0, 7.0, 7.0, 1.1, 1.1, 1.1], 0.1),  # thirds of two
        ([1.0, 1.2, 50.0, 9.0, 9.0, 9.0, 1.5, 70.0, 1.8], 0.5),  # medians: 1.2 and 1.8
    ],
)
def test_drift_is_the_last_third_over_the_first(blocks: list[float], expected: float) -> None:
    assert drift(blocks) == pytest.approx(expected)


def test_a_watch_counts_the_cores_that_it_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three cores this process may use the last two; it computed for 1 of their 20 s, and others for 5."""
    own = iter([3.0, 4.0])
    times = iter([[START] * 3, [later(user=10), later(user=6, idle=4), later(idle=8, steal=2)]])
    monkeypatch.setattr("edge_deploy.watch._own_seconds", lambda: next(own))
    monkeypatch.setattr("psutil.cpu_times", lambda percpu: next(times))
    monkeypatch.setattr("psutil.Process.cpu_affinity", lambda self: [2, 1])
    conditions = Watch().conditions([1.0, 1.0, 1.0, 1.0, 1.5, 1.5])
    assert (conditions.others, conditions.stolen, conditions.drift) == (0.25, 0.1, 0.5)
    assert conditions.seconds > 0


def test_nothing_is_told_where_the_machine_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.cpu_freq", lambda: None)
    monkeypatch.setattr("psutil.sensors_temperatures", lambda: {}, raising=False)
    before = Watch().before
    assert (before.frequency_mhz, before.temperature_c) == (None, None)


def test_the_hottest_sensor_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = namedtuple("Sensor", "current")
    sensors = {"coretemp": [sensor(41.0), sensor(63.5)], "nvme": [sensor(50.0)], "broken": [sensor(None)]}
    monkeypatch.setattr("psutil.sensors_temperatures", lambda: sensors, raising=False)
    monkeypatch.setattr("psutil.cpu_freq", lambda: namedtuple("Frequency", "current")(2345.0))
    before = Watch().before
    assert (before.frequency_mhz, before.temperature_c) == (2345.0, 63.5)

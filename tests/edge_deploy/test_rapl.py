"""Zones, their state and their wraps, on real files of a powercap tree that follow the kernel's own arithmetic."""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_deploy.rapl import (
    CounterError,
    Reading,
    Zone,
    energy_between,
    find_zones,
    read,
    read_aligned,
    readable_zones,
    status_of,
)
from edge_toolkit.errors import InputError, MissingError
from tests.edge_deploy.powercap_for_tests import AMD, AMD_NJ, INTEL_NJ, LAPTOP, SERVER, Machine, Source


@pytest.mark.parametrize(
    ("sources", "labels"),
    [
        # Its mmio twin is no zone of its own.
        (LAPTOP, ["package-0", "package-0/core", "package-0/uncore", "package-0/dram", "psys"]),
        (
            SERVER,
            ["package-0-die-0", "package-0-die-0/dram", "package-1-die-0", "package-1-die-0/dram", "psys-1"],
        ),
        (AMD, ["package-0", "package-0/core"]),
        (LAPTOP[-1:], ["package-0"]),  # all that there is, so not a twin
    ],
)
def test_each_zone_is_found_once(tmp_path: Path, sources: Sequence[Source], labels: list[str]) -> None:
    machine = Machine(tmp_path, sources)
    zones = find_zones(machine.classes)
    assert [zone.label for zone in zones] == labels
    assert [zone.path for zone in zones] == [machine.classes / each.number for each in sources[: len(labels)]]
    # 2^32 - 1 units of 61.035 and 15.258 uJ, worked out by hand.
    ranges = {INTEL_NJ: 262143328850, AMD_NJ: 65532610987}
    assert [zone.range_uj for zone in zones] == [ranges[each.unit_nj] for each in sources[: len(labels)]]


def test_zones_without_links_are_found_in_their_parents(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LAPTOP)
    found = find_zones(machine.devices / "intel-rapl")
    assert [zone.label for zone in found] == [zone.label for zone in find_zones(machine.classes)]
    assert found[1].path == machine.devices / "intel-rapl/intel-rapl:0/intel-rapl:0:0"


@pytest.mark.parametrize(
    ("name", "domain"),
    [("package-0", "package"), ("package-1-die-1", "package"), ("psys", "psys"), ("psys-1", "psys"), ("dram", "dram")],
)
def test_a_domain_is_the_name_without_numbers(name: str, domain: str) -> None:
    assert Zone(name, Path(), 1, None).domain == domain


def fail(path: Path, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make reading one file fail. Its mode would not: the tests may run as root, who reads everything."""
    whole = Path.read_text

    def read_text(self: Path, *args: str, **kwargs: str) -> str:
        if self == path:
            raise OSError(error, "some reason", str(self))  # becomes a PermissionError where the number says so
        return whole(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", read_text)


Damage = Callable[[Machine, pytest.MonkeyPatch], object]


@pytest.mark.parametrize(
    ("damage", "state", "told"),
    [
        (lambda machine, _: machine.classes.rename(machine.devices / "gone"), "absent", "sudo modprobe intel_rapl_msr"),
        # What containers do: the links are there, and what they lead to is hidden.
        (lambda machine, _: machine.devices.rename(machine.classes / "gone"), "absent", "outside virtual machines"),
        (lambda machine, _: machine.file("intel-rapl:0").parent.unlink(), "absent", "no energy counter of a package"),
        (
            lambda machine, patch: fail(machine.file("intel-rapl:0"), errno.EACCES, patch),
            "forbidden",
            r"intel-rapl:0/energy_uj may be read by root alone .*CVE-2020-8694.*"
            r"`sudo chmod o\+r /sys/class/powercap/\*/energy_uj`",
        ),
        # All others can be read, and yet the total would lack the memory.
        (
            lambda machine, patch: fail(machine.file("intel-rapl:0:2"), errno.EACCES, patch),
            "forbidden",
            "0:2/energy_uj",
        ),
        (
            lambda machine, patch: fail(machine.file("intel-rapl:0"), errno.EIO, patch),
            "broken",
            r"read \(some reason\)",
        ),
        (lambda machine, _: machine.file("intel-rapl:0:2").unlink(), "broken", r"0:2/energy_uj can't be read"),
        (
            lambda machine, _: machine.file("intel-rapl:0:2").write_text("much"),
            "broken",
            "reads 'much', which is no num",
        ),
        (lambda machine, _: machine.file("intel-rapl:1").write_bytes(b"\xff"), "broken", "which is no number"),
        (
            lambda machine, _: machine.file("intel-rapl:1", "max_energy_range_uj").write_text("0\n"),
            "broken",
            "intel-rapl:1/max_energy_range_uj reads 0, but a range is above 0: update the kernel",
        ),
        (
            lambda machine, _: machine.stop(),
            "broken",
            "intel-rapl:0/energy_uj still reads 0 after 1 s",
        ),
    ],
)
def test_a_status_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage, state: str, told: str
) -> None:
    machine = Machine(tmp_path, LAPTOP)
    machine.look_s = 1e-3
    damage(machine, monkeypatch)
    status = status_of(machine.classes, machine.clock)
    assert (status.state, "\n" in status.sentence) == (state, False)
    with pytest.raises(MissingError, match=told) as error:
        readable_zones(machine.classes, machine.clock)
    assert str(error.value) == status.sentence


def test_a_readable_machine_lists_its_zones(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LAPTOP)
    status = status_of(machine.classes, machine.clock)
    listed = "package-0, package-0/core, package-0/uncore, package-0/dram, psys"
    assert (status.state, status.sentence) == ("readable", f"{machine.classes}: energy can be read of {listed}")
    assert readable_zones(machine.classes, machine.clock) == find_zones(machine.classes)


@pytest.mark.parametrize(("name", "state"), [("package-1", "broken"), ("dram", "readable"), ("uncore", "readable")])
def test_only_packages_must_move(tmp_path: Path, name: str, state: str) -> None:
    """Each of them, and no other part, for that may be off."""
    machine = Machine(tmp_path, [LAPTOP[0], Source("intel-rapl:1", name, idle_w=0.0)])
    machine.look_s = 1e-3
    assert status_of(machine.classes, machine.clock).state == state


def zone(source: Source) -> Zone:
    return Zone("package-0", Path(), source.uj(2**32 - 1), None)


@given(
    unit_nj=st.sampled_from([INTEL_NJ, AMD_NJ, 10**9]),
    start=st.integers(0, 2**32 - 1) | st.just(2**32 - 1),
    counts=st.lists(st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 2**32 - 1]), min_size=1, max_size=5),
)
def test_energy_is_what_was_counted_over_all_wraps(unit_nj: int, start: int, counts: list[int]) -> None:
    """Readings are rounded down to whole microjoules, and a wrap's period is rounded: a difference is off by 2."""
    source = Source("intel-rapl:0", "package-0", unit_nj=unit_nj)
    totals = [start + sum(counts[:end]) for end in range(len(counts) + 1)]
    readings = [Reading(float(at), (source.uj(total % 2**32),)) for at, total in enumerate(totals)]
    (energy_mj,) = energy_between([zone(source)], readings)
    assert energy_mj * 1e3 == pytest.approx(sum(counts) * unit_nj / 1000, abs=2 * len(counts), rel=1e-12)


def test_readings_too_far_apart_to_tell_wraps_are_refused() -> None:
    """262 kJ last 262 s at 1000 W, and 65.5 kJ last 65.5 s."""
    zones = [zone(Source("intel-rapl:0", "package-0")), zone(Source("intel-rapl:1", "package-1", unit_nj=AMD_NJ))]
    assert energy_between(zones[:1], [Reading(0.0, (5000,)), Reading(262.0, (7000,))]) == (2.0,)
    assert energy_between(zones, [Reading(at, (0, 0)) for at in (0.0, 65.0, 130.0)]) == (0.0, 0.0)
    with pytest.raises(InputError, match=r"66 s went by .* in more than 66 s: measure for fewer seconds"):
        energy_between(zones, [Reading(at, (0, 0)) for at in (0.0, 1.0, 67.0)])


def test_an_aligned_reading_follows_an_update_at_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LAPTOP, tick_s=0.02)
    machine.idle(0.013)
    zones = find_zones(machine.classes)
    assert read(zones, machine.clock).at_s == pytest.approx(0.013, abs=1e-5)
    aligned = read_aligned(zones, machine.clock)
    assert aligned.at_s == pytest.approx(0.02, abs=2e-5)
    # 5, 1, 0.5, 1 and 30 W for 20 ms.
    assert aligned.energy_uj == pytest.approx((100_000, 20_000, 10_000, 20_000, 600_000), abs=INTEL_NJ / 1000)


def test_waiting_for_a_counter_that_hangs_ends(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LAPTOP)
    zones = readable_zones(machine.classes, machine.clock)
    machine.look_s = 1e-3
    machine.stop()
    with pytest.raises(CounterError, match="still reads"):
        read_aligned(zones, machine.clock)

"""Energy of an inference on a machine in virtual time, whose physics is known exactly."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.stats import ttest_1samp  # type: ignore[import-untyped]  # scipy ships no types

from edge_deploy.energy import Phase, Round, energy_of, measure_energy
from edge_deploy.rapl import Zone, readable_zones
from edge_toolkit.energy import Energy
from edge_toolkit.errors import InputError, MissingError
from tests.edge_deploy.powercap_for_tests import AMD, LAPTOP, SERVER, Machine, Source


def measured(machine: Machine, seconds: float = 4.0, rounds: int = 4) -> Energy:
    zones = readable_zones(machine.classes, machine.clock)
    return measure_energy(machine.run_block, seconds, zones, rounds, machine.clock, machine.idle)


# Of each domain: W idle, and mJ of an inference; at 1000 a second, a watt idle is a millijoule an inference.
EXPECTED: dict[str, tuple[Sequence[Source], dict[str, tuple[float, float]], tuple[float, float]]] = {
    "laptop": (
        LAPTOP,
        {"package": (5, 0.2), "core": (1, 0.15), "uncore": (0.5, 0.01), "dram": (1, 0.05), "psys": (30, 0.4)},
        (6, 0.25),  # 5 + 1 and 0.2 + 0.05: neither core nor uncore nor psys, nor the package's twin
    ),
    "server": (
        SERVER,
        {"package": (9, 0.3), "dram": (1.5, 0.06), "psys": (30, 0.4)},  # 5 + 4 and 1 + 0.5; 0.2 + 0.1 and 0.05 + 0.01
        (10.5, 0.36),
    ),
    "amd": (AMD, {"package": (5, 0.2), "core": (1, 0.15)}, (5, 0.2)),
}


@pytest.mark.parametrize("before_wrap", [None, 500_000, 1_000])
@pytest.mark.parametrize("name", EXPECTED)
def test_energy_is_that_of_the_physics(tmp_path: Path, name: str, before_wrap: int | None) -> None:
    """Counters that wrap, 0.06 to 30 J after the start, tell the same as those that don't."""
    sources, domains, total = EXPECTED[name]
    start = 0 if before_wrap is None else 2**32 - before_wrap
    energy = measured(Machine(tmp_path, [replace(source, start=start) for source in sources]))
    assert list(energy.domains) == list(domains)
    for found, (idle_w, net_mj) in [
        *((energy.domains[domain], expected) for domain, expected in domains.items()),
        (energy.total, total),
    ]:
        # 1000 inferences a load. A look at the clock takes 5 us, and a load ends up to 1 ms after its last block.
        assert found.idle_w == pytest.approx(idle_w, rel=1e-3)
        assert found.net_mj == pytest.approx(net_mj, abs=1e-3)
        assert found.gross_mj == pytest.approx(net_mj + idle_w, rel=2e-3)
        assert found.net_interval_mj[0] <= found.net_mj <= found.net_interval_mj[1]
        assert found.net_interval_mj == pytest.approx((net_mj, net_mj), abs=2e-3)
    assert (energy.inferences, energy.rounds, energy.origin) == (4000, 4, "measured")
    assert energy.seconds == pytest.approx(4, rel=2e-3)


def test_counters_that_are_seldom_updated_tell_the_same(tmp_path: Path) -> None:
    """Not aligned, a load of 0.5 s would be off by up to 20 ms of 6 W, 0.24 mJ of each of its 500 inferences."""
    machine = Machine(tmp_path, LAPTOP, tick_s=0.02)
    zones = readable_zones(machine.classes, machine.clock)
    machine.idle(0.013)
    energy = measure_energy(machine.run_block, 0.1, zones, 2, machine.clock, machine.idle)
    assert energy.inferences == 1000  # no load is shorter than 0.5 s
    assert energy.total.net_mj == pytest.approx(0.25, abs=1e-3)


def test_idle_power_that_rises_steadily_cancels_out(tmp_path: Path) -> None:
    """It doubles in 10 s. Pauses that last longer than they should are weighed by where their middles are."""
    machine = Machine(tmp_path, LAPTOP, drift=0.1)
    lengths = cycle([1.0, 3.0])
    zones = readable_zones(machine.classes, machine.clock)
    energy = measure_energy(
        machine.run_block, 4.0, zones, 4, machine.clock, lambda seconds: machine.idle(next(lengths) * seconds)
    )
    # A round takes 0.5 + 1 + 1.5 s, so the middles of the loads are at 1, 4, 7 and 10 s: 5.5 s in the mean.
    assert energy.total.idle_w == pytest.approx(6 * 1.55, rel=2e-3)
    assert energy.total.net_mj == pytest.approx(0.25, abs=2e-3)


def test_a_disturbed_pause_spoils_its_own_round_alone(tmp_path: Path) -> None:
    """It takes 0.25 W more, so the first of two rounds believes in 0.125 W more when idle, and their mean in 0.0625."""
    machine = Machine(tmp_path, LAPTOP)
    zones = readable_zones(machine.classes, machine.clock)
    others = iter([0.0, 1000.0, 0.0, 0.0])
    energy = measure_energy(
        machine.run_block, 2.0, zones, 2, machine.clock, lambda seconds: machine.idle(seconds, next(others))
    )
    assert energy.total.net_mj == pytest.approx(0.25 - 0.0625, abs=1e-3)


def test_a_wrap_in_each_block_is_not_lost(tmp_path: Path) -> None:
    """At 900 W a counter of 65.5 kJ wraps every 73 s: three times in a load of 240 s, of blocks of 60 s."""
    machine = Machine(tmp_path, [replace(AMD[0], inference_mj=900.0, start=2**32 - 1)], block_s=60.0)
    machine.look_s, machine.tick_s = 1e-3, 0.1
    zones = readable_zones(machine.classes, machine.clock)
    energy = measure_energy(machine.run_block, 480.0, zones, 2, machine.clock, lambda _: machine.idle(1.0))
    assert energy.inferences == 480_000
    assert energy.total.net_mj == pytest.approx(900, rel=1e-4)
    machine.block_s = 70.0
    with pytest.raises(InputError, match="70 s went by between two readings"):
        measure_energy(machine.run_block, 480.0, zones, 2, machine.clock, lambda _: machine.idle(1.0))


def test_a_counter_that_hangs_on_the_way_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LAPTOP)
    zones = readable_zones(machine.classes, machine.clock)

    def stop_counters() -> int:
        machine.look_s = 1e-3
        machine.stop()
        return machine.run_block()

    with pytest.raises(MissingError, match="intel-rapl:0/energy_uj still reads"):
        measure_energy(stop_counters, 1.0, zones, 2, machine.clock, machine.idle)


def rounds_of(energies_mj: Sequence[float]) -> list[Round]:
    """Loads of 2 s and 10 inferences, where idle power is 3 W."""
    return [Round(Phase(np.array([each]), 2.0, 10), np.array([3.0])) for each in energies_mj]


@pytest.mark.parametrize("rounds", [2, 3, 8, 16, 30])
def test_intervals_are_students(rounds: int) -> None:
    energies = np.random.default_rng(0).normal(9000, 100, rounds)
    energy = energy_of(rounds_of(energies.tolist()), [Zone("package-0", Path(), 1, None)])
    low, high = ttest_1samp(energies / 10, 0).confidence_interval(0.95)
    # The table has three decimals, and ends at 15 degrees of freedom: 2.131 for 2.045 at 29.
    wider = 2.131 / 2.045 if rounds == 30 else 1.0
    half = (high - low) / 2 * wider
    found = energy.total
    assert found.gross_mj == pytest.approx(energies.mean() / 10)
    assert found.gross_interval_mj == pytest.approx((found.gross_mj - half, found.gross_mj + half), rel=1e-3 / 2)
    # 3 W for 2 s are 6000 mJ, 600 of each inference.
    assert found.net_mj == pytest.approx(found.gross_mj - 600)
    assert np.subtract(*found.net_interval_mj) == pytest.approx(np.subtract(*found.gross_interval_mj))


def test_energy_survives_its_json_form(tmp_path: Path) -> None:
    energy = measured(Machine(tmp_path, [Source("intel-rapl:0", "package-0", 5.0, 0.2)]), 1.0, 2)
    adapter = TypeAdapter(Energy)
    assert adapter.validate_json(adapter.dump_json(energy)) == energy
    assert adapter.validate_python(asdict(energy)) == energy

"""Constants set anew, against the devices that ship."""

import re

import pytest

from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError
from edge_toolkit.sweep import Sweep, sweep_of, sweepable, with_constant

DEVICE = load_device("xr-npu+cim-mram")


@pytest.mark.parametrize("place", ["npu.clock_mhz", "processors.npu.clock_mhz", "cim.circuit.cycle_ns", "link.gb_s"])
def test_one_constant_changes_and_no_other(place: str) -> None:
    before, after = dict(DEVICE.constants()), dict(with_constant(DEVICE, place, 77.5).constants())
    changed = [name for name in before if before[name] != after[name]]
    assert [name.removeprefix("processors.") for name in changed] == [place.removeprefix("processors.")]
    assert (after[changed[0]].value, after[changed[0]].assumed) == (77.5, True)


def test_more_macros_hold_more() -> None:
    swept = sweep_of("cim.macros=1,4").devices(DEVICE)
    tiles = [device.processors["cim"].tiles for device in swept.values()]
    assert list(swept) == [1, 4]
    assert tiles[1] == 4 * tiles[0]


def test_a_sweep_keeps_the_order_of_its_values() -> None:
    assert sweep_of("npu.clock_mhz=400,50.5") == Sweep("npu.clock_mhz", (400.0, 50.5))


@pytest.mark.parametrize("text", ["cim.macros", "cim.macros=", "=1,2", "cim.macros=1,x", "cim.macros=2,2"])
def test_other_spellings_are_told_the_right_one(text: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"--sweep {text}: give PLACE=V1,V2,...")):
        sweep_of(text)


def test_an_unknown_place_is_told_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        with_constant(DEVICE, "cim.macross", 2)
    assert "--sweep cim.macross: xr-npu+cim-mram has no such constant" in str(caught.value)
    assert all(place in str(caught.value) for place in sweepable(DEVICE))


@pytest.mark.parametrize(
    ("place", "value", "told"), [("cim.macros", 1.5, "whole number"), ("link.gb_s", -1, "greater")]
)
def test_a_value_keeps_the_rule_of_its_place(place: str, value: float, told: str) -> None:
    with pytest.raises(InputError, match=rf"--sweep {place}={value:g}: .*{told}.*, but got {value:g}"):
        with_constant(DEVICE, place, value)


def test_shares_by_kind_of_layer_are_no_place() -> None:
    assert "cpu.utilisation" not in sweepable(load_device("cpu-host"))

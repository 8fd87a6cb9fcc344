"""When a machine was quiet enough: each threshold from both sides."""

from dataclasses import replace

import pytest

from edge_toolkit.conditions import Conditions, State

STATE = State(load_average=0.1, frequency_mhz=3000.0, temperature_c=60.0)
QUIET = Conditions(STATE, STATE, 3.0, others=0.0, stolen=0.0, drift=0.0)
SILENT = State(None, None, None)

CASES: list[tuple[Conditions, str]] = [
    (QUIET, ""),
    (replace(QUIET, before=SILENT, after=SILENT, others=None, stolen=None), ""),
    (replace(QUIET, others=0.05), ""),
    (replace(QUIET, others=0.06), "other programs took 6% of the cores"),
    (replace(QUIET, stolen=0.01), ""),
    (replace(QUIET, stolen=0.02), "the hypervisor gave 2% of the cores' time to other guests"),
    (replace(QUIET, drift=0.05), ""),
    (replace(QUIET, drift=-0.05), ""),
    (replace(QUIET, drift=0.12), "requests got 12% slower on the way"),
    (replace(QUIET, drift=-0.12), "requests got 12% faster on the way"),
    (replace(QUIET, after=replace(STATE, frequency_mhz=2850.0)), ""),
    (replace(QUIET, after=replace(STATE, frequency_mhz=2849.0)), "the clock fell from 3000 to 2849 MHz"),
    (replace(QUIET, after=replace(STATE, frequency_mhz=4000.0)), ""),
    (replace(QUIET, before=SILENT), ""),
    (replace(QUIET, after=replace(STATE, temperature_c=89.9)), ""),
    (replace(QUIET, after=replace(STATE, temperature_c=90.0)), "it got 90 degrees hot"),
    (replace(QUIET, before=replace(STATE, temperature_c=99.0)), ""),  # it has cooled down
    (replace(QUIET, before=replace(STATE, load_average=9.0)), ""),  # of which this run may be a part
]


@pytest.mark.parametrize(("conditions", "doubt"), CASES)
def test_a_machine_is_quiet_or_the_reason_is_told(conditions: Conditions, doubt: str) -> None:
    assert conditions.doubts == ((doubt,) if doubt else ())
    assert conditions.verdict == (f"not quiet: {doubt}" if doubt else "quiet")


def test_all_reasons_are_told() -> None:
    noisy = replace(QUIET, others=0.5, drift=0.2)
    assert noisy.verdict == "not quiet: other programs took 50% of the cores; requests got 20% slower on the way"

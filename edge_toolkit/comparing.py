"""Two profiles side by side: which model is faster, on what evidence, and which roles and rows make the difference."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from edge_toolkit.profile import REST, Comparison, Peaks, Profile, Row, Verdict

APART = 0.1
"""Differences between two runs up to this are no verdict: the clock, the heat and the neighbours differ as much."""

_NUMBERED, _TYPE = re.compile(r"(?<![A-Za-z0-9])([A-Z][A-Za-z0-9]*)_[0-9]+"), r"\1"

Evidence = Literal["one run", "separate runs"]

CHANGED = 0.1
"""Share of its time by which a row has to differ to be called changed, besides what its counters may have dropped."""


@dataclass(frozen=True)
class Difference:
    """A role or a row of the two models: its time in each, us, None where one has it not, and what is not alike."""

    name: str
    a_us: float | None
    b_us: float | None
    what: str = ""

    @property
    def more_us(self) -> float:
        """By how much longer the first takes."""
        return (self.a_us or 0.0) - (self.b_us or 0.0)


@dataclass(frozen=True)
class Differences:
    """Two models, `a` and `b`.

    `comparison` is a's median over b's. `unlike` tells what else was different, a sentence each. `roles` are in the
    order of execution, `rows` have the largest difference first.
    """

    comparison: Comparison
    evidence: Evidence
    unlike: tuple[str, ...]
    roles: tuple[Difference, ...]
    rows: tuple[Difference, ...]


def differences(a: Profile, b: Profile, comparison: Comparison | None = None) -> Differences:
    """Hold two profiles against each other.

    Args:
        a: the model that is asked about.
        b: what it is held against.
        comparison: from an interleaved run of both; None where they were taken apart, which is weaker evidence.
    """
    evidence: Evidence = "separate runs" if comparison is None else "one run"
    return Differences(
        comparison=comparison or apart(a, b),
        evidence=evidence,
        unlike=tuple(_unlike(a, b, evidence)),
        roles=tuple(_roles(a, b)),
        rows=tuple(sorted(_rows(a, b), key=lambda each: -abs(each.more_us))),
    )


def apart(a: Profile, b: Profile) -> Comparison:
    """Two runs of their own, by their medians' intervals: wide, and a verdict only beyond `APART`."""
    one, other = a.latency_ms, b.latency_ms
    low, high = one.interval[0] / other.interval[1], one.interval[1] / other.interval[0]
    verdict: Verdict = "faster" if high < 1 - APART else "slower" if low > 1 + APART else "no difference seen"
    return Comparison(one.median / other.median, (low, high), verdict)


def sentence(comparison: Comparison, a: str, b: str) -> str:
    """The verdict in a line."""
    low, high = comparison.interval
    ratio = f"takes {comparison.ratio:.3f} times as long ({low:.3f} to {high:.3f})"
    if comparison.verdict == "no difference seen":
        return f"no difference seen between {a} and {b}: the first {ratio}"
    by = sorted(abs(1 - each) for each in (low, high))
    return (
        f"{a} is {comparison.verdict} than {b} by {abs(1 - comparison.ratio):.1%} "
        f"({by[0]:.1%} to {by[1]:.1%}): it {ratio}"
    )


def _unlike(a: Profile, b: Profile, evidence: Evidence) -> Iterator[str]:
    pairs = {
        "device": (a.device_name, b.device_name),
        "precision": (a.precision, b.precision),
        "threads": (a.threads, b.threads),
        "streams": (a.streams, b.streams),
        "inputs": (_inputs(a), _inputs(b)),
        "CPU": (a.machine.cpu, b.machine.cpu),
        **{name: (_told(a).get(name), _told(b).get(name)) for name in {**_told(a), **_told(b)} if name not in _STATED},
        **{name: (a.versions.get(name), b.versions.get(name)) for name in {**a.versions, **b.versions}},
    }
    for name, (one, other) in pairs.items():
        if one != other:
            yield f"{name}: {one} in the first, {other} in the second"
    if evidence == "separate runs" and a.peaks is not None and b.peaks is not None:
        yield _speed(a.peaks, b.peaks)


_STATED = ("precision", "threads", "streams", "from cache")
"""Settings that are told otherwise, or don't matter behind the first request."""


def _told(profile: Profile) -> dict[str, str]:
    return {each.name: each.reported for each in profile.settings}


def _inputs(profile: Profile) -> str:
    return ", ".join(f"{each.name} {each.type} {list(each.shape)}" for each in profile.inputs)


def _speed(a: Peaks, b: Peaks) -> str:
    return (
        f"the machine itself was {a.gmac_s / b.gmac_s:.2f} times as fast in products, and "
        f"{a.memory_gb_s / b.memory_gb_s:.2f} times from memory, when the first was taken"
    )


def _roles(a: Profile, b: Profile) -> Iterator[Difference]:
    one, other = a.sums_by("role"), b.sums_by("role")
    names = [name for name in {**one, **other} if name not in REST]
    for name in (*names, *REST):
        yield Difference(
            name,
            one[name].time_us if name in one else None,
            other[name].time_us if name in other else None,
        )


def _rows(a: Profile, b: Profile) -> Iterator[Difference]:
    """Rows that differ: pairs in the order of execution, then those that stand elsewhere in it, then new and gone."""
    mine, others = ([row for row in each.rows if row.name not in REST] for each in (a, b))
    keys = [[_key(row) for row in rows] for rows in (mine, others)]
    pairs: list[tuple[Row, Row]] = []
    gone: list[Row] = []
    new: list[Row] = []
    for kind, begin, end, from_, to in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        if kind == "equal":
            pairs += zip(mine[begin:end], others[from_:to], strict=True)
        else:
            gone += mine[begin:end]
            new += others[from_:to]
    for row in gone:
        twin = next((other for other in new if _key(other) == _key(row)), None)
        if twin is None:
            yield Difference(row.name, row.time_us, None, "only in the first")
        else:
            new.remove(twin)
            pairs.append((row, twin))
    for row in new:
        yield Difference(row.name, None, row.time_us, "only in the second")
    for row, other in pairs:
        if what := _changes(row, other, a.lost_us + b.lost_us):
            yield Difference(row.name, row.time_us, other.time_us, what)


def _key(row: Row) -> str:
    """What makes two rows the same one: a name without OpenVINO's numbers, which differ from process to process.

    It puts them behind a type (`Add_3341`). Those of layers (`conv2d_1`) stay: they tell which one is gone.
    """
    return f"{_NUMBERED.sub(_TYPE, row.name)} {row.kind}"


def _changes(row: Row, other: Row, lost_us: float) -> str:
    changes = [
        f"{name} {one}, {was} in the second"
        for name, one, was in (
            ("kernel", row.kernel, other.kernel),
            ("precision", row.precision, other.precision),
            ("MACs", row.macs, other.macs),
        )
        if one != was
    ]
    more_us = abs(row.time_us - other.time_us)
    if not changes and more_us > lost_us and more_us > CHANGED * max(row.time_us, other.time_us):
        changes.append("time")
    return "; ".join(changes)

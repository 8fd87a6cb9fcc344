"""How a profile is printed, and its CSV."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Literal

from rich.table import Table

from edge_deploy.origins import SUFFIX
from edge_deploy.rows import LOST_US
from edge_toolkit.console import table
from edge_toolkit.energy import ModelledEnergy
from edge_toolkit.files import replacing
from edge_toolkit.frames import Frames
from edge_toolkit.profile import REST, Profile, Row, Streaming, Sum

FIELDS = ("name", "block", "role", "kind", "time_us", "share", "macs", "bytes", "gmac_s", "gb_s", "kernel", "precision")


def profile_tables(made: Profile, top: int, tree: bool = False) -> list[Table | str]:
    """What `profile` prints: headlines, the time by block and by role beside the baseline's, and the slowest rows.

    Args:
        made: the profile.
        top: how many rows of each model are shown; 0 for none, -1 for all.
        tree: whether the rows are shown below their blocks, in the order of execution.
    """
    drawn: list[Table | str] = list(_headlines(made))
    if made.settings:
        drawn += ["", table(("setting", "asked", "reported"), [astuple(each) for each in made.settings])]
    drawn += ["", _beside("block", made), "", _beside("role", made)]
    if tree:
        drawn += [part for each in made.both for part in ("", f"{each.target}: rows by block", _tree(each))]
    if top:
        drawn += ["", _slowest(made, top)]
        if made.baseline is not None:
            drawn += ["", _slowest(made.baseline, top)]
    return [*drawn, "", _legend(made)]


def write_csv(path: Path, made: Profile) -> None:
    """Write the rows of a profile and of its baseline, told apart by the first column."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("network", *FIELDS, "originals"))
        for network, each in (("model", made), ("baseline", made.baseline)):
            for row in each.rows if each is not None else ():
                writer.writerow((network, *(getattr(row, name) for name in FIELDS), ";".join(row.originals)))


def _headlines(made: Profile) -> Iterator[str]:
    yield from headline(made)
    if made.baseline is not None and made.comparison is not None:
        yield from headline(made.baseline)
        ratio, (low, high) = made.comparison.ratio, made.comparison.interval
        yield (
            f"{made.comparison.verdict}: takes {ratio:.3f} times as long as the baseline (95 % {low:.3f} to "
            f"{high:.3f}), both measured in turn"
        )
    if made.streaming is not None:
        yield from _streaming(made, made.streaming)
    yield (
        f"{made.device} {made.device_name}: {made.precision or 'precision n/a'}, threads {made.threads or 'n/a'}, "
        f"streams {made.streams or 'n/a'} (as the device reports), OpenVINO {made.versions['openvino'].split('-')[0]}"
    )
    yield from _machine(made)


def _machine(made: Profile) -> Iterator[str]:
    machine, conditions = made.machine, made.conditions
    load = "n/a" if machine.load_average is None else machine.load_average
    yield f"machine: {machine.cores} cores, governor {machine.governor or 'n/a'}, load {load} at the start" + (
        "" if conditions is None else f"; {conditions.verdict}"
    )
    if made.peaks is not None:
        cache = "" if made.peaks.cache_gb_s is None else f", {made.peaks.cache_gb_s:.1f} GB/s in cache"
        yield (
            f"its peaks, measured: {made.peaks.gmac_s:.1f} GMAC/s in {made.asked_precision}, "
            f"{made.peaks.memory_gb_s:.1f} GB/s from memory{cache}"
        )


def headline(made: Profile) -> Iterator[str]:
    """A model's latency, and what is paid once or besides, in lines."""
    latency = made.latency_ms
    low, high = latency.interval
    longest = "" if latency.max is None else f", max {latency.max:.4f}"
    yield (
        f"{made.target}: median {latency.median:.4f} ms (95 % {low:.4f} to {high:.4f}), p90 {latency.p90:.4f}, "
        f"p99 {latency.p99:.4f}{longest}, min {latency.min:.4f}, {latency.count} requests; "
        f"{made.macs / 1e6:.2f} MMACs, {made.parameters:,} parameters"
    )
    if made.startup is not None:
        yield f"  once: compiled in {made.startup.compile_ms:.1f} ms, first request {made.startup.first_ms:.4f} ms"
    yield f"  energy of an inference: {_energy(made)}"
    if made.frames is not None:
        yield from _frames(made.frames)
    if made.throughput is not None:
        flow = made.throughput
        yield f"  {flow.at_once} requests at once: {flow.per_second:.1f} a second ({flow.count} requests)"


def _streaming(made: Profile, streaming: Streaming) -> Iterator[str]:
    """What an output costs where the LSTM keeps its state; the model sees its whole window for each."""
    low, high = streaming.comparison.interval
    yield (
        f"streaming, an output every {streaming.samples} samples: the model's window {made.latency_ms.median:.4f} ms, "
        f"a step of the LSTM with carried state {streaming.step_ms.median:.4f} ms: {streaming.comparison.verdict}, "
        f"{streaming.comparison.ratio:.2f} times as long (95 % {low:.2f} to {high:.2f})"
    )
    if made.baseline is not None:
        each = 1000 * made.baseline.latency_ms.median / streaming.steps
        yield f"in its window the LSTM takes {each:.2f} us for each of {streaming.steps} steps"


def _frames(frames: Frames) -> Iterator[str]:
    median, p99, largest = frames.response_ms
    yield (
        f"  at {frames.fps:g} fps: {frames.missed} of {frames.count} frames missed ({frames.missed / frames.count:.2%} "
        f"of {1000 / frames.fps:.2f} ms); response {median:.4f} ms, p99 {p99:.4f}, max {largest:.4f}, jitter "
        f"{frames.jitter_ms:.4f}; begun {frames.late_ms[0]:.4f} ms late, p99 {frames.late_ms[1]:.4f}; drift "
        f"{frames.drift_ms:+.4f} ms"
    )


def _energy(made: Profile) -> str:
    energy = made.energy
    if energy is None:
        return f"neither measured nor modelled for {made.device} at {made.precision or 'its precision'}"
    if isinstance(energy, ModelledEnergy):
        return (
            f"{energy.energy_mj:.4f} mJ, modelled as {energy.device} ({energy.assumed} of {energy.constants} constants "
            "are assumed); `edge-toolkit doctor` tells why it is not measured"
        )
    low, high = energy.total.net_interval_mj
    return (
        f"{energy.total.net_mj:.4f} mJ above idle (95 % {low:.4f} to {high:.4f}), {energy.total.gross_mj:.4f} with it, "
        f"measured (package and dram, {energy.inferences} inferences)"
    )


def _legend(made: Profile) -> str:
    unread = " and ".join(f"{each.unread_us:.0f} us" for each in made.both)
    return (
        "wall: one inference as Python sees it; binding: what Python adds to the request; runtime: what else the "
        "request took\nOpenVINO's timers round down to whole microseconds: a row reads low by up to "
        f"{LOST_US:.0f} us, which `runtime` holds instead (at most {unread} of it), "
        "and its rates and share of the roof read as much too high"
    )


def _beside(column: Literal["role", "block"], made: Profile) -> Table:
    """Sums of the rows, the model's and the baseline's side by side, with `runtime`, `binding` and the total last."""
    parts = [(each, each.sums_by(column)) for each in made.both]
    names = dict.fromkeys(name for _, part in parts for name in part)
    ordered = [*(name for name in names if name not in REST), *REST]
    lines = [[name, *(cell for each, part in parts for cell in _cells(each, part.get(name)))] for name in ordered]
    lines.append(["wall", *(cell for each, part in parts for cell in _cells(each, _total(each.wall_us, part)))])
    heads = [f"{whose}{head}" for whose in ("", "baseline ")[: len(parts)] for head in ("us", "share", "kMACs")]
    return table((column, *heads), lines)


def _total(wall_us: float, part: Mapping[str, Sum]) -> Sum:
    return Sum(
        wall_us,
        sum(each.share for each in part.values()),
        sum(each.macs for each in part.values()),
        sum(each.rows for each in part.values()),
    )


def _cells(made: Profile, each: Sum | Row | None) -> tuple[str, str, str]:
    if each is None:
        return "", "", ""
    time = made.time_text(each.time_us, each.rows if isinstance(each, Sum) else 1)
    return time, f"{each.share:.1%}", f"{each.macs / 1e3:.1f}" if each.macs else ""


def _tree(made: Profile) -> Table:
    """Blocks with their sums, and below each its rows, in the order of execution."""
    lines = []
    for block, each in made.sums_by("block").items():
        lines.append((block, "", *_cells(made, each), ""))
        if block not in REST:
            rows = [row for row in made.rows if row.block == block]
            lines += [(f"  {_plain(row.name)}", row.role, *_cells(made, row), row.kernel) for row in rows]
    return table(("block and row", "role", "us", "share", "kMACs", "kernel"), lines)


def _slowest(made: Profile, top: int) -> Table:
    """The rows that take longest, with what is fused into each."""
    executed = sorted((row for row in made.rows if row.name not in REST), key=lambda row: -row.time_us)
    shown = executed if top < 0 else executed[:top]
    lines = [
        (_plain(row.name), row.role, *_cells(made, row), *_rates(made, row), row.kernel, _with(row)) for row in shown
    ]
    title = f"{made.target}: {len(shown)} of {len(executed)} rows, slowest first"
    heads = ("row", "role", "us", "share", "kMACs", "kB", "GMAC/s", "GB/s", "of roof", "kernel", "fused into it")
    return table(heads, lines, title)


def _rates(made: Profile, row: Row) -> tuple[str, ...]:
    """Bytes, rates, and the least time by the machine's peaks over the row's own."""
    of_roof = None if made.peaks is None else row.of_roof(made.peaks)
    return (
        f"{row.bytes / 1e3:.1f}" if row.bytes else "",
        "" if row.gmac_s is None else f"{row.gmac_s:.1f}",
        "" if row.gb_s is None else f"{row.gb_s:.1f}",
        "" if of_roof is None else f"{of_roof:.0%}",
    )


def _with(row: Row) -> str:
    """What is fused into a row, by the type at the end of each name."""
    own = _plain(row.name)
    fused = dict.fromkeys(_plain(name) for name in row.originals)
    return " ".join(name.rpartition("/")[2] for name in fused if name != own)


def _plain(name: str) -> str:
    return name.removesuffix(SUFFIX)

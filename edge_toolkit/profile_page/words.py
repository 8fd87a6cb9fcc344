"""What the page says in words: the headline, how the two compare, the settings, and what its numbers are."""

from collections.abc import Callable, Iterator
from typing import Any

from edge_toolkit import __version__
from edge_toolkit.energy import ModelledEnergy
from edge_toolkit.profile import Profile, doubts_of

NA = "n/a"


def words_of(profile: Profile) -> dict[str, Any]:
    """Plain data: tiles, tables as lines of text, and sentences."""
    return {
        "names": [each.name for each in profile.both],
        "where": f"Profile on {profile.device} {profile.device_name}, {profile.precision or 'precision unknown'}",
        "verdict": _verdict(profile),
        "tiles": list(_tiles(profile)),
        "doubts": list(doubts_of(profile)),
        "latency": [[name, *map(text, profile.both)] for name, text in LATENCY],
        "settings": [[each.name, each.asked, each.reported, each.differs] for each in profile.settings],
        "notes": list(_notes(profile)),
    }


def _ms(time_ms: float) -> str:
    return f"{time_ms:.4f} ms"


def _interval(profile: Profile) -> str:
    low, high = profile.latency_ms.interval
    return f"{low:.4f} to {high:.4f}"


def _longest(profile: Profile) -> str:
    return NA if profile.latency_ms.max is None else _ms(profile.latency_ms.max)


def _energy(profile: Profile) -> str:
    energy = profile.energy
    if energy is None:
        return NA
    if isinstance(energy, ModelledEnergy):
        return f"{energy.energy_mj:.4f} mJ, modelled ({energy.device})"
    return f"{energy.total.net_mj:.4f} mJ above idle, measured"


LATENCY: tuple[tuple[str, Callable[[Profile], str]], ...] = (
    ("median", lambda each: _ms(each.latency_ms.median)),
    ("95% interval", _interval),
    ("min", lambda each: _ms(each.latency_ms.min)),
    ("mean", lambda each: _ms(each.latency_ms.mean)),
    ("p90", lambda each: _ms(each.latency_ms.p90)),
    ("p99", lambda each: _ms(each.latency_ms.p99)),
    ("max", _longest),
    ("requests", lambda each: f"{each.latency_ms.count:,}"),
    ("call from Python", lambda each: _ms(each.wall_us / 1000)),
    ("compiling, once", lambda each: NA if each.startup is None else f"{each.startup.compile_ms:.1f} ms"),
    ("first request, once", lambda each: NA if each.startup is None else _ms(each.startup.first_ms)),
    ("energy of an inference", _energy),
    ("MMACs", lambda each: f"{each.macs / 1e6:,.2f}"),
    ("parameters", lambda each: f"{each.parameters:,}"),
)
"""The lines of the latency table, and what each network's cell says."""


def _verdict(profile: Profile) -> dict[str, str] | None:
    if profile.baseline is None or profile.comparison is None:
        return None
    ratio, (low, high) = profile.comparison.ratio, profile.comparison.interval
    return {
        "kind": profile.comparison.verdict,
        "head": profile.comparison.verdict.capitalize(),
        "text": f": takes {ratio:.3f} times as long as {profile.baseline.name} (95% interval {low:.3f} to {high:.3f}), "
        "both measured in turn.",
    }


def _tiles(profile: Profile) -> Iterator[dict[str, str]]:
    latency = profile.latency_ms
    yield _tile("median of a request", _ms(latency.median), f"95% interval {_interval(profile)}", "first")
    yield _tile("p90", _ms(latency.p90))
    yield _tile("p99", _ms(latency.p99))
    yield _tile("max", _longest(profile))
    yield _tile("requests", f"{latency.count:,}")
    yield _tile("device", profile.device, profile.device_name)
    yield _tile("precision", profile.precision or NA, f"{profile.asked_precision} asked for")
    yield _tile("size", f"{profile.macs / 1e6:,.2f} MMACs", f"{profile.parameters:,} parameters")
    if profile.throughput is not None:
        flow = profile.throughput
        yield _tile(f"{flow.at_once} requests at once", f"{flow.per_second:,.1f} a second", f"{flow.count:,} requests")
    if profile.frames is not None:
        frames = profile.frames
        text = f"missed; response p99 {_ms(frames.response_ms[1])}, jitter {_ms(frames.jitter_ms)}"
        yield _tile(f"frames at {frames.fps:g} fps", f"{frames.missed:,} of {frames.count:,}", text)
    if profile.streaming is not None:
        ratio = profile.streaming.comparison.ratio
        text = f"a step of the LSTM with carried state; the model's window takes {ratio:.2f} times that"
        yield _tile("streaming", _ms(profile.streaming.step_ms.median), text)
    if profile.conditions is not None:
        doubts = profile.conditions.doubts
        text = "; ".join(doubts) or "quiet enough for the figures to stand"
        yield _tile("machine", "not quiet" if doubts else "quiet", text, "disturbed" if doubts else "")


def _tile(label: str, value: str, text: str = "", kind: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "text": text, "kind": kind}


def _notes(profile: Profile) -> Iterator[str]:
    unread = " and ".join(f"{each.unread_us:.0f} µs" for each in profile.both)
    yield (
        f"OpenVINO's timers round down to whole microseconds: a row reads low by up to {profile.lost_us:.0f} µs, which "
        f"runtime holds instead (at most {unread} of it). runtime: what a request takes besides its rows; binding: "
        "what the call from Python adds to the request."
    )
    machine = profile.machine
    load = NA if machine.load_average is None else f"{machine.load_average:g}"
    versions = ", ".join(f"{name} {version}" for name, version in profile.versions.items())
    yield f"{machine.cores} cores, governor {machine.governor or NA}, load {load} at the start. {versions}."
    yield "; ".join(each.target for each in profile.both)
    yield (
        f"Written by edge-toolkit {__version__}. Nothing is loaded from outside; the whole profile is in this file, "
        "as JSON."
    )

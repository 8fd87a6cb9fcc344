"""The pick in a few figures, and what a reader should know before using them."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_toolkit.layers import layers_of
from edge_toolkit.profile import Profile, doubts_of
from edge_toolkit.report.sources import Evidence, Shipped, Trained
from edge_toolkit.specs import digest


@dataclass(frozen=True)
class Tile:
    """One figure of the headline: its value, where it comes from, and a sentence beside it."""

    label: str
    value: str
    origin: str
    text: str


def tiles(evidence: Evidence) -> tuple[Tile, ...]:
    """Test accuracy, latency and energy of the pick, as far as they are known."""
    return (*_accuracy(evidence), *_latency(evidence), *_energy(evidence))


def _accuracy(evidence: Evidence) -> Iterator[Tile]:
    trained, lstm = evidence.model(evidence.pick), evidence.model(evidence.lstm_name)
    if trained is None:
        return
    accuracy = trained.training.test_accuracy
    text = ""
    if lstm is not None:
        points = 100 * (accuracy - lstm.training.test_accuracy)
        text = f"The LSTM beside it: {lstm.training.test_accuracy:.1%} ({points:+.1f} points for the pick)"
    yield Tile("test accuracy", f"{accuracy:.1%}", "measured", text)


def _latency(evidence: Evidence) -> Iterator[Tile]:
    profile, candidate = evidence.profile, evidence.candidate
    if profile is not None:
        label = f"latency on {profile.device}, {profile.precision or 'precision unknown'}"
        yield Tile(label, f"{profile.latency_ms.median:.4f} ms", "measured", verdict(profile))
    elif candidate is not None:
        text = f"For {evidence.asked.device.name}; not measured yet"
        yield Tile("latency", f"{candidate.latency_ms:.4f} ms", candidate.origin.get("latency_ms", "n/a"), text)


def _energy(evidence: Evidence) -> Iterator[Tile]:
    candidate = evidence.candidate
    if candidate is not None:
        text = f"For {evidence.asked.device.name}, one inference"
        yield Tile("energy", f"{candidate.energy_mj:.5f} mJ", candidate.origin.get("energy_mj", "n/a"), text)


def verdict(profile: Profile) -> str:
    """How the pick's latency compares with its baseline's, in a sentence."""
    if profile.baseline is None or profile.comparison is None:
        return "No baseline was measured beside it"
    compared, (low, high) = profile.comparison, profile.comparison.interval
    return (
        f"{compared.verdict.capitalize()}: {compared.ratio:.3f} of the median of {profile.baseline.name}, "
        f"{profile.baseline.latency_ms.median:.4f} ms (95% interval {low:.3f} to {high:.3f})"
    )


def commands(evidence: Evidence) -> dict[str, str]:
    """What is missing from the page, by part, and the command that makes it."""
    run, pick = evidence.run, shlex.quote(evidence.pick)
    folder = shlex.quote(str(run.path))
    model, bundle = shlex.quote(str(run.model(evidence.pick))), shlex.quote(str(run.bundle(evidence.pick)))
    profile = evidence.profile
    parts = {
        "front": (evidence.front, f"search ... --out {folder}"),
        "model": (evidence.model(evidence.pick), f"train {folder} --pick {pick}"),
        "lstm": (evidence.model(evidence.lstm_name), f"train --baseline lstm --like {model}"),
        "bundle": (evidence.bundle, f"export {model}"),
        "profile": (profile, f"profile {bundle} --device CPU --baseline lstm"),
        "baseline": (profile and profile.baseline, f"profile {bundle} --device CPU --baseline lstm"),
        "measured": (evidence.measured, f"measure {folder} --device CPU"),
    }
    return {part: f"edge-toolkit {command}" for part, (found, command) in parts.items() if found is None}


def warnings(evidence: Evidence) -> tuple[str, ...]:
    """What a reader should know before using the numbers."""
    doubts = () if evidence.profile is None else doubts_of(evidence.profile)
    return (*_stale(evidence), *_budget(evidence), *doubts)


def _stale(evidence: Evidence) -> Iterator[str]:
    """Files of one pick that tell of different networks or trainings."""
    trained, candidate = evidence.model(evidence.pick), evidence.candidate
    if trained is None:
        return
    name = trained.name
    if candidate is not None and candidate.architecture != trained.spec:
        yield f"models/{name} is another network than {name} in the front; train the pick again."
    if evidence.bundle is not None and not _exported_from(trained, evidence.bundle):
        yield f"bundles/{name} was exported from another training of the pick; export it again."
    if evidence.profile is not None and evidence.profile.macs != _macs(trained):
        yield f"profiles/{name}.json was taken of another network; profile the bundle again."


def _exported_from(trained: Trained, bundle: Shipped) -> bool:
    accuracy = bundle.accuracy
    same = accuracy is None or accuracy.validation == trained.training.validation_accuracy
    return same and bundle.digest == digest(trained.spec)


def _macs(trained: Trained) -> int:
    return int(layers_of(trained.spec).macs.sum())


def _budget(evidence: Evidence) -> Iterator[str]:
    front, candidate = evidence.front, evidence.candidate
    if front is None or candidate is None:
        return
    found = evidence.measurement(candidate)
    seen = {f"{evidence.measured.settings.device}, by measure": found.latency_ms} if evidence.measured and found else {}
    if evidence.profile is not None:
        seen[f"{evidence.profile.device}, by profile"] = evidence.profile.latency_ms.median
    for where, latency_ms in seen.items():
        if front.budget.broken({"latency_ms": latency_ms}):
            yield (
                f"The latency budget of {front.budget.latency_ms:.4g} ms, kept by the model of {front.device}, is "
                f"broken on {where}: {latency_ms:.4f} ms."
            )


def summary(evidence: Evidence) -> dict[str, Any]:
    """The headline as plain data; None stands for what is not known yet."""
    trained, lstm = evidence.model(evidence.pick), evidence.model(evidence.lstm_name)
    candidate, profile = evidence.candidate, evidence.profile
    baseline, comparison = (profile.baseline, profile.comparison) if profile else (None, None)
    return {
        "run": evidence.run.name,
        "pick": evidence.pick,
        "report": str(evidence.run.report),
        "test_accuracy": trained.training.test_accuracy if trained else None,
        "lstm_test_accuracy": lstm.training.test_accuracy if lstm else None,
        "measured_latency_ms": profile.latency_ms.median if profile else None,
        "baseline_latency_ms": baseline.latency_ms.median if baseline else None,
        "verdict": comparison.verdict if comparison else None,
        "ratio": comparison.ratio if comparison else None,
        "ratio_interval": list(comparison.interval) if comparison else None,
        "modelled_energy_mj": candidate.energy_mj if candidate else None,
        "missing": commands(evidence),
        "warnings": list(warnings(evidence)),
    }


def summary_row(facts: Mapping[str, Any]) -> dict[str, str]:
    """The summary as one line of a table, by column."""
    ratio = "" if facts["ratio"] is None else f", {facts['ratio']:.3f} of its time"
    return {
        "run": facts["run"],
        "pick": facts["pick"],
        "test": _shown(facts["test_accuracy"], ".1%"),
        "LSTM test": _shown(facts["lstm_test_accuracy"], ".1%"),
        "measured ms": _shown(facts["measured_latency_ms"], ".4f"),
        "baseline ms": _shown(facts["baseline_latency_ms"], ".4f"),
        "against it": f"{facts['verdict'] or 'n/a'}{ratio}",
        "modelled mJ": _shown(facts["modelled_energy_mj"], ".5f"),
    }


def _shown(value: float | None, form: str) -> str:
    return "n/a" if value is None else format(value, form)

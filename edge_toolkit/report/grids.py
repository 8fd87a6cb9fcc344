"""The tables of the page, as text; the template draws them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge_toolkit.front import Front
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.profile import REST, Profile, Sum
from edge_toolkit.report.sources import Evidence, Trained


@dataclass(frozen=True)
class Grid:
    """A table of text. `marked` are the rows that stand out: the pick."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold numbers alone, and are set right."""
        return tuple(all(_number(row[at]) for row in self.rows) for at in range(len(self.columns)))


def _number(text: str) -> bool:
    return re.fullmatch(r"[-+<]?[\d.,]+%?|n/a|", text) is not None


def asked_grid(evidence: Evidence) -> Grid:
    """What the search was asked."""
    asked = evidence.asked
    units = {"latency_ms": "ms", "energy_mj": "mJ"}
    bounds = " and ".join(f"{bound:.4g} {units[name]}" for name, bound in asked.budget.bounds.items())
    rows = [
        ("data", asked.data, f"fingerprint {asked.fingerprint[:12]}"),
        ("search space", asked.space_name, str(asked.space.get("description", ""))),
        ("device", asked.device.name, asked.device.description),
        ("budget", bounds or "none", f"at most, for one inference, {asked.device.origin}" if bounds else ""),
        ("trials", f"{asked.trials}", f"sampler {asked.sampler}, seed {asked.seed}, jobs {asked.jobs}"),
        ("supernet", f"{asked.recipe.get('epochs', 'n/a')} epochs", _recipe(asked.recipe)),
    ]
    return Grid(("", "asked", "which is"), tuple(rows))


def _recipe(recipe: Mapping[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in recipe.items() if name != "epochs")


def front_grid(evidence: Evidence, front: Front) -> Grid:
    """The candidates, fastest first, with what a real device needed for them where that was measured."""
    origin = front.candidates[0].origin
    columns = [
        "#",
        f"accuracy, {origin.get('accuracy', 'n/a')}",
        f"latency ms, {origin.get('latency_ms', 'n/a')}",
        f"energy mJ, {origin.get('energy_mj', 'n/a')}",
        "MMACs",
        "parameters",
        "pick",
    ]
    if evidence.measured is not None:
        settings = evidence.measured.settings
        columns[4:4] = [f"latency ms, measured on {settings.device} ({settings.precision})", "latency budget there"]
    return Grid(tuple(columns), tuple(_front_rows(evidence, front)), _marked(evidence, front))


def _front_rows(evidence: Evidence, front: Front) -> Iterator[tuple[str, ...]]:
    for index, candidate in enumerate(front.candidates):
        row = [
            str(index),
            f"{candidate.accuracy:.1%}",
            f"{candidate.latency_ms:.4f}",
            f"{candidate.energy_mj:.5f}",
            f"{candidate.macs / 1e6:.2f}",
            f"{candidate.parameters:,}",
            front.names(index),
        ]
        if evidence.measured is not None:
            found = evidence.measurement(candidate)
            latency_ms = found.latency_ms if found else None
            row[4:4] = ["not measured" if latency_ms is None else f"{latency_ms:.4f}", front.budget.verdict(latency_ms)]
        yield tuple(row)


def _marked(evidence: Evidence, front: Front) -> frozenset[int]:
    candidate = evidence.candidate
    return frozenset(index for index, each in enumerate(front.candidates) if each is candidate)


def models_grid(evidence: Evidence) -> Grid:
    """Accuracy and size of every trained model, the pick first."""
    columns = ("model", "network", "start", "epochs", "seed", "validation", "test", "MMACs", "parameters")
    marked = frozenset(index for index, model in enumerate(evidence.models) if model.name == evidence.pick)
    return Grid(columns, tuple(_model_row(model) for model in evidence.models), marked)


def _model_row(model: Trained) -> tuple[str, ...]:
    training, layers = model.training, layers_of(model.spec)
    return (
        model.name,
        "LSTM" if isinstance(model.spec, LSTMBaseline) else "hybrid",
        training.start,
        str(training.epochs),
        str(training.seed),
        f"{training.validation_accuracy:.1%}",
        f"{training.test_accuracy:.1%}",
        f"{layers.macs.sum() / 1e6:.2f}",
        f"{layers.parameters.sum():,}",
    )


def roles_grid(profile: Profile) -> Grid:
    """Time by role, the network's and the baseline's side by side, with the wall time last."""
    sums = [each.sums_by("role") for each in profile.both]
    executed = dict.fromkeys(name for part in sums for name in part if name not in REST)
    rows = [(name, *_side_by_side([part.get(name) for part in sums], profile)) for name in (*executed, *REST)]
    rows.append(("wall time", *(cell for each in profile.both for cell in (f"{each.wall_us:.1f}", "100.0%"))))
    heads = [f"{each.name} {unit}" for each in profile.both for unit in ("µs", "share")]
    return Grid(("role", *heads), tuple(rows), frozenset({len(rows) - 1}))


def _side_by_side(spent: Sequence[Sum | None], profile: Profile) -> Iterator[str]:
    for here, each in zip(spent, profile.both, strict=True):
        yield each.time_text(here.time_us, here.rows) if here else ""
        yield f"{here.time_us / each.wall_us:.1%}" if here and here.time_us else ""


def rows_grid(profile: Profile) -> Grid:
    """Every executed row of a network, in the order of execution."""
    columns = ("row", "block", "role", "µs", "share", "kMACs", "kernel", "precision")
    rows = [
        (
            row.name,
            row.block,
            row.role,
            profile.time_text(row.time_us),
            f"{row.share:.1%}" if row.time_us else "",
            f"{row.macs / 1e3:.1f}" if row.macs else "",
            row.kernel,
            row.precision,
        )
        for row in profile.rows
    ]
    return Grid(columns, tuple(rows))


def machine_grid(evidence: Evidence) -> Grid:
    """The machine of each measurement, and how the device was set."""
    rows = []
    if (profile := evidence.profile) is not None:
        how = f"{profile.precision or 'n/a'}, {profile.threads or 'n/a'} threads, {profile.streams or 'n/a'} streams"
        rows.append(("profile", f"{profile.device} {profile.device_name}", f"{how} (read back)", profile.machine))
    if (measured := evidence.measured) is not None:
        settings = measured.settings
        how = f"{settings.precision}, {settings.threads} threads (asked)"
        rows.append(("measure", f"{settings.device} {settings.device_name}", how, measured.machine))
    plain = [
        (step, device, how, machine.cpu, str(machine.cores), _known(machine.governor), _known(machine.load_average))
        for step, device, how, machine in rows
    ]
    return Grid(("step", "device", "ran as", "processor", "cores", "governor", "load before"), tuple(plain))


def _known(value: object) -> str:
    return "n/a" if value is None else str(value)


def versions_grid(evidence: Evidence) -> Grid:
    """The versions of each step, one package a line."""
    steps: dict[str, Mapping[str, str]] = {}
    if evidence.bundle is not None:
        steps["export"] = evidence.bundle.versions
    if evidence.profile is not None:
        steps["profile"] = evidence.profile.versions
    if evidence.measured is not None:
        steps["measure"] = evidence.measured.settings.versions
    packages = sorted({name for versions in steps.values() for name in versions})
    rows = [(package, *(versions.get(package, "") for versions in steps.values())) for package in packages]
    return Grid(("package", *steps), tuple(rows))

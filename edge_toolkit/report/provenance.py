"""How each number of the page was taken: its origin, and the method in a sentence."""

from collections.abc import Iterator

from edge_toolkit.front import Front
from edge_toolkit.measured import Measured
from edge_toolkit.profile import Profile
from edge_toolkit.report.grids import Grid
from edge_toolkit.report.sources import Evidence, Shipped

Row = tuple[str, str, str]


def provenance(evidence: Evidence) -> Grid:
    """One row a number: what it is, its origin (measured, modelled, inherited), how it was taken."""
    rows: list[Row] = []
    if evidence.front is not None and evidence.front.candidates:
        rows += _front(evidence, evidence.front)
    if evidence.measured is not None:
        rows.append(_measured(evidence.measured))
    if evidence.models:
        rows += _training()
    if evidence.bundle is not None:
        rows.append(_parity(evidence.bundle))
    if evidence.profile is not None:
        rows += _profile(evidence.profile)
    rows.append(
        ("MACs, parameters", "counted", "from the layer table: every multiplication of one inference at batch 1")
    )
    return Grid(("number", "origin", "how it was taken"), tuple(rows))


def _front(evidence: Evidence, front: Front) -> Iterator[Row]:
    origin, device = front.candidates[0].origin, evidence.asked.device
    weights = "with the supernet's weights" if origin.get("accuracy") == "inherited" else "with the network's weights"
    yield (
        "accuracy in the front",
        origin.get("accuracy", "n/a"),
        f"share of the validation split, {weights}; the test split was not used; {front.evaluated} networks evaluated",
    )
    constants = [constant for _, constant in device.constants()]
    assumed = sum(constant.assumed for constant in constants)
    for cost in ("latency_ms", "energy_mj"):
        yield (
            f"{cost.partition('_')[0]} in the front",
            origin.get(cost, "n/a"),
            f"computed layer by layer from the constants of {device.name} at {device.precision}, {assumed} of its "
            f"{len(constants)} assumed; nothing was measured (edge-toolkit devices {device.name} lists them)",
        )


def _measured(measured: Measured) -> Row:
    settings = measured.settings
    counts = [each.requests for each in measured.candidates.values()] or [0]
    return (
        "latency of the candidates",
        "measured",
        f"median of {min(counts):,} to {max(counts):,} requests each at batch 1, after warm-up, in turn with the other "
        f"candidates; weights {measured.weights}; {settings.precision} and {settings.threads} threads asked for",
    )


def _training() -> Iterator[Row]:
    split = "share of the {} split named rightly, torch at f32"
    yield "validation accuracy", "measured", f"{split.format('validation')}, after training"
    yield "test accuracy", "measured", f"{split.format('test')}; taken once, after training: nothing was chosen by it"


def _parity(bundle: Shipped) -> Row:
    parity = bundle.parity
    right = ", ".join(f"{name} {count}" for name, count in parity.right.items())
    errors = ", ".join(f"{name} {error:.1e}" for name, error in parity.errors.items())
    return (
        "what ships equals what was trained",
        "measured",
        f"of {parity.samples} test samples right: {right}; largest relative error against torch: {errors} (at most "
        f"{parity.bound:.0e} is allowed), all at f32",
    )


def _profile(profile: Profile) -> Iterator[Row]:
    counts = " and ".join(f"{each.latency_ms.count:,}" for each in profile.both)
    turns = ", in turn with the baseline's" if profile.baseline is not None else ""
    yield (
        "latency",
        "measured",
        f"median of {counts} requests{turns}, the request's own time at batch 1, after warm-up, without counters; "
        f"{profile.asked_precision} asked for, {profile.precision or 'nothing'} read back, {profile.threads} threads "
        f"and {profile.streams} streams read back",
    )
    if profile.comparison is not None:
        yield (
            "faster or slower",
            "measured",
            "ratio of the two medians of that one interleaved run, 95% interval by resampling its blocks; a verdict "
            "only where the interval leaves 1 out",
        )
    yield (
        "time of a row, a block, a role",
        "measured",
        "a second run with OpenVINO's counters, in whole microseconds: a row can read up to 2 µs low; fused layers "
        "are in the row that executes them",
    )
    unread = " and ".join(f"{each.unread_us:.0f} µs ({each.name})" for each in profile.both)
    yield (
        "runtime, binding",
        "by difference",
        f"runtime is the request minus its rows, and holds what the counters drop, at most {unread}; binding is the "
        "Python call minus the request; all rows sum to the wall time",
    )

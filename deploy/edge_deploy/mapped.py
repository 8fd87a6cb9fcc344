"""What the command `map` does: one mapping with the second choices of its layers, or a sweep over a constant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from edge_deploy.layer_tables import origin_line
from edge_deploy.map_tables import layer_table, map_payload, store_lines, sweep_table, system_facts, system_table
from edge_toolkit.console import progress
from edge_toolkit.cost.mapping import Chosen, best_schedule
from edge_toolkit.cost.objective import Objective
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.cost.second import Second, second_choice
from edge_toolkit.device import Device
from edge_toolkit.errors import AnswerIsNo
from edge_toolkit.layers import LayerTable
from edge_toolkit.sweep import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Request:
    """What is to be mapped: a network by the name of its file, to a device, for an objective."""

    target: str
    layers: LayerTable
    device: Device
    objective: Objective
    streamed: bool

    @property
    def title(self) -> str:
        """It in a few words."""
        weights = ", weights streamed" if self.streamed else ""
        return f"{self.target} on {self.device.name}, least {self.objective.label}{weights}"

    def on(self, device: Device) -> tuple[Schedule, Chosen]:
        """The best mapping to a device."""
        return best_schedule(self.layers, device, self.objective, self.streamed)


@dataclass(frozen=True)
class Made:
    """What a person reads, what a program reads, and the picture where one was asked for."""

    drawn: list[Table | str]
    payload: dict[str, Any]
    figure: "Figure | None"


def mapped(request: Request, second: bool, drawn: bool) -> Made:
    """The best mapping, layer by layer, beside what each processor does alone.

    Args:
        request: what is mapped.
        second: whether second choices are solved for.
        drawn: whether the schedule is.
    """
    schedule, chosen = request.on(request.device)
    seconds = _seconds(request, schedule, chosen) if second else None
    payload = map_payload(request.layers, schedule, chosen, request.objective, seconds)
    systems = _systems(request, schedule)
    whole = {"target": request.target, "device": request.device.name, **payload, "systems": systems}
    tables: list[Table | str] = [
        request.title,
        "",
        layer_table(payload, request.objective),
        "",
        system_table(systems),
        "",
    ]
    lines = [*store_lines(schedule, chosen), origin_line(request.device)]
    figure = _schedule(request, schedule) if drawn else None
    return Made([*tables, *lines], whole, figure)


def _schedule(request: Request, schedule: Schedule) -> "Figure":
    from edge_toolkit.mapping_figures import schedule_figure

    return schedule_figure(schedule, request.layers, request.title)


def _seconds(request: Request, schedule: Schedule, chosen: Chosen) -> list[Second | None]:
    layers = range(len(request.layers))
    if len(schedule.places.processor) == 1:
        return [None for _ in layers]
    found = []
    with progress("second choices", len(layers)) as advance:
        for layer in layers:
            found.append(second_choice(schedule, chosen, request.objective, layer))
            advance()
    return found


def _systems(request: Request, schedule: Schedule) -> dict[str, Mapping[str, float] | None]:
    """The device, and each of its processors alone, without the link and the static power of the others."""
    device, pipelined = request.device, request.objective.pipelined
    systems: dict[str, Mapping[str, float] | None] = {device.name: system_facts(schedule, pipelined)}
    if len(device.processors) == 1:
        return systems
    for name, processor in device.processors.items():
        alone = device.model_copy(update={"processors": {name: processor}, "link": None})
        try:
            systems[f"{name} alone"] = system_facts(request.on(alone)[0], pipelined)
        except AnswerIsNo:
            systems[f"{name} alone"] = None
    return systems


LABELS = {
    "latency_ms": "latency (ms)",
    "energy_mj": "energy (mJ)",
    "period_ms": "period (ms)",
    "area_mm2": "area (mm²)",
}


def swept(request: Request, sweep: Sweep, drawn: bool) -> Made:
    """The best mapping for each value of a constant.

    Args:
        request: what is mapped.
        sweep: the constant, and its values.
        drawn: whether a figure is drawn.
    """
    from edge_toolkit.mapping_figures import sweep_figure

    points, refused = {}, {}
    for value, device in sweep.devices(request.device).items():
        try:
            schedule, _ = request.on(device)
            points[value] = {**system_facts(schedule, request.objective.pipelined), **_area(device)}
        except AnswerIsNo as error:
            refused[value] = error
    if not points:
        raise next(iter(refused.values()))
    payload = {
        "target": request.target,
        "device": request.device.name,
        "objective": request.objective.label,
        "place": sweep.place,
        "points": [{"value": value, **facts} for value, facts in points.items()],
        "refused": {f"{value:g}": str(error) for value, error in refused.items()},
    }
    labelled = {value: {LABELS[name]: each for name, each in facts.items()} for value, facts in points.items()}
    figure = sweep_figure(sweep.place, labelled, request.title) if drawn else None
    lines = [f"{value:g}: {error}" for value, error in refused.items()]
    shown: list[Table | str] = [request.title, "", sweep_table(sweep.place, points), *lines, *_areas_of(request.device)]
    return Made(shown, payload, figure)


def _area(device: Device) -> dict[str, float]:
    """The area of all processors that tell theirs."""
    areas = [getattr(processor, "area_mm2", None) for processor in device.processors.values()]
    known = [area for area in areas if area is not None]
    return {"area_mm2": sum(known)} if known else {}


def _areas_of(device: Device) -> list[str]:
    telling = [
        name for name, processor in device.processors.items() if getattr(processor, "area_mm2", None) is not None
    ]
    return [f"area of {', '.join(telling)} alone: no source gives that of the others"] if telling else []

"""Does compute-in-memory beside an NPU pay? Latency and energy at int8, each network mapped as well as can be.

For each network and each macro that ships to stand beside an NPU, four systems with the same constants:

- NPU: the NPU alone;
- NPU + memory: the NPU with as much more on-chip memory as the macro stores weights, at no cost in power or time. It
  says what of a gain is the memory's;
- NPU + memory + arrays: and with further arrays, vector units along, until it multiplies about as fast as NPU and macro
  together, at no cost in static power. It says what of a gain more multipliers of the usual kind would give;
- NPU + CIM: the macro beside the NPU, every layer where the whole network is fastest (and once more, where it takes
  least energy).

Then, for one macro, which constants decide: each over the range that its file gives, in all systems at once.

    python benchmarks/hybrid_models.py --out runs/hybrids     # which needs timm
    python benchmarks/npu_and_cim.py --models runs/hybrids
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deciding_constants import (
    COSTS,
    NO_GAIN,
    Cost,
    Ratios,
    Swing,
    break_even,
    swings,
    together,
    tornado,
    tornado_patches,
    widest,
    with_constant,
    without_range,
)

from edge_deploy.model_layers import model_layers
from edge_toolkit.cost import Cost as Costed
from edge_toolkit.cost import estimate
from edge_toolkit.cost.mapping import best_ways
from edge_toolkit.cost.objective import Goal, objective_of
from edge_toolkit.cost.placing import cost_of, places_of
from edge_toolkit.device import Device, load_device, shipped_attachments
from edge_toolkit.figures import COLOURS, save_figure
from edge_toolkit.layers import LayerTable
from edge_toolkit.processors import Cim

MODELS = ("mobilevit-xs", "efficientformerv2-s0", "xr-vision-smallest", "mobilenetv2", "deit-tiny")
HYBRIDS = MODELS[:3]
SHOWN = 8
"""Constants in the figure and the table of those that decide."""
TURNED = 3
"""Of those, for how many it is looked for where the gain ends."""


@dataclass(frozen=True)
class Systems:
    """What a network costs on the four systems, and the share of its MACs that runs in memory."""

    alone: Costed
    control: Costed
    larger: Costed
    both: Costed
    in_memory: float


def over(cost: Costed, other: Costed) -> Ratios:
    """One cost over another."""
    return Ratios(cost.latency_ms / other.latency_ms, cost.energy_mj / other.energy_mj)


def systems(layers: LayerTable, device: Device, base: Sequence[str], goal: Goal = "latency") -> Systems:
    """A network's costs on a device, on that without its macros, and on those with other things instead.

    Args:
        layers: of the network.
        device: an NPU with macros attached.
        base: the processors that stay without them.
        goal: of the mapping.
    """
    alone, places = without(device, base), places_of(layers, device)
    both = cost_of(device, places, best_ways(device, places, objective_of(goal)).ways)
    elsewhere = [name not in base for name in both.processor]
    control = with_memory(alone, stored_kib(device))
    return Systems(
        alone=estimate(layers, alone),
        control=estimate(layers, control),
        larger=estimate(layers, with_arrays(control, base, peak_of(device, device.processors) / peak_of(device, base))),
        both=both,
        in_memory=float(layers.macs[elsewhere].sum() / layers.macs.sum()),
    )


def without(device: Device, base: Sequence[str]) -> Device:
    """The device with some of its processors alone."""
    kept = {name: device.processors[name] for name in base}
    return device.model_copy(update={"processors": kept, "link": None, "name": device.name.partition("+")[0]})


def with_memory(device: Device, kib: float) -> Device:
    """The device with that much more on-chip memory."""
    memory = device.memory
    larger = memory.on_chip_kib.model_copy(update={"value": memory.on_chip_kib.value + kib})
    return device.model_copy(update={"memory": memory.model_copy(update={"on_chip_kib": larger})})


def with_arrays(device: Device, base: Sequence[str], factor: float) -> Device:
    """The device with that many times its arrays, a whole number."""
    for name in base:
        place = f"processors.{name}.engines"
        constants = dict(device.constants())
        if place in constants:
            device = with_constant(device, place, round(factor * constants[place].value))
    return device


def peak_of(device: Device, names: Iterable[str]) -> float:
    """GMAC/s of some of a device's processors together."""
    return sum(device.processors[name].peak_gmac_s for name in names)


def stored_kib(device: Device) -> float:
    """KiB of weights that the macros of a device store."""
    macros = [processor for processor in device.processors.values() if isinstance(processor, Cim)]
    weights = sum(macro.tiles * macro.rows.value * macro.columns.value for macro in macros)
    return weights * device.element_bytes / 1024


def read_models(folder: Path, names: Sequence[str]) -> dict[str, LayerTable]:
    """The layers of each network."""
    return {name: model_layers(folder / f"{name}.onnx").table for name in names}


def main() -> None:
    """Take the figures, print and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path("runs/hybrids"), help="what hybrid_models.py wrote")
    parser.add_argument("--networks", nargs="+", default=list(MODELS))
    parser.add_argument("--npu", default="xr-npu")
    parser.add_argument("--attachments", nargs="+", default=list(shipped_attachments()))
    parser.add_argument("--decided-for", default="cim-mram", help="the attachment whose deciding constants are told")
    parser.add_argument("--decided-networks", nargs="+", default=list(HYBRIDS), help="the networks that it is told for")
    parser.add_argument("--figures", type=Path, default=Path("runs/figures"))
    asked = parser.parse_args()
    if asked.decided_for not in asked.attachments:
        parser.error(f"--decided-for {asked.decided_for}: is not among --attachments {' '.join(asked.attachments)}")
    networks = read_models(asked.models, asked.networks)
    base = tuple(load_device(asked.npu).processors)
    devices = {name: load_device(f"{asked.npu}+{name}") for name in asked.attachments}
    for name, device in devices.items():
        peaks = (f"{each} {processor.peak_gmac_s:,.0f} GMAC/s" for each, processor in device.processors.items())
        print(f"{name} stores {stored_kib(device):,.0f} KiB of weights; peaks: {', '.join(peaks)}")
    found = {network: costed(network, layers, devices, base) for network, layers in networks.items()}
    draw_systems(found, asked.figures / "npu-and-cim.png")
    shapes(networks, devices[asked.decided_for], base)
    decided = {name: networks[name] for name in asked.decided_networks if name in networks}
    deciding(decided, devices[asked.decided_for], base, asked.figures / "npu-and-cim-constants.png")


def costed(network: str, layers: LayerTable, devices: Mapping[str, Device], base: Sequence[str]) -> dict[str, Systems]:
    """A network's costs beside each macro; its table is printed."""
    found = {name: systems(layers, device, base) for name, device in devices.items()}
    alone = next(iter(found.values())).alone
    print(f"\n{network}: {layers.macs.sum() / 1e6:,.1f} MMACs, {layers.weights.sum() / 1024:,.0f} Ki weights")
    print("| system | latency (ms) | energy (mJ) | over the NPU alone | over NPU + memory | MACs in memory |")
    print("|---|---|---|---|---|---|")
    print(f"| NPU | {_costs(alone)} | | | |")
    for name, each in found.items():
        print(f"| NPU + memory of {name} | {_costs(each.control)} | {_both(over(each.control, alone))} | | |")
        print(f"| NPU + memory + arrays of {name} | {_costs(each.larger)} | {_both(over(each.larger, alone))} | | |")
        thrifty = systems(layers, devices[name], base, "energy")
        for label, one in ((name, each), (f"{name}, mapped for energy", thrifty)):
            ratios = f"{_both(over(one.both, alone))} | {_both(over(one.both, one.control))}"
            print(f"| NPU + {label} | {_costs(one.both)} | {ratios} | {one.in_memory:.0%} |")
    return found


def _costs(cost: Costed) -> str:
    return f"{cost.latency_ms:.3f} | {cost.energy_mj:.3f}"


def _both(ratios: Ratios) -> str:
    return f"{ratios.latency:.3f}, {ratios.energy:.3f}"


def draw_systems(found: Mapping[str, Mapping[str, Systems]], path: Path) -> None:
    """Draw latency and energy of each system over those of the NPU alone."""
    from matplotlib.figure import Figure

    attachments = list(next(iter(found.values())))
    figure = Figure(figsize=(10, 0.6 + 0.42 * len(found) * len(attachments)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    rows = [(network, name, each) for network, of in found.items() for name, each in of.items()]
    labels = ("NPU + memory", "NPU + memory + arrays", "NPU + CIM")
    for panel, cost in zip(panels, COSTS, strict=True):
        for place, (label, colour) in enumerate(zip(labels, (COLOURS[7], COLOURS[4], COLOURS[0]), strict=True)):
            widths = [over((of.control, of.larger, of.both)[place], of.alone).of(cost) for _, _, of in rows]
            at = [row + 0.26 * (place - 1) for row in range(len(rows))]
            panel.barh(at, widths, height=0.24, color=colour, label=label)
        panel.axvline(1, color="black", linewidth=0.8)
        panel.set_xlabel(f"{cost}, as a share of the NPU's alone")
        panel.grid(axis="x", alpha=0.25)
        panel.set_axisbelow(True)
    panels[0].set_yticks(range(len(rows)), [f"{network}, {name}" for network, name, _ in rows], fontsize=8)
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save_figure(figure, path)
    print(f"\ndrawn in {path}")


def deciding(networks: Mapping[str, LayerTable], device: Device, base: Sequence[str], path: Path) -> None:
    """Print and draw which constants decide how NPU + CIM stands to the control."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 2.6 * len(networks)), layout="constrained")
    panels = figure.subplots(len(networks), 2, squeeze=False)
    if without_range(device):
        print(f"\nassumed, and without a range, so left as they are: {', '.join(without_range(device))}")
    for (network, layers), pair in zip(networks.items(), panels, strict=True):

        def answer(changed: Device, layers: LayerTable = layers) -> Ratios:
            found = systems(layers, changed, base)
            return over(found.both, found.control)

        centre, found = answer(device), swings(device, answer)
        print(f"\n{network}, {device.name} over NPU + memory: latency {centre.latency:.3f}, energy {centre.energy:.3f}")
        for cost, panel in zip(COSTS, pair, strict=True):
            first = widest(found, cost, SHOWN)
            kind, unkind = together(device, found, answer, cost)
            print(f"{cost}, every constant where it helps or harms most: {kind.of(cost):.3f} to {unkind.of(cost):.3f}")
            for place, swing in enumerate(first):
                turn = break_even(device, swing.place, swing.value, answer, cost) if place < TURNED else None
                print(_swing_line(swing, cost, turn, looked=place < TURNED))
            tornado(panel, first, cost)
            panel.set_title(f"{network}: {cost}", fontsize=9, loc="left")
    figure.suptitle(f"{device.name} over the NPU with as much more memory", fontsize=10)
    figure.legend(handles=tornado_patches(), loc="outside lower center", ncols=2, frameon=False)
    save_figure(figure, path)
    print(f"\ndrawn in {path}")


def shapes(networks: Mapping[str, LayerTable], device: Device, base: Sequence[str]) -> None:
    """Print how a device of macros does with tiles of other shapes, as large."""
    (name,) = (each for each in device.processors if each not in base)
    constants = dict(device.constants())
    rows, columns = (constants[f"processors.{name}.{side}"].value for side in ("rows", "columns"))
    print(f"\n{device.name} over the NPU alone, by rows x columns of a tile: latency, energy")
    for network, layers in networks.items():
        cells = []
        for tall in TALL:
            found = systems(layers, with_constant(device, f"processors.{name}.rows", tall), base)
            ratios = over(found.both, found.alone)
            cells.append(f"{tall} x {rows * columns / tall:g}: {_both(ratios)}")
        print(f"{network}: {'; '.join(cells)}")


TALL = (8, 16, 32, 64, 128)
"""Rows of a tile that are tried."""


def _swing_line(swing: Swing, cost: Cost, turn: float | None, looked: bool) -> str:
    ends = f"{swing.at_low.of(cost):.3f} at {swing.low:g}, {swing.at_high.of(cost):.3f} at {swing.high:g}"
    ends = f"{ends}, {swing.centre.of(cost):.3f} as it is"
    if looked:
        gains = swing.centre.of(cost) < NO_GAIN
        ends += f"; {'no gain' if gains else 'a gain'} at {turn:.4g}" if turn else "; no other value turns this"
    return f"  {swing.place} ({swing.value:g}): {ends}"


if __name__ == "__main__":
    main()

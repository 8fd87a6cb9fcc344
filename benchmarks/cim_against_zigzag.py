"""The closed form of compute-in-memory macros against ZigZag's own program, layer by layer.

Both get the same hardware: the macros of `cim-sram-digital` and `cim-sram-analog`, every gate switching (`activity` 1,
as ZigZag has it), one input buffer, one buffer of partial sums, the shared memory of `xr-npu`, weights resident. ZigZag
searches its mappings for the least latency, and among equals for the least energy. No clock is read: every run prints
the same figures.

    pip install -c constraints.txt -e .[bench]
    python benchmarks/cim_against_zigzag.py
"""

import argparse
import logging
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from edge_toolkit.constants import Constant
from edge_toolkit.device import load_device
from edge_toolkit.layers import Layer, LayerTable
from edge_toolkit.memory import Memory
from edge_toolkit.processors import Cim
from edge_toolkit.processors.cim_circuits import Analog, Digital, Size
from edge_toolkit.processors.cim_tiles import tiles_of

WIDE = 8192  # bits a cycle of a memory that must not be what a layer waits for
BYTES = 2**22  # of a memory that must not be too small


@dataclass(frozen=True)
class Shape:
    """A convolution; a linear layer is one with a 1 x 1 kernel over as many positions as there are tokens."""

    name: str
    channels_in: int
    channels_out: int
    height: int
    width: int
    kernel_h: int = 1
    kernel_w: int = 1
    stride: int = 1
    depthwise: bool = False

    def row(self) -> Layer:
        m, kernel = self.height * self.width, self.kernel_h * self.kernel_w
        k = kernel * (1 if self.depthwise else self.channels_in)
        groups = self.channels_out if self.depthwise else 1
        high = (self.height - 1) * self.stride + self.kernel_h
        wide = (self.width - 1) * self.stride + self.kernel_w
        kind, weights = "depthwise" if self.depthwise else "conv", k * self.channels_out
        window = (self.height, self.width, self.kernel_h, self.kernel_w, self.stride)
        moved = (self.channels_in * high * wide, self.channels_out * m)
        return Layer(self.name, "", "conv", kind, m, k, self.channels_out, groups, *window, weights, weights, *moved)

    def loops(self) -> dict[str, int]:
        dense = {"K": self.channels_out, "G": 1, "C": self.channels_in}
        channels = {"K": 1, "G": self.channels_out, "C": 1} if self.depthwise else dense
        return {"B": 1, **channels, "OY": self.height, "OX": self.width, "FY": self.kernel_h, "FX": self.kernel_w}


SHAPES = (
    Shape("stem, 3x3 / 2", 3, 16, 64, 64, 3, 3, 2),
    Shape("conv 3x3", 32, 64, 32, 32, 3, 3),
    Shape("conv 3x3, a square tile", 64, 64, 16, 16, 3, 3),
    Shape("conv 3x3 (MobileViT-XS)", 96, 96, 16, 16, 3, 3),
    Shape("conv 1x5 (imu-s)", 24, 48, 1, 50, 1, 5),
    Shape("pointwise, wide grid", 16, 64, 64, 64),
    Shape("pointwise", 96, 160, 14, 14),
    Shape("pointwise (MobileViT-XS)", 144, 96, 16, 16),
    Shape("queries, keys, values of 64 tokens", 120, 360, 1, 64),
    Shape("MLP of 64 tokens", 240, 480, 1, 64),
    Shape("linear, one vector", 256, 64, 1, 1),
    Shape("depthwise 3x3", 64, 64, 32, 32, 3, 3, depthwise=True),
    Shape("depthwise 5x5", 144, 144, 14, 14, 5, 5, depthwise=True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--search-depth", type=int, default=5, help="prime factors that ZigZag permutes (its lpf limit)"
    )
    depth = parser.parse_args().search_depth
    logging.disable(logging.CRITICAL)  # ZigZag's progress
    print(f"ZigZag {version('zigzag-dse')}; ours over ZigZag's")
    for name in ("cim-sram-digital", "cim-sram-analog"):
        device = load_device(f"xr-npu+{name}")
        compare(name, even(device.processors["cim"]), device.memory, depth)


def compare(name: str, cim: Cim, memory: Memory, search_depth: int) -> None:
    """Print the ratios of every layer; those of depthwise layers are explained one by one."""
    print(f"\n{name}: {cim.macros.value:g} macros, a full tile {full_tile_fj(cim):.1f} fJ a MAC")
    print("| layer | tiles | latency | energy, computing | energy, all |\n|---|---|---|---|---|")
    dense, remarks = [], []
    for shape in SHAPES:
        best = zigzag_best(shape, cim, memory, search_depth)
        theirs = (best.latency_total2 * best.tclk, best.mac_energy, best.energy_total)
        ratios = np.divide(our_cost(shape, cim, memory), theirs)
        tiles = tiles_of(table_of(shape), int(cim.rows.value), int(cim.columns.value)).count[0]
        print(f"| {shape.name} | {tiles} | " + " | ".join(f"{ratio:.3f}" for ratio in ratios) + " |", flush=True)
        if shape.depthwise:
            one_a_tile = ceil(shape.channels_out / cim.macros.value) * shape.height * shape.width
            alone = one_a_tile * cim.circuit.cost(size_of(cim)).pass_ns / theirs[0]
            idle = best.mac_energy_breakdown["mults"] / best.mac_energy
            remarks.append(f"{shape.name}: with one channel to a tile our latency would be {alone:.3f} of ZigZag's; ")
            remarks[-1] += f"{100 * idle:.0f} % of its computing energy are multipliers"
        else:
            dense.append(ratios)
    for label, column in zip(("latency", "energy, computing", "energy, all"), np.transpose(dense), strict=True):
        print(f"{label}, but for depthwise: {column.min():.3f} to {column.max():.3f}, median {np.median(column):.3f}")
    print("\n".join(remarks))


def even(cim: Any) -> Cim:
    """The macros as ZigZag can have them: every gate switches, no start, planes for all weights."""
    assumed: dict[str, Any] = {"layer_start_us": constant(1e-9), "depth": constant(64)}
    if isinstance(cim.circuit, Digital):
        assumed["circuit"] = cim.circuit.model_copy(update={"activity": constant(1)})
    return cim.model_copy(update=assumed)


def constant(value: float) -> Constant:
    return Constant(value=value, source="for this comparison")


def size_of(cim: Cim) -> Size:
    return Size(int(cim.rows.value), int(cim.columns.value), int(cim.depth.value), 8)


def full_tile_fj(cim: Cim) -> float:
    cost, size = cim.circuit.cost(size_of(cim)), size_of(cim)
    return (cost.row_pj / size.columns + cost.column_pj / size.rows + cost.cell_pj) * 1e3


def table_of(shape: Shape) -> LayerTable:
    return LayerTable(**{name: np.array([value]) for name, value in shape.row()._asdict().items()})


def our_cost(shape: Shape, cim: Cim, memory: Memory) -> tuple[float, float, float]:
    """Nanoseconds; pJ of computing alone; pJ with buffers and memory. The fastest resident way."""
    layers = table_of(shape)
    roomy = memory.model_copy(update={"on_chip_gb_s": constant(1e9)})
    ways = [way for way in cim.options(layers, roomy, 1) if way.how.startswith("resident")]
    way = min(ways, key=lambda way: float(way.busy_us[0]))
    free = constant(1e-12)
    bare = cim.model_copy(update={"circuit": cim.circuit.model_copy(update={"buffer_pj_per_byte": free})})
    (once, *_) = bare.options(layers, memory.model_copy(update={"on_chip_pj_per_byte": free}), 1)
    computing_pj = once.energy_pj[0] - once.tiles[0] * cim.circuit.cost(size_of(cim)).load_pj
    return float(way.busy_us[0]) * 1e3, float(computing_pj), float(way.energy_pj[0])


def zigzag_best(shape: Shape, cim: Cim, memory: Memory, search_depth: int) -> Any:
    """ZigZag's evaluation of its best mapping."""
    from zigzag.mapping.temporal_mapping import TemporalMappingType
    from zigzag.stages.evaluation.cost_model_evaluation import CostModelStage
    from zigzag.stages.main import MainStage
    from zigzag.stages.mapping.spatial_mapping_generation import SpatialMappingGeneratorStage
    from zigzag.stages.mapping.temporal_mapping_generator_stage import TemporalMappingGeneratorStage
    from zigzag.stages.parser.accelerator_parser import AcceleratorParserStage
    from zigzag.stages.parser.workload_parser import WorkloadParserStage
    from zigzag.stages.results.reduce_stages import MinimalLatencyStage
    from zigzag.stages.workload_iterator import WorkloadStage

    # ZigZag's own entry point, less what writes pictures and pickles, which fails on layers without a loop left over.
    stages = [
        WorkloadParserStage,
        AcceleratorParserStage,
        WorkloadStage,
        MinimalLatencyStage,
        SpatialMappingGeneratorStage,
        MinimalLatencyStage,
        TemporalMappingGeneratorStage,
        CostModelStage,
    ]
    files = {"workload": [workload(shape)], "accelerator": accelerator(cim, memory), "mapping": [MAPPING]}
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.yaml" for name in files}
        for name, content in files.items():
            paths[name].write_text(yaml.safe_dump(content, sort_keys=False))
        ((best, _),) = MainStage(
            stages,
            **{name: str(path) for name, path in paths.items()},
            loma_lpf_limit=search_depth,
            loma_show_progress_bar=False,
            nb_mappings_generated=3,
            enable_mix_spatial_mapping_generation=True,
            access_same_data_considered_as_no_access=True,
            temporal_mapping_type=TemporalMappingType.UNEVEN,
        ).run()
    return best


MAPPING = {
    "name": "default",
    "memory_operand_links": {"O": "O", "W": "I2", "I": "I1"},
    "spatial_mapping_hint": {"D1": ["K"], "D2": ["C", "FX", "FY"], "D3": ["K", "C", "OX", "OY", "G"]},
}


def workload(shape: Shape) -> dict[str, Any]:
    loops = shape.loops()
    return {
        "id": 0,
        "name": "layer",
        "operator_type": "Conv",
        "equation": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
        "dimension_relations": [f"ix={shape.stride}*ox+1*fx", f"iy={shape.stride}*oy+1*fy"],
        "loop_dims": list(loops),
        "loop_sizes": list(loops.values()),
        "operand_precision": {"O": 32, "O_final": 8, "W": 8, "I": 8},
        "operand_source": {"I": 0, "W": 0},
    }


def accelerator(cim: Cim, memory: Memory) -> dict[str, Any]:
    """D1 are the columns of a macro, D2 its rows, D3 the macros."""
    size, count = size_of(cim), int(cim.macros.value)
    everywhere = ["D1", "D2", "D3"]
    buffer_pj = cim.circuit.buffer_pj_per_byte.value * WIDE / 8
    shared_pj = memory.on_chip_pj_per_byte.value * WIDE / 8
    load_pj = cim.circuit.cost(size).load_pj / (size.rows * size.columns)
    planes = size.rows * size.columns * count * 8
    analog = isinstance(cim.circuit, Analog)
    array = {
        "is_imc": True,
        "imc_type": "analog" if analog else "digital",
        "input_precision": [8, 8],
        "bit_serial_precision": int(cim.circuit.dac_bits.value) if isinstance(cim.circuit, Analog) else 1,
        "dimensions": everywhere,
        "sizes": [size.columns, size.rows, count],
    }
    if isinstance(cim.circuit, Analog):
        array["adc_resolution"] = int(cim.circuit.adc_bits.value)
    memories = {
        "cells": level(8, 0.0, load_pj, ["I2"], 8, [], latency=0),
        "input_register": level(8, 0.0, 0.0, ["I1"], 8, ["D1"]),
        "sum_register": level(32, 0.0, 0.0, ["O"], 32, ["D2"]),
        "input_buffer": level(8 * BYTES, buffer_pj, 0.0, ["I1"], WIDE, everywhere),
        "sum_buffer": level(8 * BYTES, buffer_pj, buffer_pj, ["O"], WIDE, everywhere),
        "planes": level(planes * 64, 0.0, 0.0, ["I2"], planes, everywhere),
        "shared": level(8 * BYTES, shared_pj, shared_pj, ["I1", "O"], WIDE, everywhere),
    }
    return {"name": "cim", "memories": memories, "operational_array": array}


def level(
    bits: int, read_pj: float, write_pj: float, operands: list[str], wide: int, served: list[str], latency: int = 1
) -> dict[str, Any]:
    """A memory with two ports of its own for each operand, so that nothing waits for a port."""
    narrow = min(wide, 8)
    ports = []
    for operand in operands:
        low, high = [f"{operand}, tl"], [f"{operand}, fh"]
        if operand == "O":
            low, high = ["O, tl", "O, th"], ["O, fh", "O, fl"]
        for kind, moves in (("read", low), ("write", high)):
            name = f"{kind[0]}_port_{len(ports) // 2 + 1}"
            ports.append(
                {"name": name, "type": kind, "bandwidth_min": narrow, "bandwidth_max": wide, "allocation": moves}
            )
    return {
        "size": bits,
        "r_cost": read_pj,
        "w_cost": write_pj,
        "area": 0.0,
        "latency": latency,
        "operands": operands,
        "ports": ports,
        "served_dimensions": served,
    }


if __name__ == "__main__":
    main()

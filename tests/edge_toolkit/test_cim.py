"""Compute-in-memory macros: tiles laid out cell by cell, times and energies by hand, and what must hold for all."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from edge_toolkit.cost.placing import cost_of, places_of
from edge_toolkit.device import FOLDER, load_attachment, load_device, shipped_attachments
from edge_toolkit.errors import InputError
from edge_toolkit.layers import KINDS, Layer, LayerTable
from edge_toolkit.memory import Memory
from edge_toolkit.processors import Cim, Option
from edge_toolkit.processors.cim_circuits import Size, TileCost
from edge_toolkit.processors.cim_tiles import STORED, tiles_of


def constant(value: float) -> dict[str, Any]:
    return {"value": value, "source": "by hand"}


NEAR = {"units": 2, "cycle_ns": 10, "fj_per_mac": 1000, "read_ns": 5, "read_pj_per_byte": 2}
DIGITAL = {"gate_ff": 1000, "gate_ns": 1, "supply_v": 1, "activity": 0.5, "buffer_pj_per_byte": 100}
ANALOG = {
    "gate_ff": 1000, "gate_ns": 1, "supply_v": 2, "dac_bits": 2, "dac_ff_per_bit": 500, "adc_bits": 3,
    "adc_ff_per_bit": 1000, "adc_ff_per_4_to_bits": 100, "adc_ns_per_bit": 2, "adc_ns_per_bit_row": 0.5,
    "buffer_pj_per_byte": 100,
}  # fmt: skip
CIRCUITS = {"near-memory": NEAR, "digital": DIGITAL, "analog": ANALOG}
MEMORY = Memory.model_validate(
    {
        name: constant(value)
        for name, value in {
            "on_chip_kib": 1000, "on_chip_gb_s": 1000, "on_chip_pj_per_byte": 3, "dram_gb_s": 1, "dram_pj_per_byte": 1,
        }.items()
    }
)  # fmt: skip


def cim(circuit: str = "near-memory", **changes: float) -> Cim:
    """Macros whose numbers are easy to multiply by hand: 4 x 3 weights, 2 deep, 2 of them."""
    values = {
        "rows": 4,
        "columns": 3,
        "depth": 2,
        "macros": 2,
        "layer_start_us": 0.1,
        "macro_static_mw": 0.25,
    } | changes
    constants = {name: constant(value) for name, value in values.items()}
    parts = {"kind": circuit} | {name: constant(value) for name, value in CIRCUITS[circuit].items()}
    return Cim.model_validate({"kind": "cim", "circuit": parts, **constants})


def table(*rows: tuple[str, int, int, int] | tuple[str, int, int, int, int]) -> LayerTable:
    """Layers of (kind, m, k, n[, groups]); each reads m * k elements and writes m * n."""
    layers = []
    for index, (kind, m, k, n, *more) in enumerate(rows):
        groups = more[0] if more else 1
        sizes = (m, k, n, groups, 1, m, 1, 1, 1)
        layers.append(Layer(f"layer.{index}", "block", "conv", kind, *sizes, k * n, k * n, m * k, m * n))
    columns = zip(*layers, strict=True)
    return LayerTable(**{name: np.array(column) for name, column in zip(Layer._fields, columns, strict=True)})


def options(processor: Cim, layers: LayerTable) -> dict[str, Option]:
    return {option.how: option for option in processor.options(layers, MEMORY, 1)}


# Tiles


@pytest.mark.parametrize(
    ("row", "rows", "columns", "tiles"),
    [
        (("linear", 1, 4, 3), 4, 3, 1),
        (("linear", 1, 9, 7), 4, 3, 3 * 3),
        (("conv", 49, 27, 16), 64, 64, 1),
        (("conv", 49, 9 * 64, 128), 64, 64, 9 * 2),
        (("lstm", 50, 24 + 32, 4 * 32), 64, 64, 2),
        (("depthwise", 49, 9, 100, 100), 64, 64, 15),  # 7 channels of 9 rows to a tile
        (("depthwise", 49, 25, 100, 100), 64, 64, 50),  # 2 of 25
        (("depthwise", 50, 3, 100, 100), 64, 8, 13),  # 21 fit the rows, 8 the columns
        (("depthwise", 49, 9, 5, 5), 4, 3, 15),  # a channel is cut in three
        (("conv", 49, 18, 32, 8), 64, 64, 3),  # groups of 18 x 4: 3 to a tile
        (("conv", 49, 90, 160, 2), 64, 64, 2 * 2 * 2),  # groups of 90 x 80
        (("matmul", 49, 16, 49), 64, 64, 0),
        (("softmax", 0, 0, 0), 64, 64, 0),
    ],
)
def test_tiles_by_hand(row: Any, rows: int, columns: int, tiles: int) -> None:
    assert tiles_of(table(row), rows, columns).count.tolist() == [tiles]


def laid_out(k: int, n: int, groups: int, rows: int, columns: int) -> list[set[tuple[int, int]]]:
    """The cells of each tile, weight by weight: groups go along the diagonal while they fit, or are cut."""
    tiles: list[set[tuple[int, int]]] = []
    down = across = 0
    if k <= rows and n <= columns:
        for _ in range(groups):
            if not tiles or down + k > rows or across + n > columns:
                tiles.append(set())
                down = across = 0
            tiles[-1] |= {(down + row, across + column) for row in range(k) for column in range(n)}
            down, across = down + k, across + n
        return tiles
    for _ in range(groups):
        cut: dict[tuple[int, int], set[tuple[int, int]]] = {}
        for row in range(k):
            for column in range(n):
                cut.setdefault((row // rows, column // columns), set()).add((row % rows, column % columns))
        tiles += cut.values()
    return tiles


@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 9), st.integers(1, 10), st.integers(1, 5))
def test_tiles_equal_a_layout_cell_by_cell(k: int, n: int, groups: int, rows: int, columns: int) -> None:
    expected = laid_out(k, n, groups, rows, columns)
    tiles = tiles_of(table(("conv", 5, k, n * groups, groups)), rows, columns)
    assert tiles.count.tolist() == [len(expected)]
    assert tiles.cells.tolist() == [sum(len(tile) for tile in expected)]
    assert tiles.rows.tolist() == [sum(len({row for row, _ in tile}) for tile in expected)]
    assert tiles.columns.tolist() == [sum(len({column for _, column in tile}) for tile in expected)]
    assert tiles.outputs.tolist() == [n * groups]


# Time and energy by hand


def test_a_linear_layer_near_memory_by_hand() -> None:
    """7 x 5 weights are 2 x 2 tiles, two in each of two macros; 10 vectors pass two at a time."""
    (option,) = [option for option in options(cim(), table(("conv", 10, 7, 5))).values() if option.how == "resident"]
    assert option.busy_us.tolist() == pytest.approx([0.1 + 2 * (5 + 5 * 10) / 1000])
    computing_pj = 10 * 4 * 12 * 1.0  # every cell of four tiles of 12, at 1,000 fJ
    reading_pj = 4 * 12 * 2
    assert option.energy_pj.tolist() == pytest.approx([computing_pj + reading_pj + (70 + 50) * 3])
    assert option.tiles.tolist() == [4]
    assert option.stored_bytes.tolist() == [0]


def test_copies_near_memory_by_hand() -> None:
    """One tile: a copy in each macro halves the vectors, and both copies are read."""
    ways = options(cim(), table(("conv", 10, 4, 3)))
    assert list(ways) == ["resident", "resident x2"]
    assert ways["resident"].busy_us[0] == pytest.approx(0.1 + (5 + 5 * 10) / 1000)
    assert ways["resident x2"].busy_us[0] == pytest.approx(0.1 + (5 + 3 * 10) / 1000)
    assert ways["resident x2"].energy_pj[0] - ways["resident"].energy_pj[0] == pytest.approx(12 * 2)
    assert [way.tiles[0] for way in ways.values()] == [1, 2]


def test_a_digital_tile_by_hand() -> None:
    """4 x 3 weights of 8 bit; 1,000 fF at 1 V are 1 pJ a gate, half of which switch."""
    cost = cim("digital").circuit.cost(Size(rows=4, columns=3, depth=2, bits=8))
    adder_pj = 0.5 * (3 + 2 * 1.5)
    full_adders = 2 * 8 + 1 * 9  # two adders of 8 bit, then one of 9
    assert cost.cell_pj * 4 == pytest.approx(8 * full_adders * adder_pj)
    width = 8 + 8 + 2
    assert cost.column_pj == pytest.approx(8 * width * 0.5 * (6 + 3))
    gates_pj = 8 * 3 * 8 * 0.5 * 0.5  # 8 cycles, 3 columns of 8 cells, half a gate each, half of them switch
    assert cost.row_pj == pytest.approx(100 + 8 * 3 + gates_pj)
    assert cost.sum_pj == pytest.approx(2 * 4 * 100)
    assert cost.load_pj == pytest.approx(4 * 3 * 8 * (0.5 + 0.5 * 2))
    xor = 2.4
    tree = 2 * xor + (xor + 2) + 8 * 2  # a sum, then a carry into and through the second adder
    accumulator = (xor + 2) + 7 * 2
    assert cost.pass_ns == pytest.approx(8 * (1 + tree + accumulator))


def test_an_analog_tile_by_hand() -> None:
    """2 V: 1,000 fF are 4 pJ; inputs of 8 bit go in 2 at a time, four cycles."""
    cost = cim("analog").circuit.cost(Size(rows=4, columns=3, depth=1, bits=8))
    assert cost.row_pj == pytest.approx(100 + 4 * (2 * 500 * 4e-3 + 8 * 3 * 0.5 * 4))
    converter_pj = (3 * 1000 + 64 * 100) * 4e-3
    bit_line_pj = 4 * 0.5 * 4
    adders = 3 * 7 + 8 * 2.5
    assert cost.column_pj == pytest.approx(
        4 * (8 * (converter_pj + bit_line_pj) + (adders * 6 + (16 + 3) * (6 + 3)) * 4)
    )
    assert (cost.cell_pj, cost.tile_pj, cost.load_pj) == (0, 0, 0)
    into_carry = 2.4 + 2
    adders_ns = 2 * 2 * 2.4 + into_carry + 7 * 2
    assert cost.pass_ns == pytest.approx(4 * (3 * (2 + 4 * 0.5) + 1 + adders_ns + into_carry + 7 * 2))


def test_a_layer_pays_for_the_rows_and_columns_that_it_uses() -> None:
    """7 x 5 weights: 7 rows in each of two tiles across, 5 columns in each of two down, 5 outputs summed once more."""
    processor = cim("digital")
    cost = processor.circuit.cost(Size(4, 3, 2, 8))
    (energy_pj,) = options(processor, table(("conv", 10, 7, 5)))["resident"].energy_pj
    vector_pj = 14 * cost.row_pj + 10 * cost.column_pj + 35 * cost.cell_pj + 5 * cost.sum_pj
    assert energy_pj == pytest.approx(10 * vector_pj + 4 * cost.load_pj + 120 * 3)


def test_rewriting_by_hand() -> None:
    """One tile of 12 weights into both macros at once, at 0.1 GB/s; the memory supplies it once."""
    ways = options(cim(write_gb_s=0.1, write_pj_per_byte=7), table(("conv", 10, 4, 3)))
    rewritten, twice = ways["rewritten"], ways["resident x2"]
    assert rewritten.busy_us[0] - twice.busy_us[0] == pytest.approx(12 / 100)
    assert rewritten.energy_pj[0] - twice.energy_pj[0] == pytest.approx(12 * (3 + 2 * 7))
    assert (rewritten.tiles[0], rewritten.stored_bytes[0]) == (0, 12)


def test_moving_activations_takes_over_where_it_is_longer() -> None:
    slow = MEMORY.model_copy(update={"on_chip_gb_s": MEMORY.on_chip_gb_s.model_copy(update={"value": 0.01})})
    (option, _) = cim().options(table(("conv", 10, 4, 3)), slow, 1)
    assert option.busy_us[0] == pytest.approx(0.1 + 70 / 10)


def test_steps_of_a_recurrent_layer_wait_for_each_other() -> None:
    """Copies don't help; with a macro for each tile they stay loaded, else each step loads them anew."""
    ways = options(cim(), table(("lstm", 10, 4, 6), ("lstm", 10, 8, 6)))
    assert ways["resident"].busy_us.tolist() == pytest.approx([0.1 + 0.005 + 0.1, 0.1 + 2 * 10 * (0.005 + 0.01)])
    assert np.isinf(ways["resident x2"].busy_us).all()
    writable = options(cim(write_gb_s=1, write_pj_per_byte=1), table(("lstm", 10, 4, 6), ("lstm", 10, 8, 6)))
    assert np.isfinite(writable["rewritten"].busy_us).tolist() == [True, False]


# What must hold for all

SIZES = st.sampled_from([1, 2, 3, 4, 5, 8])


@st.composite
def stored_layers(draw: st.DrawFn) -> LayerTable:
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(STORED))
        groups = draw(st.integers(1, 12)) if kind in ("conv", "depthwise", "transposed") else 1
        n = groups if kind == "depthwise" else groups * draw(st.integers(1, 20))
        rows.append((kind, draw(st.integers(1, 60)), draw(st.integers(1, 40)), n, groups))
    return table(*rows)


@st.composite
def processors(draw: st.DrawFn) -> Cim:
    writable = {"write_gb_s": 0.5, "write_pj_per_byte": 2} if draw(st.booleans()) else {}
    sizes = {"depth": draw(st.integers(1, 40)), "macros": draw(st.integers(1, 9)), "columns": draw(SIZES)}
    return cim(draw(st.sampled_from(list(CIRCUITS))), rows=draw(st.sampled_from([2, 4, 16])), **sizes, **writable)


def simulated_ns(cost: TileCost, tiles: int, m: int, copies: int, macros: int) -> float:
    """The busiest macro's time, tiles of all copies dealt in turn."""
    busy = [0.0] * macros
    for index in range(tiles * copies):
        busy[index % macros] += cost.load_ns + math.ceil(math.ceil(m / copies) / cost.at_once) * cost.pass_ns
    return max(busy)


# 21 tiles in 3 macros, 3 vectors: three copies take as long as one, but for rounding.
@example(cim("digital", rows=4, columns=1, depth=21, macros=3), table(("depthwise", 3, 9, 7, 7)))
@given(processors(), stored_layers())
def test_copies_are_offered_where_they_fit_and_are_faster(processor: Cim, layers: LayerTable) -> None:
    macros, rows, columns = (int(each.value) for each in (processor.macros, processor.rows, processor.columns))
    cost = processor.circuit.cost(Size(rows, columns, int(processor.depth.value), 8))
    ways = options(processor, layers)
    for layer, tiles in enumerate(tiles_of(layers, rows, columns).count.tolist()):
        fastest_us = math.inf
        for copies in sorted({*(2**power for power in range(4) if 2**power < macros), macros}):
            way = ways["resident" if copies == 1 else f"resident x{copies}"]
            busy_us = 0.1 + simulated_ns(cost, tiles, int(layers.m[layer]), copies, macros) / 1e3
            moved_us = 0.1 + int(layers.inputs[layer] + layers.outputs[layer]) / 1e6
            offered = tiles * copies <= processor.tiles and max(busy_us, moved_us) < fastest_us
            if layers.kind[layer] in ("lstm", "gru"):
                assert np.isinf(way.busy_us[layer]) or copies == 1
            elif offered and not math.isclose(max(busy_us, moved_us), fastest_us):
                fastest_us = max(busy_us, moved_us)
                assert way.busy_us[layer] == pytest.approx(fastest_us)
                assert way.tiles[layer] == tiles * copies
            else:
                assert np.isinf(way.busy_us[layer])
                assert way.tiles[layer] == 0


@given(processors(), stored_layers())
def test_energy_is_positive_and_finite_where_time_is(processor: Cim, layers: LayerTable) -> None:
    for option in processor.options(layers, MEMORY, 1):
        assert np.array_equal(np.isinf(option.busy_us), np.isinf(option.energy_pj))
        assert (option.energy_pj > 0).all()
        assert (option.busy_us > 0).all()
        assert (option.tiles <= processor.tiles).all()


def fastest(ways: Sequence[Option]) -> Any:
    return np.min([way.busy_us for way in ways], axis=0)


@given(processors(), stored_layers())
def test_more_macros_are_never_slower(processor: Cim, layers: LayerTable) -> None:
    more = processor.macros.model_copy(update={"value": processor.macros.value + 1})
    larger = processor.model_copy(update={"macros": more})
    few, many = (fastest(each.options(layers, MEMORY, 1)) for each in (processor, larger))
    assert (many <= few * (1 + 1e-12)).all()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in STORED])
def test_what_has_no_constant_weights_cannot_run(kind: str) -> None:
    for option in options(cim(write_gb_s=1, write_pj_per_byte=1), table((kind, 4, 4, 3))).values():
        assert np.isinf(option.busy_us).all()
        assert np.isinf(option.energy_pj).all()
        assert option.tiles.tolist() == option.stored_bytes.tolist() == [0]


def test_a_layer_beyond_the_store_can_only_be_rewritten() -> None:
    layers = table(("conv", 10, 20, 3))  # 5 tiles; 2 macros store 2 each
    ways = options(cim(write_gb_s=1, write_pj_per_byte=1), layers)
    assert {how: bool(np.isfinite(way.busy_us[0])) for how, way in ways.items()} == {
        "resident": False,
        "resident x2": False,
        "rewritten": True,
    }


# As data


@pytest.mark.parametrize("name", shipped_attachments())
def test_attachments_stand_beside_the_npu_and_say_where_constants_come_from(name: str) -> None:
    device = load_device(f"xr-npu+{name}")
    assert list(device.processors) == ["npu", "cim"]
    processor = device.processors["cim"]
    assert isinstance(processor, Cim)
    constants = dict(load_attachment(name).constants())
    assert {f"processors.cim.circuit.{each}" for each, _ in processor.circuit if each != "kind"} < constants.keys()
    for each in constants.values():
        assert len(each.source) > 10
        assert each.range is not None or not each.assumed
        assert each.range is None or each.range[0] <= each.value <= each.range[1]
    assert processor.static_mw.value == pytest.approx(processor.macros.value * processor.macro_static_mw.value)


@pytest.mark.parametrize(
    ("name", "fj_per_mac", "gmac_s"), [("cim-sram-digital", (55, 103), 600), ("cim-mram", (12.5, 43.1), 680)]
)
def test_full_tiles_cost_what_chips_report(name: str, fj_per_mac: tuple[float, float], gmac_s: float) -> None:
    processor = load_device(f"xr-npu+{name}").processors["cim"]
    assert isinstance(processor, Cim)
    rows, columns = int(processor.rows.value), int(processor.columns.value)
    cost = processor.circuit.cost(Size(rows, columns, int(processor.depth.value), 8))
    pj = cost.tile_pj + rows * cost.row_pj + columns * cost.column_pj + rows * columns * cost.cell_pj
    assert fj_per_mac[0] < pj / (rows * columns) * 1e3 < fj_per_mac[1]
    assert processor.peak_gmac_s == pytest.approx(gmac_s, rel=0.01)


def test_area_follows_the_macros() -> None:
    assert cim(macro_mm2=0.5, macros=3).area_mm2 == 1.5
    assert cim().area_mm2 is None


def test_a_network_on_both_processors_by_hand() -> None:
    """A convolution on the macros between two on the NPU: two crossings, its weights not in the shared memory."""
    device = load_device("xr-npu+cim-mram")
    layers = table(("conv", 100, 16, 32), ("conv", 100, 32, 32), ("conv", 100, 32, 16))
    places = places_of(layers, device)
    npu, resident = places.how.index(""), places.how.index("resident")
    alone, mixed = (cost_of(device, places, np.array([npu, way, npu])) for way in (npu, resident))
    assert mixed.processor == ("npu", "cim", "npu")
    crossing_us = 2 * (1.0 + 3200 / 5440)
    compute_us = 0.5 + (3 + 50 * 3) / 1000  # 8 tiles, one in each bank; 100 vectors, two at a time
    before_us = alone.latency_ms * 1e3 - places.busy_us[npu, 1]
    assert mixed.latency_ms * 1e3 == pytest.approx(before_us + crossing_us + compute_us)


def test_an_attachment_alone_is_no_device() -> None:
    with pytest.raises(InputError, match=r"cim-mram stands beside a device and is none; use DEVICE\+cim-mram"):
        load_device("cim-mram")


@pytest.mark.parametrize(
    ("part", "changes", "told"),
    [
        ((), {"rows": constant(2.5)}, r"cim\.rows \(line \d+\): must be a whole number up to 1048576, but got 2\.5"),
        ((), {"write_gb_s": constant(1)}, r"cim \(line \d+\): write_gb_s and .* give both, or neither"),
        (("circuit",), {"units": constant(-1)}, r"circuit\.units\.value \(line \d+\): .* got -1"),
        (("circuit",), {"read_ns": None}, r"circuit\.read_ns"),
        (("circuit",), {"kind": "optical"}, r"circuit \(line \d+\): .*'optical'.*'near-memory'"),
    ],
)
def test_a_bad_macro_is_told_with_its_place(
    tmp_path: Path, part: tuple[str, ...], changes: dict[str, Any], told: str
) -> None:
    file = yaml.safe_load((FOLDER / "attached" / "cim-mram.yaml").read_text())
    place = file["processors"]["cim"]
    for name in part:
        place = place[name]
    place |= changes
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(file))
    with pytest.raises(InputError, match=told):
        load_device(f"xr-npu+{path}")

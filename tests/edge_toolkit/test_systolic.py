"""The array's cycles against layers computed by hand, measured ones, and what must hold of any layer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_toolkit.constants import Constant
from edge_toolkit.device import load_device, shipped_attachments, shipped_devices
from edge_toolkit.layers import KINDS, Layer, LayerTable
from edge_toolkit.processors import Systolic
from edge_toolkit.workloads import Workloads

SIZES = ("width", "height", "channels_in", "channels_out")


def npu(name: str) -> Systolic:
    (processor,) = load_device(name).processors.values()
    assert isinstance(processor, Systolic)
    return processor


ARRAYS = {name: npu(name) for name in shipped_devices() if name != "cpu-host"}

PLAIN = Systolic(
    kind="systolic",
    **{
        name: Constant(value=value, source="by hand")
        for name, value in {
            "clock_mhz": 100,
            "engines": 1,
            "pixels_wide": 4,
            "pixels_high": 4,
            "channels": 16,
            "lanes": 8,
            "accumulators": 64,
            "pixel_block_cycles": 5,
            "weight_block_cycles": 10,
            "depthwise_block_cycles": 6,
            "depthwise_3x3_block_cycles": 3,
            "half_block_share": 0.5,
            "padded_tap_share": 0.25,
            "written_bytes_per_cycle": 64,
            "broadcast_bytes_per_cycle": 16,
            "overlap": 10_000,  # the slowest alone
            "pass_cycles": 20,
            "start_cycles": 100,
            "vector_elements_per_cycle": 2,
            "layer_start_us": 7,
            "pj_per_mac": 2,
            "static_mw": 5,
        }.items()
    },
)
"""An array whose numbers are easy to multiply by hand."""


def workload(**changes: Any) -> Workloads:
    """One workload: a pointwise convolution of 16 x 16 pixels, 64 channels to 64, 8 bit."""
    whole = {
        "op": "convolution",
        "width": 16,
        "height": 16,
        "channels_in": 64,
        "channels_out": 64,
        "kernel_w": 1,
        "kernel_h": 1,
        "stride": 1,
        "element_bytes": 1,
        "operands": 1,
        "real_share": 1.0,
        "write_tiles": 1,
        "order": 0,
        **changes,
    }
    return Workloads(**{name: np.array([value]) for name, value in whole.items()})


def cycles(array: Systolic = PLAIN, **changes: Any) -> float:
    (value,) = array.cycles(workload(**changes))
    return float(value)


def test_multiplying_leads_a_convolution() -> None:
    """3x3, one pass: 4 x 4 blocks of pixels, 4 of channels, 9 taps, 64 products over 8 lanes; 16 KiB written last."""
    assert cycles(kernel_w=3, kernel_h=3) == 16 * 4 * 9 * 8 + 20 + 16 * 16 * 64 / 64 + 100


def test_reading_leads_where_output_channels_are_few() -> None:
    """16 channels out: 16 blocks of pixels, 9 taps, 2 blocks of 32 byte at 5 cycles, and 18 of weights at 10."""
    assert 16 * 9 * 8 < 16 * 9 * 2 * 5
    written = 16 * 16 * 16 / 64
    assert cycles(kernel_w=3, kernel_h=3, channels_out=16) == (16 * 2 * 5 + 2 * 10) * 9 + 20 + written + 100


def test_writing_leads_where_input_channels_are_few() -> None:
    """16 channels in, 256 out: 4 passes of 64 channels, 64 KiB at 64 byte a cycle, 16 KiB of them at the end."""
    assert cycles(channels_in=16, channels_out=256) == 16 * 16 * 256 / 64 + 4 * 20 + 256 + 100
    assert cycles(channels_in=16, channels_out=256, write_tiles=2) == 16 * 16 * 256 / 16 + 4 * 20 + 1024 + 100


def test_16_bit_takes_twice_the_steps() -> None:
    turning = 20 + 100
    assert cycles(kernel_w=5, kernel_h=5, element_bytes=2) - turning == 2 * (cycles(kernel_w=5, kernel_h=5) - turning)


def test_orders_of_passes_share_the_accumulators() -> None:
    """17 pixels by 1, 128 channels: 2 x 2 passes of 16x16x64, 2 of 16x8x128, 3 of 8x8x256."""
    shape = {"width": 17, "height": 1, "channels_out": 128, "kernel_w": 3, "kernel_h": 3}
    compute = 5 * 8 * 9 * 8
    blocks = [5 * 9 * 2 * over * 5 + 8 * 9 * 2 * across * 10 for over, across in ((2, 2), (1, 2), (1, 3))]
    last = [16 * 64 / 64, 16 * 128 / 64, 8 * 128 / 64]
    passes = (4, 2, 3)
    by_hand = [max(compute, blocks[i]) + 20 * passes[i] + last[i] + 100 for i in range(3)]
    assert [cycles(**shape, order=order) for order in range(3)] == by_hand
    assert cycles(**shape, order=-1) == min(by_hand)


@pytest.mark.parametrize(
    ("changes", "block_cycles"),
    [
        ({"op": "depthwise", "kernel_w": 5, "kernel_h": 5}, 25 * 2 * 6),
        ({"op": "depthwise", "kernel_w": 3, "kernel_h": 3}, 9 * 2 * 3),
        ({"op": "depthwise", "kernel_w": 3, "kernel_h": 3, "stride": 2}, 9 * 2 * 6),
        ({"op": "pool", "kernel_w": 3, "kernel_h": 3}, 9 * 2 * 6),
        ({"op": "elementwise", "operands": 2}, 2 * 2 * 5 * 2),  # at 16 bit, lest writing lead
        ({"op": "depthwise", "kernel_w": 5, "kernel_h": 5, "channels_in": 48}, 25 * 1.5 * 6),
        ({"op": "depthwise", "kernel_w": 5, "kernel_h": 5, "real_share": 0.8}, 25 * 2 * 6 * (0.8 + 0.2 * 0.25)),
    ],
)
def test_layers_without_a_sum_over_channels_take_the_time_of_reading(
    changes: dict[str, Any], block_cycles: float
) -> None:
    """16 blocks of pixels, a step for each tap, each 32 byte of channels and each operand."""
    element_bytes = 2 if changes["op"] == "elementwise" else 1
    channels = changes.get("channels_in", 64)
    written = 16 * 16 * channels * element_bytes / 64
    by_hand = 16 * block_cycles + 20 + written + 100
    assert cycles(**changes, channels_out=channels, element_bytes=element_bytes) == pytest.approx(by_hand)


MEASURED = [
    ("npu-3720", 12029, {"channels_in": 160, "kernel_w": 3, "kernel_h": 3, "write_tiles": 2}),
    (
        "npu-3720",
        7876,
        {"height": 4, "channels_in": 160, "channels_out": 160, "kernel_w": 3, "kernel_h": 3, "order": 1},
    ),
    ("npu-3720", 3154, {"op": "elementwise", "width": 250, "height": 6, "operands": 2}),
    (
        "npu-4000",
        363839,
        {
            "width": 3000,
            "height": 1,
            "channels_in": 80,
            "channels_out": 128,
            "kernel_w": 3,
            "element_bytes": 2,
            "order": 1,
        },
    ),
    (
        "npu-4000",
        66941,
        {
            "op": "depthwise",
            "width": 56,
            "height": 56,
            "channels_in": 32,
            "channels_out": 32,
            "kernel_w": 9,
            "kernel_h": 9,
        },
    ),
]
"""Source: test data of Intel's npu-nn-cost-model at commit 8a2ae92 (Apache-2.0)."""


@pytest.mark.parametrize(("name", "measured", "shape"), MEASURED)
def test_the_fitted_arrays_are_near_measured_cycles(name: str, measured: int, shape: dict[str, Any]) -> None:
    assert cycles(ARRAYS[name], **shape) == pytest.approx(measured, rel=0.04)


@given(
    name=st.sampled_from(sorted(ARRAYS)),
    op=st.sampled_from(["convolution", "depthwise", "pool", "elementwise"]),
    sizes=st.tuples(*[st.integers(1, 300)] * 4),
    kernel=st.sampled_from([1, 3, 5, 11]),
    element_bytes=st.sampled_from([1, 2]),
    order=st.integers(-1, 2),
    grown=st.sampled_from(SIZES),
    by=st.integers(1, 64),
)
def test_more_pixels_or_channels_never_take_fewer_cycles(
    name: str,
    op: str,
    sizes: tuple[int, ...],
    kernel: int,
    element_bytes: int,
    order: int,
    grown: str,
    by: int,
) -> None:
    shape = dict(zip(SIZES, sizes, strict=True))
    larger = {**shape, grown: shape[grown] + by}
    if op != "convolution":
        shape["channels_in"], larger["channels_in"] = shape["channels_out"], larger["channels_out"]
    told = {"op": op, "kernel_w": kernel, "kernel_h": kernel, "element_bytes": element_bytes, "order": order}
    assert cycles(ARRAYS[name], **told, **larger) >= cycles(ARRAYS[name], **told, **shape) * (1 - 1e-12)


@pytest.mark.parametrize(("size", "step"), [("width", 4), ("height", 4), ("channels_out", 16), ("channels_in", 16)])
def test_idle_pixels_and_channels_cost_what_busy_ones_do(size: str, step: int) -> None:
    """Only what is written grows from the first pixel of a block to its last."""
    wide = {"kernel_w": 5, "kernel_h": 5, size: step}
    first, last, next_one = (cycles(**{**wide, size: at}) for at in (1, step, step + 1))
    written = 16 * 16 * 64 / 64
    assert last - first == pytest.approx(0 if size == "channels_in" else _last(size, step) - _last(size, 1))
    assert next_one - last > written / 64


def _last(size: str, at: int) -> float:
    """Cycles of writing one pass's output."""
    output = {"width": 16, "height": 16, "channels_out": 64, size: at}
    return output["width"] * output["height"] * output["channels_out"] / 64


def table(kind: str, **changes: Any) -> LayerTable:
    """A table of one layer: pointwise, 8 x 8 pixels, 32 channels to 32."""
    whole = Layer(kind, "", "conv", kind, 64, 32, 32, 1, 8, 8, 1, 1, 1, 1024, 1024, 2048, 2048)._replace(**changes)
    return LayerTable(**{name: np.array([value]) for name, value in zip(Layer._fields, whole, strict=True)})


MEMORY = load_device("xr-npu").memory


def busy_us(layers: LayerTable, array: Systolic = PLAIN, element_bytes: int = 1) -> float:
    (option,) = array.options(layers, MEMORY, element_bytes)
    return float(option.busy_us[0])


def us(cycles_by_hand: float) -> float:
    return cycles_by_hand / 100 + 7


def test_a_layer_takes_its_workloads_cycles_and_a_start() -> None:
    small = {"width": 8, "height": 8, "channels_in": 32, "channels_out": 32, "order": -1}
    assert busy_us(table("conv")) == pytest.approx(us(cycles(**small)))
    depthwise = table("depthwise", k=25, groups=32, kernel_h=5, kernel_w=5)
    real = (40 - 6) / 40  # taps along an axis that don't fall on the padding of two
    assert busy_us(depthwise) == pytest.approx(
        us(cycles(op="depthwise", kernel_w=5, kernel_h=5, real_share=real**2, **small))
    )


def test_groups_and_heads_run_one_after_the_other() -> None:
    grouped = cycles(width=8, height=8, channels_in=16, channels_out=8, order=-1)
    assert busy_us(table("conv", k=16, groups=4)) == pytest.approx(us(4 * grouped))
    head = cycles(width=16, height=4, channels_in=32, channels_out=8, order=-1)
    assert busy_us(table("matmul", groups=4, out_h=1, out_w=64)) == pytest.approx(us(4 * head))


def test_positions_in_a_row_fill_blocks_unless_a_kernel_goes_along_them() -> None:
    row = {"out_h": 1, "out_w": 64}
    assert busy_us(table("conv", **row)) == busy_us(table("linear", **row)) == busy_us(table("conv"))
    along = table("conv", k=3 * 32, kernel_w=3, **row)
    assert busy_us(along) == pytest.approx(
        us(cycles(width=64, height=1, kernel_w=3, channels_in=32, channels_out=32, order=-1))
    )


@pytest.mark.parametrize("engines", [1, 2, 6])
def test_tokens_are_shared_as_well_as_pixels(engines: int) -> None:
    """4096 tokens take no longer than a map of 64 x 64, which divides into as many blocks and passes."""
    array = PLAIN.model_copy(update={"engines": Constant(value=engines, source="by hand")})
    tokens = table("linear", m=4096, k=64, n=16, out_h=1, out_w=4096)
    pixels = table("conv", m=4096, k=64, n=16, out_h=64, out_w=64)
    assert busy_us(tokens, array) <= busy_us(pixels, array) * 1.01


def test_an_lstm_goes_step_by_step_and_its_gates_through_the_vector_unit() -> None:
    step = cycles(width=1, height=1, channels_in=48, channels_out=128, order=-1)
    layer = table("lstm", m=10, k=48, n=128, out_h=1, out_w=10)
    assert busy_us(layer) == pytest.approx(us(10 * step + 10 * 128 / 2))


def test_softmax_runs_on_the_vector_unit_and_a_sum_on_the_array() -> None:
    nothing = {"m": 0, "k": 0, "n": 0, "out_h": 1, "weights": 0}
    assert busy_us(table("softmax", **nothing, inputs=500, outputs=500, out_w=500)) == pytest.approx(us(250))
    summed = table("elementwise", **nothing, inputs=2 * 16384, outputs=16384, out_w=16384)
    by_hand = cycles(op="elementwise", operands=2, order=-1)  # 16 x 16 pixels of 64 channels
    assert busy_us(summed) == pytest.approx(us(by_hand))


def test_the_mean_of_a_map_takes_a_step_for_each_of_its_pixels() -> None:
    pooled = table("pool", m=0, k=0, n=0, out_h=1, out_w=64, inputs=49 * 64, outputs=64)
    by_hand = 49 * 2 * 6 + 20 + 1 + 100
    assert busy_us(pooled) == pytest.approx(us(by_hand))


def test_energy_is_of_macs_and_of_what_is_read_and_written() -> None:
    (option,) = PLAIN.options(table("conv"), MEMORY, 1)
    moved_bytes = 64 * 32 + 32 * 32 + 64 * 32
    assert option.energy_pj[0] == pytest.approx(64 * 32 * 32 * 2 + moved_bytes * 1.5)


@given(
    kind=st.sampled_from(KINDS),
    engines=st.integers(2, 6),
    groups=st.sampled_from([1, 4]),
    size=st.integers(1, 40),
    channels=st.sampled_from([16, 32, 96, 400]),
)
def test_engines_share_a_layer_but_no_better_than_evenly(
    kind: str, engines: int, groups: int, size: int, channels: int
) -> None:
    groups = channels if kind == "depthwise" else groups
    positions, n = size * size, groups if kind == "depthwise" else channels * groups
    several = {"kernel_h": 3, "kernel_w": 3} if kind in ("conv", "depthwise", "transposed") else {}
    inner = 1 if kind == "depthwise" else channels
    layers = table(
        kind,
        m=positions,
        k=inner * (9 if several else 1),
        n=n,
        groups=groups,
        out_h=size,
        out_w=size,
        inputs=positions * 64,
        outputs=positions * 64,
        **several,
    )
    even = PLAIN.model_copy(update={"broadcast_bytes_per_cycle": PLAIN.written_bytes_per_cycle})
    shared = even.model_copy(update={"engines": Constant(value=engines, source="by hand")})
    alone_us, shared_us = (busy_us(layers, array) - 7 for array in (even, shared))
    assert alone_us / engines <= shared_us * (1 + 1e-12)
    assert shared_us <= alone_us * (1 + 1e-12)


@pytest.mark.parametrize("name", [*shipped_devices(), *(f"xr-npu+{name}" for name in shipped_attachments())])
def test_constants_have_a_source_and_what_is_assumed_its_range(name: str) -> None:
    for place, constant in load_device(name).constants():
        assert len(constant.source) > 8, place
        if place != "processors.cpu.utilisation":  # a share for each kind
            assert not constant.assumed or constant.range is not None, place


def test_workloads_are_picked_by_row() -> None:
    both = replace(workload(), **{name: np.array([getattr(workload(), name)[0]] * 2) for name in SIZES})
    assert both.of(np.array([0])).width.tolist() == [16]

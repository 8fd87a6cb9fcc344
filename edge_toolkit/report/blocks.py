"""A network block by block, as a table of the page."""

from collections.abc import Iterator

from edge_toolkit.architecture import Architecture, Attention, Placed, Shape, kernel_along, stem_output
from edge_toolkit.layers import LayerTable, layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.profile import Profile
from edge_toolkit.report.grids import Grid
from edge_toolkit.specs import ModelSpec

Described = tuple[str, str, Shape, Shape]
"""A block's name, what it is, what comes in, what goes out."""


def blocks_grid(spec: ModelSpec, profile: Profile | None) -> Grid:
    """A network block by block: what it is, its shapes, what it computes, and its time where that was measured."""
    layers = layers_of(spec)
    described = _hybrid_blocks(spec) if isinstance(spec, Architecture) else _lstm_blocks(spec)
    sums = profile.sums_by("block") if profile is not None else {}
    times = {name: profile.time_text(each.time_us, each.rows) for name, each in sums.items()} if profile else {}
    columns = ("block", "what", "in", "out", "kMACs", "parameters")
    rows = [
        (
            name,
            what,
            _shape(before),
            _shape(after),
            *_sizes(layers, name),
            *([times.get(name, "")] if times else []),
        )
        for name, what, before, after in described
    ]
    return Grid((*columns, "µs, measured") if times else columns, tuple(rows))


def _sizes(layers: LayerTable, block: str) -> tuple[str, str]:
    here = layers.block == block
    return f"{layers.macs[here].sum() / 1e3:.1f}", f"{layers.parameters[here].sum():,}"


def _hybrid_blocks(spec: Architecture) -> Iterator[Described]:
    yield _stem(spec)
    for placed in spec.blocks:
        yield placed.name, _what(placed), placed.input, placed.output
    yield _head(spec, spec.features)


def _lstm_blocks(spec: LSTMBaseline) -> Iterator[Described]:
    yield _stem(spec)
    width = spec.stem.width
    for index, hidden in enumerate(spec.hidden):
        yield (
            f"lstm.{index}",
            f"LSTM, {hidden} units, {spec.steps} steps",
            (width, 1, spec.steps),
            (hidden, 1, spec.steps),
        )
        width = hidden
    yield _head(spec, (width, 1, spec.steps))


def _stem(spec: ModelSpec) -> Described:
    stem = spec.stem
    what = f"convolution {_kernel(stem.kernel, spec.input)}{_stride(stem.stride)}"
    return "stem", what, spec.input, stem_output(stem, spec.input)


def _head(spec: ModelSpec, features: Shape) -> Described:
    wide = f"1x1 convolution to {spec.head.width}, " if spec.head.width else ""
    return "head", f"{wide}mean over positions, linear", features, (spec.head.classes, 1, 1)


def _what(placed: Placed) -> str:
    block = placed.block
    if isinstance(block, Attention):
        heads = placed.input[0] // block.head_dim
        window = f"windows of {block.window}" if block.window else "all tokens"
        return f"attention, {heads} heads of {block.head_dim}, {window}, MLP x{block.mlp_ratio}"
    return f"MBConv {_kernel(block.kernel, placed.input)}, expand x{block.expand}{_stride(placed.stride)}"


def _kernel(kernel: int, shape: Shape) -> str:
    return f"{kernel_along(kernel, shape[1])}x{kernel_along(kernel, shape[2])}"


def _stride(stride: int) -> str:
    return f", stride {stride}" if stride > 1 else ""


def _shape(shape: Shape) -> str:
    return "x".join(map(str, shape))

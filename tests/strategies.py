"""Hypothesis strategies that several test modules share."""

from hypothesis import strategies as st

from edge_toolkit.architecture import Architecture, Attention, Block, Head, MBConv, Shape, Stage, Stem


def _shapes() -> st.SearchStrategy[Shape]:
    channels = st.integers(1, 6)
    sequences = st.tuples(channels, st.just(1), st.integers(1, 64))
    images = st.tuples(channels, st.integers(1, 32), st.integers(1, 32))
    return st.one_of(sequences, images)


def _mbconvs() -> st.SearchStrategy[Block]:
    return st.builds(MBConv, kernel=st.sampled_from([1, 3, 5, 7, 9]), expand=st.integers(1, 6))


def _attentions(width: int) -> st.SearchStrategy[Block]:
    divisors = [size for size in range(1, width + 1) if width % size == 0]
    return st.builds(
        Attention, head_dim=st.sampled_from(divisors), mlp_ratio=st.integers(1, 4), window=st.integers(0, 40)
    )


@st.composite
def _stages(draw: st.DrawFn, width_before: int) -> Stage:
    width, stride = draw(st.sampled_from([4, 6, 8, 12])), draw(st.integers(1, 3))
    any_kind = st.one_of(_mbconvs(), _attentions(width))
    keeps_shape = width == width_before and stride == 1
    first = draw(any_kind if keeps_shape else _mbconvs())
    return Stage(width, stride, (first, *draw(st.lists(any_kind, max_size=3))))


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Valid architectures of every shape: sequences and images, kernels and windows that outgrow the grid, too."""
    width = draw(st.sampled_from([4, 6, 8]))
    stem = Stem(width, draw(st.sampled_from([1, 3, 5, 7])), draw(st.integers(1, 4)))
    stages = []
    for _ in range(draw(st.integers(1, 3))):
        stages.append(draw(_stages(width)))
        width = stages[-1].width
    head = Head(draw(st.integers(2, 9)), draw(st.sampled_from([0, 16])))
    return Architecture(draw(_shapes()), stem, tuple(stages), head)

"""What several test modules start from."""

import pytest

from edge_toolkit.architecture import Architecture, Attention, Head, MBConv, Stage, Stem


@pytest.fixture
def image_architecture() -> Architecture:
    stages = (Stage(8, 2, (MBConv(3, 2), MBConv(5, 1))), Stage(16, 2, (MBConv(3, 2), Attention(8, 2, 2))))
    return Architecture((1, 16, 16), Stem(8), stages, Head(4, 12))

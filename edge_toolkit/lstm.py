"""`LSTMBaseline`: the recurrent network that a hybrid is held against, of equal parameters or equal MACs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from edge_toolkit.architecture import (
    CLOSED,
    Head,
    Shape,
    Stem,
    head_problems,
    input_problems,
    stem_output,
    stem_problems,
)
from edge_toolkit.errors import InputError


@with_config(CLOSED)
@dataclass(frozen=True)
class LSTMBaseline:
    """Stem, then the positions of its feature map as a sequence, LSTM layers, and the head.

    The stem and the head are those of the architecture that it stands beside, so that what differs is the body.
    `hidden` holds one size for each LSTM layer, one or two of them.

    Raises:
        InputError: the parts do not make a network; every broken rule is told.

    Source: Hochreiter and Schmidhuber, Neural Computation 1997; the cell is `torch.nn.LSTM`'s.
    """

    input: Shape
    stem: Stem
    hidden: tuple[int, ...]
    head: Head
    kind: Literal["lstm"] = "lstm"

    def __post_init__(self) -> None:
        problems = [
            *input_problems(self.input),
            *stem_problems(self.stem),
            *_hidden_problems(self.hidden),
            *head_problems(self.head),
        ]
        if problems:
            raise InputError.listing("LSTM baseline", problems)

    @property
    def steps(self) -> int:
        """Length of the sequence: the positions behind the stem, row by row."""
        _, height, width = stem_output(self.stem, self.input)
        return height * width


def _hidden_problems(hidden: tuple[int, ...]) -> Iterator[str]:
    if len(hidden) not in (1, 2):
        yield f"hidden={list(hidden)} has {len(hidden)} layers; the baseline has 1 or 2"
    for size in hidden:
        if size < 1:
            yield f"hidden={list(hidden)} has a layer of {size}; each has at least 1 unit"

"""The LSTM that is a fair match for an architecture: equal parameters, or equal MACs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from edge_toolkit.architecture import Architecture, Head, Shape, Stem
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline

Match = Literal["parameters", "macs"]
"""What is made equal: what training learns, or multiply-accumulates."""

Size = Match | Literal["weights"]
"""What can be counted; `weights` are what an exported model stores."""

TOLERANCE = 0.02
"""Largest relative difference that still counts as a match."""


def size_of(spec: Architecture | LSTMBaseline, size: Size) -> int:
    """Parameters, MACs or stored weights of a network."""
    return int(getattr(layers_of(spec), size).sum())


def matched_lstm(architecture: Architecture, match: Match = "parameters") -> LSTMBaseline:
    """The LSTM baseline that stands beside an architecture: its stem and head, and a body of equal size.

    Args:
        architecture: the network to be matched.
        match: what is made equal.

    Returns:
        One layer where a whole number of hidden units comes within 2 %; two layers where it takes a finer step.

    Raises:
        InputError: the architecture is smaller than its stem, a unit and its head, so that no LSTM matches.
    """
    target = size_of(architecture, match)
    try:
        return lstm_of_size(architecture.input, architecture.stem, architecture.head, target, match)
    except InputError as error:
        raise InputError(f"{error}; match the other of parameters and macs, or give a larger architecture") from error


def lstm_of_size(shape: Shape, stem: Stem, head: Head, target: int, size: Size = "parameters") -> LSTMBaseline:
    """The LSTM baseline of a given size, within 2 %.

    Args:
        shape: input (channels, height, width).
        stem: first convolution.
        head: classifier.
        target: what to come near to.
        size: what `target` counts.

    Raises:
        InputError: no LSTM behind this stem and before this head comes within 2 % of `target`.
    """
    one = LSTMBaseline(shape, stem, (1,), head)
    widest = _largest_hidden(one, target, size)
    best = min(_around(one, widest), key=lambda spec: abs(size_of(spec, size) - target))
    if abs(size_of(best, size) - target) > TOLERANCE * target:
        best = min(_two_layers(one, widest, target, size), key=lambda spec: abs(size_of(spec, size) - target))
    reached = size_of(best, size)
    if abs(reached - target) > TOLERANCE * target:
        raise InputError(
            f"no LSTM matches {target:,} {size}: the nearest behind this stem and head has {reached:,}, and a match is "
            f"within {TOLERANCE:.0%}"
        )
    return best


def _largest_hidden(one: LSTMBaseline, target: int, size: Size) -> int:
    """The largest single layer that does not exceed `target`, by bisection; at least 1."""
    low, high = 1, 2
    while size_of(replace(one, hidden=(high,)), size) <= target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size_of(replace(one, hidden=(middle,)), size) <= target else (low, middle)
    return low


def _around(one: LSTMBaseline, hidden: int) -> Iterator[LSTMBaseline]:
    yield replace(one, hidden=(hidden,))
    yield replace(one, hidden=(hidden + 1,))


def _two_layers(one: LSTMBaseline, widest: int, target: int, size: Size) -> Iterator[LSTMBaseline]:
    """For each first layer the second one that fits best."""
    yield from _around(one, widest)
    for first in range(1, widest + 1):
        seconds = range(1, widest + 1)
        yield min(
            (replace(one, hidden=(first, second)) for second in seconds),
            key=lambda spec: abs(size_of(spec, size) - target),
        )

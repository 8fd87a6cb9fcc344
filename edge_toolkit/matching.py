"""The LSTM that is a fair match for an architecture: equal parameters, or equal MACs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from edge_toolkit.architecture import Architecture, Head, Shape, Stem
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline

Match = Literal["parameters", "macs", "weights"]
"""What is made equal: what training learns, multiply-accumulates, or what an exported model stores."""

TOLERANCE = 0.02
"""Largest relative difference that still counts as a match."""


def size_of(spec: Architecture | LSTMBaseline, match: Match) -> int:
    """Parameters, MACs or stored weights of a network, whichever is matched."""
    return int(getattr(layers_of(spec), match).sum())


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
    return lstm_of_size(architecture.input, architecture.stem, architecture.head, size_of(architecture, match), match)


def lstm_of_size(shape: Shape, stem: Stem, head: Head, target: int, match: Match = "parameters") -> LSTMBaseline:
    """The LSTM baseline of a given size, within 2 %.

    Args:
        shape: input (channels, height, width).
        stem: first convolution.
        head: classifier.
        target: what to come near to.
        match: what `target` counts.

    Raises:
        InputError: no LSTM behind this stem and before this head comes within 2 % of `target`.
    """
    one = LSTMBaseline(shape, stem, (1,), head)
    widest = _largest_hidden(one, target, match)
    best = min(_around(one, widest), key=lambda spec: abs(size_of(spec, match) - target))
    if abs(size_of(best, match) - target) > TOLERANCE * target:
        best = min(_two_layers(one, widest, target, match), key=lambda spec: abs(size_of(spec, match) - target))
    size = size_of(best, match)
    if abs(size - target) > TOLERANCE * target:
        raise InputError(
            f"no LSTM matches {target:,} {match}: the nearest behind this stem and head has {size:,}, and a match is "
            f"within {TOLERANCE:.0%}; match the other of parameters and macs, or give a larger architecture"
        )
    return best


def _largest_hidden(one: LSTMBaseline, target: int, match: Match) -> int:
    """The largest single layer that does not exceed `target`, by bisection; at least 1."""
    low, high = 1, 2
    while size_of(replace(one, hidden=(high,)), match) <= target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size_of(replace(one, hidden=(middle,)), match) <= target else (low, middle)
    return low


def _around(one: LSTMBaseline, hidden: int) -> Iterator[LSTMBaseline]:
    yield replace(one, hidden=(hidden,))
    yield replace(one, hidden=(hidden + 1,))


def _two_layers(one: LSTMBaseline, widest: int, target: int, match: Match) -> Iterator[LSTMBaseline]:
    """For each first layer the second one that fits best."""
    yield from _around(one, widest)
    for first in range(1, widest + 1):
        seconds = range(1, widest + 1)
        yield min(
            (replace(one, hidden=(first, second)) for second in seconds),
            key=lambda spec: abs(size_of(spec, match) - target),
        )

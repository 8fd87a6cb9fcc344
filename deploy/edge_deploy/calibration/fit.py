"""The predictor of request latency, fitted to requests and to executed rows at once, and its error held out.

Two kinds of evidence weigh the same. What requests took decides the sums. What the executed nodes took decides how the
sums divide, which few networks would leave open: a predictor that is right in the sum because two wrong terms cancel is
wrong for the next network. A node reads low, by what `edge_deploy.rows` explains, so each one's share of what its
request took more than its rows is added to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_deploy.calibration.least_squares import non_negative
from edge_toolkit.calibration import HeldOut
from edge_toolkit.layer_terms import NAMES, terms_of
from edge_toolkit.layers import LayerTable

Floats = NDArray[np.float64]

ROW_ERROR = 0.1
"""Relative error that a row's time is taken to have ..."""

NODE_ERROR_US = 0.5
"""... but never less than this for each of its nodes, whose counters drop fractions of a microsecond."""

REQUEST_ERROR = 0.01
"""Relative error of a request's time."""

RESAMPLES = 1000


@dataclass(frozen=True)
class Rows:
    """What was executed of a network, by layer, us.

    Attributes:
        executed_by: (layers,) index of the layer in whose nodes each one runs: fused layers share one.
        time_us: (layers,) of the nodes that run there; 0 where none does.
        nodes: (layers,) how many those are, without those that only rename a tensor.
    """

    executed_by: NDArray[np.int64]
    time_us: Floats
    nodes: NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """A measured network: its layers, the time of a request, what was executed (None where the device can't tell)."""

    layers: LayerTable
    request_us: float
    rows: Rows | None


@dataclass(frozen=True)
class _Evidence:
    """A network's terms and the normal equations of its two kinds of evidence."""

    terms: Floats
    gram: Floats
    moments: Floats
    row_gram: Floats
    row_moments: Floats
    rows: int


def fit(samples: Sequence[Sample]) -> Floats:
    """Coefficients of `edge_toolkit.layer_terms`, ns each, (len(NAMES),)."""
    return 1e3 * _solved(_evidence(samples))


def predicted_from_others(samples: Sequence[Sample]) -> Floats:
    """What each network is predicted to take by a fit to all the others, us.

    One number is taken from all: what a request takes more than its rows, a median over the networks.
    """
    evidence = _evidence(samples)
    return np.array(
        [each.terms @ _solved([*evidence[:place], *evidence[place + 1 :]]) for place, each in enumerate(evidence)]
    )


def errors_of(predicted: Floats, measured: Floats, seed: int = 0) -> HeldOut:
    """How far predictions are from measurements, (n,) each."""
    errors = np.abs(predicted / measured - 1)
    drawn = np.random.default_rng(seed).integers(0, len(errors), (RESAMPLES, len(errors)))
    low, high = np.percentile(errors[drawn].mean(axis=1), [2.5, 97.5])
    return HeldOut(
        mape=_rounded(errors.mean()),
        mape_interval=(_rounded(low), _rounded(high)),
        within_5_percent=_rounded((errors <= 0.05).mean()),
        within_10_percent=_rounded((errors <= 0.1).mean()),
    )


def _rounded(value: float) -> float:
    return round(float(value), 5)


def _evidence(samples: Sequence[Sample]) -> list[_Evidence]:
    lost_us = _lost_us(samples)
    return [_evidence_of(sample, lost_us) for sample in samples]


def _lost_us(samples: Sequence[Sample]) -> float:
    """What a request takes more than its rows, for each node: the median over the networks."""
    lost = [
        (sample.request_us - sample.rows.time_us.sum()) / sample.rows.nodes.sum()
        for sample in samples
        if sample.rows is not None
    ]
    return max(float(np.median(lost)), 0.0) if lost else 0.0


def _evidence_of(sample: Sample, lost_us: float) -> _Evidence:
    by_layer = terms_of(sample.layers)
    terms = by_layer.sum(axis=0)
    request = terms / (REQUEST_ERROR * sample.request_us)
    empty = np.zeros((0, len(NAMES))), np.zeros(0)
    a, b = empty if sample.rows is None else _row_equations(by_layer, sample.layers, sample.rows, lost_us)
    gram, moments = np.outer(request, request), request / REQUEST_ERROR
    return _Evidence(terms, gram, moments, a.T @ a, a.T @ b, len(b))


def _row_equations(by_layer: Floats, layers: LayerTable, rows: Rows, lost_us: float) -> tuple[Floats, Floats]:
    """Weighted equations of the executed rows: (rows, terms) and (rows,)."""
    together = np.zeros_like(by_layer)
    np.add.at(together, rows.executed_by, by_layer)
    # The start of the linear row holds what a request costs beyond its layers, which no node shows.
    told = (rows.nodes > 0) & (layers.kind != "linear")
    time_us, nodes = rows.time_us[told], rows.nodes[told]
    error_us = np.maximum(NODE_ERROR_US * nodes, ROW_ERROR * time_us)
    return together[told] / error_us[:, None], (time_us + lost_us * nodes) / error_us


def _solved(evidence: Sequence[_Evidence]) -> Floats:
    """Coefficients, us each, (len(NAMES),)."""
    rows = sum(each.rows for each in evidence)
    weight = len(evidence) / rows if rows else 0.0  # so that all rows together weigh as much as all requests
    gram = sum(each.gram + weight * each.row_gram for each in evidence)
    moments = sum(each.moments + weight * each.row_moments for each in evidence)
    return non_negative(np.asarray(gram), np.asarray(moments))

"""Throughput: as many requests under way as asked, each with the model's inputs, all of them counted."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from edge_deploy.runtime import compile_model
from edge_deploy.throughput import LEAST, throughput
from tests.edge_deploy.small_models_for_tests import two_inputs


@pytest.mark.parametrize("at_once", [1, 3])
def test_every_request_is_counted_and_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    queues: list[Any] = []
    started = []

    class Noted(ov.AsyncInferQueue):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            queues.append(self)

        def start_async(self, inputs: Any) -> None:
            started.append(1)
            super().start_async(inputs)

    monkeypatch.setattr("openvino.AsyncInferQueue", Noted)
    ready = compile_model(two_inputs(tmp_path / "two.xml"))
    found = throughput(ready, at_once, 0.0)
    assert (found.at_once, found.count) == (at_once, LEAST)
    assert len(started) == LEAST + at_once  # to warm up
    a, b = ready.tensors
    (queue,) = queues
    assert len(queue) == at_once
    for request in queue:
        np.testing.assert_allclose(request.get_output_tensor(0).data, a + 10 * b, rtol=1e-6)
        np.testing.assert_allclose(request.get_output_tensor(1).data, (a + 10 * b).sum(), rtol=1e-5)


def test_a_rate_is_the_count_over_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock is half a second after the last."""
    ready = compile_model(two_inputs(tmp_path / "two.xml"))
    looks = iter(np.arange(0, 1000, 0.5).tolist())
    monkeypatch.setattr("edge_deploy.throughput.LEAST", 4)
    monkeypatch.setattr("time.perf_counter", lambda: next(looks))
    found = throughput(ready, 2, 10.0)
    # Looks before the 5th, 6th, ... request, 0.5, 1, ... 9.5 s after the first, let 19 more begin; the last is at 10.5.
    assert found.count == 4 + 19
    assert found.per_second == pytest.approx(23 / 10.5)

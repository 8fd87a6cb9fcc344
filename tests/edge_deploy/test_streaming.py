"""An LSTM one step a request, held against torch's answer to the whole window."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch

from edge_deploy.convert import random_weights, streamed
from edge_deploy.onnx_export import network
from edge_toolkit.architecture import Stem
from edge_toolkit.lstm import LSTMBaseline
from tests.edge_deploy.networks_for_tests import ONE_LAYER, SEQUENCE, TWO_LAYERS, inputs_of

STREAMS = {
    "one layer": ONE_LAYER,
    "two layers": replace(ONE_LAYER, hidden=(5, 7)),
    "no wide head": replace(ONE_LAYER, head=replace(ONE_LAYER.head, width=0)),
    "every sample": replace(ONE_LAYER, stem=Stem(8, 1, 1)),
    "stem wider than its stride": replace(ONE_LAYER, stem=Stem(8, 7, 3)),
}


def steps_of(spec: LSTMBaseline, window: np.ndarray) -> list[np.ndarray]:
    """The samples around each position of the stem, zeros where the window has none."""
    kernel, stride = spec.stem.kernel, spec.stem.stride
    padded = np.pad(window, ((0, 0), (0, 0), (0, 0), (kernel // 2, kernel // 2)))
    return [np.ascontiguousarray(padded[..., stride * step :][..., :kernel]) for step in range(spec.steps)]


@pytest.mark.parametrize("name", STREAMS)
def test_after_all_steps_the_answer_is_the_window_s(name: str, tmp_path: Path) -> None:
    spec = STREAMS[name]
    weights = random_weights(spec)
    for file, content in streamed(spec, weights).items():
        (tmp_path / file).write_bytes(content)
    core = ov.Core()
    request = core.compile_model(
        tmp_path / "stream.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    ).create_infer_request()
    windows = inputs_of(spec, 2)
    with torch.inference_mode():
        expected = network(spec, weights)(torch.from_numpy(windows)).numpy()
    for window, answer in zip(windows, expected, strict=True):
        request.reset_state()
        for step in steps_of(spec, window[None]):
            found = request.infer([step])[0]
        np.testing.assert_allclose(found[0], answer, atol=1e-5)


def test_the_state_is_carried_and_the_same_network_gives_the_same_bytes() -> None:
    weights = random_weights(ONE_LAYER)
    once, again = streamed(ONE_LAYER, weights), streamed(ONE_LAYER, weights)
    assert once == again
    model = ov.Core().read_model(model=once["stream.xml"], weights=once["stream.bin"])
    assert [list(port.shape) for port in model.inputs] == [[1, 3, 1, 5]]
    assert len(model.get_sinks()) == 4  # sum, count, output and cell


@pytest.mark.parametrize("spec", [SEQUENCE, TWO_LAYERS])
def test_a_hybrid_and_an_image_have_no_next_step(spec: LSTMBaseline) -> None:
    assert streamed(spec, random_weights(spec)) == {}

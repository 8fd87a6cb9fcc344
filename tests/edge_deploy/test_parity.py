"""Parity: three independent runtimes on the same inputs, and the rule that judges them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from edge_deploy.ir import ir_of
from edge_deploy.manifest import Parity
from edge_deploy.onnx_export import onnx_of
from edge_deploy.parity import answers, parity_of
from edge_toolkit.errors import AnswerIsNo
from edge_toolkit.specs import ModelSpec
from tests.edge_deploy.networks_for_tests import NETWORKS, inputs_of, trained_like

LABELS = np.array([0, 1, 1])
REFERENCE = np.array([[2.0, 1.0], [0.5, 1.0], [1.0, -4.0]], np.float32)


def judged(other: np.ndarray) -> Parity:
    return parity_of({"torch": REFERENCE, "openvino": other.astype(np.float32)}, LABELS)


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_runtimes_agree(spec: ModelSpec, tmp_path: Path) -> None:
    model = trained_like(spec)
    onnx, ir = tmp_path / "model.onnx", tmp_path / "model.xml"
    onnx.write_bytes(onnx_of(spec, model))
    converted = ir_of(onnx.read_bytes(), len(getattr(spec, "hidden", ())))
    ir.write_bytes(converted.xml)
    ir.with_suffix(".bin").write_bytes(converted.bin)
    x = inputs_of(spec)
    logits = answers(model, onnx, ir, x)
    with torch.inference_mode():
        one_by_one = np.concatenate([model(torch.from_numpy(sample[None])).numpy() for sample in x])
    np.testing.assert_allclose(logits["torch"], one_by_one, rtol=1e-4, atol=1e-5)
    # Different samples get different answers, so that a runtime that keeps its first one would be seen.
    assert spec.input == (1, 1, 1) or np.ptp(one_by_one, axis=0).min() > 1e-3
    parity = parity_of(logits, one_by_one.argmax(1))
    assert parity.right == {"torch": len(x), "onnxruntime": len(x), "openvino": len(x)}
    assert max(parity.errors.values()) < 1e-5


def test_error_is_relative_to_the_largest_logit() -> None:
    parity = judged(REFERENCE + np.array([[0, 0], [1e-4, 0], [0, 0]]))
    assert parity.errors["openvino"] == pytest.approx(1e-4 / 4, rel=1e-2)
    assert parity == Parity(3, 1e-4, parity.errors, {"torch": 2, "openvino": 2})


@pytest.mark.parametrize(("difference", "told"), [(0.01, "2.50e-03"), (np.nan, "nan"), (np.inf, "inf")])
def test_runtime_that_is_further_away_is_refused(difference: float, told: str) -> None:
    with pytest.raises(AnswerIsNo, match=rf"torch and openvino: .* {told} over 3 test samples, and at most 1e-04"):
        judged(REFERENCE + np.array([[0, 0], [difference, 0], [0, 0]]))


def test_equal_accuracy_is_demanded() -> None:
    near = np.array([[1.0, 1.0 - 1e-6]], np.float32)
    with pytest.raises(AnswerIsNo, match="torch and openvino: 1 and 0 right answers of 1 test samples"):
        parity_of({"torch": near, "openvino": near[:, ::-1]}, np.array([0]))

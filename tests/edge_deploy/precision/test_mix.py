"""int8 within a bound: noise by numpy, the sensitive layer by construction, and what happens where no mix will do."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.ir import IR, written
from edge_deploy.precision.judge import Labelled, compiled, right, worst_noise
from edge_deploy.precision.mix import within
from edge_deploy.precision.quantise import quantised
from edge_deploy.precision.sweep import read_sweep, sweep_file, sweep_tables
from edge_toolkit.layers import Layer, LayerTable, table_of

CHANNELS, CLASSES = 8, 4
OUTLIER = 40
"""So much larger than the rest is one channel of `first`, that scales, of which none may be below a hundredth of the
largest (NNCF 3.4), are too coarse for the others' weights."""

GENERATOR = np.random.default_rng(0)
FIRST = GENERATOR.normal(size=(CHANNELS, CHANNELS)).astype(np.float32)
SECOND = GENERATOR.normal(size=(CLASSES, CHANNELS)).astype(np.float32)
FIRST[0] *= OUTLIER
SECOND[:, 0] /= OUTLIER**2
SAMPLES = GENERATOR.normal(size=(200, CHANNELS, 1, 1)).astype(np.float32)


def logits(x: np.ndarray, second: np.ndarray = SECOND) -> np.ndarray:
    return np.maximum(x.reshape(len(x), -1) @ FIRST.T, 0) @ second.T


def network(second: np.ndarray = SECOND) -> IR:
    """x (1, 8, 1, 1) -> relu(FIRST x) -> second: convolutions in layers `first` and `second`."""
    x = ops.parameter([1, CHANNELS, 1, 1], np.float32, name="input")
    weights = [ops.constant(each[:, :, None, None]) for each in (FIRST, second)]
    hidden = ops.convolution(x, weights[0], [1, 1], [0, 0], [0, 0], [1, 1])
    hidden.set_friendly_name("first/Conv")
    active = ops.relu(hidden)
    active.set_friendly_name("first/Relu")
    scores = ops.convolution(active, weights[1], [1, 1], [0, 0], [0, 0], [1, 1])
    scores.set_friendly_name("second/Conv")
    flat = ops.reshape(scores, ops.constant(np.array([1, CLASSES])), False)
    flat.set_friendly_name("second/Reshape")
    return written(ov.Model([flat], [x]))


def layer(name: str, outputs: int) -> Layer:
    sizes = {"m": 1, "k": CHANNELS, "n": outputs, "groups": 1, "out_h": 1, "out_w": 1}
    kernel = {"kernel_h": 1, "kernel_w": 1, "stride": 1}
    stored = {"parameters": CHANNELS * outputs, "weights": CHANNELS * outputs, "inputs": CHANNELS, "outputs": outputs}
    return Layer(name=name, block=f"block.{name}", role="conv", kind="conv", **sizes, **kernel, **stored)


TABLE: LayerTable = table_of([layer("first", CHANNELS), layer("second", CLASSES)])
VALIDATION = Labelled(SAMPLES, logits(SAMPLES).argmax(1))
"""Classes are the network's own answers in float32, so that it names all of them rightly."""


def test_right_answers_are_numpys() -> None:
    classes = GENERATOR.integers(0, CLASSES, len(SAMPLES))
    assert right(network(), "f32", Labelled(SAMPLES, classes)) == (logits(SAMPLES).argmax(1) == classes).sum()


def test_the_noise_behind_each_layer_is_numpys() -> None:
    noisy = SECOND + GENERATOR.normal(0, 1e-3, SECOND.shape).astype(np.float32)
    found = worst_noise(
        network(), network(noisy), "f32", Labelled(SAMPLES[:32], VALIDATION.y[:32]), ["first", "second"]
    )
    assert found is not None
    expected, other = logits(SAMPLES[:32]), logits(SAMPLES[:32], noisy)
    snr_db = 10 * np.log10((expected**2).sum() / ((other - expected) ** 2).sum())
    assert found.layer == "second"
    assert found.snr_db == pytest.approx(snr_db, abs=0.01)


def test_the_block_that_int8_hurts_stays_in_float32() -> None:
    made = within(network(), TABLE, SAMPLES[:64], VALIDATION, len(SAMPLES), max_drop=0.02)
    first, second = made.sweep.tried
    assert first.kept == ()
    assert first.right < made.sweep.wanted == 196, "plain int8 is too coarse for the small channels"
    assert (made.mix, made.passed) == (second, True)
    assert second.kept == ("block.first",), "its weights have the outlier"
    assert [each.block for each in made.sweep.sensitivities] == ["block.first", "block.second"]
    assert made.sweep.sensitivities[0].snr_db < 20 < made.sweep.sensitivities[1].snr_db
    assert right(made.ir, "int8", VALIDATION) == second.right


@pytest.mark.parametrize(("block", "other"), [("first", "second"), ("second", "first")])
def test_a_sensitivity_is_the_noise_of_the_block_alone(block: str, other: str) -> None:
    made = within(network(), TABLE, SAMPLES[:64], VALIDATION, len(SAMPLES), max_drop=0.02)
    with compiled(quantised(network(), [[each[None]] for each in SAMPLES[:64]], [other]), "int8") as ready:
        found = np.concatenate([ready.compiled([sample[None]])[0] for sample in SAMPLES])
    expected = logits(SAMPLES)
    (told,) = [each for each in made.sweep.sensitivities if each.block == f"block.{block}"]
    snr_db = 10 * np.log10((expected**2).sum() / ((found - expected) ** 2).sum())
    assert told.snr_db == pytest.approx(snr_db, abs=0.05)
    assert told.lost == len(SAMPLES) - (found.argmax(1) == VALIDATION.y).sum()


def test_where_plain_int8_will_do_nothing_is_swept() -> None:
    made = within(network(), TABLE, SAMPLES[:64], VALIDATION, len(SAMPLES), max_drop=1.0)
    assert made.passed
    assert (made.mix.kept, made.sweep.sensitivities, len(made.sweep.tried)) == ((), (), 1)


def test_one_block_at_least_is_quantised_or_the_answer_is_no() -> None:
    beyond = len(SAMPLES) + 50  # more right answers in float32 than there are samples: no mix has them
    made = within(network(), TABLE, SAMPLES[:64], VALIDATION, beyond, max_drop=0.02)
    assert not made.passed
    assert [each.kept for each in made.sweep.tried] == [(), ("block.first",)]
    assert made.mix == max(made.sweep.tried, key=lambda each: each.right)


def test_layers_that_are_left_out_keep_their_weights() -> None:
    samples = [[each[None]] for each in SAMPLES[:16]]

    def stored(ir: IR) -> list[str]:
        model = ov.Core().read_model(model=ir.xml, weights=ov.Tensor(np.frombuffer(ir.bin, dtype=np.uint8)))
        return [op.get_element_type().to_string() for op in model.get_ops() if op.get_type_name() == "Constant"]

    assert stored(quantised(network(), samples)).count("i8") == 2
    assert stored(quantised(network(), samples, ["second"])).count("i8") == 1
    assert stored(quantised(network(), samples, ["first", "second"])).count("i8") == 0
    assert stored(quantised(network(), samples, ["sec"])).count("i8") == 2  # a whole name, not its beginning


def test_a_sweep_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = within(network(), TABLE, SAMPLES[:64], VALIDATION, len(SAMPLES), max_drop=0.02)
    (tmp_path / "sensitivity.json").write_bytes(sweep_file(made.sweep))
    assert read_sweep(tmp_path / "sensitivity.json") == made.sweep
    assert len(sweep_tables(made.sweep)) == 3

"""A calibrated device: layers by hand, the rules of its file, and the warning where it is used elsewhere."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given

from edge_toolkit.architecture import Architecture, Attention, Head, MBConv, Stage, Stem
from edge_toolkit.cost import estimate
from edge_toolkit.device import Device, attached, load_attachment, load_device, shipped_attachments
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.layer_terms import NAMES, TERMS, VECTOR, terms_of
from edge_toolkit.layers import KINDS, layers_of
from tests.edge_toolkit.calibrated_for_tests import calibrated
from tests.strategies import architectures

NETWORK = Architecture((3, 8, 8), Stem(4, 3, 2), (Stage(8, 2, (MBConv(3, 2),)),), Head(5))


def written(folder: Path, whole: dict[str, Any]) -> str:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(whole))
    return str(path)


def device(folder: Path, **changes: Any) -> Device:
    return load_device(written(folder, calibrated(**changes)))


def test_layers_by_hand(tmp_path: Path) -> None:
    layers = layers_of(NETWORK)
    cost = estimate(layers, device(tmp_path))
    by_hand_us = {
        "stem": 1 + 2e-3 * 16 * 27 * 16,  # 4 x 4 positions, 3 * 3 * 3 products, 4 channels in a vector of 16
        "stages.0.blocks.0.expand": 1 + 2e-3 * 16 * 4 * 16,
        "stages.0.blocks.0.depthwise": 0.5,
        "stages.0.blocks.0.project": 1 + 2e-3 * 4 * 8 * 16,
        "head.pool": 1e-3 * 8 * 2 * 2,
        "head.classifier": 3,
    }
    assert dict(zip(layers.name.tolist(), 1e3 * cost.layer_latency_ms, strict=True)) == pytest.approx(by_hand_us)
    assert (cost.latency_origin, cost.energy_origin) == ("calibrated", "modelled")
    moved = layers.inputs + layers.outputs + layers.weights
    dynamic_pj = 2 * layers.macs.sum() + 4 * 3 * moved.sum()
    spilled = np.maximum(4 * (layers.inputs + layers.outputs) - 1024, 0).sum()
    assert cost.energy_mj == pytest.approx(1e-9 * (dynamic_pj + 7 * spilled) + 5e-3 * cost.latency_ms)


@given(architectures())
def test_terms_come_from_a_layers_own_row(architecture: Architecture) -> None:
    """So that a network costs the sum of its parts, however they are put together."""
    layers = layers_of(architecture)
    terms = terms_of(layers)
    assert terms.shape == (len(layers), len(NAMES))
    assert (terms >= 0).all()
    for row, kind in enumerate(layers.kind.tolist()):
        own = np.array([name == kind for name, _ in NAMES])
        assert (terms[row, ~own] == 0).all()
        assert terms[row, own][0] == 1  # every kind has a start, its first term


def test_every_kind_has_terms_and_the_start_is_the_first() -> None:
    assert tuple(TERMS) == KINDS
    assert {next(iter(terms)) for terms in TERMS.values()} == {"start"}


def test_a_vector_is_computed_whole() -> None:
    def macs(width: int) -> float:
        table = layers_of(Architecture((1, 4, 4), Stem(width, 1, 1), (Stage(width, 1, (MBConv(1, 1),)),), Head(2)))
        (stem,) = np.flatnonzero(table.name == "stem")
        return float(terms_of(table)[stem, NAMES.index(("conv", "macs"))])

    assert [macs(width) / 16 for width in (1, VECTOR, VECTOR + 1)] == [VECTOR, VECTOR, 2 * VECTOR]


def test_kinds_that_were_not_measured_are_refused(tmp_path: Path) -> None:
    windowed = Architecture((3, 8, 8), Stem(4, 3, 2), (Stage(4, 1, (Attention(2, 1, 0),)),), Head(5))
    mine, layers = device(tmp_path), layers_of(windowed)
    (option,) = mine.processors["cpu"].options(layers, mine.memory, 4)
    unknown = np.isin(layers.kind, ["elementwise", "matmul", "softmax"])
    assert np.isinf(option.busy_us).tolist() == unknown.tolist()
    with pytest.raises(AnswerIsNo, match="none of cpu computes a layer of kind"):
        estimate(layers, mine)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda whole: whole.pop("calibration"), "origin calibrated and a `calibration` go together"),
        (lambda whole: whole.update(origin="modelled"), "origin calibrated and a `calibration` go together"),
        (lambda whole: whole["processors"]["cpu"]["ns"]["conv"].update(warp=1), r"conv\.warp: no such term"),
        (lambda whole: whole["processors"]["cpu"]["ns"]["conv"].update(start=-1), "greater than or equal to 0"),
        (lambda whole: whole["processors"]["cpu"]["ns"].update(warp={}), "warp"),
        (lambda whole: whole["calibration"].update(networks=0), "greater than or equal to 1"),
        (lambda whole: whole["calibration"]["held_out"].pop("mape"), "mape .*is missing"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, spoil: Any, told: str) -> None:
    whole = calibrated()
    spoil(whole)
    with pytest.raises(InputError, match=told):
        load_device(written(tmp_path, whole))


def test_here_it_loads_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device(tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cpu": "Another CPU"}, "cpu was Another CPU, here"),
        ({"openvino": "1.2.3"}, "openvino was 1.2.3, here"),
        ({"cores": 4096}, "cores was 4096, here"),
        ({"governor": "warp"}, "governor was warp, here"),
    ],
)
def test_elsewhere_it_warns_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: str
) -> None:
    device(tmp_path, **changes)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: mine was calibrated elsewhere")
    assert told in line


def test_with_an_attachment_it_is_modelled(tmp_path: Path) -> None:
    """Origins are not mixed, and the file in which a run keeps its device must load again."""
    mine = device(tmp_path)
    attachment = load_attachment(shipped_attachments()[0]).model_copy(update={"precision": "f32"})
    both = attached(mine, attachment)
    assert (both.origin, both.calibration) == ("modelled", None)
    assert Device.model_validate(both.model_dump(mode="json", by_alias=True)) == both

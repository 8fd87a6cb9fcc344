"""Networks in files."""

import json
from pathlib import Path

import pytest

from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.specs import read_listed, spec_to_json


def line(spec: Architecture | LSTMBaseline) -> str:
    return json.dumps(spec_to_json(spec)) + "\n"


def test_listed_networks_keep_their_order(tmp_path: Path, image_architecture: Architecture) -> None:
    lstm = LSTMBaseline(image_architecture.input, image_architecture.stem, (5,), image_architecture.head)
    path = tmp_path / "listed.jsonl"
    path.write_text(f"{line(lstm)}\n{line(image_architecture)}{line(lstm)}")
    assert read_listed(path) == (lstm, image_architecture, lstm)


def test_every_broken_line_is_told_with_its_number(tmp_path: Path, image_architecture: Architecture) -> None:
    path = tmp_path / "listed.jsonl"
    broken = spec_to_json(image_architecture) | {"head": {"classes": 1, "wide": 3}}
    path.write_text(f"{line(image_architecture)}[1,\n\n7\n{json.dumps(broken)}\n")
    with pytest.raises(InputError) as caught:
        read_listed(path)
    told = str(caught.value)
    assert f"{path}: 3 problems" in told
    assert "line 1" not in told
    assert "line 2: is not JSON" in told
    assert "line 4: must be a mapping of names to values" in told
    assert "line 5: head.wide: " in told


def test_a_file_without_networks_is_told(tmp_path: Path) -> None:
    path = tmp_path / "listed.jsonl"
    path.write_text("\n")
    with pytest.raises(
        InputError, match=r"holds no architecture; `edge-toolkit spaces sample SPACE --out .*` writes some"
    ):
        read_listed(path)

"""The layers of a bundle; other targets stand in `test_costs_command`."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_deploy.bundle import records_of, write_bundle
from edge_deploy.target_layers import layers_at
from edge_toolkit.errors import AnswerIsNo
from edge_toolkit.layers import layers_of
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import SEQUENCE
from tests.edge_deploy.test_bundle import CONTENTS, MANIFEST


@pytest.fixture
def bundle(ir: IRMaker, tmp_path: Path) -> Path:
    files = {name: ir("sequence").with_name(name).read_bytes() for name in ("model.xml", "model.bin")}
    contents = CONTENTS | files
    return write_bundle(tmp_path / "knee", replace(MANIFEST, files=records_of(contents)), contents).path


def test_a_bundles_layers_are_those_of_its_model_and_know_its_network(bundle: Path) -> None:
    found = layers_at(bundle)
    assert found.table.rows() == layers_of(SEQUENCE).rows()
    assert found.uncounted == ()


def test_a_changed_bundle_has_none(bundle: Path) -> None:
    (bundle / "model.bin").write_bytes(b"")
    with pytest.raises(AnswerIsNo, match="was changed after the export"):
        layers_at(bundle)

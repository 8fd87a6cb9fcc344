"""The published schemas, held against real files by somebody else's validator."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edge_deploy.export import export
from edge_deploy.manifest import manifest_to_json
from edge_deploy.profile import profile
from edge_deploy.settings import Asked
from edge_toolkit.profile import profile_to_json
from tests.edge_deploy.networks_for_tests import SEQUENCE, write_folder, write_npz

FOLDER = Path(__file__).parent.parent / "docs/schemas"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("schemas")
    model = write_folder(folder / "model", SEQUENCE, write_npz(folder / "data.npz"))
    bundle = export(model, folder / "knee", baseline=False)
    made = profile(bundle.path, Asked(), 0.02, str(bundle.ir))
    plain = {"manifest.json": manifest_to_json(bundle.manifest), "profile.json": {"schema": 1, **profile_to_json(made)}}
    return json.loads(json.dumps(plain))


@pytest.mark.parametrize("name", ["manifest.json", "profile.json"])
def test_a_real_file_is_valid(name: str, files: dict[str, Any]) -> None:
    schema = json.loads((FOLDER / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(files[name])] == []
    for broken in ({}, {**files[name], "schema": 99}, {**files[name], "macs": "many"}):
        assert not validator.is_valid(broken)

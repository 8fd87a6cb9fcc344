"""What several test modules of the device start from."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from edge_deploy.convert import random_ir
from tests.edge_deploy.networks_for_tests import NETWORKS

IRMaker = Callable[[str], Path]


@pytest.fixture(scope="session")
def ir(tmp_path_factory: pytest.TempPathFactory) -> IRMaker:
    """The IR of one of `NETWORKS` with random weights, exported once for all tests."""
    return cache(lambda name: random_ir(NETWORKS[name], tmp_path_factory.mktemp(name)))

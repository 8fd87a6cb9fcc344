"""What several test modules of the device start from."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from edge_deploy.convert import random_ir
from edge_toolkit.cli import main
from tests.edge_deploy.networks_for_tests import NETWORKS

IRMaker = Callable[[str], Path]
Command = Callable[..., tuple[object, str, str]]


@pytest.fixture(scope="session")
def ir(tmp_path_factory: pytest.TempPathFactory) -> IRMaker:
    """The IR of one of `NETWORKS` with random weights, exported once for all tests."""
    return cache(lambda name: random_ir(NETWORKS[name], tmp_path_factory.mktemp(name)))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command of `edge-toolkit`; returns its exit status, standard output and standard error."""

    def run(*arguments: object) -> tuple[object, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(each) for each in arguments])
        return stopped.value.code, *capsys.readouterr()

    return run

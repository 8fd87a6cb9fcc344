"""The import rule of the rooms, read from the source; and what the command line loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {
    "edge_toolkit": ROOT / "edge_toolkit",
    "edge_search": ROOT / "search/edge_search",
    "edge_deploy": ROOT / "deploy/edge_deploy",
}
NEIGHBOURS = {
    "edge_toolkit": {"edge_search", "edge_deploy"},
    "edge_search": {"edge_deploy"},
    "edge_deploy": {"edge_search"},
}
OPENVINO, SEARCH, TORCH = {"openvino", "onnx", "onnxruntime", "nncf"}, {"optuna"}, {"torch"}
WORKSTATION = {"matplotlib", "moocore", "jinja2", "PIL", "sklearn", "safetensors"}
TORCH_PLACES = (
    "edge_toolkit/nn/",
    "search/edge_search/",
    "deploy/edge_deploy/onnx_export.py",
    "deploy/edge_deploy/parity.py",
)


def sources() -> list[tuple[str, Path]]:
    return [(room, path) for room, folder in ROOMS.items() for path in sorted(folder.rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Names of the top-level packages that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {name.split(".")[0] for node in ast.walk(tree) for name in _names(node)}


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        return [node.module or ""]
    return []


@pytest.mark.parametrize(
    ("room", "path"), sources(), ids=lambda value: value.stem if isinstance(value, Path) else value
)
def test_arrows_run_one_way(room: str, path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    found = imported(path)
    assert not found & NEIGHBOURS[room], f"{place} imports a room that it may not know"
    if room != "edge_search":
        assert not found & SEARCH, f"{place}: optuna lives in edge_search alone"
    if room != "edge_deploy":
        assert not found & OPENVINO, f"{place}: openvino and onnx live in edge_deploy alone"
    if not place.startswith(TORCH_PLACES):
        assert not found & TORCH, f"{place}: torch lives in edge_toolkit/nn, edge_search and the export"


def test_the_device_side_needs_nothing_of_the_workstation() -> None:
    """Every module is imported where the core dependencies alone are installed; only those that say so may fail."""
    script = (
        "import importlib, pkgutil, sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(WORKSTATION | SEARCH | TORCH | OPENVINO - {'openvino'})}))\n"
        "import edge_deploy, edge_toolkit\n"
        "failed = set()\n"
        "for room in (edge_deploy, edge_toolkit):\n"
        "    for found in pkgutil.walk_packages(room.__path__, f'{room.__name__}.', onerror=failed.add):\n"
        "        try:\n"
        "            importlib.import_module(found.name)\n"
        "        except ImportError:\n"
        "            failed.add(found.name)\n"
        "print(sorted(failed))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    failed = {name for name in ast.literal_eval(done.stdout) if not name.startswith("edge_toolkit.nn")}
    workstation = {"convert", "export", "measure_networks", "onnx_export", "parity"}
    assert failed == {f"edge_deploy.{name}" for name in workstation}


def test_every_room_is_found() -> None:
    assert all(len(list(folder.rglob("*.py"))) > 5 for folder in ROOMS.values())


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from edge_toolkit.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stderr.strip().splitlines()[-1]))
    assert "search" in done.stdout
    assert "profile" in done.stdout
    assert not loaded & {"torch", "openvino", "optuna", "onnx", "numpy", "pydantic", "matplotlib", "nncf"}

"""Signs of an NPU: with and without the device, the kernel's module, the user's driver and a compiler."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_deploy.doctor_npu import COMPILER, npu_compiler, npu_signs


@dataclass
class FakeCore:
    """A machine whose NPU tells its driver's version, or is too old for that."""

    available_devices: tuple[str, ...]
    version: str | None = None

    def get_property(self, device: str, name: str) -> str:
        if self.version is None:
            raise RuntimeError("unsupported property")
        return f"{self.version} ({name})"


def signs(core: FakeCore, sys: Path) -> dict[str, tuple[str, str, str]]:
    return {each.topic: (each.found, each.state, each.meaning) for each in npu_signs(core, sys)}


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_deploy.doctor_npu.npu_compiler", lambda: None)


@pytest.mark.parametrize(
    ("module", "told"),
    [("intel_vpu", "or its firmware is off"), ("other", "a kernel without the module intel_vpu")],
)
def test_no_npu(tmp_path: Path, module: str, told: str) -> None:
    (tmp_path / "module" / module).mkdir(parents=True)
    found = signs(FakeCore(("CPU",)), tmp_path)
    assert found["NPU device"][:2] == ("none", "missing")
    assert told in found["NPU device"][2]
    assert found["NPU compiler"][:2] == ("none", "missing")


@pytest.mark.parametrize(("library", "where"), [("libze_intel_npu.so.1", "found"), (None, "missing")])
def test_a_device_without_its_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str | None, where: str
) -> None:
    (tmp_path / "class/accel/accel0").mkdir(parents=True)
    monkeypatch.setattr("edge_deploy.doctor_npu.find_library", {"ze_intel_npu": library}.get)
    found, state, meaning = signs(FakeCore(("CPU", "GPU")), tmp_path)["NPU driver"]
    assert (found, state) == (f"/dev/accel is there, libze_intel_npu is {where}", "missing")
    assert "linux-npu-driver" in meaning


@pytest.mark.parametrize(
    ("version", "driver", "compiler"),
    [
        ("32", "32 (NPU_DRIVER_VERSION)", "the driver's, 32 (NPU_COMPILER_VERSION)"),
        (None, "version not told", "the driver's, version not told"),
    ],
)
@pytest.mark.parametrize("device", ["NPU", "NPU.3720"])
def test_an_npu(tmp_path: Path, device: str, version: str | None, driver: str, compiler: str) -> None:
    found = signs(FakeCore(("CPU", device), version), tmp_path)
    assert found["NPU driver"][:2] == (driver, "good")
    assert found["NPU compiler"][:2] == (compiler, "good")


@pytest.mark.parametrize("devices", [("CPU",), ("CPU", "NPU")])
def test_a_compiler_beside_openvino(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: tuple[str, ...]) -> None:
    monkeypatch.setattr("edge_deploy.doctor_npu.npu_compiler", lambda: tmp_path / "lib.so")
    found = signs(FakeCore(devices, "1"), tmp_path)
    assert found["NPU compiler"][:2] == ("lib.so", "good")
    assert "compiles for NPUs" in found["NPU compiler"][2]


@pytest.mark.parametrize(("name", "there"), [(f"lib{COMPILER}.so", True), ("libopenvino_intel_npu_plugin.so", False)])
def test_the_compiler_is_looked_for_beside_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, there: bool
) -> None:
    import openvino as ov

    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / name).touch()
    monkeypatch.setattr(ov, "__file__", str(tmp_path / "__init__.py"))
    assert npu_compiler() == (tmp_path / "libs" / name if there else None)

"""The measured roof: which work is timed, and how a time becomes a rate. The times themselves are scripted."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from edge_deploy.macs import model_macs
from edge_deploy.peaks import LEAST, SIDE, _fastest_ms, _product, _sum, peaks
from edge_deploy.runtime import Compiled, compile_model
from edge_deploy.settings import Asked


@dataclass
class Scripted:
    """A compiled model whose requests take what the script says, ms."""

    times_ms: list[float]
    runs_on: tuple[str, ...] = ("CPU",)
    request_ms: float = 0.0
    threads: int = 6
    streams: int = 2

    def infer(self) -> None:
        self.request_ms = self.times_ms.pop(0)


def operations(model: Any) -> dict[str, int]:
    types = [op.get_type_name() for op in model.get_ops()]
    return {name: types.count(name) for name in types if name not in ("Parameter", "Result", "Constant")}


@pytest.mark.parametrize("int8", [False, True])
def test_the_product_has_the_macs_that_it_is_divided_by(int8: bool) -> None:
    model = _product(int8)
    assert model_macs(model) == SIDE**3 == 768 * 768 * 768
    assert ("FakeQuantize" in operations(model)) is int8


def test_the_sum_reads_and_writes_the_tensor_alone() -> None:
    model = _sum(3)
    assert operations(model) == {"Add": 1}
    for port in (model.input(0), model.output(0)):
        assert port.get_element_type().size * port.shape[0] * port.shape[1] == 3 * 2**20


def test_the_fastest_request_counts() -> None:
    assert _fastest_ms(Scripted([5.0, 3.0, 2.0, 4.0, 9.0, 1.0]), 0.0) == 2.0  # type: ignore[arg-type]
    assert LEAST == 5


def test_times_become_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """768^3 in 10 ms are 45.3 G a second; a tensor of 64 MiB, read and written in 20 ms, 6.7 GB a second."""
    made = {"product.xml": Scripted([10.0] * 9), "memory.xml": Scripted([20.0] * 9)}
    monkeypatch.setattr("edge_deploy.peaks.compile_model", lambda path, asked: made[path.name])
    monkeypatch.setattr("edge_deploy.peaks.last_cache_kib", lambda: 16 * 1024)
    monkeypatch.setattr("edge_deploy.peaks._copied_gb_s", lambda seconds: 7.0)
    found = peaks(Asked(threads=6, streams=2), 0.0)
    assert found.gmac_s == pytest.approx(768**3 / 0.010 / 1e9)
    assert found.memory_gb_s == pytest.approx(2 * 64 * 2**20 / 0.020 / 1e9)
    assert found.cache_gb_s == 21.0  # that of each of a request's three threads


@pytest.mark.parametrize(("cache_kib", "mib"), [(None, 64), (4 * 1024, 64), (24 * 1024, 96), (512 * 1024, 128)])
def test_the_tensor_outgrows_the_last_cache(monkeypatch: pytest.MonkeyPatch, cache_kib: int | None, mib: int) -> None:
    made = []
    monkeypatch.setattr("edge_deploy.peaks._sum", lambda size: made.append(size) or _sum(1))
    monkeypatch.setattr("edge_deploy.peaks.compile_model", lambda path, asked: Scripted([1.0] * 9, ("NPU",)))
    monkeypatch.setattr("edge_deploy.peaks.last_cache_kib", lambda: cache_kib)
    found = peaks(Asked(), 0.0)
    assert made == [mib]
    assert found.memory_gb_s == pytest.approx(2 * mib * 2**20 / 1e6)


@pytest.mark.parametrize("runs_on", [("NPU",), ("NPU", "CPU")])
def test_what_a_copy_on_the_cpu_says_nothing_of(monkeypatch: pytest.MonkeyPatch, runs_on: tuple[str, ...]) -> None:
    monkeypatch.setattr("edge_deploy.peaks.compile_model", lambda path, asked: Scripted([1.0] * 9, runs_on))
    assert peaks(Asked(), 0.0).cache_gb_s is None


def test_a_real_machine_has_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models are compiled as was asked, but in no cache and without the shapes of the model that is profiled."""
    asked = []

    def noted(path: Path, one: Asked) -> Compiled:
        asked.append(one)
        return compile_model(path, one)

    monkeypatch.setattr("edge_deploy.peaks.compile_model", noted)
    wanted = Asked("HETERO:CPU", "bf16")
    found = peaks(replace(wanted, cache=Path("kept")), 0.03)
    assert asked == [wanted, wanted]
    assert found.cache_gb_s is not None
    assert min(found.gmac_s, found.memory_gb_s, found.cache_gb_s) > 0
    assert found.gb_s == max(found.memory_gb_s, found.cache_gb_s)

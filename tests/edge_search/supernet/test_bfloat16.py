"""Training in bfloat16, which this CPU may not have found worth it."""

from pathlib import Path

import pytest
import torch

from edge_search.supernet import Supernet, bfloat16, training
from edge_search.supernet.bfloat16 import bfloat16_pays
from edge_search.supernet.training import train_supernet
from tests.edge_search.supernet.toys import TWO_STAGES, ignore, origin, recipe, separable


@pytest.mark.parametrize(("flags", "pays"), [({"avx512_bf16"}, False), ({"avx512_bf16", "amx_bf16"}, True)])
def test_amx_makes_it_pay_on_a_cpu(monkeypatch: pytest.MonkeyPatch, flags: set[str], pays: bool) -> None:
    monkeypatch.setattr(bfloat16, "cpu_flags", lambda: flags)
    assert bfloat16_pays(torch.device("cpu")) == pays


def test_a_gpu_that_only_emulates_it_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert not bfloat16_pays(torch.device("cuda"))


def test_weights_and_losses_stay_close_to_those_of_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, kinds = [], set()
    real = torch.nn.functional.conv2d

    def watched(x: torch.Tensor, *words: object, **named: object) -> torch.Tensor:
        y = real(x, *words, **named)  # type: ignore[arg-type]  # torch's
        kinds.add(y.dtype)
        return y

    for pays in (False, True):
        monkeypatch.setattr(training, "bfloat16_pays", lambda device, pays=pays: pays)
        monkeypatch.setattr(torch.nn.functional, "conv2d", watched)
        supernet, path = Supernet(TWO_STAGES, seed=0), tmp_path / f"{pays}.safetensors"
        kinds.clear()
        train_supernet(supernet, separable(120), origin(recipe(3), TWO_STAGES), path, ignore)
        assert (torch.bfloat16 in kinds) == pays
        assert all(tensor.dtype == torch.float32 for tensor in supernet.state_dict().values())
        found.append([entry.loss for entry in training.read_checkpoint(path, origin(recipe(3), TWO_STAGES)).entries])
    assert found[0] != found[1]
    assert found[1] == pytest.approx(found[0], rel=0.05)

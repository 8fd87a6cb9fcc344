"""The losses against torch's, and against autograd through their definitions."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from edge_search.supernet import distillation
from edge_search.supernet.distillation import alpha_loss, kl_loss


def logits(seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(6, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradient(loss: Tensor, student: Tensor) -> Tensor:
    return torch.autograd.grad(loss.sum(), student)[0]


def test_kl_has_the_gradient_of_torchs_divergence() -> None:
    student, teacher = logits(0).requires_grad_(), logits(1).softmax(1)
    expected = gradient(F.kl_div(F.log_softmax(student, 1), teacher, reduction="sum"), student)
    torch.testing.assert_close(gradient(kl_loss(student, teacher), student), expected)


def defined(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Chi-squared and Kullback-Leibler by their definitions, (b,) each."""
    q = student.softmax(1)
    return 0.5 * ((q - teacher).square() / teacher).sum(1), (teacher * (teacher / q).log()).sum(1)


def test_alpha_is_the_larger_of_two_divergences_with_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distillation, "CLIP", 1e9)
    student, teacher = logits(0, 1.5).requires_grad_(), logits(1, 1.5).softmax(1)
    divergences = defined(student, teacher)
    larger = torch.maximum(*divergences)
    assert len({int(index) for index in torch.stack(divergences).argmax(0)}) == 2, "each is the larger one somewhere"
    found = alpha_loss(student, teacher)
    torch.testing.assert_close(found, larger)
    torch.testing.assert_close(gradient(found, student), gradient(larger, student))


def test_no_answer_weighs_more_than_the_bound() -> None:
    """Where the student all but excludes what the teacher is sure of, p / q is millions; it counts five times."""
    student = torch.tensor([[20.0, 0.0]], requires_grad=True)
    teacher = torch.tensor([[1e-6, 1 - 1e-6]])
    q = student.detach().softmax(1)
    weights = [
        (q * (p_over_q**alpha).clamp_max(5.0)) / alpha for alpha, p_over_q in ((-1, teacher / q), (1, teacher / q))
    ]
    candidates = [weight.sum() * q - weight for weight in weights]  # of softmax: -(w - sum(w) q)
    found = gradient(alpha_loss(student, teacher), student)
    assert any(torch.allclose(found, each, rtol=1e-4) for each in candidates)


def test_equal_answers_ask_for_nothing() -> None:
    student = logits(3).requires_grad_()
    loss = alpha_loss(student, student.detach().softmax(1))
    torch.testing.assert_close(loss, torch.zeros(6, dtype=torch.float64), atol=1e-12, rtol=0)
    assert gradient(loss, student).abs().max() < 1e-12

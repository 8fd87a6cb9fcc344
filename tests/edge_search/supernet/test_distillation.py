"""The losses against torch's, and against autograd through their definitions."""

from math import log

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


@pytest.mark.parametrize(
    ("q", "p", "expected"),
    [
        # Missing an answer: Kullback-Leibler, whose gradient q - p is whole however small q is.
        (0.05, 0.9, (0.9 * log(0.9 / 0.05) + 0.1 * log(0.1 / 0.95), 0.05 - 0.9)),
        (0.001, 0.9, (0.9 * log(0.9 / 0.001) + 0.1 * log(0.1 / 0.999), 0.001 - 0.9)),
        # Too sure of one: chi-squared, where no q / p is beyond the bound.
        (0.5, 0.15, (0.5 * (0.25 / 0.15 + 0.25 / 0.85 - 1), 0.25 / 0.15 - 0.5 * (0.25 / 0.15 + 0.25 / 0.85))),
    ],
)
def test_two_classes_by_hand(q: float, p: float, expected: tuple[float, float]) -> None:
    student = torch.tensor([[log(q), log(1 - q)]], dtype=torch.float64, requires_grad=True)
    loss = alpha_loss(student, torch.tensor([[p, 1 - p]], dtype=torch.float64))
    assert loss.tolist() == pytest.approx([expected[0]])
    assert float(gradient(loss, student)[0, 0]) == pytest.approx(expected[1])


def test_no_answer_weighs_more_than_the_bound() -> None:
    """Of three answers the teacher all but excludes the first: q / p is 30, and counts 5 in value and gradient."""
    q, p = torch.tensor([0.3, 0.35, 0.35], dtype=torch.float64), torch.tensor([0.01, 0.495, 0.495], dtype=torch.float64)
    weight = q * torch.tensor([5.0, 0.35 / 0.495, 0.35 / 0.495], dtype=torch.float64)
    value = (weight.sum() - 1) / 2
    assert value > (p * (p / q).log()).sum(), "so that chi-squared is the larger one"
    student = q.log()[None].requires_grad_()
    loss = alpha_loss(student, p[None])
    torch.testing.assert_close(loss, value[None])
    torch.testing.assert_close(gradient(loss, student)[0], weight - weight.sum() * q)


def test_equal_answers_ask_for_nothing() -> None:
    student = logits(3).requires_grad_()
    loss = alpha_loss(student, student.detach().softmax(1))
    torch.testing.assert_close(loss, torch.zeros(6, dtype=torch.float64), atol=1e-12, rtol=0)
    assert gradient(loss, student).abs().max() < 1e-12

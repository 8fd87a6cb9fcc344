"""What a subnet learns from the largest one's answers: the losses of in-place distillation."""

import torch
import torch.nn.functional as F
from torch import Tensor

ALPHAS = (-1.0, 1.0)
"""The two divergences of which a sample takes the larger one: chi-squared, which punishes being too sure, and
Kullback-Leibler, which punishes missing an answer. Source: Wang et al., AlphaNet, ICML 2021, section 4."""
CLIP = 5.0
"""Bound on the weight (p / q)^alpha of an answer in a gradient. Source: the same, section 3.3."""


def kl_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy with the teacher's probabilities, (b,); its gradient is Kullback-Leibler's.

    Args:
        student: logits (b, classes).
        teacher: probabilities (b, classes), without gradient.
    """
    return F.cross_entropy(student, teacher, reduction="none")


def alpha_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """The adaptive alpha-divergence, (b,): for each sample the larger one of two, with clipped weights.

    With p the teacher's and q the student's probabilities, D_alpha = sum(q ((p / q)^alpha - 1)) / (alpha (alpha - 1)),
    whose gradient is -sum(q (p / q)^alpha grad log q) / alpha. The value returned has that gradient with (p / q)^alpha
    clipped, and is the divergence itself.

    Args:
        student: logits (b, classes).
        teacher: probabilities (b, classes), without gradient.

    Source: Wang et al., AlphaNet, ICML 2021, sections 3 and 4.
    """
    log_q = F.log_softmax(student, 1)
    log_ratio = teacher.clamp_min(torch.finfo(teacher.dtype).tiny).log() - log_q.detach()  # log (p / q)
    q = log_q.detach().exp()
    values, surrogates = [], []
    for alpha in ALPHAS:
        weight = (alpha * log_ratio).exp().clamp_max(CLIP)  # (b, classes)
        surrogates.append(-(q * weight * log_q).sum(1) / alpha)  # (b,)
        values.append(_divergence(q, teacher, log_ratio, alpha))
    larger = torch.stack(values).argmax(0, keepdim=True)  # (1, b)
    value, surrogate = (torch.stack(each).gather(0, larger)[0] for each in (values, surrogates))
    return value + surrogate - surrogate.detach()


def _divergence(q: Tensor, p: Tensor, log_ratio: Tensor, alpha: float) -> Tensor:
    """(b,); at alpha = 1 its limit, Kullback-Leibler."""
    if alpha == 1:
        return (p * log_ratio).sum(1)
    return ((q * (alpha * log_ratio).exp()).sum(1) - 1) / (alpha * (alpha - 1))


LOSSES = {"kl": kl_loss, "alpha": alpha_loss}
"""The losses by their names in a recipe."""

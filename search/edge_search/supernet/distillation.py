"""What a subnet learns from the largest one's answers: the losses of in-place distillation."""

import torch
import torch.nn.functional as F
from torch import Tensor

ALPHAS = (-1.0, 1.0)
"""The two divergences of which a sample takes the larger one: chi-squared, which punishes being too sure, and
Kullback-Leibler, which punishes missing an answer. Source: Wang et al., AlphaNet, ICML 2021, section 4."""
CLIP = 5.0
"""Bound on (p / q)^alpha where alpha is negative: there a sure student divides by what the teacher all but excludes.
Kullback-Leibler needs none, its gradient being bounded. Source: the same, section 3.3 and its published code."""


def kl_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy with the teacher's probabilities, (b,); its gradient is Kullback-Leibler's.

    Args:
        student: logits (b, classes).
        teacher: probabilities (b, classes), without gradient.
    """
    return F.cross_entropy(student, teacher, reduction="none")


def alpha_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """The adaptive alpha-divergence, (b,): for each sample the larger one of two.

    With p the teacher's and q the student's probabilities, D_alpha = sum(q ((p / q)^alpha - 1)) / (alpha (alpha - 1)),
    whose gradient is -sum(q (p / q)^alpha grad log q) / alpha; at alpha = 1 both are Kullback-Leibler's. Where
    (p / q)^alpha is clipped, it is so in the value, by which the larger one is chosen, and in the gradient.

    Args:
        student: logits (b, classes).
        teacher: probabilities (b, classes), without gradient.

    Source: Wang et al., AlphaNet, ICML 2021, sections 3 and 4.
    """
    log_q = F.log_softmax(student, 1)
    q = log_q.detach().exp()
    log_ratio = teacher.clamp_min(torch.finfo(teacher.dtype).tiny).log() - log_q.detach()  # log (p / q)
    values, surrogates = [], []
    for alpha in ALPHAS:
        weight = (log_q.detach() + alpha * log_ratio).exp()  # q (p / q)^alpha, (b, classes)
        if alpha < 0:
            weight = torch.minimum(weight, CLIP * q)
        surrogates.append(-(weight * log_q).sum(1) / alpha)  # (b,)
        values.append((weight * log_ratio).sum(1) if alpha == 1 else (weight.sum(1) - 1) / (alpha * (alpha - 1)))
    larger = torch.stack(values).argmax(0, keepdim=True)  # (1, b)
    value, surrogate = (torch.stack(each).gather(0, larger)[0] for each in (values, surrogates))
    return value + surrogate - surrogate.detach()


LOSSES = {"kl": kl_loss, "alpha": alpha_loss}
"""The losses by their names in a recipe."""

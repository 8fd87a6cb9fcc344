"""How the gradients of the largest network and of the others become one."""

import torch
from torch import Tensor


def projected(largest: Tensor, others: Tensor) -> Tensor:
    """The sum of two gradients of one tensor, after what works against the second is taken out of the first.

    g = g_others * (1 + clamp(-<g_others, g_largest> / ||g_others||^2, 0, 2)) + g_largest

    Args:
        largest: gradient of the largest network.
        others: gradients of the other networks, added up.

    Source: Gong et al., NASViT, ICLR 2022, section 4.
    """
    square = others.square().sum()
    # Where the others ask for nothing, nothing works against them.
    surplus = torch.where(square > 0, -(others * largest).sum() / square, 0.0).clamp(0, 2)
    return others * (1 + surplus) + largest

"""Networks of the usual kinds, written with torch's own modules and none of ours."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """Two convolutions and what came in, as in ResNet."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a, self.b = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))
        self.norm_a, self.norm_b = (nn.BatchNorm2d(width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm_b(self.b(F.relu(self.norm_a(self.a(x))))))


class Excite(nn.Module):
    """Squeeze and excite."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(width, width // 4, 1), nn.Conv2d(width // 4, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.expand(F.relu(self.reduce(x.mean((2, 3), keepdim=True)))))


class Encoder(nn.Module):
    """A vision transformer's block: one projection for queries, keys and values, layer norm, GELU."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_a, self.norm_b = nn.LayerNorm(width), nn.LayerNorm(width)
        self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        b, t, d = x.shape
        q, k, v = (
            self.qkv(self.norm_a(x)).reshape(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        )
        weights = (q * (d // self.heads) ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(b, t, d))
        return x + self.mlp(self.norm_b(x))


class UNet(nn.Module):
    """Down, group norm, up by a transposed convolution, and both side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.down = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, 2, 1)
        self.norm, self.up, self.last = nn.GroupNorm(4, 16), nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu(self.first(x))
        return self.last(torch.cat([wide, F.relu(self.up(F.silu(self.norm(self.down(wide)))))], 1))


class LastStep(nn.Module):
    """A recurrent layer and a classifier of its last step."""

    def __init__(self, recurrent: nn.Module, width: int) -> None:
        super().__init__()
        self.recurrent, self.classifier = recurrent, nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.recurrent(x)[0][:, -1])


def conv_norm(into: int, out: int, kernel: int, activation: nn.Module, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out), activation
    )


def resnet() -> nn.Module:
    stem = conv_norm(3, 16, 7, nn.ReLU(), 2)
    return nn.Sequential(
        stem, nn.MaxPool2d(3, 2, 1), Residual(16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
    )


def mobile() -> nn.Module:
    return nn.Sequential(
        conv_norm(3, 16, 3, nn.Hardswish(), 2),
        conv_norm(16, 64, 1, nn.SiLU()),
        conv_norm(64, 64, 3, nn.Hardswish(), groups=64),
        Excite(64),
        conv_norm(64, 24, 1, nn.Identity()),
    )


IMAGE, TOKENS, STEPS = (1, 3, 32, 32), (1, 10, 32), (1, 9, 6)
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "resnet": (resnet, IMAGE),
    "mobile": (mobile, IMAGE),
    "encoder": (lambda: Encoder(32, 4), TOKENS),
    "unet": (UNet, IMAGE),
    "gru": (lambda: LastStep(nn.GRU(6, 12, batch_first=True, bidirectional=True), 24), STEPS),
}


def drawn(name: str) -> tuple[nn.Module, Tensor]:
    """A model whose every weight does something, so that no exporter leaves one out, and an input."""
    make, shape = MODELS[name]
    torch.manual_seed(0)
    model = make().eval()
    for parameter in model.parameters():
        parameter.data.normal_()
    return model, torch.randn(shape)

"""Training of one network alone: a pick that goes on from its inherited weights, or any spec from scratch."""

import torch
import torch.nn.functional as F
from torch import nn

from edge_search.batches import Tensors, batches_in, resized, training_batches
from edge_search.evaluation import accuracy
from edge_search.recipe import Recipe, warm_cosine
from edge_toolkit.architecture import Architecture, Shape
from edge_toolkit.console import Advance
from edge_toolkit.nn import RESIDUALS, build
from edge_toolkit.specs import ModelSpec

MOMENTUM = 0.1
"""Share of a batch in the running statistics, torch's default."""


def untrained(spec: ModelSpec, seed: int) -> nn.Module:
    """A network to train from scratch: as `edge_toolkit.nn.build` draws it, with residual branches silent.

    Args:
        spec: what it is.
        seed: draws the initial weights.

    Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, section 5.1 (the last normalisation of a residual branch
    begins with a scale of 0).
    """
    network = build(spec, seed)
    if isinstance(spec, Architecture):
        for placed in spec.blocks:
            if placed.input == placed.output:
                for layer in RESIDUALS[placed.block.kind]:
                    nn.init.zeros_(network.get_parameter(f"{placed.name}.{layer}.norm.weight"))
    return network


def fit(
    model: nn.Module, shape: Shape, train: Tensors, validation: Tensors, recipe: Recipe, seed: int, advance: Advance
) -> tuple[dict[str, float], ...]:
    """Train a model on the labels; it is in evaluation mode afterwards.

    Args:
        model: trained in place.
        shape: its input, (channels, height, width).
        train: the training split, normalised.
        validation: the validation split, which is only watched.
        recipe: epochs, batch size, learning rate.
        seed: fixes the order and the augmentation.
        advance: called after each epoch.

    Returns:
        One entry an epoch: mean `loss`, `validation_accuracy`.
    """
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves this form out
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = MOMENTUM
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * batches_in(len(train), recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warm_cosine(step, steps, recipe.warmup))
    history = []
    for epoch in range(recipe.epochs):
        model.train()
        loss = 0.0
        for batch in training_batches(train, recipe.batch, seed, epoch):
            optimizer.zero_grad()
            logits = model(resized(batch.x, shape))
            value = F.cross_entropy(logits, batch.y, label_smoothing=recipe.smoothing)
            value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
            schedule.step()
            loss += float(value.detach()) * recipe.epochs / steps
        model.eval()
        history.append({"loss": loss, "validation_accuracy": accuracy(model, validation, shape)})
        advance(f"validation {history[-1]['validation_accuracy']:.1%}")
    return tuple(history)

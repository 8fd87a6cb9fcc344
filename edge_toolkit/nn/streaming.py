"""The LSTM baseline as a headset would run it: one step a request, its state carried from each to the next."""

from torch import Tensor, nn

from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.nn.model import LSTMClassifier


class StreamingLSTM(LSTMClassifier):
    """An `LSTMClassifier` with the same weights that sees one position of its stem at a time.

    After the steps of a whole window, from a state of zeros, its logits are the window's.
    """

    def __init__(self, spec: LSTMBaseline) -> None:
        super().__init__(spec)
        conv = self.stem.get_submodule("conv")
        assert isinstance(conv, nn.Conv2d)
        conv.padding = (0, 0)  # a step brings all samples that its position looks at

    def forward(  # type: ignore[override]  # a step has state beside its input, which a window has not
        self, x: Tensor, total: Tensor, count: Tensor, *states: Tensor
    ) -> tuple[Tensor, ...]:
        """One step.

        Args:
            x: (1, c, 1, kernel), the samples around the position, normalised; 0 where the window has none.
            total: (1, width, 1, 1), sum of what the head has seen so far.
            count: (1,), how many positions that were.
            states: for each LSTM layer its output and its cell, (1, 1, hidden) each.

        Returns:
            The logits (1, classes) over all positions so far, then total, count and states for the next step.
        """
        y = self.stem(x).flatten(2).transpose(1, 2)  # (1, 1, c)
        after: list[Tensor] = []
        for index, layer in enumerate(self.lstm):
            y, state = layer(y, (states[2 * index], states[2 * index + 1]))
            after += state
        seen = y.transpose(1, 2).unsqueeze(2)  # (1, hidden, 1, 1)
        total, count = total + self.head.seen(seen), count + 1
        logits: Tensor = self.head.classifier((total / count).flatten(1))
        return logits, total, count, *after

"""`digits`: 1797 handwritten digits, 8x8, that scikit-learn ships, enlarged to 32x32."""

import numpy as np

from edge_toolkit.data.raw import Raw
from edge_toolkit.data.resize import resized
from edge_toolkit.data.splitting import raw_of, stratified
from edge_toolkit.extras import require

SIZE = 32
SHARES = (0.6, 0.2, 0.2)
SOURCE = "UCI optical recognition of handwritten digits (test part), as scikit-learn ships it; CC BY 4.0"


def load(seed: int) -> Raw:
    """The digits as (1, 32, 32), values from 0 to 1, split 60/20/20 at random within each class.

    Args:
        seed: of the split.

    Raises:
        MissingError: scikit-learn is not installed.
    """
    require("search", "sklearn")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images / 16).astype(np.float32)  # (n, 8, 8); the levels are 0 to 16
    parts = stratified(bunch.target, SHARES, np.random.default_rng(seed))
    labels = tuple(str(name) for name in bunch.target_names)
    return raw_of(resized(images[:, None], SIZE, SIZE), bunch.target, parts, SOURCE, labels)

"""A supernet for a benchmark that needs one only to judge networks by."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_search.commands.options import RECIPE
from edge_search.search import inherited, trained_supernet
from edge_search.space import SearchSpace
from edge_search.supernet.checkpoint import Origin
from edge_search.supernet.recipe import load_recipe
from edge_toolkit.architecture import Architecture
from edge_toolkit.data import Dataset
from edge_toolkit.runs import RunFolder


def inherited_judge(space: SearchSpace, dataset: Dataset, epochs: int) -> Callable[[Architecture], float]:
    """Validation accuracy with the weights of a supernet trained by the default recipe, seed 0.

    Args:
        space: bound to the data.
        dataset: trained and judged on.
        epochs: of the supernet.
    """
    with TemporaryDirectory() as folder:
        origin = Origin(space, load_recipe(RECIPE, epochs), dataset.fingerprint, seed=0)
        supernet = trained_supernet(origin, dataset, RunFolder(Path(folder)))
    return inherited(supernet, dataset, seed=0).accuracy

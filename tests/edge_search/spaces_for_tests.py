"""Small search spaces whose every vector can be tried, and a way to change a part of one."""

import copy
from typing import Any

from edge_search.space import SearchSpace

PLAIN: dict[str, Any] = {
    "input": [2, 1, 32],
    "classes": 3,
    "stem": {"width": [4, 8], "kernel": 3, "stride": 2},
    "stages": [
        {
            "blocks": ["mbconv", "attention"],
            "width": [8, 16],
            "depth": [1, 2],
            "stride": 2,
            "kernel": [3, 5],
            "expand": [2],
            "head_dim": [4, 8],
            "mlp_ratio": [1, 2],
            "window": [0, 4],
        }
    ],
}


def changed(*changes: tuple[str, Any], base: dict[str, Any] = PLAIN) -> dict[str, Any]:
    """The plain data of a space with parts replaced, each by its place: `("stages.0.kernel", [3])`."""
    whole = copy.deepcopy(base)
    for place, value in changes:
        *path, last = place.split(".")
        target: Any = whole
        for key in path:
            target = target[int(key)] if isinstance(target, list) else target[key]
        target[int(last) if isinstance(target, list) else last] = value
    return whole


MBCONV_STAGE = {"blocks": ["mbconv"], "width": [4, 8], "depth": [1, 2], "stride": 2, "kernel": [3, 5], "expand": [1, 2]}

SMALL: dict[str, SearchSpace] = {
    name: SearchSpace.model_validate(data)
    for name, data in {
        "plain": PLAIN,
        # Six points, then three: kernels 5 and 7 are one, then all are; windows 3 and 4 are none.
        "kernels and windows collapse": changed(
            ("input", [2, 1, 12]), ("stages.0.kernel", [3, 5, 7]), ("stages.0.window", [0, 2, 3, 4])
        ),
        "windows that cut alike": changed(("input", [2, 1, 96]), ("stages.0.window", [0, 12, 13, 23, 24])),
        "only attention behind the first": changed(("stages.0.blocks", ["attention"]), ("stages.0.depth", [2, 3])),
        "attention listed first": changed(("stages.0.blocks", ["attention", "mbconv"])),
        # At side 4 the stage stands on one point: every kernel is 1 there, and every window none.
        "collapse depends on the resolution": changed(
            ("input", [1, 8, 8]), ("resolution", [4, 8, 16]), ("stages.0.window", [0, 2]), ("stages.0.depth", [2])
        ),
        "a stride on a single point": changed(("input", [2, 1, 2]), ("stages", [MBCONV_STAGE, MBCONV_STAGE])),
        "two stages, head": changed(("stages", [MBCONV_STAGE, MBCONV_STAGE]), ("head", {"width": 12})),
        "one network": changed(
            ("stem.width", [8]),
            ("stages", [{**MBCONV_STAGE, "width": [8], "depth": [1], "kernel": [3], "expand": [2]}]),
        ),
        "one network, several vectors": changed(
            ("input", [2, 1, 4]), ("stem.width", [8]),
            ("stages", [{**MBCONV_STAGE, "width": [8], "depth": [2], "kernel": [3, 5, 7], "expand": [2]}]),
            ("stem.stride", 4),
        ),
    }.items()
}  # fmt: skip

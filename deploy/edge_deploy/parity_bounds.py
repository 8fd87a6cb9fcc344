"""How near an answer in a precision has to be to the one in float32."""

BOUNDS = {"f32": 1e-4, "f16": 1e-2, "bf16": 5e-2, "int8": 0.25}
"""Largest max|difference| / max|expected| over all samples that passes.

float32 differs by the order of its sums alone. The others are sized by their units in the last place (2^-11, 2^-8, half
a step of 127), some tens of layers deep: they tell a broken kernel from rounding, and no more. What a precision does to
a network's accuracy, and how far its answers are, the export measures.
"""

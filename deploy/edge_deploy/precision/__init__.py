"""Precisions that a network ships in: what each costs in accuracy, and which blocks int8 has to leave alone."""

MAX_DROP = 0.01
"""Share of the validation split that int8 may lose where nobody says otherwise."""

CALIBRATION = 300
"""Samples that ranges are taken from, as NNCF's own default has it."""

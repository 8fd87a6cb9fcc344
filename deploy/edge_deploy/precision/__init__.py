"""Precisions that a network ships in: what each costs in accuracy, and which blocks int8 has to leave alone."""

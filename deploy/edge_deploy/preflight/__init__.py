"""Preflight: what a device's compiler would refuse of a network, or run slowly, before anything is spent on it."""

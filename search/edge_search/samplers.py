"""Optuna samplers by name, each one made anew for a trial so that a resumed study draws what it would have drawn."""

from collections.abc import Callable, Mapping

from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler

from edge_toolkit.errors import InputError

POPULATION = 20
"""Trials in a generation of NSGA-II: small, since a search here evaluates some hundred networks."""

SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "nsga2": lambda seed: NSGAIISampler(seed=seed, population_size=POPULATION),
    "tpe": lambda seed: TPESampler(seed=seed, multivariate=True, n_startup_trials=POPULATION),
    "gp": lambda seed: GPSampler(seed=seed, n_startup_trials=POPULATION),
    "random": lambda seed: RandomSampler(seed=seed),
}


def sampler_of(name: str, seed: int) -> BaseSampler:
    """A sampler by name.

    Raises:
        InputError: there is no sampler of that name.
    """
    if name not in SAMPLERS:
        raise InputError(f"--sampler {name}: no such sampler; use {', '.join(SAMPLERS)}")
    return SAMPLERS[name](seed)

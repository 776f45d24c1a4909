"""A numpy whose functions err in the last digit at random, as those of another processor do."""

import numba  # noqa: F401 - looks at numpy's own functions
import numpy as np
import sklearn  # noqa: F401 - as numba

FUNCTIONS = "arctan2 cos dot einsum exp expm1 hypot log log10 log1p log2 matmul power sin tan"
DRAWS = np.random.default_rng(1)


class Erring:
    """A function of numpy, with other last digits."""

    def __init__(self, function):
        self.function = function

    def __getattr__(self, name):
        return getattr(self.function, name)

    def __call__(self, *values, **options):
        """Its answer, nearly."""
        found = np.asarray(self.function(*values, **options))
        if found.dtype == np.float64 and options.get("out") is None:
            found = found * (1 + DRAWS.choice([-1, 0, 1], found.shape) * 2.0**-52)
        return found[()]


def let_err():
    """Replace them in this process, before the project is imported."""
    for name in FUNCTIONS.split():
        setattr(np, name, Erring(getattr(np, name)))

"""How far a set of pictures is from another, as a set, by features of the two.

All depend on how many pictures there are, the Frechet distance strongly: compare only at equal numbers, of
the same photographs. With fewer pictures than features, that distance to the same photographs' originals is
hardly one of sets: two halves of a set of photographs may be farther from each other than grey is from color.
So there is the excess too, whose halves share no photograph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 4  # pictures of which halves have a covariance
_DRAWS: Final = 100
_SPLITS: Final = 10


def distance(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return the Frechet distance of two sets of features (N, F), as if each were normally distributed.

    After Heusel et al., 2017. Of covariances A'A and B'B, the trace of their product's root is the sum of the
    singular values of AB': N x N numbers instead of F x F, and no root of a matrix that has none to speak of
    where N < F.
    """
    means = [found.mean(axis=0) for found in (first, second)]
    spreads = [
        (found - mean) / np.sqrt(len(found) - 1) for found, mean in zip((first, second), means, strict=True)
    ]
    apart = ((means[0] - means[1]) ** 2).sum()
    shared = np.linalg.svd(spreads[0] @ spreads[1].T, compute_uv=False).sum()
    return float(apart + sum((spread**2).sum() for spread in spreads) - 2 * shared)


def kernel_distance(first: NDArray[Any], second: NDArray[Any]) -> tuple[float, float]:
    """Return the kernel (Inception) distance of two sets of features (N, F), and how much it varies.

    The unbiased estimate of the squared maximum mean discrepancy, by the kernel (x.y / F + 1)^3
    (Binkowski et al., 2018), of all pictures; and the standard deviation of that of 100 seeded halves.
    """
    within, other = _kernel(first, first), _kernel(second, second)
    np.fill_diagonal(within, 0)
    np.fill_diagonal(other, 0)
    between = _kernel(first, second)
    count = len(first)
    generator = np.random.default_rng(0)
    halves = []
    for _ in range(_DRAWS):
        chosen = np.sort(generator.choice(count, count // 2, replace=False))
        block = np.ix_(chosen, chosen)
        halves.append(_discrepancy(within[block], other[block], between[block]))
    return _discrepancy(within, other, between), float(np.std(halves))


def excess(made: NDArray[Any], originals: NDArray[Any]) -> tuple[float, float]:
    """Return how much farther pictures are from others' originals than their own are, and how much it varies.

    Both are features (N, F) of the same photographs, in order. Of ten seeded splits into halves A and B the
    mean of d(made A, originals B) and d(made B, originals A), less d(originals A, originals B), where d is
    the Frechet distance; and its standard deviation over splits. What so few pictures add to any distance
    stands on both sides, and no picture meets its own original: 0 is what photographs themselves reach.
    """
    generator = np.random.default_rng(0)
    found = []
    for _ in range(_SPLITS):
        order = generator.permutation(len(made))
        one, other = np.array_split(order, 2)
        across = distance(made[one], originals[other]) + distance(made[other], originals[one])
        found.append(across / 2 - distance(originals[one], originals[other]))
    return float(np.mean(found)), float(np.std(found))


def compare(made: NDArray[Any], originals: NDArray[Any]) -> dict[str, float]:
    """Return all distances of pictures from their originals, by name, of features (N, F) of the two."""
    kid, kid_spread = kernel_distance(made, originals)
    beyond, beyond_spread = excess(made, originals)
    return {
        "frechet": distance(made, originals),
        "frechet_excess": beyond,
        "frechet_excess_spread": beyond_spread,
        "kid": kid,
        "kid_spread": kid_spread,
    }


def _kernel(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    kernel: NDArray[Any] = (first @ second.T / first.shape[1] + 1) ** 3
    return kernel


def _discrepancy(within: NDArray[Any], other: NDArray[Any], between: NDArray[Any]) -> float:
    """Return the estimate from kernels of equal size (N, N), the first two without their diagonals."""
    count = len(within)
    return float((within.sum() + other.sum()) / (count * (count - 1)) - 2 * between.mean())

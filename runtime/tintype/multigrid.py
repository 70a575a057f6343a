"""Solves for shares of colors on the pixels of a photograph, whose links differ by 15 orders of magnitude.

Minimized are, for each color, with u held at 1 on its own pixels and at 0 on those of others,

    sum over links  w (u_i - u_j)^2  +  leak sum over pixels  w_i u_i^2,    w_i = mean w of a pixel's links

Pixels are joined to clusters, those to larger ones, and so on: each hooks to the neighbor it is linked
to most (Boruvka, 1926). Grids that are merely coarser would tie together what an edge parts; clusters
never do. The largest are solved for at once, and what was found is refined level by level, by a few
steps of conjugate gradients that a cycle over all larger clusters preconditions (aggregation multigrid:
Notay, 2010). So the time depends on the number of pixels and colors alone. Everything is written in
differences of neighbors, which lose nothing to float32 where u is almost constant.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float: TypeAlias = NDArray[np.float32]
Index: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

STEPS: Final = (3, 3, 6)  # of conjugate gradients: on pixels, on their clusters, on all larger ones
_FEW: Final = 256  # clusters that are solved for at once
_DAMPING: Final = np.float32(1.6)  # of Jacobi's method; it converges below 2
_TINY: Final = np.float32(1e-30)


def solve(across: Float, down: Float, labels: Index, count: int, leak: float) -> Float:
    """Return the shares (count, h, w) of labels 0 to count - 1.

    `across` (h, w - 1) and `down` (h - 1, w) are the links, above 0; `labels` (h, w) says which pixels
    are held, and -1 of those that are solved for.
    """
    shares: Float = (labels.ravel() == np.arange(count)[:, None]).astype(np.float32)
    held = labels.ravel() >= 0
    if not held.all():
        pixels = _Pixels(across, down, held, leak)
        shares += _Multigrid(pixels).solve(-pixels.apply(shares))
    return shares.reshape(count, *labels.shape)


class _Pixels:
    """The equations of pixels: x (k, h w), which stays 0 where a pixel is held."""

    def __init__(self, across: Float, down: Float, held: Mask, leak: float) -> None:
        width = across.shape[1] + 1
        self.free = (~held).astype(np.float32)
        self.links = (
            (1, np.pad(across, ((0, 0), (0, 1))).ravel()[:-1]),
            (width, down.ravel()),
        )
        total = np.zeros(held.size, np.float32)
        for step, weights in self.links:
            total[:-step] += weights
            total[step:] += weights
        self.pull = np.float32(leak / 4) * total * self.free
        self.damping: Float = self.free * (_DAMPING / (2 * total + self.pull + _TINY))

    def apply(self, x: Float) -> Float:
        """Return the left side."""
        out = self.pull * x
        for step, weights in self.links:
            flow = x[:, step:] - x[:, :-step]
            flow *= weights
            out[:, :-step] -= flow
            out[:, step:] += flow
        out *= self.free
        return out

    def clusters(self, chance: np.random.Generator) -> tuple[Index, _Clusters]:
        """Join free pixels: return the cluster of each pixel, of held ones any, and the equations."""
        place, free = np.arange(self.free.size), self.free > 0
        ends = np.concatenate([(place[:-step], place[step:]) for step, _ in self.links], axis=1)
        weights = np.concatenate([weights for _, weights in self.links])
        inside = free[ends].all(axis=0)
        pull = self.pull + _sums(ends[:, ~inside], weights[~inside], free.size) * self.free
        inside &= weights > 0  # rows end at a link of 0
        labels = _labels(self._strongest(chance), free)
        return labels, _joined(labels, ends[:, inside], weights[inside], pull)

    def _strongest(self, chance: np.random.Generator) -> Index:
        """Return the free neighbor that each free pixel is linked to most; itself where there is none."""
        place = np.arange(self.free.size)
        strongest, most = place.copy(), np.zeros(self.free.size, np.float32)
        for step, weights in self.links:
            likely = _varied(weights, chance) * self.free[:-step] * self.free[step:]
            for here, there in ((np.s_[:-step], np.s_[step:]), (np.s_[step:], np.s_[:-step])):
                better = likely > most[here]
                np.copyto(most[here], likely, where=better)
                np.copyto(strongest[here], place[there], where=better)
        return strongest


class _Clusters:
    """The equations of clusters: x (k, n)."""

    def __init__(self, ends: Index, weights: Float, pull: Float) -> None:
        """Take which are linked (2, m), how strongly (m), and what draws each to 0 (n)."""
        self.ends, self.weights, self.pull = ends, weights, pull
        self.free = np.float32(1)
        self.damping: Float = _DAMPING / (2 * _sums(ends, weights, len(pull)) + pull)

    def apply(self, x: Float) -> Float:
        """Return the left side."""
        first, second = self.ends
        size = len(self.pull)
        out = self.pull * x
        flows = self.weights * (np.take(x, second, axis=1) - np.take(x, first, axis=1))
        for row, flow in enumerate(flows):
            out[row] += np.bincount(second, flow, size) - np.bincount(first, flow, size)
        return out

    def clusters(self, chance: np.random.Generator) -> tuple[Index, _Clusters]:
        """Join: return the larger cluster of each cluster, and the equations of those."""
        order = np.argsort(_varied(self.weights, chance))
        pairs = self.ends[:, order].T
        strongest = np.arange(len(self.pull))
        strongest[pairs.ravel()] = pairs[:, ::-1].ravel()  # the strongest comes last and stays
        labels = _labels(strongest, np.ones(len(self.pull), np.bool_))
        return labels, _joined(labels, self.ends, self.weights, self.pull)

    def inverse(self) -> Float:
        """Return the matrix (n, n) that solves the equations."""
        matrix = np.zeros((len(self.pull), len(self.pull)))
        first, second = self.ends
        matrix[first, second] = matrix[second, first] = -self.weights
        matrix[np.diag_indices_from(matrix)] = self.pull - matrix.sum(axis=1)
        return np.linalg.inv(matrix).astype(np.float32)


class _Multigrid:
    """The equations of pixels, of clusters, of clusters of clusters."""

    def __init__(self, pixels: _Pixels) -> None:
        chance = np.random.default_rng(0)  # the same for the same photograph
        labels, level = pixels.clusters(chance)
        self.levels: list[_Pixels | _Clusters] = [pixels, level]
        self.labels = [labels]
        while len(level.pull) > _FEW and len(level.weights):
            labels, level = level.clusters(chance)
            self.levels.append(level)
            self.labels.append(labels)
        self.last = len(self.labels)
        self.largest = level
        self.inverse = level.inverse() if len(level.pull) <= _FEW else None

    def solve(self, right: Float) -> Float:
        """Return x (k, h w) of the right side: from the largest clusters to pixels."""
        sides = [right]
        for number in range(self.last):
            sides.append(self._gather(sides[-1], number))
        x = self._largest(sides[-1])
        for number in reversed(range(self.last)):
            x = np.take(x, self.labels[number], axis=1) * self.levels[number].free
            self._refine(x, sides[number], number)
        return x

    def _refine(self, x: Float, right: Float, number: int) -> None:
        """Improve x in place by some steps of conjugate gradients."""
        level = self.levels[number]
        rest = right - level.apply(x)
        direction, before = np.zeros_like(x), np.ones((len(x), 1), np.float32)
        for _ in range(STEPS[min(number, len(STEPS) - 1)]):
            wanted = self._cycle(rest, number)
            fit = _dot(rest, wanted)
            direction = wanted + fit / before * direction
            product = level.apply(direction)
            step = fit / np.maximum(_dot(direction, product), _TINY)
            x += step * direction
            rest -= step * product
            before = np.maximum(fit, _TINY)

    def _cycle(self, right: Float, number: int) -> Float:
        """Return about what x solves for the right side: smooth, twice by larger clusters, smooth."""
        if number == self.last:
            return self._largest(right)
        level, above = self.levels[number], self.levels[number + 1]
        x: Float = level.damping * right
        larger = self._gather(right - level.apply(x), number)
        found = self._cycle(larger, number + 1)
        if number + 1 < self.last:
            found += self._cycle(larger - above.apply(found), number + 1)
        x += np.take(found, self.labels[number], axis=1) * level.free
        x += level.damping * (right - level.apply(x))
        return x

    def _largest(self, right: Float) -> Float:
        """Return what x solves for the right side, of the largest clusters; too many have no links."""
        return right / self.largest.pull if self.inverse is None else right @ self.inverse

    def _gather(self, values: Float, number: int) -> Float:
        """Add up values (k, n) of what makes each larger cluster."""
        labels, size = self.labels[number], len(self.levels[number + 1].pull)
        return np.stack([np.bincount(labels, row, size) for row in values]).astype(np.float32)


def _joined(labels: Index, ends: Index, weights: Float, pull: Float) -> _Clusters:
    """Return the equations of clusters: links between two are added up, those within one are gone."""
    count = int(labels.max()) + 1
    first, second = labels[ends]
    apart = first != second
    first, second = first[apart], second[apart]
    keys = np.minimum(first, second) * count + np.maximum(first, second)
    links, place = np.unique(keys, return_inverse=True)
    joined = np.bincount(place, weights[apart], len(links)).astype(np.float32)
    pulls = np.bincount(labels, pull, count).astype(np.float32)
    return _Clusters(np.stack(np.divmod(links, count)), joined, pulls)


def _varied(weights: Float, chance: np.random.Generator) -> Float:
    """Return weights that differ by chance: equal ones would make clusters of whole rows of pixels."""
    return weights * (1 + np.float32(0.3) * chance.random(len(weights), np.float32))


def _labels(strongest: Index, free: Mask) -> Index:
    """Number the clusters of nodes that hook to each other; of nodes that are not free, any number."""
    place = np.arange(len(strongest))
    hook = np.where((strongest[strongest] == place) & (place < strongest), place, strongest)
    for _ in range(len(hook).bit_length()):
        further = hook[hook]
        if np.array_equal(further, hook):
            break
        hook = further
    numbers: Index = np.cumsum((hook == place) & free) - 1
    return np.maximum(numbers, 0)[hook]


def _sums(ends: Index, weights: Float, size: int) -> Float:
    """Add up the weights of the links of each node, (n)."""
    first, second = ends
    sums = np.bincount(first, weights, size) + np.bincount(second, weights, size)
    return sums.astype(np.float32)


def _dot(first: Float, second: Float) -> Float:
    """Return the product of each row with its like, (k, 1)."""
    products: Float = np.einsum("kn,kn->k", first, second)[:, None]
    return products

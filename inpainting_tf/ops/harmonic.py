"""The harmonic function in holes of any size, from its values along their edges.

Such a function is the smoother the farther from the edge. So its values are unknowns pixel by pixel near the
edge only, and farther inside at the corners of blocks of 2, 4, 8, ... pixels, bilinear in each block (a
quadtree, as in Agarwala 2007, "Efficient gradient-domain compositing using quadtrees"). The unknowns, which a
sparse factorisation solves for, grow with the length of the edge and not with the area. A hole that
is at most 32 pixels thick is solved pixel by pixel.

NumPy, SciPy and OpenCV only. A pixel's number is its place in the flattened picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import cv2
import numpy as np
import scipy.sparse
import scipy.sparse.linalg

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_MOST_FACTORISED = 10**6  # unknowns
_TOLERANCE = 1e-5  # of the residual's norm: below a tenth of a level of 255
_RIM, _BLOCKS = 8, 4  # a block's distance from the edge: at least 8 pixels and 4 of its own sides

Blocks = list[tuple[int, np.ndarray]]  # for each side: the first row and column of each block, int [N, 2]


def edge(hole: np.ndarray) -> np.ndarray:
    """Bool [H, W]: the known pixels beside missing ones, for a mask bool [H, W]."""
    return cv2.dilate(hole.astype(np.uint8), _CROSS) > hole


def harmonic(hole: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Solves Laplace's equation in holes, pixel by pixel or, inside large ones, to within its smoothness.

    Each missing pixel is the mean of its neighbours in the picture. In large holes the result differs from
    that by about a thousandth of the values' range.

    Args:
        hole: bool [H, W], True = missing, with at least one known pixel.
        values: float [K, C], at the pixels of `edge(hole)`, row by row.

    Returns:
        float32 [M, C], at the missing pixels, row by row.
    """
    if not hole.any():
        return np.zeros((0, values.shape[1]), np.float32)
    blocks, inside = _quadtree(hole)
    unknown = _unknowns(hole, blocks, inside)
    number = np.zeros(hole.shape, np.int32)  # of unknowns from 1 up, of known pixels from -1 down, else 0
    number[unknown] = np.arange(1, np.count_nonzero(unknown) + 1)
    number[edge(hole)] = -np.arange(1, len(values) + 1)
    solution = _solved(number, blocks, inside, values)
    return _at_all_pixels(hole, unknown, blocks, solution)


# The quadtree


def _quadtree(hole: np.ndarray) -> tuple[Blocks, np.ndarray]:
    """The blocks, and uint8 [H + 1, W + 1]: 1 for each square between four pixels that lies in a block.

    A block of side s has its corners at pixels s apart. Sides of adjacent blocks differ by a factor of 2 at
    most, since each is `_BLOCKS` of its sides away from the edge.
    """
    levels = []
    far = _halved(_eroded(hole.astype(np.uint8), _RIM))
    while far.size and (level := _eroded(far, _BLOCKS)).any():
        levels.append(level)
        far = _halved(far)
    inside = np.zeros([side + 1 for side in hole.shape], np.uint8)
    if levels:
        finest = _doubled(levels[0])
        inside[1 : 1 + finest.shape[0], 1 : 1 + finest.shape[1]] = finest
    blocks = []
    for exponent, (level, coarser) in enumerate(itertools.pairwise([*levels, np.zeros((0, 0), np.uint8)]), 1):
        parents = _doubled(coarser)
        own = level.copy()
        own[: parents.shape[0], : parents.shape[1]] -= parents
        blocks.append((2**exponent, np.argwhere(own) * 2**exponent))
    return blocks, inside


def _eroded(mask: np.ndarray, reach: int) -> np.ndarray:
    """What is farther than `reach` from the edge, and from the picture's border."""
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return cv2.erode(mask, square, borderType=cv2.BORDER_CONSTANT, borderValue=0)


def _halved(mask: np.ndarray) -> np.ndarray:
    """1 where four pixels are; odd last rows and columns are left out."""
    height, width = (side // 2 * 2 for side in mask.shape)
    upper, lower = mask[:height:2, :width], mask[1:height:2, :width]
    both = upper & lower
    return both[:, ::2] & both[:, 1::2]


def _doubled(mask: np.ndarray) -> np.ndarray:
    return mask.repeat(2, axis=0).repeat(2, axis=1)


def _corners(side: int, first: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of the blocks' upper left, upper right, lower left and lower right corners."""
    return [
        (first[:, 0] + down, first[:, 1] + right) for down, right in itertools.product((0, side), repeat=2)
    ]


def _unknowns(hole: np.ndarray, blocks: Blocks, inside: np.ndarray) -> np.ndarray:
    """Bool [H, W]: the missing pixels outside blocks and on their border, and the blocks' corners."""
    within = inside[:-1, :-1] & inside[1:, :-1] & inside[:-1, 1:] & inside[1:, 1:]
    unknown = hole & (within == 0)
    for side, first in blocks:
        for corner in _corners(side, first):
            unknown[corner] = True
    return unknown


# The equations


def _solved(number: np.ndarray, blocks: Blocks, inside: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The unknowns, [N, C], for which the squared differences between neighbours have the smallest sum."""
    ends, weights = _links(number, blocks, inside)
    count = int(number.max())
    both = (ends > 0).all(axis=0)
    links = _sparse(weights[both], ends[:, both] - 1, (count, count))
    links = links + links.T
    node, known = ends[:, ~both].max(axis=0) - 1, -ends[:, ~both].min(axis=0) - 1
    contacts = _sparse(weights[~both], (node, known), (count, len(values)))
    degrees = links.sum(axis=1) + contacts.sum(axis=1)
    matrix = scipy.sparse.diags_array(degrees) - links
    expansion = _expansion(number, blocks)
    system = expansion.T @ matrix @ expansion
    right = expansion.T @ (contacts @ values.astype("float64"))
    return expansion @ _solution(system, right)


def _solution(matrix: scipy.sparse.csr_array, right: np.ndarray) -> np.ndarray:
    """Of a symmetric positive definite system for several right-hand sides, [N, C].

    So many unknowns are pixels of writing, fences or noise, near to known ones: then conjugate gradients take
    few steps, and half the memory and time of a factorisation.
    """
    if matrix.shape[0] > _MOST_FACTORISED:
        scale = scipy.sparse.diags_array(1 / matrix.diagonal())
        each = [scipy.sparse.linalg.cg(matrix, column, rtol=_TOLERANCE, M=scale)[0] for column in right.T]
        return np.stack(each, axis=1)
    solver = scipy.sparse.linalg.splu(
        matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
    )
    return solver.solve(right)


def _links(number: np.ndarray, blocks: Blocks, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers at both ends of each link, [2, L], and its weight in the sum of squares.

    The sum over the links in a block, whose pixels are bilinear in its corners, is one over its sides and
    diagonals; the links along its sides count half, as they belong to the next block or square, too.
    """
    flat, width = number.ravel(), number.shape[1]
    places = np.flatnonzero(flat)
    rows, columns = np.divmod(places, width)
    ends, weights = [], []
    for step, exists, beside in (
        (width, rows < number.shape[0] - 1, ((1, 0), (1, 1))),
        (1, columns < width - 1, ((0, 1), (1, 1))),
    ):
        here, row, column = places[exists], rows[exists], columns[exists]
        pair = np.stack([flat[here], flat[here + step]])
        weight = 1 - sum(inside[row + down, column + right] for down, right in beside) / 2
        linked = (pair != 0).all(axis=0) & (pair > 0).any(axis=0) & (weight > 0)
        ends.append(pair[:, linked])
        weights.append(weight[linked])
    for side, first in blocks:
        corners = [number[corner] for corner in _corners(side, first)]
        for (one, other), weight in _weights(side).items():
            ends.append(np.stack([corners[one], corners[other]]))
            weights.append(np.full(len(first), weight))
    return np.concatenate(ends, axis=1), np.concatenate(weights)


def _weights(side: int) -> dict[tuple[int, int], float]:
    """The weights of the links between two of a block's corners."""
    along, across = 1 / 6 + 1 / (3 * side**2), 1 / 3 - 1 / (3 * side**2)
    return {pair: across if sum(pair) == 3 else along for pair in itertools.combinations(range(4), 2)}


def _expansion(number: np.ndarray, blocks: Blocks) -> scipy.sparse.csr_array:
    """The matrix that takes the free unknowns to all.

    Where a side borders on two smaller ones, their common corner is the mean of the side's ends.
    """
    middles, ends = [np.zeros(0, int)], [np.zeros((2, 0), int)]
    for side, first in blocks:
        corners = [number[corner] - 1 for corner in _corners(side, first)]
        half = side // 2
        for (one, other), place in {
            (0, 1): (0, half),
            (2, 3): (side, half),
            (0, 2): (half, 0),
            (1, 3): (half, side),
        }.items():
            middle = number[tuple((first + place).T)] - 1
            middles.append(middle[middle >= 0])
            ends.append(np.stack([corners[one], corners[other]])[:, middle >= 0])
    hanging, means = np.concatenate(middles), np.concatenate(ends, axis=1)
    free = np.ones(int(number.max()), bool)
    free[hanging] = False
    column = np.cumsum(free) - 1
    places = np.flatnonzero(free)
    rows = np.concatenate([places, hanging, hanging])
    weights = np.repeat([1.0, 0.5], [len(places), 2 * len(hanging)])
    return _sparse(weights, (rows, column[np.concatenate([places, *means])]), (len(free), len(places)))


def _sparse(
    values: np.ndarray, places: Iterable[np.ndarray], shape: tuple[int, int]
) -> scipy.sparse.csr_array:
    return scipy.sparse.csr_array((values, tuple(places)), shape=shape)


# The result


def _at_all_pixels(hole: np.ndarray, unknown: np.ndarray, blocks: Blocks, solution: np.ndarray) -> np.ndarray:
    count, channels = int(hole.sum()), solution.shape[1]
    if not blocks:
        return solution.astype(np.float32)
    rank = np.zeros(hole.shape, np.int32)
    rank[hole] = np.arange(count)
    result = np.empty((count, channels), np.float32)
    result[rank[unknown]] = solution
    for side, first in blocks:
        t = np.linspace(0.0, 1.0, side + 1, dtype=np.float32)
        steps = np.arange(side + 1)
        shares = np.stack([np.outer(a, b).ravel() for a in (1 - t, t) for b in (1 - t, t)], axis=1)
        corners = np.stack([result[rank[corner]] for corner in _corners(side, first)], axis=1)
        rows, columns = first[:, 0, None, None] + steps[:, None], first[:, 1, None, None] + steps
        result[rank[rows, columns]] = (shares @ corners).reshape(-1, side + 1, side + 1, channels)
    return result

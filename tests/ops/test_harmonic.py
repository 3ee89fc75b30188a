"""The harmonic function in large holes against a direct solution with an unknown for each pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import scipy.sparse.csgraph
import scipy.sparse.linalg

from inpainting_tf.ops import harmonic as module
from inpainting_tf.ops.harmonic import edge, harmonic

SIZE = (150, 190)


def holes() -> dict[str, np.ndarray]:
    """Masks bool [H, W] of holes with an inside far from their edges."""
    masks = {name: np.zeros(SIZE, bool) for name in ("box", "two", "border", "islands")}
    masks["box"][3:140, 7:180] = True
    masks["two"][5:80, 4:90] = masks["two"][100:145, 60:185] = True
    masks["border"][:, 20:] = True  # at three of the picture's borders
    masks["islands"][2:-1, 3:-2] = True
    masks["islands"][np.random.default_rng(0).integers(0, 150, 12), 15 * np.arange(12) + 9] = False
    disc = cv2.circle(np.zeros(SIZE, np.uint8), (90, 70), 66, 1, -1)
    scratch = cv2.line(np.zeros(SIZE, np.uint8), (22, 120), (160, 25), 1, 36)
    return masks | {"disc": disc > 0, "scratch": scratch > 0}


def direct(hole: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[M, C]: each missing pixel is the mean of its neighbours in the picture."""
    number = np.arange(hole.size).reshape(hole.shape)
    pairs = np.concatenate(
        [
            np.stack([number[:-1].ravel(), number[1:].ravel()], 1),
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], 1),
        ]
    )
    links = scipy.sparse.coo_array((np.ones(len(pairs)), pairs.T), shape=(hole.size, hole.size)).tocsr()
    laplacian = scipy.sparse.csgraph.laplacian(links + links.T).tocsr()
    missing, known = number[hole], number[edge(hole)]
    right = -laplacian[missing][:, known] @ values
    return scipy.sparse.linalg.splu(laplacian[missing][:, missing].tocsc()).solve(right)


def photograph(size: tuple[int, int]) -> np.ndarray:
    """Float [H, W, 3] in [0, 1] with detail of every scale, as strong as in photographs."""
    random, picture = np.random.default_rng(3), np.zeros((*size, 3))
    for coarse in (2, 4, 8, 16, 32, 64):
        shape = (size[0] // coarse + 2, size[1] // coarse + 2)
        picture += cv2.resize(random.normal(0, 0.1, (*shape, 3)), size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(picture + 0.5, 0, 1)


@pytest.mark.parametrize("name", holes())
def test_a_large_hole_is_solved_to_a_fifth_of_a_level_of_255(name):
    hole = holes()[name]
    values = photograph(SIZE)[edge(hole)]
    assert np.ptp(values) > 0.8, "a hard case"
    difference = 255 * np.abs(harmonic(hole, values) - direct(hole, values))
    assert difference.max() < 0.2 and difference.mean() < 0.02


@pytest.mark.parametrize("name", [name for name in holes() if name != "border"])
def test_a_plane_is_continued_exactly(name):
    """Planes are harmonic and bilinear: any error in the equations of blocks of any size would show."""
    hole = holes()[name]
    plane = np.stack(np.mgrid[: SIZE[0], : SIZE[1]], axis=-1) / 100 - 0.7
    np.testing.assert_allclose(harmonic(hole, plane[edge(hole)]), plane[hole], atol=1e-6)


def test_the_values_of_each_hole_and_channel_are_its_own():
    hole, other = holes()["two"], holes()["two"].copy()
    other[90:] = False
    values = photograph(SIZE)
    together = harmonic(hole, values[edge(hole)])
    alone = harmonic(other, values[edge(other)][:, 1:2])
    np.testing.assert_allclose(alone[:, 0], together[other[hole], 1], atol=1e-6)


def test_the_unknowns_grow_with_the_edge_and_not_with_the_area(monkeypatch):
    seen, solve = [], module._solution

    def watched(matrix, right):
        seen.append(matrix.shape[0])
        return solve(matrix, right)

    monkeypatch.setattr(module, "_solution", watched)
    for side in (150, 300, 600):
        hole = np.pad(np.ones((side, side), bool), 1)
        harmonic(hole, np.ones((4 * side, 1)))
    assert seen[1] < 2.2 * seen[0] and seen[2] < 2.2 * seen[1]
    assert seen[2] < 0.15 * 600**2


def test_more_unknowns_than_are_factorised_are_iterated(monkeypatch):
    hole = np.random.default_rng(0).random((60, 80)) < 0.9
    values = photograph(hole.shape)[edge(hole)]
    expected = harmonic(hole, values)
    monkeypatch.setattr(module, "_MOST_FACTORISED", 100)
    monkeypatch.setattr(scipy.sparse.linalg, "splu", None)
    found = harmonic(hole, values)
    assert not np.array_equal(found, expected)
    np.testing.assert_allclose(found, expected, atol=0.1 / 255)


def test_the_edge_is_what_is_known_beside_a_hole():
    hole = np.zeros((5, 6), bool)
    hole[0, 1:3] = hole[3, 4] = True
    rows, columns = np.nonzero(edge(hole))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (0, 0),
        (0, 3),
        (1, 1),
        (1, 2),
        (2, 4),
        (3, 3),
        (3, 5),
        (4, 4),
    ]


def test_a_row_is_a_picture_too():
    hole = np.array([[True, True, False, True, True, True, False]])
    found = harmonic(hole, np.array([[0.2], [1.0]]))
    np.testing.assert_allclose(found[:, 0], [0.2, 0.2, 0.4, 0.6, 0.8], atol=1e-6)


def test_without_a_hole_there_is_nothing_to_solve():
    assert harmonic(np.zeros((5, 6), bool), np.zeros((0, 3))).shape == (0, 3)

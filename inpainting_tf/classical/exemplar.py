"""PatchMatch completion: a hole is filled with blended copies of the picture's own known patches.

Barnes, Shechtman, Finkelstein and Goldman, "PatchMatch: a randomized correspondence algorithm for
structural image editing" (SIGGRAPH 2009), find a similar known patch for every patch that touches the hole,
by random search and by propagation from the neighbours (`Field`). Wexler, Shechtman and Irani, "Space-time
completion of video" (PAMI 2007), alternate such a search with a vote of the matches on the hole's colours
(`Patches.vote`), from coarse to fine (`inpaint`). A guide, a blurred idea of what belongs where, takes part
in the comparison: it decides what is copied, and the picture how that looks. Guided copies are whole pieces
of the picture, as matches that continue their neighbours' are preferred (Ashikhmin, "Synthesizing natural
textures", 2001): the mean of many different patches is smooth again. All patches are updated at once, as on
a GPU, which makes a step a few array operations.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from inpainting_tf import errors
from inpainting_tf.ops.pull_push import halvings, pull_push

PATCH_SIZE = 7  # pixels, Barnes et al.
JUMPS = (8, 4, 2, 1)  # pixels: far ones first, as all patches propagate at the same time
STEPS = (12, 4, 2)  # of search and vote at the coarsest level, the next, and every finer one
ENOUGH = 49  # known patches: with fewer candidates, smaller patches fill better
COARSEST = 100  # known patches: a level with fewer loses fine textures, which no finer one restores
SHARP = 0.7  # pixels: the reach of a patch in the last vote of a guided fill
COHERENCE = 0.4  # of the median distance: what a guided match costs for each neighbour it does not continue
CONFIDENCE_DECAY = 1.3  # a patch's weight is divided by it for every pixel to the hole's edge, Wexler et al.


def inpaint(
    picture: np.ndarray,
    hole: np.ndarray,
    *,
    patch_size: int = PATCH_SIZE,
    seed: int = 0,
    guide: np.ndarray | None = None,
) -> np.ndarray:
    """Fills the hole of one picture.

    Takes about 0.2 s of CPU time for a hole of 64x64 pixels in 128x128, and more as the hole's area grows.
    Where fewer than `ENOUGH` patches are wholly known, as in a small picture or among many holes, the
    patches shrink, down to single pixels: the fill is then a smooth one in known colours.

    Args:
        picture: float [H, W, 3] in [0, 1]; pixels under the hole are ignored.
        hole: [H, W], True (any non-zero value) = missing.
        patch_size: side of the patches in pixels, odd.
        seed: of the random search; the fill is a function of picture, hole, guide and seed.
        guide: float [H, W, 3] in [0, 1], a smooth fill of the hole that tells what belongs where, such as a
            network's; pixels outside the hole are ignored. Known patches are compared with it at its own
            resolution, for which a sixteenth of the hole's thickness is taken.

    Returns:
        float32 [H, W, 3]: known pixels unchanged, each channel of the hole in the range of the known ones.

    Raises:
        InputError: shapes that do not fit, no known pixel, a patch size that is not odd and positive.
    """
    picture, hole = _checked(picture, hole, patch_size)
    if not hole.any():
        return picture
    return _synthesized(picture, hole, patch_size, seed, guide)[0].picture


def guided(picture: np.ndarray, hole: np.ndarray, guide: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The fill of `inpaint` with a guide, and where it was copied from.

    Returns:
        float32 [H, W, 3], the fill, and int [H, W, 2], of each missing pixel the row and column of the known
        one that its patch's match has there; of known pixels their own.
    """
    picture, hole = _checked(picture, hole, PATCH_SIZE)
    patches, matches = _synthesized(picture, hole, PATCH_SIZE, 0, guide)
    (height, width), middle = hole.shape, patches.size // 2
    found = np.arange(hole.size)
    found[patches.targets] = matches
    y, x = np.mgrid[:height, :width]
    # The patch around each pixel; at the edges that is the last one inside the picture.
    above = np.clip(y - middle, 0, height - patches.size)
    left = np.clip(x - middle, 0, width - patches.size)
    down, right = np.divmod(found[above * width + left], width)
    sources = np.stack([y + down - above, x + right - left], axis=-1)
    return patches.picture, np.where(hole[..., None], sources, np.stack([y, x], axis=-1))


def _synthesized(
    picture: np.ndarray, hole: np.ndarray, patch_size: int, seed: int, guide: np.ndarray | None
) -> tuple[Patches, np.ndarray]:
    """The finest level, painted, and its matches [T]."""
    rng = np.random.default_rng(seed)
    guide = None if guide is None else _completed(picture, hole, guide)
    levels = _pyramid(picture, hole, _usable_size(hole, patch_size), guide)
    patches = levels.pop()
    matches = rng.choice(patches.sources, len(patches.targets))
    matches = _alternate(patches, matches, rng, STEPS[0])
    for number, finer in enumerate(reversed(levels), start=1):
        matches = _refined(patches, matches, finer, rng)
        matches = _alternate(finer, matches, rng, STEPS[min(number, len(STEPS) - 1)])
        patches = finer
    if guide is not None:
        patches.vote(Field(patches, matches), SHARP)
    return patches, matches


class Patches:
    """The square patches of one picture with a hole, all of them inside the picture.

    A patch is named by the flat index y * W + x of its upper left pixel.

    Attributes:
        picture: float32 [H, W, 3]; `vote` repaints its hole.
        hole: bool [H, W], True = missing.
        size: side of the patches in pixels.
        guide: float32 [H, W, 3], the picture at the resolution of what is expected in the hole, or None.
        targets: [T], the patches that touch the hole; together they cover it.
        sources: [S], the patches that are wholly known.
    """

    def __init__(
        self, picture: np.ndarray, hole: np.ndarray, size: int, guide: np.ndarray | None = None
    ) -> None:
        self.picture, self.hole, self.size = np.array(picture, "float32", order="C"), hole, size
        self.guide = guide
        height, width = hole.shape
        inside = np.zeros((2, height, width), bool)
        touching = _touching(hole, size)
        inside[:, : height - size + 1, : width - size + 1] = touching, ~touching
        self.targets, self.sources = (np.flatnonzero(each) for each in inside)
        self._known = inside[1].ravel()
        self._offsets = (np.arange(size)[:, None] * width + np.arange(size)).ravel()
        centres = self.targets + self._offsets[len(self._offsets) // 2]
        self._confidence = CONFIDENCE_DECAY ** -depth(hole).ravel()[centres].astype("float64")

    def are_sources(self, patches: np.ndarray) -> np.ndarray:
        """Which of K whole numbers name a source patch, bool [K]."""
        within = (patches >= 0) & (patches < len(self._known))
        return within & self._known.take(patches, mode="clip")

    def vectors(self, patches: np.ndarray) -> np.ndarray:
        """What K patches are compared by: their colours, and the guide's; float32 [K, size * size * 3 (+ 3)].

        The guide hardly changes within a patch: its centre's, times the size, stands for all its pixels.
        """
        pixels = patches[:, None] + self._offsets
        colours = self.picture.reshape(-1, 3).take(pixels, axis=0).reshape(len(patches), 3 * self.size**2)
        if self.guide is None:
            return colours
        expected = self.guide.reshape(-1, 3).take(pixels[:, len(self._offsets) // 2], axis=0)
        return np.concatenate([colours, np.float32(self.size) * expected], axis=1)

    def vote(self, field: Field, reach: float = np.inf) -> None:
        """Repaints each missing pixel with the weighted mean of its patches' matches there.

        As in Wexler et al. a match's weight grows with its similarity and its nearness to the hole's edge;
        their mean shift, which selects among several such colours, is left out.

        Args:
            field: the matches.
            reach: deviation in pixels of the Gaussian by which a patch counts less away from its centre; the
                smaller, the fewer patches are averaged and the sharper is the result.
        """
        spread = np.maximum(np.percentile(field.distances, 75), 1e-8)
        # No weight may be 0: the match may be the only one over a pixel.
        weights = self._confidence * np.exp(-np.minimum(field.distances / (2 * spread), 50.0))
        colours, matches = self.picture.reshape(-1, 3), field.matches
        total, weight = np.zeros(colours.shape), np.zeros(len(colours))
        near = np.exp(-np.square(np.arange(self.size) - self.size // 2) / (2 * reach**2))
        for offset, share in zip(self._offsets, np.outer(near, near).ravel(), strict=True):
            shares = share * weights  # With one offset, no pixel occurs twice.
            total[self.targets + offset] += shares[:, None] * colours[matches + offset]
            weight[self.targets + offset] += shares
        missing = np.flatnonzero(self.hole)
        colours[missing] = total[missing] / weight[missing, None]


class Field:
    """A nearest-neighbour field: the most similar source patch found so far for each target patch.

    Attributes:
        distances: float32 [T], sums of squared differences between the targets and their matches.
    """

    def __init__(self, patches: Patches, matches: np.ndarray) -> None:
        """Starts from `matches`, source patches [T]."""
        self._patches, self._wanted = patches, patches.vectors(patches.targets)
        self._grid = np.arange(patches.hole.size)  # so that a neighbour is found by an addition
        self._grid[patches.targets] = matches
        row = patches.hole.shape[1]
        self._neighbours = (1, -1, row, -row) if patches.guide is not None else ()
        self.distances = self._measured(np.arange(len(matches)), matches)

    @property
    def matches(self) -> np.ndarray:
        """[T], source patches."""
        return self._grid[self._patches.targets]

    def improve(self, rng: np.random.Generator) -> None:
        """One round: propagation of the neighbours' shifted matches, then random search around the best."""
        targets, width = self._patches.targets, self._patches.hole.shape[1]
        for jump in JUMPS:
            for step in (jump * width, -jump * width, jump, -jump):
                # Past the picture's edge the index is another patch's, which is a valid candidate.
                neighbours = np.clip(targets + step, 0, len(self._grid) - 1)
                self._offer(self._grid[neighbours] - step)
        self._offer(rng.choice(self._patches.sources, len(targets)))
        for radius in _radii(max(self._patches.hole.shape)):
            down, right = rng.integers(-radius, radius + 1, (2, len(targets)))
            self._offer(self.matches + down * width + right)

    def _offer(self, candidates: np.ndarray) -> None:
        """Takes the candidates [T] that are source patches and better than the matches.

        Better is what is more similar; in a guided fill it also counts to lie beside the neighbours' matches.
        """
        matches = self.matches
        which = np.flatnonzero(self._patches.are_sources(candidates) & (candidates != matches))
        distances = self._measured(which, candidates[which])
        gain = self.distances[which] - distances
        if self._neighbours:
            apart = self._apart(which, candidates[which]) - self._apart(which, matches[which])
            gain -= COHERENCE * np.median(self.distances) * apart
        better = gain > 0
        which = which[better]
        self.distances[which] = distances[better]
        self._grid[self._patches.targets[which]] = candidates[which]

    def _apart(self, which: np.ndarray, matches: np.ndarray) -> np.ndarray:
        """How many of the four neighbours' matches are not those beside `matches`: int [K], 0 to 4."""
        targets, last = self._patches.targets[which], len(self._grid) - 1
        apart = np.zeros(len(targets), int)
        for step in self._neighbours:
            apart += self._grid[np.clip(targets + step, 0, last)] != matches + step
        return apart

    def _measured(self, which: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        difference = self._patches.vectors(candidates)
        difference -= self._wanted[which]
        return np.einsum("ij,ij->i", difference, difference)


def _alternate(patches: Patches, matches: np.ndarray, rng: np.random.Generator, steps: int) -> np.ndarray:
    """Searches and votes in turn; returns the last matches [T]."""
    for _ in range(steps):
        field = Field(patches, matches)
        field.improve(rng)
        patches.vote(field)
        matches = field.matches
    return matches


def _refined(coarse: Patches, matches: np.ndarray, fine: Patches, rng: np.random.Generator) -> np.ndarray:
    """Paints the finer level's hole by the coarser one's matches, and returns them for its patches [T]."""
    enlarged = _enlarged(coarse.picture, fine.picture)
    fine.picture[fine.hole] = enlarged[fine.hole]
    grid = np.arange(coarse.hole.size)
    grid[coarse.targets] = matches
    (height, width), row = coarse.hole.shape, fine.hole.shape[1]
    y, x = np.divmod(fine.targets, row)
    # The coarse patch around each fine one; at the far edges that is the last inside the picture.
    above, left = np.minimum(y // 2, height - coarse.size), np.minimum(x // 2, width - coarse.size)
    down, right = np.divmod(grid[above * width + left], width)
    candidates = (2 * (down - above) + y) * row + 2 * (right - left) + x
    # A coarse pixel may be known while one of its four is not, and an odd side ends in half a pixel.
    known = fine.are_sources(candidates)
    matches = np.where(known, candidates, rng.choice(fine.sources, len(candidates)))
    fine.vote(Field(fine, matches))
    return matches


def _completed(picture: np.ndarray, hole: np.ndarray, guide: np.ndarray) -> np.ndarray:
    """The guide in the hole, and around it the picture blurred to the guide's resolution: float32 [H, W, 3].

    Against sharp surroundings a smooth guide would find flat patches alone.
    """
    _check_guide(guide, picture)
    whole = np.where(hole[..., None], guide, picture).astype("float32")
    return np.where(hole[..., None], whole, blurred(whole, hole))


def blurred(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A picture at the resolution of a guide: a sixteenth of the hole's thickness, at least a pixel."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(1.0, float(depth(hole).max()) / 8)))


def _pyramid(picture: np.ndarray, hole: np.ndarray, size: int, guide: np.ndarray | None) -> list[Patches]:
    """The levels, fine to coarse: halved until a patch spans the hole or few patches are left to copy."""
    levels = [_level(picture, hole, size, guide)]
    while depth(hole).max() > size / 2:
        picture, share = _halved(picture, _known(hole))
        guide = None if guide is None else _halved(guide, np.ones_like(guide[..., :1]))[0]
        hole = share[..., 0] < 0.5
        if not hole.any() or _known_patches(hole, size) < COARSEST:
            break
        levels.append(_level(picture, hole, size, guide))
    return levels


def _level(picture: np.ndarray, hole: np.ndarray, size: int, guide: np.ndarray | None) -> Patches:
    """A level whose hole begins as the guide or, without one, as a smooth fill."""
    begun = _smooth(picture, hole) if guide is None else np.where(hole[..., None], guide, picture)
    return Patches(begun, hole, size, guide)


def _usable_size(hole: np.ndarray, patch_size: int) -> int:
    """The largest odd patch, up to `patch_size`, of which `ENOUGH` are wholly known; else a single pixel."""
    sizes = range(patch_size, 1, -2)
    return next((size for size in sizes if _known_patches(hole, size) >= ENOUGH), 1)


def _known_patches(hole: np.ndarray, size: int) -> int:
    return 0 if size > min(hole.shape) else int((~_touching(hole, size)).sum())


def _touching(hole: np.ndarray, size: int) -> np.ndarray:
    """Whether the patch at each place [H - size + 1, W - size + 1] has a missing pixel."""
    return np.any(np.lib.stride_tricks.sliding_window_view(hole, (size, size)), axis=(2, 3))


def depth(hole: np.ndarray) -> np.ndarray:
    """The distance of each pixel [H, W] to the nearest known one, in pixels; 0 outside the hole."""
    return cv2.distanceTransform(hole.astype("uint8"), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _smooth(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fills the hole from ever coarser means of the known pixels."""

    def halved(picture: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        means, share = _halved(picture, known)
        return means, (share > 0).astype(np.float32)

    return pull_push(picture, _known(hole), halvings(hole.shape), halved, _enlarged)


def _known(hole: np.ndarray) -> np.ndarray:
    """Float32 [H, W, 1], 1 = known."""
    return 1.0 - hole[..., None].astype("float32")


def _halved(picture: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The means of the known pixels of each 2x2 square, and the known share of the square, [h, w, 1].

    An odd side is rounded up: its last squares are cut in half. Where nothing is known the mean is black.
    """
    count = _pooled(known)
    return _pooled(picture * known) / np.maximum(count, 1.0), count / _pooled(np.ones_like(known))


def _pooled(picture: np.ndarray) -> np.ndarray:
    """The sums over squares of 2x2 pixels."""
    height, width, channels = picture.shape
    padded = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)))
    return padded.reshape(-(-height // 2), 2, -(-width // 2), 2, channels).sum(axis=(1, 3))


def _enlarged(coarse: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Twice the size, then cut to the size of `fine`, [H, W, C]: undoes the geometry of `_halved`."""
    height, width = coarse.shape[:2]
    doubled = cv2.resize(coarse, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    return doubled[: fine.shape[0], : fine.shape[1]]


def _radii(radius: int) -> Iterator[int]:
    """`radius` and its halves, down to 1."""
    while radius >= 1:
        yield radius
        radius //= 2


def _checked(picture: np.ndarray, hole: np.ndarray, patch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The picture as float32, black under its hole, and the hole as bool."""
    picture, hole = np.asarray(picture), np.asarray(hole) != 0
    if picture.ndim != 3 or picture.shape[-1] != 3 or picture.dtype.kind != "f":
        raise errors.InputError(
            f"`picture` must be floating point in [0, 1] of shape [H, W, 3]. "
            f"Received {picture.dtype} of shape {picture.shape}."
        )
    if hole.shape != picture.shape[:2]:
        raise errors.InputError(
            f"`hole` must have shape [H, W] = {picture.shape[:2]}. Received {hole.shape}."
        )
    if hole.all():
        raise errors.InputError(
            "`hole` must leave a known pixel to fill from. Received one that leaves none."
        )
    if not isinstance(patch_size, int | np.integer) or patch_size < 1 or patch_size % 2 == 0:
        raise errors.InputError(f"`patch_size` must be an odd number of pixels. Received {patch_size!r}.")
    return np.where(hole[..., None], np.float32(0), picture.astype("float32")), hole


def _check_guide(guide: np.ndarray, picture: np.ndarray) -> None:
    if np.shape(guide) != picture.shape or np.asarray(guide).dtype.kind != "f":
        raise errors.InputError(
            f"`guide` must be floating point of the picture's shape, {picture.shape}. "
            f"Received {np.asarray(guide).dtype} of shape {np.shape(guide)}."
        )

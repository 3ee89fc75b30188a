"""PatchMatch: textures are restored, in known colours alone, and the search finds nearly the best patches."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting_tf import classical
from inpainting_tf.classical.exemplar import Field, Patches, _refined, inpaint
from inpainting_tf.errors import InputError

SIZE = (48, 64)
BOXES = {
    "inside": np.s_[14:32, 20:42],
    "top left": np.s_[:20, :24],
    "bottom right": np.s_[-20:, -24:],
    "below": np.s_[-16:],
    "right": np.s_[:, -20:],
}


def hole(box: tuple[slice, ...] | slice, size: tuple[int, int] = SIZE) -> np.ndarray:
    missing = np.zeros(size, bool)
    missing[box] = True
    return missing


def tiles(size: tuple[int, int] = SIZE, side: int = 6) -> np.ndarray:
    """A tile of random colours, over and over."""
    tile = np.random.default_rng(1).random((side, side, 3), dtype="float32")
    return np.tile(tile, (size[0] // side + 1, size[1] // side + 1, 1))[: size[0], : size[1]]


def stripes(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Slanted sine waves, in [0, 1]; they return after 12 pixels along y and after 8 along x."""
    y, x = np.mgrid[: size[0], : size[1]]
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * (y / 12 + x / 8))
    return np.stack([wave, 1 - wave, 0.5 * wave], axis=-1).astype("float32")


def clouds(size: tuple[int, int]) -> np.ndarray:
    """Smooth noise in [0, 1], nowhere twice the same."""
    noise = np.random.default_rng(2).random((*size, 3), dtype="float32")
    for axis in (0, 1):
        noise = sum(np.roll(noise, shift, axis) for shift in range(-2, 3)) / 5
    return noise


def psnr(filled: np.ndarray, picture: np.ndarray, missing: np.ndarray) -> float:
    """Inside the hole, in dB, at most 100."""
    return -10 * np.log10(np.mean((filled - picture)[missing] ** 2) + 1e-10)


@pytest.mark.parametrize("texture", [tiles, stripes])
@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
def test_a_texture_is_restored_wherever_the_hole_is(texture, box):
    picture, missing = texture(), hole(box)
    restored = psnr(inpaint(picture, missing), picture, missing)
    smooth = [
        psnr(fill(picture[None], missing[None, ..., None])[0], picture, missing)
        for fill in (classical.telea, classical.biharmonic)
    ]
    assert restored > 40
    assert restored > max(smooth) + 20


@pytest.mark.parametrize("size", [(45, 67), (67, 45), (32, 32)], ids=str)
def test_odd_and_small_sizes_with_several_holes(size):
    picture = tiles(size)
    missing = hole(np.s_[8:20, 10:22], size) | hole(np.s_[-5:, :4], size)
    missing[3, -9:] = True
    assert psnr(inpaint(picture, missing), picture, missing) > 40


def test_a_wide_hole_is_filled_from_coarse_to_fine():
    picture, missing = tiles((96, 80), 9), hole(np.s_[20:72, 14:60], (96, 80))
    assert psnr(inpaint(picture, missing), picture, missing) > 40


@pytest.mark.parametrize("seed", range(3))
def test_any_hole_is_filled_from_the_colours_around_it(seed):
    """Down to a picture with one known pixel, and to pictures that no patch fits in."""
    rng = np.random.default_rng(seed)
    for size in ((32, 48), (5, 9), (1, 7), (2, 1)):
        picture = 0.2 + 0.5 * rng.random((*size, 3), dtype="float32")
        for share in (0.02, 0.3, 0.9, 1.0):
            missing = rng.random(size) < share
            missing.flat[rng.integers(missing.size)] = False
            filled = inpaint(picture, missing)
            known = picture[~missing]
            assert filled.dtype == np.float32 and filled.shape == picture.shape
            np.testing.assert_array_equal(filled[~missing], known)
            assert (filled >= known.min(axis=0)).all() and (filled <= known.max(axis=0)).all()


def test_few_known_patches_are_filled_by_smaller_ones():
    """A known frame two pixels wide: its stripes go on inside, though no patch of 7x7 is known."""
    missing = hole(np.s_[2:-2, 2:-2], (16, 40))
    picture = np.zeros((16, 40, 3), "float32")
    picture[:, 20:] = (0.9, 0.6, 0.3)
    filled = inpaint(picture, missing)
    np.testing.assert_allclose(filled[4:-4, 6:12], 0.0, atol=1e-6)
    np.testing.assert_allclose(filled[4:-4, -12:-6], picture[4:-4, -12:-6], atol=1e-6)


def test_what_lies_under_the_hole_and_the_arguments_are_left_alone():
    missing = hole(BOXES["inside"])
    picture = clouds(SIZE)
    before = picture.copy()
    other = np.where(missing[..., None], np.float32(np.nan), picture)
    np.testing.assert_array_equal(inpaint(other, missing), inpaint(picture, missing))
    np.testing.assert_array_equal(picture, before)


def test_the_seed_alone_decides():
    picture, missing = clouds(SIZE), hole(BOXES["inside"])
    np.random.seed(0)
    first = inpaint(picture, missing, seed=5)
    np.random.seed(1)
    np.testing.assert_array_equal(inpaint(picture, missing, seed=5), first)
    assert not np.array_equal(inpaint(picture, missing, seed=6), first)


def test_the_patch_size_reaches_the_search():
    picture, missing = clouds(SIZE), hole(BOXES["inside"])
    assert not np.array_equal(inpaint(picture, missing, patch_size=5), inpaint(picture, missing))


def searched(rounds: int) -> tuple[Patches, Field]:
    """Smooth noise of 40x56 pixels, whose hole is to be matched as it is, after some rounds of search."""
    rng = np.random.default_rng(3)
    patches = Patches(clouds((40, 56)), hole(np.s_[12:26, 20:38], (40, 56)), 7)
    field = Field(patches, rng.choice(patches.sources, len(patches.targets)))
    for _ in range(rounds):
        field.improve(rng)
    return patches, field


def test_targets_touch_the_hole_and_sources_do_not():
    patches, _ = searched(0)
    for y in range(40):
        for x in range(56):
            inside = y + 7 <= 40 and x + 7 <= 56
            touches = patches.hole[y : y + 7, x : x + 7].any()
            assert (y * 56 + x in patches.targets) == (inside and touches)
            assert (y * 56 + x in patches.sources) == (inside and not touches)


def test_every_match_is_a_wholly_known_patch_at_its_true_distance():
    patches, field = searched(2)
    assert np.isin(field.matches, patches.sources).all()
    for target, match, distance in zip(patches.targets, field.matches, field.distances, strict=True):
        (y, x), (v, u) = divmod(target, 56), divmod(match, 56)
        cut, copy = patches.picture[y : y + 7, x : x + 7], patches.picture[v : v + 7, u : u + 7]
        np.testing.assert_allclose(distance, np.sum((cut - copy) ** 2), rtol=1e-4, atol=1e-6)


def test_the_search_comes_within_a_tenth_of_the_best():
    """The mean distance of six rounds against that of an exhaustive search; it starts above the double."""
    patches, field = searched(6)
    wanted, offered = patches.vectors(patches.targets), patches.vectors(patches.sources)
    best = np.mean([np.square(offered - each).sum(axis=1).min() for each in wanted])
    assert best <= field.distances.mean() * 1.0001
    assert field.distances.mean() < 1.1 * best
    assert searched(0)[1].distances.mean() > 2 * best


def test_a_finer_level_starts_from_the_matches_and_not_from_the_colours_alone():
    """Coarse matches whole tiles away paint the finer level without an error, and without any search."""
    tile = np.random.default_rng(1).random((8, 8, 3), dtype="float32")
    picture, missing = np.tile(tile, (6, 8, 1)), hole(np.s_[16:, 24:40])
    coarse = Patches(picture[::2, ::2], missing[::2, ::2], 7)
    y, x = np.divmod(coarse.targets, 32)
    matches = y * 32 + 20 + x % 4
    assert coarse.are_sources(matches).all()
    fine = Patches(np.where(missing[..., None], 0.0, picture), missing, 7)
    found = _refined(coarse, matches, fine, np.random.default_rng(0))
    np.testing.assert_allclose(fine.picture, picture, rtol=0, atol=1e-6)
    assert ((found - fine.targets) % 8 == 0).all()


def test_a_vote_is_the_weighted_mean_of_all_patches_over_a_pixel():
    """One missing pixel: nine patches of 3x3 vote, each with the pixel of its match at that place."""
    picture = clouds((12, 16))
    patches = Patches(picture, hole(np.s_[5, 7], (12, 16)), 3)
    field = Field(patches, np.random.default_rng(0).choice(patches.sources, 9))
    similar = np.exp(-field.distances / (2 * np.percentile(field.distances, 75)))
    votes, weights = [], []
    for target, match, weight in zip(patches.targets, field.matches, similar, strict=True):
        (y, x), (v, u) = divmod(target, 16), divmod(match, 16)
        votes.append(picture[v + 5 - y, u + 7 - x])
        weights.append(weight / 1.3 if (y, x) == (4, 6) else weight)  # centred a pixel inside the hole
    patches.vote(field)
    np.testing.assert_allclose(patches.picture[5, 7], np.average(votes, axis=0, weights=weights), rtol=1e-5)


def test_no_hole_changes_nothing():
    picture = clouds(SIZE)
    np.testing.assert_array_equal(inpaint(picture, np.zeros(SIZE, bool)), picture)


def test_mistakes_are_named():
    picture, missing = clouds(SIZE), hole(BOXES["inside"])
    with pytest.raises(InputError, match=r"`hole` must leave a known pixel"):
        inpaint(picture, np.ones(SIZE, bool))
    with pytest.raises(
        InputError, match=r"`hole` must have shape \[H, W\] = \(48, 64\). Received \(64, 48\)"
    ):
        inpaint(picture, missing.T)
    for wrong in ((255 * picture).astype("uint8"), picture[..., 0], picture[None]):
        with pytest.raises(InputError, match=r"`picture` must be floating point .* \[H, W, 3\]"):
            inpaint(wrong, missing)
    for size in (0, 4, -3, 7.0):
        with pytest.raises(InputError, match=rf"`patch_size` must be an odd.*Received {size}"):
            inpaint(picture, missing, patch_size=size)

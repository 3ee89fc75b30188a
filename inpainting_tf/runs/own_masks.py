"""Which mask files a run is trained with and monitored on: others are refused when it continues."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inpainting_tf.data import crops, mask_files
from inpainting_tf.errors import InputError
from inpainting_tf.ops.masks import Mask
from inpainting_tf.recipes import Recipe
from inpainting_tf.recipes.recipe import Masks


def record(recipe: Recipe) -> dict[str, Any]:
    """The masks of each use whose holes are from files, for `data.json`: folder, digest, names."""
    part = crops.fixed(recipe.data.crop)
    uses = {which: getattr(recipe.mask, which) for which in ("train", "test")}
    return {
        which: mask_files.load(mask.folder, recipe.data.shape, invert=mask.invert, part=part).record()
        for which, mask in uses.items()
        if mask.folder is not None
    }


def unplaced(recipe: Recipe) -> Recipe:
    """The recipe with the names of its folders of masks in place of their paths."""

    def named(mask: Mask) -> Mask:
        return dataclasses.replace(mask, folder=mask.folder and Path(mask.folder).name)

    return dataclasses.replace(recipe, mask=Masks(named(recipe.mask.train), named(recipe.mask.test)))


def require_same(found: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Checks that the masks are still those of the run, wherever they are now.

    Args:
        found: what `record` returns now.
        known: what it returned when the run was started.

    Raises:
        InputError: masks are missing, new or changed.
    """
    for which, now in found.items():
        former = known.get(which, now)
        if now["digest"] == former["digest"]:
            continue
        raise InputError(
            f"`mask` must be the {len(former['names'])} masks that this run was started with. Received "
            f"{len(now['names'])} in {now['folder']!r}: {_change(former['names'], now['names'])}. "
            "Restore them, or start again in a new --workdir."
        )


def _change(former: Sequence[str], now: Sequence[str]) -> str:
    if lost := sorted({*former} - {*now}):
        return f"{lost[0]!r} is gone"
    new = sorted({*now} - {*former})
    return f"{new[0]!r} is new" if new else "their pixels have changed"

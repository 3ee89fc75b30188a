"""Which pictures below an address are repaired: `folders`, for files that may be millions, on any storage.

Names alone decide: to look into a million files takes hours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from inpainting_tf import storage
from inpainting_tf.errors import InputError
from inpainting_tf.photographs import formats
from inpainting_tf.photographs.folders import Masks, mask_of, output_name, stems_of, written_twice


@dataclasses.dataclass(frozen=True, slots=True)
class FarJob:
    """A picture to repair, by the addresses of its files; see `folders.Job`."""

    image: str
    masks: tuple[str, ...]
    output: str


@dataclasses.dataclass(frozen=True)
class FarPlan:
    """What is repaired.

    Attributes:
        jobs: the pictures.
        kept: those whose output is there already.
        left_out: the reason for each other file.
    """

    jobs: list[FarJob] = dataclasses.field(default_factory=list)
    kept: list[FarJob] = dataclasses.field(default_factory=list)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)


def plan(
    pictures: str, mask: str | None, output: str, *, ending: str | None = None, overwrite: bool = False
) -> FarPlan:
    """The jobs for the pictures of a glob, or of a folder and those in it.

    The masks of `photo.jpg` are `photo_mask.png`, `photo_mask001.png` and so on beside it, or its namesake in
    a folder of masks, which may mirror that of the pictures.

    Args:
        pictures: a glob, a folder or a file.
        mask: one mask for all, a folder of masks, or None.
        output: the folder to write, which mirrors that of the pictures.
        ending: of the files written, without a dot; None: that of each picture.
        overwrite: whether to repair pictures whose output exists.

    Raises:
        InputError: no picture, or two for one output.
    """
    storage.sweep(output)
    there = set(storage.files_of(output)) if storage.is_folder(output) and not overwrite else set()
    found, written = FarPlan(), dict[str, str]()
    for job, reason in _jobs(pictures, mask, storage.absolute(output), ending):
        if reason:
            found.left_out[job.image] = reason
        elif (other := written.setdefault(job.output, job.image)) != job.image:
            raise written_twice(job.output, other, job.image)
        else:
            (found.kept if job.output in there else found.jobs).append(job)
    if not written:
        raise InputError(
            f"--input must be a glob or a folder of pictures. Received {pictures!r}: none there."
        )
    return found


def _jobs(
    pictures: str, mask: str | None, output: str, ending: str | None
) -> Iterator[tuple[FarJob, str | None]]:
    """A job for each file, and why it is none."""
    root = storage.base(pictures)
    place, is_folder = (storage.absolute(mask), storage.is_folder(mask)) if mask else (None, False)
    aside = tuple(f"{each}/" for each in (output, place if is_folder else None) if each)
    for folder, names in _by_folder(storage.files_of(pictures), aside):
        below = folder.removeprefix(root).strip("/")
        beside = stems_of(PurePosixPath(name) for name in storage.names_in(folder))
        masks, where = _masks(place, is_folder, below) if place else (Masks(beside), folder)
        for name in names:
            image = _joined(folder, name.name)
            reason = "the mask" if image == place else mask_of(name, beside) or _reason(name)
            if mask is None and mask_of(name, beside):
                continue  # it is used
            of_it = () if reason else tuple(_joined(where, each.name) for each in masks.of(name))
            written = output_name(name, ending, lambda _: ".png")
            yield FarJob(image, of_it, _joined(_joined(output, below), written)), reason


def _by_folder(found: Iterable[str], aside: tuple[str, ...]) -> Iterator[tuple[str, list[PurePosixPath]]]:
    """The names of files by their folders, without those below the folders `aside`."""
    folders: dict[str, list[PurePosixPath]] = {}
    for file in found:
        if not file.startswith(aside):
            folder, _, name = file.rpartition("/")
            folders.setdefault(folder, []).append(PurePosixPath(name))
    for folder in sorted(folders):
        yield folder, sorted(folders.pop(folder))


def _masks(place: str, is_folder: bool, below: str) -> tuple[Masks[PurePosixPath], str]:
    """The masks given for the pictures of a folder, by their names, and where these lie."""
    if not is_folder:
        folder, _, name = place.rpartition("/")
        return Masks({}, one=PurePosixPath(name)), folder
    where = _joined(place, below) if below and storage.is_folder(_joined(place, below)) else place
    return Masks(stems_of(map(PurePosixPath, storage.names_in(where))), PurePosixPath()), where


def _reason(name: PurePosixPath) -> str | None:
    return None if formats.is_called_picture(name) else "not called a picture"


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if name else folder

"""Which pictures of a folder are repaired, with which masks, into which files."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Generic, TypeVar

from inpainting_tf.errors import InputError
from inpainting_tf.photographs import formats

P = TypeVar("P", bound=PurePath)
_MASK = re.compile(r"(?P<picture>.+)_mask\d*", re.IGNORECASE)  # the stem of a mask beside its picture


@dataclasses.dataclass(frozen=True)
class Job:
    """A picture to repair.

    Attributes:
        image: the picture.
        masks: their union is its hole; none: its transparent parts are.
        output: the file to write.
    """

    image: Path
    masks: tuple[Path, ...]
    output: Path


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is repaired, and why the other files of the folder are not.

    Attributes:
        jobs: in the order of their names.
        left_out: the reason for each other file; hidden ones are not mentioned.
    """

    jobs: list[Job]
    left_out: dict[Path, str] = dataclasses.field(default_factory=dict)


def plan(
    image: Path, mask: Path | None, output: Path, *, ending: str | None = None, recursive: bool = False
) -> Plan:
    """The jobs for one picture, or for a folder of them.

    A folder's pictures are found by their content. The masks of `photo.jpg` are `photo_mask.png`,
    `photo_mask001.png` and so on beside it, or its namesake in a folder of masks.

    Args:
        image: a picture, or a folder of pictures.
        mask: one mask for all, a folder of masks, or None.
        output: the file to write, or a folder.
        ending: of the files written to a folder, without a dot; None: that of each picture.
        recursive: with the folders in the folder, which the output mirrors.

    Raises:
        InputError: no picture, an ending that cannot be written, two jobs for one file, or one that would
            overwrite a mask.
    """
    if not image.is_dir():
        formats.of_path(output)
        found = Plan([Job(image, _masks(mask, stems_of(_siblings(image))).of(image), output)])
    else:
        found = _of_folder(image, mask, output, ending, recursive)
    _check(found.jobs)
    return found


def mask_file(folder: Path, name: str) -> Path:
    """The mask of the picture `name` in a folder: the file of that stem, with any ending in any case.

    Where there is none, the path of the PNG of that name.
    """
    return _namesake(folder, Path(name).stem, stems_of(_files(folder)))


def _of_folder(folder: Path, given: Path | None, output: Path, ending: str | None, recursive: bool) -> Plan:
    if output.is_file():
        raise InputError(f"--output must be a folder, as --image is. Received {str(output)!r}, a file.")
    found = Plan([])
    others = {each.resolve() for each in (output, given) if each is not None} - {folder.resolve()}
    for place in _folders(folder, others, recursive):
        below, files = place.relative_to(folder), _files(place)
        stems = stems_of(files)
        masks = _masks(given / below if given and (given / below).is_dir() else given, stems)
        for file in files:
            reason = "the mask" if given and _key(file) == _key(given) else _reason(file, stems)
            if reason is None:
                found.jobs.append(
                    Job(
                        file, masks.of(file), output / below / output_name(file, ending, formats.usual_ending)
                    )
                )
            else:
                found.left_out[file] = reason
    if not found.jobs:
        raise InputError(
            f"--image must be a picture or a folder of pictures. Received {str(folder)!r}: none in it."
        )
    used = {mask for job in found.jobs for mask in job.masks}
    return Plan(found.jobs, {file: why for file, why in found.left_out.items() if file not in used})


class Masks(Generic[P]):
    """The masks of pictures: one for all, or those of a folder, or those beside the pictures.

    Args:
        stems: the files of the folder, or those beside the pictures, by `stems_of`.
        folder: of masks; None for those beside the pictures.
        one: the one for all.
    """

    def __init__(
        self, stems: Mapping[str, list[P]], folder: P | None = None, *, one: P | None = None
    ) -> None:
        self._stems, self._folder, self._one = stems, folder, one
        self._by_picture: dict[str, list[P]] = {}
        for stem, files in self._stems.items():
            if match := _MASK.fullmatch(stem):
                self._by_picture.setdefault(match["picture"], []).extend(files)

    def of(self, image: P) -> tuple[P, ...]:
        """The masks of a picture; none where its transparent parts are its hole."""
        if self._one is not None:
            return (self._one,)
        found = tuple(self._by_picture.get(image.stem, ()))
        if self._folder is None or found:
            return found
        return (_namesake(self._folder, image.stem, self._stems),)


def _masks(given: Path | None, beside: Mapping[str, list[Path]]) -> Masks[Path]:
    if given is None:
        return Masks(beside)
    return Masks(stems_of(_files(given)), given) if given.is_dir() else Masks({}, one=given)


def _namesake(folder: P, stem: str, stems: Mapping[str, list[P]]) -> P:
    found = [file for file in stems.get(stem, ()) if file.suffix.lower() in formats.ENDINGS]
    return min(found, key=lambda file: file.suffix.lower() != ".png", default=folder / f"{stem}.png")


def _folders(folder: Path, others: set[Path], recursive: bool) -> Iterator[Path]:
    """The folder and, with `recursive`, those in it, without those of masks and of the output."""
    yield folder
    if recursive:
        for place in sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()):
            if not place.name.startswith(".") and place.resolve() not in others:
                yield from _folders(place, others, recursive)


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))


def _siblings(image: Path) -> list[Path]:
    return _files(image.parent) if image.parent.is_dir() else []


def stems_of(files: Iterable[P]) -> dict[str, list[P]]:
    """The files by their names without endings."""
    found: dict[str, list[P]] = {}
    for file in files:
        found.setdefault(file.stem, []).append(file)
    return found


def _reason(file: Path, stems: Mapping[str, list[Path]]) -> str | None:
    """Why a file of a folder is no picture to repair."""
    return mask_of(file, stems) or (None if formats.is_picture(file) else "not a picture")


def mask_of(file: PurePath, stems: Mapping[str, list[P]]) -> str | None:
    """Which of the files beside it a file is a mask of, if of any."""
    match = _MASK.fullmatch(file.stem)
    return f"a mask of {stems[match['picture']][0].name}" if match and match["picture"] in stems else None


def output_name(picture: P, ending: str | None, usual: Callable[[P], str]) -> str:
    """The name of the file that is written.

    Args:
        picture: to repair.
        ending: without a dot; None: that of the picture.
        usual: the ending, with a dot, in place of a picture's that cannot be written.
    """
    if ending is not None:
        return f"{picture.stem}.{ending}"
    return picture.name if picture.suffix.lower() in formats.ENDINGS else picture.stem + usual(picture)


def written_twice(output: str, one: str, other: str) -> InputError:
    """The error for two pictures with one output."""
    return InputError(
        f"--output {output!r} would be written for both {one!r} and {other!r}: rename one, or keep their "
        "endings."
    )


def _check(jobs: list[Job]) -> None:
    """Raises InputError where what one job writes is another's too, or a mask."""
    masks = {_key(mask): job for job in jobs for mask in job.masks}
    written: dict[str, Job] = {}
    for job in jobs:
        key = _key(job.output)
        if key in written:
            raise written_twice(str(job.output), written[key].image.name, job.image.name)
        if key in masks:
            raise InputError(
                f"--output {str(job.output)!r} is the mask of {masks[key].image.name!r}: choose another one."
            )
        written[key] = job


def _key(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))

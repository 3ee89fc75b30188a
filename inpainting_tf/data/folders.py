"""The source `folder`: the pictures below a folder, their division, and an account of what is left out."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from inpainting_tf.data import pictures
from inpainting_tf.data.crops import Part
from inpainting_tf.data.source import Source
from inpainting_tf.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

# Folders that divide a data set: train, val, val_large, test_256, validation-set, ...
_PART = re.compile(
    r"(train|val|test)(?:ing|id|idation)?(?:[_-]?(?:set|data|images?|imgs?|pictures|large|hq|\d+))?", re.I
)
_PARTS = {"train": "train", "val": "validation", "test": "test"}
_LEVELS = 2  # on which they are looked for, below the folders that all pictures have in common
# Folders of masks; those called as the second are of masks only beside one called as the third. Pictures of
# people "with_mask" or "without_mask" are no masks.
_MASKS = re.compile(r"(?:(?!.*(?:with|no|out)[_ -]?masks?$).*[_ -])?masks?", re.I)
_LABELS = re.compile(r"holes|labels?|annotations?|ground[_ -]?truths?|seg\w*|trimaps?|mattes?", re.I)
_IMAGES = re.compile(r"(?:jpeg)?(?:images?|imgs?)|pictures|photos", re.I)
_OF_MASK = re.compile(r"_mask\d*$")
# Files that together mark a folder which this package wrote: a run, an evaluation, a comparison.
_MARKS = ({"recipe.json", "data.json"}, {"metrics.json", "per_image.csv"}, {"table.md", "comparison.png"})
_TOLD = 8  # subfolders that an account names

_LeftOut = Counter[tuple[str, str]]  # (subfolder, reason) -> number of pictures


def folder(data_dir: str | os.PathLike | None = None) -> Source:
    """Every JPEG, PNG, WebP, BMP and TIFF (by suffix) in a folder and its subfolders, by relative path.

    Links to folders are followed, each folder once. Left out are hidden files and folders and the
    ``__MACOSX`` that macOS puts into archives; runs and evaluations of this package; and masks beside
    pictures. Subfolders called ``train``, ``val`` or ``test`` are the data set's own division: the one that
    is not for training holds the test pictures, and of two the one called ``val`` the validation pictures.

    Raises:
        InputError: no folder, or no picture in it.
    """
    if data_dir is None:
        raise InputError("`data_dir` must be a folder of pictures for dataset 'folder'. Received None.")
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        kind = "a file" if root.exists() else "no such folder"
        raise InputError(f"`data_dir` must be a folder of pictures. Received {str(root)!r}: {kind}.")
    walk = _Walk(root)
    names = _without_masks(sorted(walk), walk.left_out)
    if not names:
        told = _left_out(walk.left_out)
        raise InputError(
            f"`data_dir` holds no pictures: {str(root)!r} and below have no {', '.join(SUFFIXES)} file"
            f"{f' but {told}' if told else ''}."
        )
    parts = _divided(names, walk.left_out)
    division = {which: frozenset(part) for which, part in parts.items() if which != "train"}
    taken = sorted(name for part in parts.values() for name in part)
    return from_files("folder", root, taken, division, _account(root, parts, walk.left_out))


def from_files(
    name: str, root: Path, names: list[str], division: Mapping[str, frozenset[str]], account: str
) -> Source:
    """The source `name` of the picture files `names` below `root`."""
    files = _Below(root, names)

    def reader(index: int, image_size: tuple[int, int] | None, part: Part) -> np.ndarray:
        return pictures.read(files[index], image_size, part)

    return Source(name, str(root), names, reader, files, division, account=account)


class _Below(Sequence[Path]):
    """The paths of files below a folder: each takes four times the memory of its name."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.root, self.names = root, names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: Any) -> Any:
        return self.root / self.names[index]


def is_picture(name: str) -> bool:
    """Whether a file's name is that of a picture."""
    return name.lower().endswith(SUFFIXES)


def picture_files(root: Path) -> list[str]:
    """All picture files below a folder, relative to it, sorted; links are followed, each folder once."""
    return sorted(_Walk(root))


def first_picture(root: Path) -> str | None:
    """The path of a picture below a folder, relative to it; None if there is none, or no such folder."""
    return next(iter(_Walk(root)), None) if root.is_dir() else None


# What is there


class _Walk:
    """The paths of the picture files below a folder, relative to it: once."""

    def __init__(self, root: Path) -> None:
        self.root, self.left_out = root, _LeftOut()
        self._visited: set[tuple[int, int]] = set()
        self._links: list[Path] = []

    def __iter__(self) -> Iterator[str]:
        yield from self._below(self.root)
        while self._links:  # behind the tree, so that its own folders keep their names
            yield from self._below(self._links.pop(0))

    def _below(self, top: Path) -> Iterator[str]:
        pending = [top]
        while pending:
            here = pending.pop()
            try:
                entries = self._entries(here)
            except OSError as error:
                self._leave_out(here, error.strerror or str(error))
                continue
            folders = [Path(entry) for entry in entries if _is_folder(entry)]
            self._links += [path for path in folders if path.is_symlink()]
            pending += [path for path in reversed(folders) if not path.is_symlink()]
            where = self._relative(here)
            yield from (where + e.name for e in entries if is_picture(e.name) and Path(e) not in folders)

    def _entries(self, here: Path) -> list[os.DirEntry[str]]:
        """What is in a folder, by name; nothing if it is to be left out."""
        status = here.stat()
        if (place := (status.st_dev, status.st_ino)) in self._visited:
            self._leave_out(here, "a link to a folder that is taken already")
            return []
        self._visited.add(place)
        with os.scandir(here) as found:
            entries = sorted((e for e in found if not _is_hidden(e.name)), key=lambda e: e.name)
        if any(marks <= {entry.name for entry in entries} for marks in _MARKS):
            self._leave_out(here, "a run or an evaluation")
            return []
        return entries

    def _leave_out(self, here: Path, reason: str) -> None:
        inside = 0 if reason.startswith("a link") else _count(here)
        self.left_out[self._relative(here), reason] += inside

    def _relative(self, here: Path) -> str:
        relative = here.relative_to(self.root).as_posix()
        return "" if relative == "." else f"{relative}/"


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _count(folder: Path) -> int:
    return sum(is_picture(name) for _, _, files in os.walk(folder) for name in files)


# What of it is taken


def _without_masks(names: list[str], left_out: _LeftOut) -> list[str]:
    """The pictures that are no masks of others; all of them if there are only masks."""
    folders, masks = _mask_folders(names), dict.fromkeys(_mask_files(names), "")
    for name in names if folders else ():
        if folder := next((above for above in _above(name) if above in folders), None):
            masks[name] = folder
    kept = [name for name in names if name not in masks]
    if not kept:
        return names
    left_out.update((f"{folder}/", "masks") for folder in masks.values())
    return kept


def _mask_folders(names: Iterable[str]) -> set[str]:
    """The folders of masks, by their names and those of the folders beside them."""
    folders = {folder for name in names for folder in _above(name)}
    beside_images = {os.path.dirname(folder) for folder in folders if _called(folder, _IMAGES)}
    return {
        folder
        for folder in folders
        if _called(folder, _MASKS) or (_called(folder, _LABELS) and os.path.dirname(folder) in beside_images)
    }


def _mask_files(names: Iterable[str]) -> set[str]:
    """Those like a_mask.png and a_mask001.png beside a.jpg."""
    called = {
        name: own for name in names if (own := _OF_MASK.sub("", stem := os.path.splitext(name)[0])) != stem
    }
    asked = {*called.values()}
    known = {stem for name in names if (stem := os.path.splitext(name)[0]) in asked} if asked else set()
    return {name for name, own in called.items() if own in known}


def _divided(names: list[str], left_out: _LeftOut) -> dict[str, list[str]]:
    """The pictures of each split; all are for training where no subfolder is held out."""
    common = os.path.commonpath({os.path.dirname(name) for name in names})
    first = len(PurePosixPath(common).parts)
    parts = defaultdict[str, list[str]](list)
    for name in names:
        parts[_part(_above(name)[first : first + _LEVELS])].append(name)
    held = [parts[which] for which in ("validation", "test") if which in parts]
    if not held:
        return {"train": names}
    if "train" in parts:
        left_out.update((_top(name), "in no part of the division") for name in parts["neither"])
    split = {"train": parts.get("train", parts["neither"]), "test": held[-1]}
    return split if len(held) == 1 else {**split, "validation": held[0]}


def _part(folders: Sequence[str]) -> str:
    """The split that the first folder of such a name belongs to; "neither" without one."""
    named = (_PART.fullmatch(os.path.basename(folder)) for folder in folders)
    return next((_PARTS[match[1].lower()] for match in named if match), "neither")


def _above(name: str) -> list[str]:
    """The folders above a file, from the top: "a", "a/b" of "a/b/c.jpg"."""
    places = [place for place, character in enumerate(name) if character == "/"]
    return [name[:place] for place in places]


def _called(folder: str, kind: re.Pattern[str]) -> bool:
    return kind.fullmatch(os.path.basename(folder)) is not None


# What is told of it


def _account(root: Path, parts: Mapping[str, Sequence[str]], left_out: _LeftOut) -> str:
    """What is taken from where, and what is left out for what reason."""
    uses = {"train": " to train on", "validation": " for validation", "test": " to test on"}
    where = _divider if len(parts) > 1 else _top
    taken = [
        f"{_by_folder(part, where)}{uses[which] if len(parts) > 1 else ''}"
        for which, part in parts.items()
        if part
    ]
    told = _left_out(left_out)
    return f"Pictures of {root}: {'; '.join(taken)}.{f' Left out: {told}.' if told else ''}"


def _by_folder(names: Sequence[str], where: Callable[[str], str]) -> str:
    counts = Counter(map(where, names))
    return _enumerated([f"{count} in {_place(folder)}" for folder, count in counts.items()])


def _left_out(left_out: _LeftOut) -> str:
    return _enumerated(
        [
            f"{f'{count} in ' if count else ''}{_place(folder)} ({reason})"
            for (folder, reason), count in left_out.items()
        ]
    )


def _top(name: str) -> str:
    """The uppermost folder of a picture."""
    return name.partition("/")[0] + "/" if "/" in name else ""


def _divider(name: str) -> str:
    """The folder by whose name a picture has its split, or the uppermost."""
    return next((f"{folder}/" for folder in _above(name) if _called(folder, _PART)), _top(name))


def _place(folder: str) -> str:
    return folder.lstrip("/") or "the folder itself"


def _enumerated(parts: Sequence[str]) -> str:
    more = [f"{len(parts) - _TOLD} more subfolders"] if len(parts) > _TOLD else []
    return ", ".join([*parts[:_TOLD], *more])

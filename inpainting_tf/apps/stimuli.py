"""The pictures of a rating study, as filled by several systems, and the folder that holds them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from inpainting_tf import classical, data, files, models, photographs, runs
from inpainting_tf.data import holes
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.evaluation import comparison, ratings
from inpainting_tf.inference import inpaint
from inpainting_tf.inpainter import Inpainter
from inpainting_tf.ops.images import composite, to_float, to_uint8
from inpainting_tf.ops.masks import SAMPLERS, Mask


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a study: what is to be rated.

    Attributes:
        runs: networks: runs' folders, .keras files, or names of the package's models.
        baseline: names of classical methods.
        pictures: a folder; None for the test pictures of the first run.
        mask: a kind of holes or a folder of masks; None for those of the first run's evaluation.
        count: number of pictures, drawn at random.
        originals: whether the untouched pictures are rated, too.
        seed: of the choice of pictures and of each rater's order.
        together: show all fills of a picture at once.
    """

    runs: Sequence[str] = ()
    baseline: Sequence[str] = ()
    pictures: str | None = None
    mask: str | None = None
    count: int = 3
    originals: bool = False
    seed: int = 0
    together: bool = False


@dataclasses.dataclass(frozen=True)
class System:
    """What fills holes: `fill` takes a uint8 [H, W, 3] and its mask, bool [H, W], True = missing."""

    name: str
    fingerprint: str
    fill: Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture, uint8 [H, W, 3], and its hole, bool [H, W], True = missing."""

    name: str
    rgb: np.ndarray
    mask: np.ndarray

    @property
    def fingerprint(self) -> str:
        """Of the pixels and the hole."""
        return _digest([np.array(self.mask.shape), self.rgb, self.mask])


def open_study(folder: Path, settings: Settings | None) -> ratings.Store:
    """The study in a folder: the existing one, or a new one.

    Args:
        folder: the study's.
        settings: settings of the study; None continues an existing one.

    Raises:
        InputError: `settings` names systems or pictures other than the study's, or such as cannot be used; or
            the folder holds something else.
    """
    store = ratings.Store(folder / ratings.DATABASE)
    exists = store.path.is_file()
    if not exists and folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise InputError(f"--output must be a study's folder or a new one. Received {str(folder)!r}.")
    if not exists or settings is not None:
        if settings is None or not (settings.runs or settings.baseline):
            raise InputError("Name what is to be rated with --runs or --baseline. Received none.")
        _begin_or_require(store, settings)
    _check_complete(store)
    return store


def shown_file(store: ratings.Store, plan: ratings.Plan, picture: str, system: str) -> Path:
    """The PNG of a picture as filled by a system."""
    return store.path.with_name(f"{list(plan.pictures).index(picture) + 1:02d}_{system}.png")


def _begin_or_require(store: ratings.Store, settings: Settings) -> None:
    pictures, systems = _pictures(settings), _systems(settings)
    plan = ratings.Plan(
        {system.name: system.fingerprint for system in systems},
        {picture.name: picture.fingerprint for picture in pictures},
        settings.seed,
        settings.together,
    )
    if store.path.is_file():
        store.require(plan)
    else:
        _begin(store, plan, systems, pictures)


def _begin(
    store: ratings.Store, plan: ratings.Plan, systems: Sequence[System], pictures: Sequence[Picture]
) -> None:
    """Fills the pictures and writes the whole study atomically."""
    with files.replacing_folder(store.path.parent) as temporary:
        new = ratings.Store(temporary / ratings.DATABASE)
        jobs = [(system, picture) for system in systems for picture in pictures]
        for system, picture in tqdm(jobs, "Filling", unit="picture"):
            encoded = io.BytesIO()  # Pillow does not report a full disk
            Image.fromarray(system.fill(picture.rgb, picture.mask)).save(encoded, "png")
            shown_file(new, plan, picture.name, system.name).write_bytes(encoded.getvalue())
        ratings.Store.create(new.path, plan)
        if store.path.exists():
            raise InputError(f"--output {str(store.path.parent)!r} has just been begun by another process.")


def _check_complete(store: ratings.Store) -> None:
    plan = store.plan()
    needed = [shown_file(store, plan, *each) for each in plan.order("")]
    gone = [file.name for file in needed if not file.is_file()]
    if gone:
        raise InputError(
            f"--output {str(store.path.parent)!r} lacks {len(gone)} of its pictures, e.g. {gone[0]}: put "
            "them back, or name another --output."
        )


def _systems(settings: Settings) -> list[System]:
    found = [_network(path) for path in settings.runs] + [_baseline(name) for name in settings.baseline]
    if settings.originals:
        found.append(System(ratings.ORIGINAL, "", lambda rgb, mask: rgb))
    names = [system.name for system in found]
    if len(set(names)) < len(names) or ratings.ORIGINAL in names[: len(settings.runs)]:
        raise InputError(
            f"--runs and --baseline must have different names, and none {ratings.ORIGINAL!r}. Received "
            f"{', '.join(names)}: rename a folder or file."
        )
    return found


def _network(path: str) -> System:
    model = Inpainter.from_preset(path)
    fingerprint = _digest(model.get_weights())
    return System(models.shown_name(path), fingerprint, functools.partial(_filled_by_network, model))


def _filled_by_network(model: Inpainter, rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return inpaint(model, rgb, mask, blend="none")


def _baseline(name: str) -> System:
    method = classical.get(name)

    def fill(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
        image, hole = to_float(rgb), mask[..., None].astype(np.float32)
        return to_uint8(composite(image, method(image[None], hole[None])[0], hole))

    return System(name, name, fill)


def _pictures(settings: Settings) -> list[Picture]:
    """`count` pictures with their holes: of the folder, or of the first run's test pictures."""
    run = _first_run(settings)
    mask = settings.mask or (run.recipe.mask.test if run else Mask())
    if settings.pictures is None:
        names, read = _test_pictures(run)
    else:
        found = _picture_files(Path(settings.pictures).expanduser())
        names, read = [file.name for file in found], lambda index: photographs.read(found[index]).rgb
    if len(names) < settings.count:
        raise InputError(
            f"--count must be at most the number of pictures, {len(names)}. Received {settings.count}."
        )
    chosen = sorted(random.Random(f"{settings.seed}").sample(range(len(names)), settings.count))
    rgbs = [read(index) for index in chosen]
    missing = [_hole(mask, index, names[index], rgb) for index, rgb in zip(chosen, rgbs, strict=True)]
    return [Picture(names[index], rgb, hole) for index, rgb, hole in zip(chosen, rgbs, missing, strict=True)]


def _first_run(settings: Settings) -> runs.Run | None:
    """The first of the networks, if it is the folder of a run (and not a mere model file)."""
    if not settings.runs:
        return None
    folder = models.locate(settings.runs[0])
    return runs.open_run(folder) if (folder / "recipe.json").is_file() else None


def _test_pictures(run: runs.Run | None) -> tuple[list[str], Callable[[int], np.ndarray]]:
    if run is None:
        raise InputError(
            "--pictures must be a folder of pictures where the first of --runs is not a run's folder, whose "
            "test pictures could be shown. Received none."
        )
    own = comparison.TestSet.of(run)
    found = data.load(own.data, own.data_dir, names=own.names, splits=("test",)).test
    return found.names, lambda index: np.array(found.images[index])


def _picture_files(folder: Path) -> list[Path]:
    files_in_it = folder.iterdir() if folder.is_dir() else iter(())
    found = sorted(file for file in files_in_it if file.suffix.lower() in photographs.ENDINGS)
    if not found:
        raise InputError(f"--pictures must be a folder of pictures. Received {str(folder)!r}: none in it.")
    return found


def _hole(mask: Mask | str, index: int, name: str, rgb: np.ndarray) -> np.ndarray:
    """The hole of picture number `index`: that of an evaluation, or that of its mask file."""
    size = rgb.shape[:2]
    if isinstance(mask, str) and mask not in SAMPLERS:
        folder = Path(mask).expanduser()
        if not folder.is_dir():
            raise unknown("--mask", mask, [*SAMPLERS, "a folder of masks"])
        return photographs.read_mask(photographs.mask_file(folder, name), size)
    kind = Mask(mask) if isinstance(mask, str) else mask
    return holes.of(kind, size).fixed([index], [name])[0, ..., 0] > 0


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

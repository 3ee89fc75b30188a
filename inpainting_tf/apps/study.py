"""The rating study: people say how natural filled pictures look, without knowing who filled them.

python -m inpainting_tf.apps.study --runs=runs/glcic --runs=runs/unet --baseline=telea
python -m inpainting_tf.apps.study --runs=faces --baseline=telea --pictures=portraits --count=5
python -m inpainting_tf.apps.study                       (goes on with the study in study/)
python -m inpainting_tf.apps.study --report              (the scores so far: table, box plot, tests)

Each rater sees the pictures one at a time, in an order of their own and without names, and gives each a score
from 1 to 5 (face_gan, section 3.6.1). The study's folder holds the filled pictures and the scores; it needs
the extra `apps` (pip install 'inpainting_tf[apps]'), --report does not.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import io
import random
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from absl import flags
from PIL import Image
from tqdm import tqdm

from inpainting_tf import classical, data, files, models, photographs, runs
from inpainting_tf.apps import pages
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.evaluation import comparison, ratings
from inpainting_tf.inference import inpaint
from inpainting_tf.ops.images import composite, to_float, to_uint8
from inpainting_tf.ops.masks import SAMPLERS, Mask, fixed

# Pictures are shown with their longer side at least and at most so long.
SMALLEST, LARGEST = 512, 1024
GLANCE = 0.5  # seconds: a score that comes sooner after its picture is the second half of a double click
_ABOUT_THE_STUDY = ("runs", "baseline", "pictures", "mask", "count", "originals", "seed")
_WELCOME = """# How natural does it look?
You will see pictures, one at a time. A computer may have filled in a part of them.

Say for each **how natural it looks**, from 1 ({1}) to 5 ({5}). There is no right or wrong and no way back:
go with your first impression. You can stop at any time and go on later under the same name.
"""
_QUESTION = "**How natural does it look?** Press a button, or a key from 1 to 5."
_THANKS = "# Thank you!\nYou have rated all {} pictures. You can close this page now."
_CSS = """
#room {max-width: 900px; margin: auto}
#door, #thanks {max-width: 640px; margin: 8vh auto}
#progress p, #question p {text-align: center; font-size: 1.1rem}
#picture img {display: block; margin: auto; max-width: 100%; max-height: 62vh}
#scores {align-items: stretch; flex-wrap: nowrap}
#scores button {min-width: 0; min-height: 5.5rem; padding: 0.2rem; font-size: 1.05rem; white-space: pre-line}
@media (max-width: 640px) {#scores {gap: 4px} #scores button {font-size: 0.7rem}}
"""
# The keys 1 to 5 press the buttons.
_KEYS = """() => {
  document.addEventListener("keydown", event => {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const button = document.getElementById("score-" + event.key);
    if (button && button.offsetParent) button.click();
  });
}"""


def define_flags() -> None:
    """Defines the options; `--help` shows them."""
    flags.DEFINE_multi_string(
        "runs", [], f"A run's folder, a .keras file, {' or '.join(models.NAMES)}; may be repeated."
    )
    flags.DEFINE_multi_string("baseline", [], f"{', '.join(classical.BASELINES)}; may be repeated.")
    flags.DEFINE_string("pictures", None, "Folder of pictures; default: the test pictures of the first run.")
    flags.DEFINE_string(
        "mask",
        None,
        f"Holes: {', '.join(SAMPLERS)}, or a folder of masks with the pictures' names; default: the holes "
        "that the first run is tested on, else rectangle.",
    )
    flags.DEFINE_integer("count", 3, "How many of the pictures, drawn at random.", lower_bound=1)
    flags.DEFINE_boolean("originals", False, "Show the untouched pictures among the others, as a control.")
    flags.DEFINE_integer("seed", 0, "Of the choice of pictures and the order of each rater.", lower_bound=0)
    flags.DEFINE_string("output", "study", "Folder of the study; one that exists is continued.")
    flags.DEFINE_boolean("report", False, "Tell what the scores in --output say, and serve nothing.")
    pages.define_flags()


def main() -> None:
    """Serves the study, or reports on it."""
    folder = Path(flags.FLAGS.output).expanduser()
    if flags.FLAGS.report:
        print(ratings.report(folder))
        print(f"\nWritten to {folder}: ratings.csv, ratings.png, report.md")
        return
    pages.gradio()  # that it is missing is told before models are loaded
    store = opened(folder)
    plan = store.plan()
    raters = {row["rater"] for row in store.rows()}
    print(
        f"{len(plan.pictures)} pictures by {len(plan.systems)} systems ({', '.join(plan.systems)}), "
        f"raters so far: {len(raters)}. The study is in {folder}; --report tells what the scores say."
    )
    pages.serve(lambda _: page(store), _CSS)


# What is shown


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


def opened(folder: Path) -> ratings.Store:
    """The study in a folder: the one that is there, or a new one as the flags say.

    Raises:
        InputError: the flags name systems or pictures other than the study's, or such as cannot be used; or
            the folder holds something else.
    """
    store = ratings.Store(folder / ratings.DATABASE)
    exists = store.path.is_file()
    if not exists and folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise InputError(f"--output must be a study's folder or a new one. Received {str(folder)!r}.")
    if not exists or any(flags.FLAGS[name].present for name in _ABOUT_THE_STUDY):
        if not (flags.FLAGS.runs or flags.FLAGS.baseline):
            raise InputError("Name what is to be rated with --runs or --baseline. Received none.")
        pictures, systems = _pictures(), _systems()
        plan = ratings.Plan(
            {system.name: system.fingerprint for system in systems},
            {picture.name: picture.fingerprint for picture in pictures},
            flags.FLAGS.seed,
        )
        if exists:
            store.require(plan)
        else:
            _begin(store, plan, systems, pictures)
    _check_complete(store)
    return store


def shown_file(store: ratings.Store, plan: ratings.Plan, picture: str, system: str) -> Path:
    """The PNG of a picture as filled by a system."""
    return store.path.with_name(f"{list(plan.pictures).index(picture) + 1:02d}_{system}.png")


def _begin(
    store: ratings.Store, plan: ratings.Plan, systems: Sequence[System], pictures: Sequence[Picture]
) -> None:
    """Fills the pictures and writes the whole study in one step, so that there is never half of one."""
    with files.replacing_folder(store.path.parent) as temporary:
        new = ratings.Store(temporary / ratings.DATABASE)
        jobs = [(system, picture) for system in systems for picture in pictures]
        for system, picture in tqdm(jobs, "Filling", unit="picture"):
            encoded = io.BytesIO()  # Pillow does not tell when the disk is full
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


def _systems() -> list[System]:
    args = flags.FLAGS
    found = [_network(path) for path in args.runs] + [_baseline(name) for name in args.baseline]
    if args.originals:
        found.append(System(ratings.ORIGINAL, "", lambda rgb, mask: rgb))
    names = [system.name for system in found]
    if len(set(names)) < len(names) or ratings.ORIGINAL in names[: len(args.runs)]:
        raise InputError(
            f"--runs and --baseline must have different names, and none {ratings.ORIGINAL!r}. Received "
            f"{', '.join(names)}: rename a folder or file."
        )
    return found


def _network(path: str) -> System:
    model = runs.load(path)
    fingerprint = _digest(model.get_weights())
    return System(runs.shown_name(path), fingerprint, functools.partial(_filled_by_network, model))


def _filled_by_network(model: keras.Model, rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return inpaint(model, rgb, mask, blend="none")


def _baseline(name: str) -> System:
    method = classical.get(name)

    def fill(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
        image, hole = to_float(rgb), mask[..., None].astype(np.float32)
        return to_uint8(composite(image, method(image[None], hole[None])[0], hole))

    return System(name, name, fill)


def _pictures() -> list[Picture]:
    """--count pictures with their holes: of the folder --pictures, or of the first run's test pictures."""
    args = flags.FLAGS
    run = _first_run()
    mask = args.mask or (run.recipe.mask.test if run else Mask())
    if args.pictures is None:
        names, read = _test_pictures(run)
    else:
        found = _picture_files(Path(args.pictures).expanduser())
        names, read = [file.name for file in found], lambda index: photographs.read(found[index]).rgb
    if len(names) < args.count:
        raise InputError(
            f"--count must be at most the number of pictures, {len(names)}. Received {args.count}."
        )
    chosen = sorted(random.Random(f"{args.seed}").sample(range(len(names)), args.count))
    rgbs = [read(index) for index in chosen]
    holes = [_hole(mask, index, names[index], rgb) for index, rgb in zip(chosen, rgbs, strict=True)]
    return [Picture(names[index], rgb, hole) for index, rgb, hole in zip(chosen, rgbs, holes, strict=True)]


def _first_run() -> runs.Run | None:
    """The first of --runs, if it is the folder of a run (and not a mere model file)."""
    if not flags.FLAGS.runs:
        return None
    path = flags.FLAGS.runs[0]
    folder = models.folder(path) or Path(path).expanduser()
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
    found = folder.iterdir() if folder.is_dir() else ()
    found = sorted(file for file in found if file.suffix.lower() in photographs.ENDINGS)
    if not found:
        raise InputError(f"--pictures must be a folder of pictures. Received {str(folder)!r}: none in it.")
    return found


def _hole(mask: Mask | str, index: int, name: str, rgb: np.ndarray) -> np.ndarray:
    """The hole of picture number `index`: the one that evaluation makes in it, or the one in its file."""
    size = rgb.shape[:2]
    if isinstance(mask, str) and mask not in SAMPLERS:
        folder = Path(mask).expanduser()
        if not folder.is_dir():
            raise unknown("--mask", mask, [*SAMPLERS, "a folder of masks"])
        return photographs.read_mask(photographs.mask_file(folder, name), size)
    return fixed(Mask(mask) if isinstance(mask, str) else mask, [index], size)[0, ..., 0] > 0


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


# The page


def page(store: ratings.Store) -> Any:
    """The page as a `gradio.Blocks`."""
    gr = pages.gradio()
    with gr.Blocks(title="How natural does it look?", analytics_enabled=False) as demo:
        parts: dict[str, Any] = {}
        with gr.Column(elem_id="door") as parts["door"]:
            gr.Markdown(_WELCOME.format(None, *ratings.SCORES.values()))
            parts["name"] = gr.Textbox(
                label="Your name or number", max_lines=1, autofocus=True, elem_id="name",
                info="Something that nobody else here uses.",
            )  # fmt: skip
            parts["begin"] = gr.Button("Begin", variant="primary", elem_id="begin")
        with gr.Column(visible=False, elem_id="room") as parts["room"]:
            parts["progress"] = gr.Markdown(elem_id="progress")
            parts["picture"] = gr.HTML(elem_id="picture")
            gr.Markdown(_QUESTION, elem_id="question")
            with gr.Row(elem_id="scores"):
                for score, words in ratings.SCORES.items():
                    name = f"score-{score}"
                    parts[name] = gr.Button(f"{score}\n{words}", min_width=0, elem_id=name)
            parts["position"] = gr.Number(visible=False, precision=0)
        with gr.Column(visible=False, elem_id="thanks") as parts["thanks"]:
            parts["said"] = gr.Markdown()
            parts["again"] = gr.Button("Somebody else rates now", elem_id="again")
        _wire(demo, parts, Booth(store))
    return demo


class Booth:
    """What happens on the page: from the values of some of its parts to updates of others, by name."""

    def __init__(self, store: ratings.Store) -> None:
        self._store, self._plan = store, store.plan()
        self._shown: dict[str, float] = {}  # rater -> when the picture that they see was sent

    def entered(self, name: str | None) -> dict[str, Any]:
        """A rater begins, or goes on where they were."""
        return self._next(ratings.rater_name(name))

    def scored(self, score: int, name: str, position: int) -> dict[str, Any]:
        """Keeps the score of the picture at a position of the rater's order, and shows the next one.

        The page says which picture it showed, so that a score never goes to another one: a second click, or
        a second window, finds that one rated already.
        """
        gr = pages.gradio()
        rater = ratings.rater_name(name)
        if time.monotonic() - self._shown.get(rater, -GLANCE) < GLANCE:
            return {"position": gr.skip()}
        self._store.rate(rater, *self._plan.order(rater)[position - 1], score, position)
        return self._next(rater)

    def left(self) -> dict[str, Any]:
        """The door again, for another rater."""
        gr = pages.gradio()
        return {"door": gr.update(visible=True), "thanks": gr.update(visible=False), "name": ""}

    def _next(self, rater: str) -> dict[str, Any]:
        gr = pages.gradio()
        order, rated = self._plan.order(rater), self._store.rated(rater)
        todo = [position for position, fill in enumerate(order, 1) if fill not in rated]
        rooms = {"door": gr.update(visible=False), "room": gr.update(visible=bool(todo))}
        rooms["thanks"] = gr.update(visible=not todo)
        if not todo:
            return rooms | {"said": _THANKS.format(len(order)), "picture": ""}
        self._shown[rater] = time.monotonic()
        progress = f"{len(order) - len(todo) + 1} of {len(order)}"
        return rooms | {
            "progress": f"Picture **{progress}**",
            "picture": _as_html(shown_file(self._store, self._plan, *order[todo[0] - 1]), progress),
            "position": todo[0],
        }


def enlarged(rgb: np.ndarray) -> np.ndarray:
    """A picture in the size in which it is shown.

    Small ones are enlarged smoothly (bicubic): what is rated would otherwise be squares as much as the fill.
    """
    longest = max(rgb.shape[:2])
    side = min(max(longest, SMALLEST), LARGEST)
    if side == longest:
        return rgb
    size = [max(1, round(length * side / longest)) for length in rgb.shape[1::-1]]
    return cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC if side > longest else cv2.INTER_AREA)


def _as_html(file: Path, progress: str) -> str:
    """The pixels themselves, rather than an address whose name could say something."""
    encoded = io.BytesIO()
    with Image.open(file) as image:
        Image.fromarray(enlarged(np.array(image.convert("RGB")))).save(encoded, "png")
    pixels = base64.b64encode(encoded.getvalue()).decode()
    return f'<img alt="Picture {progress}" src="data:image/png;base64,{pixels}">'


def _wire(demo: Any, parts: dict[str, Any], booth: Booth) -> None:
    """Which part does what when."""

    def on(
        event: Callable[..., Any], handler: Callable[..., dict[str, Any]], inputs: str, outputs: str
    ) -> None:
        event(
            pages.in_words(lambda *values: {parts[k]: update for k, update in handler(*values).items()}),
            [parts[name] for name in inputs.split()],
            [parts[name] for name in outputs.split()],
            api_visibility="private",
            show_progress="hidden",
        )

    rooms = "door room thanks said progress picture position"
    for event in (parts["begin"].click, parts["name"].submit):
        on(event, booth.entered, "name", rooms)
    for score in ratings.SCORES:
        handler = functools.partial(booth.scored, score)
        on(parts[f"score-{score}"].click, handler, "name position", rooms)
    on(parts["again"].click, booth.left, "", "door thanks name")
    demo.load(None, js=_KEYS)


if __name__ == "__main__":
    define_flags()
    cli.run(main)

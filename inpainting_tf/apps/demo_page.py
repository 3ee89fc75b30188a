"""The page that repairs pictures: choose one, mark what is missing, see and download the result."""

from __future__ import annotations

import contextlib
import html
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inpainting_tf import photographs, runs
from inpainting_tf.apps import pages, retouching
from inpainting_tf.data.synthetic_faces import face
from inpainting_tf.errors import InputError
from inpainting_tf.inference import Engine
from inpainting_tf.ops.images import to_uint8

FORMATS = ("JPEG", "PNG", "WebP", "BMP", "TIFF")
BLENDINGS = {"Seamless (Poisson)": "poisson", "The network's own pixels": "none"}
BRUSH = 1 / 20  # of the picture's shorter side
HINTS = {
    "paint": "Brush over everything that is to be filled; the eraser removes paint.",
    "file": "A black and white picture as large as yours: **black is kept**, the rest is filled.",
    "face_mask": "The shape of a medical mask, for portraits cut as in CelebA: face in the middle, eyes at "
    "half the height. Elsewhere, paint.",
}
WELCOME = """### How it works
1. **Choose a picture.** It stays on this machine.
2. **Mark what is missing**: paint over it, upload a mask, or use the shape of a face mask.
3. **Fill the hole.** Only the pixels in it change.

A network repairs best what it was trained on: one for faces, faces.
"""
_CSS = """
#fill {min-height: 3.2rem; font-size: 1.15rem}
#note p {margin: 0}
"""


def named_models(paths: Sequence[str], engine: str = "keras") -> dict[str, Engine]:
    """Models by the names that the page shows.

    Raises:
        InputError: see `inpainting_tf.load`, or two models of the same name.
    """
    models: dict[str, Engine] = {}
    for path in paths:
        name = runs.shown_name(path)
        if name in models:
            raise InputError(f"--model must have different names. Received {name!r} twice.")
        models[name] = runs.load(path, engine=engine)
    return models


def serve(models: dict[str, Engine], server: pages.Server) -> None:
    """Serves the page until it is interrupted; see `pages.serve` for the errors raised."""
    pages.serve(lambda folder: page(models, folder), server, _CSS)


def page(models: dict[str, Engine], folder: Path) -> Any:
    """The page as a `gradio.Blocks`.

    Args:
        models: completion networks by the names shown.
        folder: for uploads and results.
    """
    gr = pages.gradio()
    with gr.Blocks(title="Fill the hole", analytics_enabled=False, delete_cache=(600, 3600)) as demo:
        gr.Markdown("# Fill the hole\nTake something out of a picture and let a neural network repair it.")
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=400):
                parts = _questions(gr, models)
            with gr.Column(scale=6, min_width=400):
                parts |= _answers(gr)
        _wire(parts, Handlers(models, folder))
    return demo


class Handlers:
    """The page's event handlers: from the values of some of its parts to updates of others, by name."""

    def __init__(self, models: dict[str, Engine], folder: Path) -> None:
        self._models, self._folder = models, folder
        self._next_face = itertools.count()

    def example(self) -> dict[str, Any]:
        """A drawn face in place of a user's file."""
        path = self._new("face.png")
        Image.fromarray(face(next(self._next_face), 384)).save(path)
        return {"picture": str(path)}

    def opened(self, picture: str | None) -> dict[str, Any]:
        """Shows the chosen picture, to be painted on; without one, only the welcome."""
        gr = pages.gradio()
        shown = {"welcome": gr.update(visible=True), "result": gr.update(visible=False)}
        hidden = {"hole": gr.update(visible=False), "fill": gr.update(visible=False)}
        if picture is None:
            return shown | hidden
        try:
            canvas = retouching.view(_read(picture).rgb)
        except InputError as error:  # an unreadable picture must not keep the painting of the last one
            gr.Warning(html.escape(str(error)), title="Please check")
            return shown | hidden | {"picture": None}
        painting = {"background": canvas, "layers": [], "composite": None}
        visible = {"hole": gr.update(visible=True), "fill": gr.update(visible=True)}
        return shown | visible | {"painting": gr.update(value=painting, brush=_brush(gr, canvas.shape[:2]))}

    def preview(self, picture: str | None, how: str, mask_file: str | None) -> dict[str, Any]:
        """Shows the tools of a kind of hole, and the hole."""
        gr = pages.gradio()
        hole = None
        if picture is not None and (how == "face_mask" or (how == "file" and mask_file is not None)):
            rgb = _read(picture).rgb
            hole = retouching.view(retouching.with_hole(rgb, _mask(how, rgb.shape[:2], None, mask_file)))
        return {"preview": gr.update(visible=hole is not None, value=hole)}

    def chosen(self, how: str) -> dict[str, Any]:
        """Shows the tools of a kind of hole."""
        gr = pages.gradio()
        return {
            "hint": HINTS[how],
            # Hidden but not removed from the page, which would lose the painting.
            "painting": gr.update(visible=True if how == "paint" else "hidden"),
            "mask_file": gr.update(visible=how == "file"),
            "preview": gr.update(visible=False),
        }

    def filled(
        self,
        picture: str | None,
        how: str,
        painting: dict[str, Any] | None,
        mask_file: str | None,
        model: str,
        blending: str,
        baselines: Sequence[str],
    ) -> dict[str, Any]:
        """Fills the hole and shows the result, the comparison, and the file to download."""
        gr = pages.gradio()
        if picture is None:
            raise InputError("There is no picture yet: drop one into step 1.")
        photograph = _read(picture)
        rgb = photograph.rgb
        mask = _mask(how, rgb.shape[:2], painting, mask_file)
        start = time.perf_counter()
        filled, others, left_out = retouching.repair(self._models[model], rgb, mask, blending, baselines)
        seconds = time.perf_counter() - start
        for sentence in left_out:
            gr.Warning(sentence, title="Not compared")
        path = self._new(f"{Path(picture).stem}_filled.png")
        photographs.write(path, photograph, filled, mask)
        named = {"Original": rgb, "Hole": retouching.with_hole(rgb, mask), f"Network: {model}": filled}
        named |= {retouching.CLASSICAL[name].title: fill for name, fill in others.items()}
        note = f"**{mask.sum():,}** of {mask.size:,} pixels were filled in {seconds:.1f} s; all others are "
        return {
            "welcome": gr.update(visible=False),
            "result": gr.update(visible=True),
            "slider": (retouching.view(rgb), retouching.view(filled)),
            "note": " ".join([note + "as they were.", *left_out]),
            "download": str(path),
            "all": [(retouching.view(each, retouching.SMALL_VIEW), title) for title, each in named.items()],
        }

    def _new(self, name: str) -> Path:
        """The path of a new file in a new folder."""
        place = self._folder / secrets.token_hex(8)
        place.mkdir()
        return place / name


def _questions(gr: Any, models: dict[str, Any]) -> dict[str, Any]:
    """The left column: picture, hole, model."""
    parts: dict[str, Any] = {}
    gr.Markdown("### 1. Choose a picture")
    gr.Markdown(f"{', '.join(FORMATS)}; one frame, 8 bits, grey or RGB.", elem_classes="hint")
    parts["picture"] = gr.File(show_label=False, height=140, elem_id="picture")
    parts["example"] = gr.Button("or try a drawn face", size="sm", elem_id="example")
    with gr.Column(visible=False) as parts["hole"]:
        gr.Markdown("### 2. Mark what is missing")
        ways = [(title, how) for how, title in retouching.HOLES.items()]
        parts["how"] = gr.Radio(ways, value="paint", show_label=False, container=False, elem_id="how")
        parts["hint"] = gr.Markdown(HINTS["paint"], elem_classes="hint")
        parts["painting"] = _painting(gr)
        parts["mask_file"] = gr.File(show_label=False, visible=False, height=140, elem_id="mask_file")
        parts["preview"] = gr.Image(
            label="What will be filled", visible=False, interactive=False, format="png", height=400,
            buttons=[], elem_id="preview",
        )  # fmt: skip
        with gr.Accordion("3. Network, blending, comparison", open=False, elem_id="options"):
            with gr.Row():
                parts["model"] = gr.Dropdown(list(models), value=next(iter(models)), label="Network")
                parts["blending"] = gr.Dropdown(list(BLENDINGS.items()), value="poisson", label="Blending")
            parts["baselines"] = gr.CheckboxGroup(
                [(limit.title, name) for name, limit in retouching.CLASSICAL.items()],
                value=["telea"],
                label="Compare with classical methods",
                elem_id="baselines",
            )
    parts["fill"] = gr.Button("Fill the hole", variant="primary", visible=False, elem_id="fill")
    return parts


def _painting(gr: Any) -> Any:
    """A canvas with a brush and an eraser; no tool changes the picture below."""
    return gr.ImageEditor(
        show_label=False,
        type="numpy",
        image_mode="RGBA",
        format="png",
        sources=(),
        transforms=(),
        layers=False,
        buttons=[],
        brush=_brush(gr, (400, 400)),
        height=460,
        elem_id="painting",
    )


def _brush(gr: Any, size: tuple[int, int]) -> Any:
    """A brush of one colour for pictures of (height, width)."""
    red, green, blue = to_uint8(np.asarray(retouching.OUTLINE_COLOR, np.float32))
    colour = f"rgb({red}, {green}, {blue})"
    return gr.Brush(default_size=max(1, round(BRUSH * min(size))), colors=[colour], color_mode="fixed")


def _answers(gr: Any) -> dict[str, Any]:
    """The right column: first the instructions, then the result."""
    parts: dict[str, Any] = {}
    with gr.Column(visible=True) as parts["welcome"]:
        gr.Markdown(WELCOME, elem_classes="hint")
    with gr.Column(visible=False) as parts["result"]:
        gr.Markdown("### Result")
        parts["slider"] = gr.ImageSlider(
            label="Original | filled", format="png", max_height=640, interactive=False,
            buttons=["fullscreen"], elem_id="slider",
        )  # fmt: skip
        parts["note"] = gr.Markdown(elem_id="note")
        parts["download"] = gr.DownloadButton("Download as PNG", elem_id="download")
        parts["all"] = gr.Gallery(
            label="Side by side", columns=3, object_fit="contain", format="png", height="auto",
            interactive=False, buttons=["fullscreen"], elem_id="all",
        )  # fmt: skip
    return parts


def _wire(parts: dict[str, Any], handlers: Handlers) -> None:
    """Connects the parts' events to the handlers."""

    def on(
        event: Callable[..., Any], handler: Callable[..., dict[str, Any]], inputs: str, outputs: str
    ) -> Any:
        return event(
            pages.errors_shown(lambda *values: {parts[k]: update for k, update in handler(*values).items()}),
            [parts[name] for name in inputs.split()],
            [parts[name] for name in outputs.split()],
            api_visibility="private",
            show_progress="full" if handler == handlers.filled else "hidden",
            concurrency_id="handlers",  # one request at a time
        )

    questions = "picture how painting mask_file model blending baselines"
    on(parts["example"].click, handlers.example, "", "picture")
    opened = on(
        parts["picture"].change, handlers.opened, "picture", "picture hole fill painting welcome result"
    )
    on(opened.success, handlers.preview, "picture how mask_file", "preview")
    chosen = on(parts["how"].change, handlers.chosen, "how", "hint painting mask_file preview")
    on(chosen.success, handlers.preview, "picture how mask_file", "preview")
    on(parts["mask_file"].change, handlers.preview, "picture how mask_file", "preview")
    on(parts["fill"].click, handlers.filled, questions, "welcome result slider note download all")


def _read(file: str) -> photographs.Photograph:
    with open(file, "rb") as opened:  # without the path: it is the server's
        return photographs.read(opened)


def _mask(
    how: str, size: tuple[int, int], painting: dict[str, Any] | None, mask_file: str | None
) -> np.ndarray:
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(mask_file, "rb")) if mask_file else None
        layers = painting["layers"] if painting else ()
        return retouching.mask_of(how, size, layers=layers, file=file)

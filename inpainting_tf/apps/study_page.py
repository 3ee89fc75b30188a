"""The page of the rating study: a rater gives one picture after the other a score from 1 to 5.

Where the fills of a picture are shown together, they stand beside each other while each gets its score.

No name of a system is on the page, nor in any of its requests.
"""

from __future__ import annotations

import base64
import functools
import io
import string
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from inpainting_tf.apps import pages, serving
from inpainting_tf.apps.stimuli import shown_file
from inpainting_tf.evaluation import ratings

# Pictures are shown with their longer side at least and at most so long.
SMALLEST, LARGEST = 512, 1024
GLANCE = 0.5  # seconds: an earlier score is the second click of a double click
_WELCOME = """# How natural does it look?
You will see pictures, one at a time. A computer may have filled in a part of them.

Say for each **how natural it looks**, from 1 ({1}) to 5 ({5}). There is no right or wrong and no way back:
go with your first impression. You can stop at any time and go on later under the same name.
"""
_TOGETHER = """# How natural do they look?
You will see a picture as several methods have filled in a part of it, beside each other.

Say for each **how natural it looks**, from 1 ({1}) to 5 ({5}): the one with the frame is the next. There is
no right or wrong and no way back. You can stop at any time and go on later under the same name.
"""
_QUESTION = "**How natural does it look?** Press a button, or a key from 1 to 5."
_THANKS = "# Thank you!\nYou have rated all {} pictures. You can close this page now."
_CSS = """
#room {max-width: 900px; margin: auto}
#door, #thanks {max-width: 640px; margin: 8vh auto}
#progress p, #question p {text-align: center; font-size: 1.1rem}
#picture img {display: block; margin: auto; max-width: 100%; max-height: 62vh}
#picture .all {display: flex; flex-wrap: wrap; gap: 10px; justify-content: center}
#picture figure {flex: 1 1 150px; max-width: 512px; margin: 0; padding: 4px; border: 4px solid transparent}
#picture figure.next {border-color: #D55E00}
#picture figcaption {text-align: center; font-weight: bold}
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


def serve(store: ratings.Store, server: serving.Server) -> None:
    """Serves the study until it is interrupted; see `pages.serve` for the errors raised."""
    pages.serve(lambda _: page(store), server, _CSS)


def page(store: ratings.Store) -> Any:
    """The page as a `gradio.Blocks`."""
    gr = pages.gradio()
    with gr.Blocks(title="How natural does it look?", analytics_enabled=False) as demo:
        parts: dict[str, Any] = {}
        with gr.Column(elem_id="door") as parts["door"]:
            welcome = _TOGETHER if store.plan().together else _WELCOME
            gr.Markdown(welcome.format(None, *ratings.SCORES.values()))
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
        _wire(demo, parts, Handlers(store))
    return demo


class Handlers:
    """The page's event handlers: from the values of some of its parts to updates of others, by name."""

    def __init__(self, store: ratings.Store) -> None:
        self._store, self._plan = store, store.plan()
        self._shown: dict[str, float] = {}  # rater -> time at which their picture was sent

    def entered(self, name: str | None) -> dict[str, Any]:
        """A rater begins, or continues."""
        return self._next(ratings.rater_name(name))

    def scored(self, score: int, name: str, position: int) -> dict[str, Any]:
        """Stores the score of the picture at a position of the rater's order, and shows the next one.

        The page sends the position that it showed, so that a score never goes to another picture: after a
        second click, or in a second window, that one is rated already.
        """
        gr = pages.gradio()
        rater = ratings.rater_name(name)
        if time.monotonic() - self._shown.get(rater, -GLANCE) < GLANCE:
            return {"position": gr.skip()}
        self._store.rate(rater, *self._plan.order(rater)[position - 1], score, position)
        return self._next(rater)

    def left(self) -> dict[str, Any]:
        """The first page again, for another rater."""
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
            "picture": self._picture(order, todo[0], progress),
            "position": todo[0],
        }

    def _picture(self, order: Sequence[tuple[str, str]], position: int, progress: str) -> str:
        """The fill at a position of the order, where they are shown together among all of its picture."""
        shown = order[position - 1]
        if not self._plan.together:
            return _as_html(shown_file(self._store, self._plan, *shown), f"Picture {progress}")
        every = [fill for fill in order if fill[0] == shown[0]]
        cells = []
        for letter, fill in zip(string.ascii_uppercase, every, strict=False):
            image = _as_html(
                shown_file(self._store, self._plan, *fill), f"Picture {progress}" if fill == shown else letter
            )
            place = ' class="next"' if fill == shown else ""
            cells.append(f"<figure{place}>{image}<figcaption>{letter}</figcaption></figure>")
        return f'<div class="all">{"".join(cells)}</div>'


def enlarged(rgb: np.ndarray) -> np.ndarray:
    """A picture in the size in which it is shown.

    Small ones are enlarged smoothly (bicubic), so that the scores are of the fill and not of square pixels.
    """
    longest = max(rgb.shape[:2])
    side = min(max(longest, SMALLEST), LARGEST)
    if side == longest:
        return rgb
    size = [max(1, round(length * side / longest)) for length in rgb.shape[1::-1]]
    return cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC if side > longest else cv2.INTER_AREA)


def _as_html(file: Path, label: str) -> str:
    """The pixels themselves, as the name in an address could reveal the system."""
    encoded = io.BytesIO()
    with Image.open(file) as image:
        Image.fromarray(enlarged(np.array(image.convert("RGB")))).save(encoded, "png")
    pixels = base64.b64encode(encoded.getvalue()).decode()
    return f'<img alt="{label}" src="data:image/png;base64,{pixels}">'


def _wire(demo: Any, parts: dict[str, Any], handlers: Handlers) -> None:
    """Connects the parts' events to the handlers."""

    def on(
        event: Callable[..., Any], handler: Callable[..., dict[str, Any]], inputs: str, outputs: str
    ) -> None:
        event(
            pages.errors_shown(lambda *values: {parts[k]: update for k, update in handler(*values).items()}),
            [parts[name] for name in inputs.split()],
            [parts[name] for name in outputs.split()],
            api_visibility="private",
            show_progress="hidden",
        )

    rooms = "door room thanks said progress picture position"
    for event in (parts["begin"].click, parts["name"].submit):
        on(event, handlers.entered, "name", rooms)
    for score in ratings.SCORES:
        handler = functools.partial(handlers.scored, score)
        on(parts[f"score-{score}"].click, handler, "name position", rooms)
    on(parts["again"].click, handlers.left, "", "door thanks name")
    demo.load(None, js=_KEYS)

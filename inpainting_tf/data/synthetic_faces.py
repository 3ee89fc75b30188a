"""Portraits of people who do not exist, drawn by code: a data set that needs no download and no consent.

`face(index)` draws one person in the manner of an aligned face crop: eyes at a stable height, face filling
most of the picture. Everything is drawn upright on one canvas in face coordinates (x to the right, y down,
origin between the eyes, 1 = half the width of a face), then tilted, cropped, graded like a photograph and
resampled.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from inpainting_tf.errors import InputError

CANVAS = 304  # pixels that are drawn; a tilted head needs a margin around
VIEW = 256  # pixels of the canvas that the picture shows
UNIT = 62.0  # pixels per face unit
ORIGIN = np.array([152.0, 141.0])  # where the point between the eyes lies on the canvas

SKINS = [(230, 193, 170), (224, 180, 152), (226, 176, 142), (205, 150, 112)]
SKINS += [(172, 116, 82), (136, 88, 60), (112, 72, 52), (90, 60, 47)]
HAIRS = {
    "black": (40, 34, 34),
    "dark brown": (62, 44, 34),
    "brown": (94, 62, 40),
    "chestnut": (112, 58, 34),
    "blond": (196, 158, 100),
    "light": (222, 194, 146),
    "red": (156, 74, 34),
    "grey": (150, 148, 146),
    "white": (216, 214, 210),
    "dyed": (150, 52, 92),
}
IRISES = [(74, 44, 24), (96, 62, 32), (54, 34, 24), (84, 116, 140)]
IRISES += [(110, 136, 120), (98, 102, 70), (66, 96, 62)]
_CIRCLE = np.stack([np.cos(np.arange(24) * np.pi / 12), np.sin(np.arange(24) * np.pi / 12)], -1)
STYLES = (
    "bald",
    "buzz",
    "short",
    "quiff",
    "fringe",
    "bob",
    "long",
    "curly",
    "afro",
    "bun",
    "beanie",
    "scarf",
)
MASCULINE_ODDS = (0.10, 0.14, 0.29, 0.20, 0.03, 0.0, 0.04, 0.09, 0.06, 0.0, 0.05, 0.0)
FEMININE_ODDS = (0.005, 0.01, 0.05, 0.02, 0.13, 0.15, 0.315, 0.115, 0.05, 0.08, 0.025, 0.05)
Patch = tuple[Image.Image, tuple[int, int]]  # coverage, and its left and top on the canvas
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
BACKGROUNDS = ("gradient", "studio", "bokeh", "window", "stripes", "foliage", "street")
COLLARS = ("round", "vee", "shirt", "polo neck", "hood")


@dataclass(frozen=True)
class Look:
    """What is drawn by lot about a person and the photograph; lengths in face units, angles in radians."""

    masculine: float
    age: float
    skin: tuple[float, ...]
    hair: tuple[float, ...]
    iris: tuple[float, ...]
    style: str
    part: float
    volume: float
    length: float
    hairline: float
    jaw: float
    chin: float
    width: float
    eye_size: float
    spacing: float
    eye_slant: float
    eye_open: float
    brow: float
    brow_height: float
    nose: float
    lips: float
    smile: float
    teeth: bool
    gaze: float
    makeup: float
    beard: str
    freckles: bool
    glasses: str
    earrings: bool
    collar: str
    cloth: tuple[float, ...]
    background: str
    yaw: float
    tilt: float
    scale: float
    shift: tuple[float, float]
    light: tuple[float, float, float]
    ambient: float
    exposure: float
    warmth: float


@dataclass(frozen=True)
class Scene:
    """What every drawing step works on: the picture so far, the person, and the source of fine detail."""

    picture: Image.Image
    look: Look
    rng: np.random.Generator
    coat: Image.Image  # hair over the whole canvas, to be cut to shape


def face(index: int, image_size: int | tuple[int, int] = 128, *, seed: int = 0) -> np.ndarray:
    """One drawn portrait, the same for the same `(seed, index)` at every size.

    Args:
        index: which person, 0 or more.
        image_size: side, or (height, width), in pixels, 8 to 1024; detail is drawn for up to 256. A picture
            that is not square shows the middle of the square one, undistorted.
        seed: which population, 0 or more.

    Returns:
        uint8 RGB picture [height, width, 3], values 0 to 255.

    Raises:
        InputError: `index` or `seed` is not a whole number of 0 or more, or `image_size` is out of range.
    """
    height, width = _check(index, image_size, seed)
    rng = np.random.default_rng([seed, index])
    look = draw_look(rng)
    scene = Scene(background(look, rng), look, rng, coat(look, rng))
    behind = (hair_back, neck, clothes, ears)
    features = (head, eyes, brows, nose, mouth, wrinkles, beard)
    for step in (*behind, *features, glasses, hair_front, hat):
        step(scene)
    return np.array(photograph(scene, height, width))


def _check(index: object, image_size: object, seed: object) -> tuple[int, int]:
    for name, value in (("index", index), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise InputError(f"`{name}` must be a whole number of 0 or more. Received {value!r}.")
    sides = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    whole = all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not whole or not all(8 <= side <= 1024 for side in sides):
        rule = "must be a side or (height, width), whole, 8 to 1024"
        raise InputError(f"`image_size` {rule}. Received {image_size!r}.")
    return int(sides[0]), int(sides[1])


# ---------------------------------------------------------------------- the person


def draw_look(rng: np.random.Generator) -> Look:
    """A person and a photograph by lot; what goes together in life is drawn together."""
    masculine = float(np.clip(rng.choice([0.15, 0.85]) + rng.normal(0, 0.12), 0, 1))
    age, tone = rng.beta(1.3, 2.0), (len(SKINS) - 1.001) * rng.beta(0.9, 1.25)
    man = masculine > 0.5
    style = str(rng.choice(STYLES, p=MASCULINE_ODDS if man else FEMININE_ODDS))
    smile = rng.choice([rng.normal(0.05, 0.1), rng.uniform(0.4, 1.0)], p=[0.45, 0.55])
    side = rng.choice([-1, 1])
    light = np.array([side * rng.uniform(0.1, 0.75), -rng.uniform(0.15, 0.7), 1.0])
    return Look(
        masculine=masculine,
        age=age,
        skin=_vary(_mix(SKINS[int(tone)], SKINS[int(tone) + 1], tone % 1), rng, 5),
        hair=_vary(HAIRS[_hair_colour(rng, tone, age)], rng, 10),
        iris=IRISES[0 if tone > 4 else rng.integers(len(IRISES))],
        style=style,
        part=rng.choice([-1, 1]) * rng.uniform(0, 0.45),
        volume=rng.uniform(0.05, 0.2),
        length=rng.uniform(1.1, 1.8) if style == "bob" else rng.uniform(2.4, 3.4),
        hairline=-0.98 - rng.uniform(-0.08, 0.1) - 0.22 * age * man,
        jaw=0.2 + 0.7 * masculine + rng.normal(0, 0.15),
        chin=rng.normal(1.0, 0.045) + 0.03 * man,
        width=rng.normal(1.0, 0.035),
        eye_size=rng.normal(1.04 - 0.1 * masculine, 0.05),
        spacing=rng.normal(0.435, 0.014),
        eye_slant=rng.normal(0.008, 0.02),
        eye_open=float(np.clip(rng.normal(1.0, 0.13) - 0.12 * max(smile, 0), 0.65, 1.25)),
        brow=0.055 + 0.035 * masculine + rng.uniform(-0.015, 0.02),
        brow_height=rng.normal(0.025, 0.02),
        nose=rng.normal(0.97 + 0.1 * masculine, 0.09),
        lips=rng.normal(1.08 - 0.2 * masculine, 0.12),
        smile=float(smile),
        teeth=bool(smile > 0.45 and rng.random() < 0.8),
        gaze=rng.normal(0, 0.02),
        makeup=0.0 if man else rng.choice([0.1, 0.5, 1.0]) * rng.random(),
        beard=str(rng.choice(BEARDS, p=[0.42, 0.24, 0.06, 0.1, 0.18])) if man else "none",
        freckles=bool(tone < 3 and rng.random() < 0.2),
        glasses=str(rng.choice(["none", "thin", "thick", "sun"], p=[0.84, 0.06, 0.08, 0.02])),
        earrings=bool(rng.random() < (0.04 if man else 0.4)),
        collar=str(rng.choice(COLLARS)),
        cloth=tuple(rng.uniform(20, 235) * rng.uniform(rng.uniform(0.4, 0.95), 1.05, 3)),
        background=str(rng.choice(BACKGROUNDS)),
        yaw=float(np.clip(rng.normal(0, 0.12), -0.2, 0.2)),
        tilt=float(np.clip(rng.normal(0, 0.05), -0.13, 0.13)),
        scale=rng.uniform(0.98, 1.15),
        shift=tuple(rng.uniform(-4, 4, 2)),
        light=tuple(light / np.linalg.norm(light)),
        ambient=rng.uniform(0.28, 0.6),
        exposure=rng.normal(0.98, 0.07),
        warmth=rng.normal(0.01, 0.035),
    )


def _hair_colour(rng: np.random.Generator, tone: float, age: float) -> str:
    if rng.random() < 1.6 * (age - 0.5):
        return str(rng.choice(["grey", "white"]))
    if rng.random() < 0.02:
        return "dyed"
    dark = ["black", "black", "dark brown"]
    fair = ["dark brown", "brown", "brown", "chestnut", "blond", "blond", "light", "red", "black"]
    return str(rng.choice(dark if tone > rng.uniform(2, 5) else fair))


# ---------------------------------------------------------------------- drawing tools


def _mix(a, b, t: float) -> tuple[float, ...]:
    return tuple(p + t * (q - p) for p, q in zip(a, b, strict=True))


def _vary(colour, rng: np.random.Generator, spread: float) -> tuple[float, ...]:
    return tuple(np.clip(np.add(colour, rng.normal(0, spread) + rng.normal(0, spread / 3, 3)), 8, 250))


def _ink(colour, factor: float = 1.0) -> tuple[int, ...]:
    return tuple([min(max(int(channel * factor), 0), 255) for channel in colour])


def _pixels(points, look: Look, lift: float = 0.0, flat: bool = False) -> np.ndarray:
    """Face coordinates [n, 2] to canvas pixels: points on the face turn with the head, `flat` ones do not."""
    pixels = np.array(points, float)
    if not flat:
        x, y = pixels.T
        depth = np.sqrt(np.maximum(1 - x * x - (y / 1.75) ** 2, 0)) + lift
        pixels[:, 0] = x * np.cos(look.yaw) + depth * np.sin(look.yaw)
    return ORIGIN + UNIT * pixels


@functools.lru_cache(maxsize=8)
def _weights(steps: int) -> np.ndarray:
    """Catmull-Rom weights [steps, 4] of four neighbouring points."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None] ** np.arange(4)
    return t @ (np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2)


def _curve(points, closed: bool = True, steps: int = 5) -> np.ndarray:
    """Smooth lines [..., m, 2] through points [..., n, 2]."""
    p = np.asarray(points, float)
    first, last = p[..., :1, :], p[..., -1:, :]
    p = np.concatenate([last, p, p[..., :2, :]] if closed else [first, p, last], -2)
    count = p.shape[-2] - 3
    near = p[..., np.arange(count)[:, None] + np.arange(4), :]  # [..., count, 4, 2]
    line = (_weights(steps) @ near).reshape(*p.shape[:-2], count * steps, 2)
    return line if closed else np.concatenate([line, last], -2)


def _ribbon(points, width: float, taper: float = 0.6) -> np.ndarray:
    """The outline [m, 2] of a stroke along points [n, 2], `width` thick, tapered to both ends."""
    line = _curve(points, closed=False, steps=4)
    along = np.concatenate([line[1:2] - line[:1], line[2:] - line[:-2], line[-1:] - line[-2:-1]])
    normal = along[:, ::-1] * (-0.5 * width, 0.5 * width) / np.hypot(*along.T)[:, None]
    normal *= np.sin(0.12 + 2.9 / (len(line) - 1) * np.arange(len(line)))[:, None] ** taper
    return np.concatenate([line + normal, (line - normal)[::-1]])


def _both(outline) -> list[np.ndarray]:
    """An outline of the right side of the face and its mirror picture."""
    outline = np.asarray(outline, float)
    return [outline, outline * (-1, 1)]


def _oval(x: float, y: float, rx: float, ry: float) -> np.ndarray:
    return _CIRCLE * (rx, ry) + (x, y)


def _mask(outlines: list[np.ndarray], blur: float, opacity: float) -> Patch | None:
    """Polygons [n, 2] in pixels as one soft coverage picture, and its corner; None if off canvas."""
    margin, points = int(2 * blur) + 2, np.concatenate(outlines)
    left, top = np.maximum(points.min(0) - margin, 0).astype(int).tolist()
    right, bottom = np.minimum(points.max(0) + margin, CANVAS).astype(int).tolist()
    if right <= left or bottom <= top:
        return None
    grain = 2 if blur < 1 else 1  # what is blurred anyway needs no supersampling
    mask = Image.new("L", (grain * (right - left), grain * (bottom - top)))
    draw, ink = ImageDraw.Draw(mask), int(255 * min(opacity, 1))
    for outline in outlines:
        draw.polygon((grain * (outline - (left, top))).ravel().tolist(), fill=ink)
    mask = mask.filter(ImageFilter.GaussianBlur(blur)) if grain == 1 else mask.reduce(2)
    return mask, (left, top)


def _paint(scene: Scene, outlines, ink, *, blur=0.0, opacity=1.0, lift=0.0, flat=False) -> None:
    """Fill one outline [n, 2], or a list of them, given in face coordinates.

    Args:
        scene: where to paint.
        ink: a colour, or a picture of the whole canvas that shows through.
        blur: softness of the edge in canvas pixels; below 1 the edge is crisp.
        lift: how far the part stands out from the face, which moves it when the head turns.
        flat: whether the part stays in place when the head turns.
    """
    outlines = outlines if isinstance(outlines, list) else [outlines]
    if opacity <= 0.02 or not outlines:
        return
    covered = _mask([_pixels(outline, scene.look, lift, flat) for outline in outlines], blur, opacity)
    if covered:
        mask, (left, top) = covered
        box = (left, top, left + mask.width, top + mask.height)
        scene.picture.paste(ink.crop(box) if isinstance(ink, Image.Image) else _ink(ink), box, mask)


def _whole_mask(outlines: list[np.ndarray], look: Look, blur: float = 0.0, flat: bool = True) -> Image.Image:
    """Outlines in face coordinates as a coverage picture of the whole canvas."""
    whole = Image.new("L", (CANVAS, CANVAS))
    covered = _mask([_pixels(outline, look, flat=flat) for outline in outlines], blur, 1.0)
    if covered:
        whole.paste(*covered)
    return whole


def _spread(array: np.ndarray) -> Image.Image:
    """A small picture of 0 to 255, [n, n] or [n, n, 3], stretched smoothly over the canvas."""
    small = Image.fromarray(np.clip(array, 0, 255).astype(np.uint8))
    return small.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)


def _mirror(half) -> np.ndarray:
    """Close an outline given from top to bottom on the right by its mirror picture on the left."""
    half = np.asarray(half, float)
    return np.concatenate([half, half[::-1] * (-1, 1)])


def _noise(rng: np.random.Generator, cells: int, size: int) -> np.ndarray:
    """Smooth noise [size, size] of about -1 to 1, with `cells` bumps a side."""
    grain = Image.fromarray(rng.normal(0, 0.6, (cells, cells)).astype(np.float32))
    return np.asarray(grain.resize((size, size), Image.Resampling.BICUBIC))


# ---------------------------------------------------------------------- background


def background(look: Look, rng: np.random.Generator) -> Image.Image:
    """An out-of-focus place: drawn small, blurred, enlarged."""
    side = 80
    base = _vary(rng.uniform(45, 220) * rng.uniform(0.82, 1.08, 3), rng, 4)
    other = _vary(rng.uniform(20, 240) * rng.uniform(0.82, 1.08, 3), rng, 4)
    ramp = np.linspace(0, 1, side)
    turn = rng.uniform(0, 2 * np.pi)
    mixed = 0.5 + 0.6 * (np.cos(turn) * (ramp[None] - 0.5) + np.sin(turn) * (ramp[:, None] - 0.5))
    if look.background == "studio":
        x, y = rng.uniform(0.3, 0.7, 2)
        mixed = 1.5 * np.hypot(ramp[None] - x, ramp[:, None] - y)
    if look.background == "foliage":
        mixed = 0.5 + 0.7 * _noise(rng, 6, side) + 0.7 * _noise(rng, 22, side)
        base, other = _vary((60, 88, 42), rng, 18), _vary((188, 204, 140), rng, 22)
    array = np.asarray(base) + np.clip(mixed, 0, 1)[..., None] * np.subtract(other, base)
    picture = Image.fromarray(np.clip(array, 0, 255).astype(np.uint8))
    if look.background in _PLACES:
        _PLACES[look.background](ImageDraw.Draw(picture, "RGBA"), rng, base)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 2.2)))
    return picture.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)


def _bokeh(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base) -> None:
    draw.rectangle((0, 0, 80, 80), fill=(*_ink(base, 0.3), 150))
    for x, y, radius, glow in rng.uniform((0, 0, 2, 40), (80, 80, 7, 170), (26, 4)):
        colour = _ink(_mix((255, 190, 110), rng.uniform(60, 255, 3), 0.5))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, int(glow)))


def _window(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base) -> None:
    left, width = rng.choice([rng.uniform(-12, 6), rng.uniform(48, 62)]), rng.uniform(24, 34)
    top, bottom = rng.uniform(-5, 14), rng.uniform(50, 85)
    draw.rectangle((left - 3, top - 3, left + width + 3, bottom + 3), fill=(*_ink(base, 1.35), 255))
    draw.rectangle((left, top, left + width, bottom), fill=(*_ink(rng.uniform(195, 250, 3)), 255))
    for at in (0.33, 0.66):
        y = top + at * (bottom - top)
        draw.line((left, y, left + width, y), (*_ink(base, 1.2), 255), 2)
    draw.line((left + width / 2, top, left + width / 2, bottom), (*_ink(base, 1.2), 255), 2)


def _stripes(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base) -> None:
    step, upright = rng.uniform(6, 16), rng.random() < 0.6
    for at in np.arange(rng.uniform(-step, 0), 80, step):
        box = (at, 0, at + step * 0.45, 80) if upright else (0, at, 80, at + step * 0.45)
        draw.rectangle(box, fill=(*_ink(base, rng.uniform(0.6, 0.8)), 170))


def _street(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base) -> None:
    draw.rectangle((0, 0, 80, rng.uniform(15, 40)), fill=(*_ink(rng.uniform(175, 235, 3)), 255))
    for x in np.arange(-5, 80, rng.uniform(9, 18)):
        box = (x, rng.uniform(5, 45), x + rng.uniform(8, 18), 80)
        draw.rectangle(box, fill=(*_ink(rng.uniform(50, 190) * rng.uniform(0.85, 1.1, 3)), 235))
    draw.rectangle((0, rng.uniform(58, 72), 80, 80), fill=(*_ink(base, 0.7), 255))


_PLACES = {"bokeh": _bokeh, "window": _window, "stripes": _stripes, "street": _street}


# ---------------------------------------------------------------------- head and skin


def _outline(look: Look) -> np.ndarray:
    """The right side of the face from crown to chin, [n, 2], of a head that looks straight on."""
    jaw = np.clip(look.jaw, 0, 1.1)
    rows = np.array([-1.6, -1.5, -1.2, -0.8, -0.3, 0.1, 0.5, 0.88, 1.22, 1.46, 1.6, 1.66])
    low = [0.84 + 0.06 * jaw, 0.6 + 0.16 * jaw, 0.35 + 0.14 * jaw, 0.2 + 0.1 * jaw, 0.08]
    half = look.width * np.array([0.12, 0.48, 0.82, 0.95, 0.99, 0.98, 0.94, *low])
    return np.stack([half, np.where(rows > 0, rows * look.chin, rows)], -1)


def _turned_jaw(look: Look, y):
    """How far the jaw at height `y` moves sideways as the head turns."""
    return 0.55 * np.sin(look.yaw) * np.clip(y / 1.66, 0, 1) ** 2


def _head_shape(look: Look, grow: float = 0.0) -> np.ndarray:
    """The whole outline of the face, [n, 2], turned with the head."""
    shape = _curve(_mirror(_outline(look))) * (1 + grow)
    return shape + np.stack([_turned_jaw(look, shape[:, 1]), 0 * shape[:, 1]], -1)


@functools.lru_cache(maxsize=4)
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates of a canvas of side x side samples: x [1, side], y [side, 1], float32."""
    at = (np.arange(side) + 0.5) * CANVAS / side
    x, y = ((at[:, None] - ORIGIN) / UNIT).astype(np.float32).T
    return x[None], y[:, None]


def _bumps(look: Look, marks, side: int) -> np.ndarray:
    """A sum of Gaussian bumps [side, side]; marks are rows (x, y, spread of x, spread of y, height)."""
    x, y = _grid(side)
    marks = np.asarray(marks, float)
    centre = ((_pixels(marks[:, :2], look) - ORIGIN) / UNIT).astype(np.float32)
    wide, tall, height = marks[:, 2:].astype(np.float32).T[..., None]
    across = np.exp(-(((x - centre[:, :1]) / wide) ** 2) / 2)
    down = np.exp(-(((y.T - centre[:, 1:]) / tall) ** 2) / 2)
    return (down * height).T @ across


def _relief(look: Look) -> list[tuple[float, ...]]:
    """What stands out from the oval of a face: brow, sockets, nose, cheeks, lips, chin."""
    n, cheek = look.nose, 0.07 + 0.05 * max(look.smile, 0)
    both = [
        (0.40, -0.30, 0.24, 0.10, 0.03 + 0.04 * look.masculine),
        (0.42, -0.02, 0.22, 0.15, -0.11),
        (0.44, 0.20, 0.16, 0.05, -0.012 - 0.03 * look.age),
        (0.58, 0.40, 0.22, 0.20, cheek),
        (0.72, 0.85, 0.18, 0.25, -0.03),
        (0.15 * n, 0.56, 0.055, 0.06, 0.06),
        (0.17, 0.10, 0.05, 0.20, -0.035),
    ]
    middle = [
        (0, -0.75, 0.55, 0.28, 0.05),
        (0, 0.18, 0.075 * n, 0.26, 0.10),
        (0, 0.52, 0.115 * n, 0.10, 0.17),
        (0, 0.80, 0.03, 0.06, -0.012),
        (0, 0.92, 0.25, 0.07, 0.035),
        (0, 1.12, 0.22, 0.06, 0.045),
        (0, 1.24, 0.25, 0.06, -0.055),
        (0, 1.45, 0.17, 0.12, 0.07),
    ]
    return [(s * x, *rest) for s in (-1, 1) for x, *rest in both] + middle


def _skin(scene: Scene, side: int = 128) -> Image.Image:
    """Skin over the whole canvas: an ellipsoid with relief in soft Lambert light, a little gloss."""
    look, outline = scene.look, _outline(scene.look)
    x, y = _grid(side)
    nx = np.clip((x - _turned_jaw(look, y)) / np.interp(y, outline[:, 1], outline[:, 0]), -1.1, 1.1) * 0.88
    ny = np.clip(y / 1.8, -1, 1) * 0.8
    nz = np.sqrt(np.maximum(1 - nx**2 - ny**2, 0.06))
    slope_y, slope_x = np.gradient(_bumps(look, _relief(look), side) * np.float32(UNIT * side / CANVAS))
    nx, ny = nx - slope_x, ny - slope_y
    lx, ly, lz = np.float32(look.light)
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    facing = np.clip((nx * lx + ny * ly + nz * lz) / length * 0.85 + 0.15, 0, 1)
    value = look.ambient + (1.02 - look.ambient) * facing + 0.02 * _noise(scene.rng, 40, side)
    gloss = np.maximum((nx * lx + ny * ly + nz * (lz + 1)) / (length * np.sqrt(2 + 2 * lz)), 0) ** 32
    return _tint(look, value, 0.085 * gloss)


def _tint(look: Look, value: np.ndarray, gloss: np.ndarray | float = 0.0) -> Image.Image:
    """Light [side, side] to skin colour: shadows turn warm, blood shows at cheeks, nose and chin."""
    rosy = 0.05 + 0.05 * look.makeup
    marks = [(0.55, 0.45, 0.22, 0.18, rosy), (0.42, 0.18, 0.18, 0.06, 0.03)]  # cheeks, below the eyes
    marks += [(-x, *rest) for x, *rest in marks]
    marks += [(0, 0.55, 0.15, 0.12, 0.06), (0, 1.4, 0.2, 0.12, 0.03)]  # tip of the nose, chin
    blush = _bumps(look, marks, len(value))
    planes = [
        channel * (value * (1 - dark) + dark - blush * cool) + gloss * 225
        for channel, dark, cool in zip(look.skin, (0.35, 0.25, 0.225), (0.1, 1.0, 0.75), strict=True)
    ]
    return _spread(np.stack(planes, -1))


def neck(scene: Scene) -> None:
    """Neck and shoulders' skin, in the shade of the chin."""
    look = scene.look
    wide = 0.52 + 0.14 * look.masculine
    x, y = _grid(40)
    round_ = np.sqrt(np.clip(1 - (x / (wide * 1.25)) ** 2, 0, 1))
    facing = np.clip(round_ * look.light[2] + x / wide * look.light[0] * 0.6, 0, 1)
    value = look.ambient * 0.8 + (0.85 - look.ambient) * facing + 0 * y
    skin = replace(scene, picture=_tint(look, value))
    cords = _ribbon([(wide * 0.7, 1.6), (0.35, 1.9), (0.1, 2.2)], 0.1)
    _paint(skin, _both(cords), _dark(look), blur=3, opacity=0.25, flat=True)
    chin = _head_shape(look) * (0.92, 1) + (-0.12 * look.light[0], 0.2)
    _paint(skin, chin, _dark(look), blur=5, opacity=0.55, flat=True)
    sides = [(wide, 0.9), (wide, 1.4), (wide * 1.02, 1.8), (wide * 1.3, 2.05), (1.6, 2.3), (2.6, 2.8)]
    _paint(scene, _curve(_mirror(sides)), skin.picture, flat=True)


def ears(scene: Scene) -> None:
    """Two ears, with the far one hidden by the turned head, and earrings."""
    look = scene.look
    ear = np.array([(-0.1, -0.18), (0.06, -0.25), (0.15, -0.12), (0.12, 0.16), (0.05, 0.42), (-0.06, 0.45)])
    for s in (-1, 1):
        root = np.array([s * look.width - 0.35 * look.yaw, 0])
        lit = 0.72 + 0.22 * s * look.light[0] + 0.15 * look.ambient
        _paint(scene, _curve(ear * (s, 1) + root), _ink(_mix(look.skin, (190, 90, 70), 0.15), lit), flat=True)
        fold = _ribbon(np.array([(0, -0.12), (s * 0.07, -0.08), (s * 0.05, 0.2)]) + root, 0.07)
        _paint(scene, fold, _dark(look), blur=1.2, opacity=0.5, flat=True)
        if look.earrings:
            metal = (222, 190, 110) if look.lips > 1 else (214, 214, 222)
            drop = 0.06 + 0.1 * (look.volume > 0.12)
            _paint(scene, _oval(root[0] + s * 0.03, 0.44 + drop, 0.045, drop), metal, flat=True)


def head(scene: Scene) -> None:
    """The face itself: lit skin inside the outline, freckles, the shadow of the hair or a buzz cut on it."""
    look, skin = scene.look, replace(scene, picture=_skin(scene))
    hair = _front_shapes(scene)
    if look.style == "buzz":
        _paint(skin, hair, scene.coat, blur=3, opacity=0.75, flat=True)
    else:
        shadow = [np.add(shape, (-0.08 * look.light[0], 0.08)) for shape in hair]
        _paint(skin, shadow, _dark(look), blur=3, opacity=0.4, flat=True)
    if look.freckles:
        spots = scene.rng.normal((0, 0.35, 0.013), (0.42, 0.17, 0.003), (60, 3))
        freckles = [_oval(x, y, size, size)[::3] for x, y, size in spots]
        _paint(skin, freckles, _mix(look.skin, (130, 70, 40), 0.6), opacity=0.5)
    _paint(scene, _head_shape(look), skin.picture, flat=True)


# ---------------------------------------------------------------------- features


def _dark(look: Look, factor: float = 1.0) -> tuple[int, ...]:
    """The colour of a deep fold in this skin."""
    red, green, blue = look.skin
    return _ink((0.42 * red, 0.27 * green, 0.23 * blue), factor)


def eyes(scene: Scene) -> None:
    """Both eyes: lids in shade, ball, iris, pupil, highlight, lashes, crease."""
    look = scene.look
    wide, high = 0.205 * look.eye_size, 0.106 * look.eye_size * look.eye_open

    def at(points) -> list[np.ndarray]:
        """Eye coordinates (inner corner -1, outer corner 1) to both eyes."""
        x, y = np.asarray(points, float).T
        return _both(np.stack([look.spacing + wide * x, high * y - look.eye_slant * x], -1))

    def stroke(points, width: float, taper: float = 0.6) -> list[np.ndarray]:
        return _both(_ribbon(at(points)[0], width, taper))

    upper = [(-1, 0.25), (-0.6, -0.55), (-0.05, -1.0), (0.5, -0.8), (1.03, 0.1)]
    lower = [(1.03, 0.1), (0.5, 0.62), (0, 0.78), (-0.55, 0.62), (-1, 0.25)]
    lash, woman = _dark(look, 0.35), 1 - look.masculine
    socket = at([(-1.1, 0), (0, -2.1), (1.25, -0.6), (0.9, 0.9), (0, 1.2)])
    _paint(scene, socket, _dark(look), blur=4, opacity=0.28)
    lid = at([(-0.9, -0.2), (-0.3, -1.8), (0.6, -1.8), (1.3, -0.9), (1, 0)])
    _paint(scene, lid, _mix((90, 50, 60), look.cloth, 0.25), blur=2.5, opacity=0.5 * look.makeup)
    _eyeballs(scene, at(_curve(upper + lower[1:-1])), stroke([(-1.1, 0.1), (0, -0.9), (1.1, -0.1)], 0.11))
    _paint(scene, stroke(upper, 0.036 + 0.022 * woman + 0.02 * look.makeup, 0.4), lash)
    _paint(scene, stroke([(0.5, -0.85), (1.0, -0.2), (1.22, -0.5)], 0.03), lash, opacity=0.1 + 0.8 * woman)
    _paint(scene, stroke(lower, 0.024), _dark(look, 0.8), opacity=0.45 + 0.4 * look.makeup)
    crease = stroke([(-0.8, -0.6), (-0.3, -1.35), (0.4, -1.45), (1.0, -0.7)], 0.03)
    _paint(scene, crease, _dark(look), opacity=0.55)
    bag = stroke([(-0.8, 1.1), (0, 1.75), (0.8, 1.35)], 0.05)
    _paint(scene, bag, _dark(look), blur=2, opacity=0.12 + 0.4 * look.age)


def _eyeballs(scene: Scene, openings: list[np.ndarray], lid_shadow: list[np.ndarray]) -> None:
    """White, iris, pupil and highlight of both eyes, shown through the openings between the lids."""
    look = scene.look
    white = _ink(_mix((222, 216, 212), look.skin, 0.14))
    balls = replace(scene, picture=Image.new("RGB", (CANVAS, CANVAS), white))
    middles, y, r = [look.gaze + look.spacing - 0.006, look.gaze - look.spacing + 0.006], -0.014, 0.1
    rings = [(1.0, _ink(look.iris, 0.4), 0), (0.8, look.iris, 0.008), (0.44, (10, 8, 8), 0)]
    for size, colour, down in rings:
        _paint(balls, [_oval(x, y + down, r * size, r * size) for x in middles], colour)
    _paint(balls, lid_shadow, (40, 24, 22), blur=1.5, opacity=0.6)
    _paint(balls, _both(_oval(look.spacing - 0.19, 0.025, 0.03, 0.03)), (190, 120, 110), blur=1, opacity=0.7)
    glint = [_oval(x + 0.09 * look.light[0], y - 0.035, 0.02, 0.02) for x in middles]
    _paint(balls, glint, (255, 255, 255))
    _paint(scene, openings, balls.picture)


def brows(scene: Scene) -> None:
    """Brows of many short hairs over a soft band, darker than the hair of the head."""
    look, rng = scene.look, scene.rng
    colour = _mix(_ink(look.hair, 0.6), _dark(look), 0.35)
    arch = 0.05 * (1 - look.masculine) + 0.02 * look.smile
    up = look.brow_height
    path = [(0.19, -0.26 - up), (0.4, -0.32 - up - arch), (0.58, -0.32 - up - arch), (0.74, -0.24 - up)]
    _paint(scene, _both(_ribbon(path, look.brow * 1.3, 0.5)), colour, blur=1.2, opacity=0.85)
    roots = _curve(path, closed=False)[rng.integers(0, 12, 14)]
    roots = roots + (0, 1) * rng.uniform(-0.35, 0.35, (14, 1)) * look.brow
    hairs = [root + np.array([(0, 0.02), (0.075, -0.012), (0.07, 0)]) for root in roots]
    _paint(scene, [one for hair in hairs for one in _both(hair)], colour, opacity=0.6)


def nose(scene: Scene) -> None:
    """Nostrils, wings and the shadow below; the ridge itself comes from the relief."""
    look, n = scene.look, scene.look.nose
    away = -np.sign(look.light[0])
    _paint(scene, _oval(0.05 * away, 0.70, 0.18 * n, 0.05), _dark(look), blur=2.5, opacity=0.5, lift=0.08)
    shade = [(away * 0.15, -0.12), (away * 0.11, 0.2), (away * 0.17 * n, 0.52)]
    _paint(scene, _ribbon(shade, 0.09), _dark(look), blur=3, opacity=0.42, lift=0.05)
    wing = [(0.165 * n, 0.45), (0.215 * n, 0.56), (0.175 * n, 0.655)]
    _paint(scene, _both(_ribbon(wing, 0.035)), _dark(look), blur=1, opacity=0.6, lift=0.03)
    hole = [(0.045, 0.645), (0.10 * n, 0.61), (0.145 * n, 0.645), (0.09, 0.668)]
    _paint(scene, _both(_curve(hole)), _dark(look, 0.5), opacity=0.85, lift=0.08)
    side = look.light[0]
    ridge = _ribbon([(0.04 * side, 0.0), (0.04 * side, 0.2), (0.04 * side, 0.4)], 0.05)
    light = [_oval(0.05 * side, 0.5, 0.04, 0.035), ridge]
    _paint(scene, light, _mix(look.skin, (255, 250, 244), 0.7), blur=2, opacity=0.25, lift=0.15)


def mouth(scene: Scene) -> None:
    """Lips, teeth when the smile is open, the fold below and the corners."""
    look, smile = scene.look, max(scene.look.smile, 0)
    w, up, top, fat = 0.32 + 0.1 * smile, 0.09 * look.smile, 0.09 * look.lips, 0.13 * look.lips
    gap, y = (0.13 * smile if look.teeth else 0.0), look.chin - 0.02 * smile

    def across(middle: float, bow: float, half: float) -> list[tuple[float, float]]:
        """A line from corner to corner: how low it is in the middle, beside it, and halfway out."""
        right = [(0.075, y + bow), (w * 0.55, y + half), (w, y - up)]
        return [(-x, at) for x, at in right[::-1]] + [(0, y + middle)] + right

    seam, base = across(0.012, -0.004, 0.0), across(gap, gap * 0.97, gap * 0.85)
    crest = across(-0.85 * top, -1.1 * top, -0.7 * top)
    bottom = across(gap + fat, gap + fat * 0.98, gap + fat * 0.72)
    red = _mix(np.multiply(look.skin, (0.82, 0.58, 0.56)), (176, 32, 52), 0.7 * look.makeup)
    _paint(scene, _oval(0, y + gap + fat + 0.07, 0.17, 0.035), _dark(look), blur=2.5, opacity=0.4)
    if gap:
        _teeth(scene, _join(seam, base[::-1]), y, gap, w)
    _paint(scene, _join(seam, crest[::-1]), _ink(red, 0.82), blur=1, opacity=0.88)
    _paint(scene, _join(base, bottom[::-1]), red, blur=1, opacity=0.88)
    shine = [(-0.14, y + gap + fat * 0.45), (0.02, y + gap + fat * 0.5), (0.14, y + gap + fat * 0.45)]
    _paint(scene, _ribbon(shine, 0.05), (255, 235, 228), blur=1.6, opacity=0.3)
    if not gap:
        _paint(scene, _ribbon(seam, 0.034, 0.4), _dark(look, 0.6), opacity=0.85)
    _paint(scene, _both(_oval(w + 0.01, y - up, 0.03, 0.026)), _dark(look, 0.8), blur=1.2, opacity=0.55)


def _join(*lines) -> np.ndarray:
    """A closed outline of smooth lines, each starting where the one before ends."""
    return np.concatenate([_curve(line, closed=False) for line in lines])


def _teeth(scene: Scene, opening: np.ndarray, y: float, gap: float, w: float) -> None:
    look, inside = scene.look, (48, 16, 16)
    _paint(scene, opening, inside)
    _paint(scene, opening * (0.88, 1) - (0, gap * 0.1), _mix((232, 226, 216), look.skin, 0.1), opacity=0.95)
    lines = [_ribbon([(k * 0.068, y - 0.02), (k * 0.066, y + gap * 0.85)], 0.012) for k in range(-3, 4)]
    _paint(scene, lines, (150, 130, 122), opacity=0.3)
    _paint(scene, _both(_oval(w * 0.82, y, w * 0.16, gap)), inside, blur=1.5, opacity=0.5)


def wrinkles(scene: Scene) -> None:
    """Folds from nose to mouth with smile and age; lines on forehead and beside the eyes with age."""
    look, smile = scene.look, max(scene.look.smile, 0)
    w = 0.42 + 0.1 * smile
    fold = _ribbon([(0.23, 0.58), (0.38, 0.75), (w, 0.95), (w, 1.08)], 0.06)
    _paint(scene, _both(fold), _dark(look), blur=1.8, opacity=0.1 + 0.22 * smile + 0.35 * look.age)
    crow = [[(0.7, 0.03 * k), (0.82, 0.07 * k - 0.05)] for k in range(3)]
    lines = [_ribbon(side, 0.025) for line in crow for side in _both(line)]
    for y in (-0.88, -0.75, -0.62):
        lines += [_ribbon([(-0.5, y + 0.02), (-0.2, y - 0.02), (0.2, y - 0.01), (0.5, y + 0.03)], 0.035)]
    _paint(scene, lines, _dark(look), blur=1, opacity=0.5 * (look.age - 0.45))


def beard(scene: Scene) -> None:
    """Stubble, moustache, goatee or full beard: hair in a soft region around the mouth."""
    look, rng = scene.look, scene.rng
    if look.beard == "none":
        return
    smile, jaw = max(look.smile, 0), _head_shape(look, 0.015)
    w = 0.36 + 0.1 * smile
    edge = [(0, 0.79), (0.25, 0.8), (w, 0.96), (w + 0.03, 1.12), (w * 0.85, 1.02), (0, 0.9)]
    lip = _curve(edge + [(-x, y) for x, y in edge[-2:0:-1]])
    chin = _curve(_mirror([(0.16, 1.26 + 0.06 * smile), (0.33, 1.22), (0.42, 1.4), (0.2, 1.72)]))
    under = 1.32 + 0.06 * smile
    cheek = _mirror([(0, under), (0.32, 1.26), (0.44, 0.98), (0.72, 0.72), (0.88, 0.4), (0.98, 0.05)])
    cheek = cheek + np.stack([1.6 * _turned_jaw(look, cheek[:, 1]), 0 * cheek[:, 1]], -1)
    below = jaw[jaw[:, 1] > 0.05]  # runs from the right temple under the chin to the left one
    region = _whole_mask([lip] if look.beard == "moustache" else [lip, chin], look, 2.5, flat=False)
    if look.beard in ("full", "stubble"):
        sides = _whole_mask([np.concatenate([cheek[:6], below, cheek[6:]])], look, 2.5)
        region = ImageChops.lighter(region, sides)
    strength = 0.3 if look.beard == "stubble" else 0.9
    grain = _spread(255 * (strength + 0.16 * rng.normal(size=(160, 160))))
    scene.picture.paste(scene.coat.point(lambda level: level * 0.85), mask=ImageChops.multiply(region, grain))


# ---------------------------------------------------------------------- hair


def coat(look: Look, rng: np.random.Generator) -> Image.Image:
    """Hair over the whole canvas: strands of varied shades on a darker ground, lit from the light's side."""
    ground = Image.new("RGB", (CANVAS, CANVAS), _ink(look.hair, 0.78))
    draw, strands = ImageDraw.Draw(ground), _strands(look, rng)
    lines = (ORIGIN + UNIT * strands).reshape(len(strands), -1).round(1).tolist()
    lots = rng.normal((0.97, 2), (0.15, 7), (len(strands), 2))  # a strand's shade and its paleness
    shades = lots[:, :1] * look.hair + lots[:, 1:]
    inks, widths = np.clip(shades, 0, 255).astype(int).tolist(), rng.integers(1, 4, len(strands)).tolist()
    for line, ink, width in zip(lines, inks, widths, strict=True):
        draw.line(line, fill=tuple(ink), width=width)
    x, y = _grid(40)
    crown = np.exp(-(((x - look.light[0] * 0.9) / 0.7) ** 2) - ((y + 1.35) / 0.35) ** 2)
    toward = 0.15 * np.clip(x * look.light[0], -1, 1)
    light = 0.62 + 0.12 * look.ambient + 0.3 * crown + toward - 0.06 * np.clip(y, 0, 3)
    return ImageChops.multiply(ground, Image.merge("RGB", [_spread(255 * light)] * 3))


def _long_strands(look: Look, rng: np.random.Generator, count: int = 190) -> np.ndarray:
    """Strands [count, m, 2] that fall from the parting over the temples and down the sides."""
    path = [(0, -1.62), (0.5, -1.52), (0.92, -1.05), (1.08, -0.3), (1.12, 0.6), (1.16, 1.6), (1.2, 2.8)]
    across, down = np.array(path).T
    out = rng.uniform(0.0 if look.style == "fringe" else 0.35, 1.4, (count, 1))
    s = rng.choice([-1, 1], (count, 1))
    wave = 0.05 * np.sin(down * rng.uniform(2, 5) + rng.uniform(0, 6) + rng.normal(0, 0.3, (count, 1)))
    x = look.part * (1 - np.minimum(across, 1)) + s * across * out + wave
    y = np.where(down < 0, down * (0.62 + 0.4 * out), down)
    return _curve(np.stack([x, y + 0 * x], -1), closed=False, steps=3)


def _short_strands(rng: np.random.Generator, root, count: int = 330, reach: float = 0.26) -> np.ndarray:
    """Short strokes [count, 3, 2] that point away from `root`."""
    start = rng.uniform((-1.25, -2.0), (1.25, 1.8), (count, 2))
    away = start - root
    away = away / (np.linalg.norm(away, axis=1, keepdims=True) + 0.1) * reach
    bend = rng.normal(0, 0.06, (count, 2))
    return np.stack([start, start + away * 0.6 + bend, start + away + bend * 0.5], 1)


def _curls(rng: np.random.Generator, count: int = 480) -> np.ndarray:
    """Small arcs [count, m, 2] all over."""
    turn = rng.uniform(0, 2 * np.pi, (count, 1)) + np.linspace(0, 4, 7)
    centre = rng.uniform((-1.7, -2.1), (1.7, 1.6), (count, 2))[:, None]
    return centre + rng.uniform(0.03, 0.1, (count, 1, 1)) * np.stack([np.cos(turn), np.sin(turn)], -1)


def _ragged(points: np.ndarray, rng: np.random.Generator, depth: float) -> np.ndarray:
    """An outline [n, 2] with tufts of `depth`."""
    line = _curve(points)
    centre = np.array([0, -0.3])
    return _curve(centre + (line - centre) * (1 + depth * rng.uniform(-1, 1, (len(line), 1))), steps=3)


def _fluff(look: Look) -> float:
    return {"afro": 0.06, "curly": 0.045}.get(look.style, 0.008)


def _volume(look: Look) -> float:
    return look.volume + {"afro": 0.15, "curly": 0.12, "buzz": -0.05}.get(look.style, 0.0)


def _falls(look: Look) -> float:
    """How far down the hair reaches, in face units."""
    if look.style in ("long", "bob", "beanie"):
        return look.length
    curly = 1.2 * (1 - look.masculine) - 0.05
    return {"curly": curly, "afro": 0.15, "fringe": 1.1}.get(look.style, 0.05)


def _strands(look: Look, rng: np.random.Generator) -> np.ndarray:
    if look.style in ("curly", "afro"):
        return _curls(rng)
    if look.style in ("long", "bob", "fringe", "bun", "beanie"):
        return _long_strands(look, rng)
    return _short_strands(rng, (look.part, -0.7 if look.style == "quiff" else -1.2))


def hair_back(scene: Scene) -> None:
    """The hair behind head, neck and shoulders, in the shade of the head."""
    look = scene.look
    if look.style in ("bald", "buzz") or (look.style == "beanie" and look.masculine > 0.5):
        return
    if look.style == "scarf":
        hood = _mirror([(0.3, -1.85), (0.95, -1.5), (1.25, -0.5), (1.2, 0.7), (1.0, 1.6), (1.9, 2.8)])
        _paint(scene, _curve(hood), _ink(look.cloth, 0.7), flat=True)
        return
    v, low = _volume(look), _falls(look)
    short = low < 0.2
    wide = 1.08 + v - 0.12 * short
    crown = [(0.35, -1.62 - v), (0.85, -1.35 - v), (wide - 0.02, -0.7), (wide - 0.05 * short, -0.2)]
    sides = [(1.0, low)] if short else [(wide, low * 0.6), (wide - 0.06, low)]
    outline = _ragged(_mirror([*crown, *sides, (0.5, low + 0.1)]), scene.rng, _fluff(look))
    _paint(scene, outline, scene.coat.point(lambda level: level * 0.62), flat=True)
    if look.style == "bun":
        _paint(scene, _oval(look.part * 0.5, -1.82, 0.42, 0.36), scene.coat, flat=True)


def _hairline(look: Look, s: int) -> list[tuple[float, float]]:
    """From the temple up to the parting on one side."""
    top = look.hairline
    rise = 0.1 if look.part * s > 0 else 0.0
    temple = [(s * 0.93, -0.12), (s * 0.88, -0.5), (s * 0.72, top + 0.26 - rise)]
    return [*temple, (s * 0.42, top + 0.02 - rise), (look.part, top - 0.06)]


def _curtain(look: Look, s: int) -> np.ndarray:
    """The hair of one side of the head, from the parting to where it ends."""
    v, low = _volume(look), _falls(look)
    crown = [(look.part - s * 0.12, -1.6 - v * 0.9), (s * 0.5, -1.55 - v), (s * 0.9, -1.2 - v * 0.7)]
    crown += [(s * (1.03 + v * 0.8), -0.7), (s * (1.04 + v * 0.8), -0.2)]
    outer = [(s * (1.08 + v), low * 0.5), (s * (1.0 + 0.8 * v), low)]
    inner = [(s * 0.86, low + 0.04), (s * 0.9, low * 0.5), (s * 0.97, 0.2)]
    ends = outer + inner if low > 0.2 else [(s * 1.0, 0.12), (s * 0.955, 0.12)]
    return np.concatenate([_curve(crown + ends, closed=False), _curve(_hairline(look, s), closed=False)])


def hair_front(scene: Scene) -> None:
    """The hair before the forehead, temples and ears; a buzz cut is drawn with the head."""
    if scene.look.style != "buzz":
        _paint(scene, _front_shapes(scene), scene.coat, flat=True)


def _front_shapes(scene: Scene) -> list[np.ndarray]:
    look, rng = scene.look, scene.rng
    if look.style in ("bald", "beanie", "scarf"):
        return []
    parts = [_ragged(_curtain(look, s)[::3], rng, _fluff(look)) for s in (-1, 1)]
    return parts + ([_fringe(look, rng)] if look.style == "fringe" else [])


def _fringe(look: Look, rng: np.random.Generator) -> np.ndarray:
    """Hair over the forehead down to the brows, with an uneven edge."""
    x = np.linspace(-0.95, 0.95, 17)
    edge = -0.45 - 0.25 * look.part * x + 0.14 * x**2 + rng.uniform(-0.04, 0.04, 17)
    return np.concatenate([np.stack([x, edge], -1), [(0.9, -1.1), (0.5, -1.45), (-0.5, -1.45), (-0.9, -1.1)]])


def hat(scene: Scene) -> None:
    """A knitted beanie, or a scarf around the head."""
    look = scene.look
    if look.style == "beanie":
        dome = [(0.4, -1.88), (0.82, -1.64), (0.99, -1.25), (1.0, -0.85)]
        _cloth(scene, _curve(_mirror(dome), closed=False), 1.0)
        x = np.linspace(-1.05, 1.05, 25)
        edge = np.stack([x, -0.7 + 0.22 * x**2], -1)
        _cloth(scene, np.concatenate([edge, edge[::-1] * (0.985, 1) - (0, 0.38)]), 1.15)
        ribs = [_ribbon([(a, b), (a, b - 0.37)], 0.025) for a, b in edge]
        _paint(scene, ribs, _ink(look.cloth, 0.6), opacity=0.6, flat=True)
    if look.style == "scarf":
        inner = _curve(_mirror([(0.3, -0.98), (0.75, -0.7), (0.9, 0.1), (0.78, 0.95), (0.4, 1.55)]))[::-1]
        hood = [(0.3, -1.85), (0.95, -1.5), (1.25, -0.5), (1.2, 0.7), (0.9, 1.7), (1.6, 2.8)]
        outer = _curve(_mirror(hood))
        _cloth(scene, np.concatenate([outer, outer[:1], inner, inner[:1]]), 1.0)
        fold = [(0.15, -1.15), (0.8, -0.85), (0.98, 0.1), (0.86, 1.0), (0.7, 1.6)]
        folds = [side for d in (0.02, 0.1) for side in _both(_ribbon(np.add(fold, (d, -d)), 0.04))]
        _paint(scene, folds, _ink(look.cloth, 0.5), blur=1.5, opacity=0.4, flat=True)


def clothes(scene: Scene) -> None:
    """Shoulders in cloth, with one of several collars."""
    look = scene.look
    dip = {"round": 0.12, "vee": 0.42, "shirt": 0.4, "polo neck": -0.2, "hood": 0.15}[look.collar]
    wide = 0.62 + 0.14 * look.masculine
    shape = [(-2.8, 2.8), (-2.6, 2.45), (-1.6, 2.12), (-wide - 0.1, 1.86)]
    low = 1.9 + dip * 0.8
    drop = [(-wide, 1.85), (-wide * 0.55, low), (0, 1.97 + dip), (wide * 0.55, low), (wide, 1.85)]
    drop = drop[::2] if look.collar == "vee" else drop
    neckline = drop if look.collar == "vee" else _curve(drop, closed=False)
    right = [(1.6, 2.12), (2.6, 2.45), (2.8, 2.8)]
    body = np.concatenate([_curve(shape, closed=False), neckline, right])
    _cloth(scene, body, 1.0)
    if look.collar in ("shirt", "hood"):
        flap = [(wide * 0.95, 1.66), (wide + 0.2, 1.85), (0.42, 2.5), (0.02, 2.3), (wide * 0.72, 1.95)]
        _cloth(scene, _both(flap if look.collar == "shirt" else _curve(flap)), 1.15)
    if look.collar in ("round", "vee"):
        _paint(scene, _ribbon(drop, 0.06, 0.1), _ink(look.cloth, 0.7), opacity=0.7, flat=True)


def _cloth(scene: Scene, outlines, factor: float) -> None:
    """Fill with cloth: folds of light and dark, darker away from the light."""
    look = scene.look
    x, y = _grid(40)
    light = 0.8 + 0.25 * np.clip(x * look.light[0], -1, 1) - 0.12 * np.abs(x) + 0.05 * y
    light = light + 0.16 * _noise(scene.rng, 9, 40)
    _paint(scene, outlines, _spread(light[..., None] * np.asarray(look.cloth) * factor), flat=True)


def glasses(scene: Scene) -> None:
    """Frames with a bridge, temples and a glint; dark lenses for sunglasses."""
    look = scene.look
    if look.glasses == "none":
        return
    thick = 0.03 if look.glasses == "thin" else 0.06
    rim = (60, 52, 48) if look.lips > 1 else (24, 22, 24)
    lens = [(0.13, -0.12), (0.44, -0.2), (0.78, -0.14), (0.76, 0.16), (0.46, 0.29), (0.17, 0.18)]
    dark = 0.88 if look.glasses == "sun" else 0.05
    _paint(scene, _both(_curve(lens)), (22, 22, 28), opacity=dark, lift=0.1)
    bridge = _ribbon([(-0.15, -0.06), (0, -0.11), (0.15, -0.06)], thick, 0.1)
    frames = [*_both(_ribbon([*lens, *lens[:2]], thick, 0.0)), bridge]
    _paint(scene, frames, rim, opacity=0.92, lift=0.1)
    _paint(scene, _both([(0.78, -0.12), (1.0, -0.12), (1.0, -0.06), (0.78, -0.05)]), rim, opacity=0.9)
    glints = [_ribbon([(x - 0.2, 0.05), (x - 0.05, -0.12)], 0.05) for x in (-0.44, 0.44)]
    _paint(scene, glints, (255, 255, 255), blur=1.5, opacity=0.25, lift=0.1)


# ---------------------------------------------------------------------- the photograph


def photograph(scene: Scene, height: int, width: int) -> Image.Image:
    """Tilt, grade, crop to the aspect in the middle, and resample with antialiasing to [height, width]."""
    look = scene.look
    cos, sin = np.cos(look.tilt) / look.scale, np.sin(look.tilt) / look.scale
    turn = np.array([[cos, sin], [-sin, cos]])
    corner = CANVAS / 2 + np.asarray(look.shift) - turn @ (VIEW / 2, VIEW / 2)
    matrix = (cos, sin, corner[0], -sin, cos, corner[1])
    view = scene.picture.transform((VIEW, VIEW), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    shrink = VIEW / max(height, width)
    w, h = width * shrink, height * shrink
    box = ((VIEW - w) / 2, (VIEW - h) / 2, (VIEW + w) / 2, (VIEW + h) / 2)
    picture = view.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    return picture.point(_grade(look))


def _grade(look: Look) -> list[int]:
    """Exposure, a gentle contrast curve and the colour of the light as one table per channel."""
    level = np.linspace(0, 1, 256)
    curve = level + 0.045 * np.sin(2 * np.pi * (level - 0.5))
    gains = look.exposure * np.array([1 + look.warmth, 1.0, 1 - look.warmth])
    return np.clip(255 * gains[:, None] * curve, 0, 255).astype(int).ravel().tolist()

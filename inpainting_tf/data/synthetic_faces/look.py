"""The random attributes of a person and a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inpainting_tf.data.synthetic_faces.colours import mix, vary

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
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
BACKGROUNDS = ("gradient", "studio", "bokeh", "window", "stripes", "foliage", "street")
COLLARS = ("round", "vee", "shirt", "polo neck", "hood")


@dataclass(frozen=True)
class Look:
    """Random attributes of a person and the photograph; lengths in face units, angles in radians."""

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


def draw_look(rng: np.random.Generator) -> Look:
    """Random attributes; those that are correlated in life are drawn together."""
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
        skin=vary(mix(SKINS[int(tone)], SKINS[int(tone) + 1], tone % 1), rng, 5),
        hair=vary(HAIRS[_hair_colour(rng, tone, age)], rng, 10),
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

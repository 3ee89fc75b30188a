"""The recipe: everything that decides what a run computes, as one frozen, JSON-able value."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from inpainting_tf import networks, sizes
from inpainting_tf.data import Data, crops, splits
from inpainting_tf.errors import InputError, unknown
from inpainting_tf.ops import losses, masks
from inpainting_tf.ops.masks import Mask


@dataclasses.dataclass(frozen=True)
class Network:
    """A builder of `inpainting_tf.networks` and its arguments besides the picture size."""

    builder: str
    width: int = 64
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Masks:
    """The holes of training (drawn anew each time) and of evaluation (fixed by the picture's index)."""

    train: Mask = Mask()
    test: Mask = Mask()


@dataclasses.dataclass(frozen=True)
class Objective:
    """The loss and its weights.

    Attributes:
        reconstruction: a name in `inpainting_tf.ops.losses.RECONSTRUCTION`.
        adversarial: a name in `inpainting_tf.ops.losses.ADVERSARIAL`.
        alpha: weight of the adversarial term beside the reconstruction term; of the local judge's where the
            discriminator has two.
        alpha_global: weight of the second, global judge's term; None where there is one judge.
        convex: the reconstruction term's weight is 1 - alpha, and not 1.
        judged: what the discriminator receives as fake: "composite" or "prediction".
        kl_weight: weight of the latent code's divergence, for variational networks; None for the others.
        boundary: what the weight of a pixel at the hole's edge has above 1 in the reconstruction term; 0 for
            equal weights.
        boundary_reach: distance from the edge in pixels at which the weight has fallen to 1.
    """

    reconstruction: str = "masked_mse"
    adversarial: str = "non_saturating"
    alpha: float = 4e-4
    alpha_global: float | None = None
    convex: bool = False
    judged: str = "composite"
    kl_weight: float | None = None
    boundary: float = 0.0
    boundary_reach: int = 4


@dataclasses.dataclass(frozen=True)
class Schedule:
    """T_train of Algorithm 1 in epochs, T_C and T_D as shares of it. The joint phase is the rest.

    Attributes:
        epochs: passes over the training pictures.
        completion_share: of the first phase: the completion network alone on the reconstruction term.
        discriminator_share: of the second phase: the discriminator alone.
        global_share: of the joint phase's beginning, with the local judge's term alone (two judges only).
        ramp_share: of the linear rise of a judge's weight from 0.
        planned: the epochs that the shares are of, None for all. A finished run that goes on keeps them here:
            its phases stay where they were, and what is added belongs to the last one.
        patience: epochs without a better one by validation after which the last phase ends; None: never.
    """

    epochs: int = 500
    completion_share: float = 0.2
    discriminator_share: float = 0.02
    global_share: float = 0.0
    ramp_share: float = 0.0
    planned: int | None = None
    patience: int | None = None

    def planned_steps(self, total_steps: int) -> int:
        """The steps that the shares are of."""
        return total_steps if self.planned is None else total_steps // self.epochs * self.planned

    def boundaries(self, total_steps: int) -> tuple[int, int]:
        """The steps (T_C, T_C + T_D) at which the second and the third phase begin."""
        alone, planned = self.completion_share, self.planned_steps(total_steps)
        return round(alone * planned), round((alone + self.discriminator_share) * planned)


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """A Keras optimizer: "adam" or "adadelta"; `decay` "cosine" (to 0 over its updates) or "constant"."""

    name: str = "adam"
    learning_rate: float = 1e-3
    decay: str = "constant"
    beta_1: float = 0.9


# The classes of `inpainting_tf.training`; `assembly` builds them.
TRAINERS = ("reconstruction", "variational", "adversarial", "generative")
_hints: Callable[[type], dict[str, Any]] = functools.cache(typing.get_type_hints)  # for thousands of recipes


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training: the row of a paper's table, or one of your own.

    Two recipes differ only where the experiments differ; `override` returns variants. `printed` holds the
    paper's numbers, `presets` the settings that shrink the paper's run to other budgets.
    `trainer` is one of `TRAINERS`. `init` is what the weights start from, None for anew: a shipped model, a
    run's folder, a `.keras` file.
    """

    name: str
    paper: str
    summary: str
    network: Network
    trainer: str
    discriminator: Network | None = None
    data: Data = Data()
    mask: Masks = Masks()
    objective: Objective = Objective()
    schedule: Schedule = Schedule()
    optimizer: Optimizer = Optimizer()
    discriminator_optimizer: Optimizer = Optimizer()
    init: str | None = None
    batch_size: int = 16
    seed: int = 0
    mixed_precision: str = "auto"
    jit_compile: bool = False
    deterministic: bool = False
    preset: str = "paper"
    presets: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    printed: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def override(self, changes: Mapping[str, Any]) -> Recipe:
        """This recipe with dotted fields changed, e.g. `{"optimizer.learning_rate": 1e-4}`.

        Values may be strings, as a command line gives them; they are converted to the field's type.

        Raises:
            InputError: an unknown field (with the nearest one), or a value that its type does not take.
        """
        recipe = self
        for path, value in changes.items():
            recipe = _replace(recipe, path.split("."), value, path)
        return recipe

    def with_preset(self, preset: str) -> Recipe:
        """This recipe at the size of a preset: "paper" (unchanged) or one of `presets`."""
        if preset not in ("paper", *self.presets):
            raise unknown("preset", preset, ["paper", *self.presets])
        return self.override(self.presets.get(preset, {})).override({"preset": preset})

    def check(self) -> Recipe:
        """This recipe, its values validated.

        Raises:
            InputError: naming the first invalid field.
        """
        for rule, holds, value in _rules(self):
            if not holds:
                raise InputError(f"{rule}. Received {value!r}.")
        return self

    def to_json(self) -> dict[str, Any]:
        """The resolved recipe as plain dictionaries: everything but the presets that it was resolved from."""
        fields = dataclasses.asdict(self)
        del fields["presets"]
        return fields

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_json` wrote, of an earlier version too."""
        data = {"validation": 0, **fields.get("data", {})}  # earlier versions had no such split
        return _from_json(cls, {"trainer": _trainer_of(fields), **fields, "data": data}, "recipe")

    def settings(self) -> dict[str, Any]:
        """Every setting by its dotted name, as `--set` takes it."""
        flat = {k: v for k, v in _flatten(self.to_json()).items() if not k.startswith("printed.")}
        return {k: sizes.text(v) if isinstance(v, tuple) else v for k, v in flat.items()}

    def differences(self, other: Recipe) -> dict[str, tuple[Any, Any]]:
        """Dotted fields in which two resolved recipes differ, with both values, but for descriptive ones.

        The place of mask files is none: which masks they are is in a run's folder.
        """
        mine, theirs = (_flatten(dataclasses.replace(r, **_DESCRIPTIVE).to_json()) for r in (self, other))
        keys = sorted((mine.keys() | theirs.keys()) - {"mask.train.folder", "mask.test.folder"})
        return {k: (mine.get(k), theirs.get(k)) for k in keys if mine.get(k) != theirs.get(k)}


def _trainer_of(fields: Mapping[str, Any]) -> str:
    """The trainer of a recipe in JSON from before recipes named theirs, inferred from its other fields."""
    if fields.get("discriminator") is not None:
        return "adversarial"
    if fields.get("objective", {}).get("kl_weight") is not None:
        return "variational"
    return "generative" if fields.get("network", {}).get("builder") == _GENERATIVE else "reconstruction"


_GENERATIVE = "semantic_inpainting"  # the one builder whose network searches for a code
# Fields on which no run depends.
_DESCRIPTIVE: dict[str, Any] = {"paper": "", "summary": "", "printed": {}}


def _rules(r: Recipe) -> list[tuple[str, bool, Any]]:
    shares = (r.schedule.completion_share, r.schedule.discriminator_share, r.schedule.global_share)
    names = [
        ("trainer", r.trainer, TRAINERS),
        ("data.crop", r.data.crop, crops.CROPS),
        ("mixed_precision", r.mixed_precision, ("auto", "off", "float16", "bfloat16")),
        ("objective.reconstruction", r.objective.reconstruction, losses.RECONSTRUCTION),
        ("objective.adversarial", r.objective.adversarial, losses.ADVERSARIAL),
        ("objective.judged", r.objective.judged, ("composite", "prediction")),
        ("network.builder", r.network.builder, networks.COMPLETION),
    ]
    if r.discriminator is not None:
        names.append(("discriminator.builder", r.discriminator.builder, networks.DISCRIMINATORS))
    for which in ("optimizer", "discriminator_optimizer"):
        names.append((f"{which}.name", getattr(r, which).name, ("adam", "adadelta")))
        names.append((f"{which}.decay", getattr(r, which).decay, ("constant", "cosine")))
    for field, value, known in names:
        if value not in known:
            raise unknown(field, value, known)
    for mask in (r.mask.train, r.mask.test):
        masks.check(mask)
    if r.data.ids is not None:
        splits.ids(r.data.ids)  # raises where they are not numbers
    also, least = r.objective.alpha_global, sizes.LEAST
    planned, patience = r.schedule.planned, r.schedule.patience
    kl, boundary, reach = r.objective.kl_weight, r.objective.boundary, r.objective.boundary_reach
    rates = (r.optimizer.learning_rate, r.discriminator_optimizer.learning_rate)
    betas = (r.optimizer.beta_1, r.discriminator_optimizer.beta_1)
    return [
        *_trainer_rules(r),
        ("`batch_size` must be at least 1", r.batch_size >= 1, r.batch_size),
        ("`seed` must be 0 to 2**32 - 1", 0 <= r.seed < 2**32, r.seed),
        ("`epochs` must be at least 1", r.schedule.epochs >= 1, r.schedule.epochs),
        (
            "`patience` must be none or at least 1",
            patience is None or patience >= 1,
            patience,
        ),
        (
            "`patience` must be none without validation pictures (`data.validation`)",
            patience is None or r.data.validation > 0,
            patience,
        ),
        (
            "`schedule.planned` must be none or 1 to `epochs`",
            planned is None or 1 <= planned <= r.schedule.epochs,
            planned,
        ),
        (
            "`schedule` shares must be 0 or more and sum to at most 1",
            min(shares) >= 0 and sum(shares) <= 1,
            shares,
        ),
        ("`learning_rate` must be above 0 and finite", all(0 < rate < math.inf for rate in rates), rates),
        ("`beta_1` must be 0 or more and below 1", all(0 <= beta < 1 for beta in betas), betas),
        ("`schedule.ramp_share` must be 0 to 1", 0 <= r.schedule.ramp_share <= 1, r.schedule.ramp_share),
        ("`objective.alpha` must be 0 or more", 0 <= r.objective.alpha < math.inf, r.objective.alpha),
        ("`objective.alpha_global` must be none or 0 or more", 0 <= (also or 0.0) < math.inf, also),
        (
            "`objective.alpha`, with `alpha_global`, must be at most 1 where `objective.convex` is true",
            r.objective.alpha + (also or 0.0) <= 1 or not r.objective.convex,
            r.objective.alpha + (also or 0.0),
        ),
        ("`objective.kl_weight` must be none or 0 or more", 0 <= (kl or 0.0) < math.inf, kl),
        ("`objective.boundary` must be 0 or more", 0 <= boundary < math.inf, boundary),
        ("`objective.boundary_reach` must be at least 1", reach >= 1, reach),
        ("`data.train` must be none or at least 1", r.data.train is None or r.data.train >= 1, r.data.train),
        ("`data.validation` must be 0 or more", r.data.validation >= 0, r.data.validation),
        ("`data.test` must be at least 1", r.data.test >= 1, r.data.test),
        (f"`image_size` must be at least {least} pixels", min(r.data.shape) >= least, r.data.image_size),
    ]


def _trainer_rules(r: Recipe) -> list[tuple[str, bool, Any]]:
    """Fields that one trainer requires and the others refuse."""
    judge = r.discriminator and r.discriminator.builder
    kl, builder = r.objective.kl_weight, r.network.builder
    rules = [
        ("`discriminator` must be given", "adversarial", judge is not None, judge),
        ("`objective.kl_weight` must be given", "variational", kl is not None, kl),
        (f"`network.builder` must be {_GENERATIVE}", "generative", builder == _GENERATIVE, builder),
    ]
    return [
        (
            f"{rule} for trainer {name!r}, and for no other (here: {r.trainer!r})",
            given == (r.trainer == name),
            value,
        )
        for rule, name, given, value in rules
    ]


def _replace(owner: Any, path: list[str], value: Any, whole: str) -> Any:
    names = {field.name for field in dataclasses.fields(owner)} - {"presets", "printed"}
    head, *rest = path
    if head not in names:
        raise unknown(f"--set {whole}", head, names)
    if not rest:
        new = _convert(value, _hints(type(owner))[head], whole)
    elif isinstance(getattr(owner, head), dict):
        new = {**getattr(owner, head), ".".join(rest): _literal(value)}
    elif dataclasses.is_dataclass(getattr(owner, head)):
        new = _replace(getattr(owner, head), rest, value, whole)
    else:
        raise InputError(f"`{whole}` must name a field of the recipe; `{head}` has none below it.")
    return dataclasses.replace(owner, **{head: new})


def _convert(value: Any, hint: Any, path: str) -> Any:
    """`value` in the type of a field: `hint` is a plain type, or a union of one with None."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None or (value == "none" and type(None) in kinds):
        if type(None) in kinds:
            return None
        raise InputError(f"`{path}` must not be none.")
    if typing.get_origin(kinds[-1]) is tuple:
        return sizes.parse(value, argument=path.removeprefix("data."))
    kind = kinds[0]
    if dataclasses.is_dataclass(kind) or typing.get_origin(kind) is not None:
        if isinstance(value, str):
            raise InputError(f"`{path}` must name one of its fields, e.g. `{path}.name`. Received {value!r}.")
        return value
    try:
        return _PARSERS[kind](value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"`{path}` must be {_TYPE_NAMES[kind]}. Received {value!r}.") from None


def _literal(value: Any) -> Any:
    """A builder's argument, which has no field to type it: text is parsed as a number or boolean."""
    if not isinstance(value, str):
        return value
    parsers: tuple[Callable[[str], float], ...] = (_integer, float)
    for parse in parsers:
        with contextlib.suppress(ValueError):
            return parse(value)
    return {"true": True, "false": False}.get(value, value)


def _boolean(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
        raise ValueError
    return int(value)


_PARSERS: dict[Any, Callable[[Any], Any]] = {bool: _boolean, int: _integer, float: float, str: str}
_TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _from_json(kind: Any, fields: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    strange = fields.keys() - hints.keys()
    if strange:
        raise InputError(f"`{where}` has a field that this version does not have: {sorted(strange)[0]!r}.")
    values = {}
    for name, value in fields.items():
        hint = hints[name]
        inner = next((k for k in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(k)), None)
        nested = inner is not None and isinstance(value, Mapping)
        values[name] = _from_json(inner, value, f"{where}.{name}") if nested else _plain(value)
    return kind(**values)


def _plain(value: Any) -> Any:
    """A value as recipes have it: JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flatten(inner, f"{prefix}.{key}" if prefix else key)
    return flat

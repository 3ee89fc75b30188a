"""The flags that repairing commands share: the network, how it fills, and how files are read."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from inpainting_tf import models
from inpainting_tf.commands import cli
from inpainting_tf.errors import InputError, unknown

if TYPE_CHECKING:
    from inpainting_tf.photographs import Options
    from inpainting_tf.photographs.repairing import Inpaint

FORMATS = ("png", "webp", "tiff", "bmp", "jpg", "avif", "heic")


@dataclasses.dataclass(frozen=True)
class Filling:
    """A network, by its name, and how it fills: what another process needs to do the same.

    Attributes:
        model, engine: see `inpainting_tf.load`.
        blend, detail, direct: see `inpainting_tf.inpaint`.
    """

    model: str
    engine: str
    blend: str
    detail: str
    direct: bool

    def inpaint(self, *, threads: int | None = None, shared: bool = False) -> Inpaint:
        """The network as a function of a picture and its mask.

        Args:
            threads: that compute; None: one for each core.
            shared: whether several threads call it, which take turns.

        Raises:
            InputError: an unknown name of one of the attributes; those of `inpainting_tf.load`.
        """
        from inpainting_tf import inference, loading

        if self.blend not in inference.BLENDS:
            raise unknown("blend", self.blend, inference.BLENDS)
        if self.detail not in inference.DETAILS:
            raise unknown("detail", self.detail, inference.DETAILS)
        model = loading.load_for_command(self.model, engine=self.engine, threads=threads)
        model = inference.one_at_a_time(model) if shared else model
        options: dict[str, Any] = {"blend": self.blend, "detail": self.detail, "direct": self.direct}
        return functools.partial(inference.inpaint, model, **options)


def define_flags(define: cli.Define) -> None:
    """Defines the masks, the network, how it fills, and how files are read and told of."""
    mask = "White where the picture is missing; one for all, or a folder of masks with the pictures' names. "
    define.string(
        "mask", None, mask + "Default: NAME_mask.png beside the picture, else its transparent parts."
    )
    define.string("model", models.DEFAULT, f"{', '.join(models.NAMES)}, a run's folder, or a .keras file.")
    define.integer(
        "grow",
        None,
        "Pixels by which holes grow; default: 0, or 1 to 3 where their rim is mixed.",
        lower_bound=0,
    )
    define.integer("feather", 0, "Pixels over which the fill fades out around the holes.", lower_bound=0)
    define.boolean("invert", False, "White is known in the masks, and black missing.")
    define.boolean("fit_mask", False, "Stretch masks of another size to their pictures.")
    define.integer("page", None, "Which picture of files with several, from 1.", lower_bound=1)
    define.float("max_megapixels", 178.9, "The largest picture that is read.", lower_bound=0.0)
    define.string("blend", "poisson", "poisson: seamless; or none: the network's own pixels.")
    detail = "Of large holes: auto: the picture's own patches, where some agree with the network, and none "
    detail += "for a network of aligned faces; exemplar: patches everywhere; none: the network's smooth fill."
    define.string("detail", "auto", detail)
    define.boolean("direct", False, "Pass the network the whole picture at once, unscaled.")
    define.string("engine", "auto", f"What runs the network: {', '.join(models.ENGINES)}.")
    define.string("format", None, f"Of a folder's results: {', '.join(FORMATS)}; default: as they came.")
    define.boolean("overwrite", False, "Redo pictures whose output exists.")
    define.string("report", None, "A CSV file to write, with a row for each picture.")


def check_format(args: flags.FlagValues) -> None:
    """Raises InputError for a format that is not written."""
    if args.format not in (None, *FORMATS):
        raise InputError(f"--format must be one of {', '.join(FORMATS)}. Received {args.format!r}.")


def filling(args: flags.FlagValues) -> Filling:
    """The chosen network, by its absolute path, and how it fills."""
    return Filling(absolute(args.model), args.engine, args.blend, args.detail, args.direct)


def absolute(model: str) -> str:
    """A model as another process finds it: by its absolute path, or by its name."""
    place = Path(model).expanduser()
    return str(place.absolute()) if place.exists() else model


def options(args: flags.FlagValues) -> Options:
    """How files are read and their holes changed."""
    from inpainting_tf.photographs import Options

    names = {field.name for field in dataclasses.fields(Options)} - {"extend"}
    return Options(**{name: getattr(args, name) for name in names})

"""GLCIC's networks, training step and inference in PyTorch: the peer of `gpu.py` and `speed.py`.

Layers, losses and the order of updates are those of `inpainting_tf.networks.glcic` and
`inpainting_tf.training.adversarial`; the layers have the same names too. Written for speed: channels-last
memory, autocast, fused Adam, `torch.compile` over each network together with its losses.

Pictures are [N, C, H, W] float32 in [0, 1] in channels-last memory, masks [N, 1, H, W] with 1 = missing.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

LOCAL, GLOBAL = (1, 2, 4, 8, 8), (1, 2, 4, 8, 8, 8)  # filters of the discriminators, in widths
PRECISIONS = {"float32": None, "mixed_bfloat16": torch.bfloat16, "mixed_float16": torch.float16}

Layers = list[tuple[str, nn.Module]]


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": where the sides differ, more below and to the right."""

    def forward(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = (self._padding(axis, x.shape[axis + 2]) for axis in range(2))
        padding = (top, left)
        if (top, left) != (bottom, right):
            x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation)

    def _padding(self, axis: int, length: int) -> tuple[int, int]:
        stride, reach = self.stride[axis], self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        total = max((-(-length // stride) - 1) * stride + reach - length, 0)
        return total // 2, total - total // 2


class Completion(nn.Module):
    """`inpainting_tf.networks.glcic.glcic`: (image, mask) -> the whole predicted picture [N, 3, H, W]."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        one, two, four = width, 2 * width, 4 * width
        layers = [
            *_conv("conv1", 4, one, 5),
            *_conv("conv3", one, two, 3, stride=2),
            *_conv("conv4", two, two, 3),
            *_conv("conv5", two, four, 3, stride=2),
            *_conv("conv6", four, four, 3),
            *_conv("conv7", four, four, 3),
        ]
        for i, dilation in enumerate((2, 4, 8, 16), start=1):
            layers += _conv(f"dilated{i}", four, four, 3, dilation=dilation)
        layers += [
            *_conv("conv8", four, four, 3),
            *_conv("conv9", four, four, 3),
            *_deconv("deconv1", four, two),
            *_conv("conv10", two, two, 3),
            *_deconv("deconv2", two, one),
            *_conv("conv11", one, one // 2, 3),
            ("conv12", SameConv2d(one // 2, 3, 3)),
        ]
        self.layers = nn.Sequential(OrderedDict(layers))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        x = torch.cat([_blank(image, mask), mask], dim=1)
        return self.layers(x).float().sigmoid()


class Discriminator(nn.Module):
    """`inpainting_tf.networks.glcic.iizuka_discriminator`: (image, mask) -> logits [N, 1], float32.

    Args:
        image_size: side of the pictures in pixels; the local window's is half of it.
        width: channels of the first convolutions.
    """

    def __init__(self, image_size: int = 128, width: int = 64) -> None:
        super().__init__()
        self.window = image_size // 2
        self.local = _judge("local", self.window, width, LOCAL)
        self.whole = _judge("global", image_size, width, GLOBAL)
        self.logit = nn.Linear(2 * 16 * width, 1)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        features = [self.local(_crop(image, mask, self.window)), self.whole(image)]
        with torch.autocast(image.device.type, enabled=False):  # as Keras's layer: float32 under any policy
            return self.logit(torch.cat(features, dim=1).float())


class Training:
    """The steps of the completion and the joint phase; they return detached scalar losses.

    Args:
        completion, discriminator: on the device where the training is to run.
        precision: a Keras policy: "float32", "mixed_bfloat16" or "mixed_float16" (with loss scaling).
        alpha: weight of the adversarial term.
        rates: learning rates of the two Adams.
        beta_1: their first betas.
        compile_mode: `torch.compile`'s mode; None leaves everything eager.
    """

    def __init__(
        self,
        completion: Completion,
        discriminator: Discriminator,
        *,
        precision: str = "float32",
        alpha: float = 4e-4,
        rates: tuple[float, float] = (1e-3, 2e-4),
        beta_1: tuple[float, float] = (0.9, 0.5),
        compile_mode: str | None = "default",
    ) -> None:
        self.completion = completion.to(memory_format=torch.channels_last).train()
        self.discriminator = discriminator.to(memory_format=torch.channels_last).train()
        self.device = next(completion.parameters()).device.type
        self.dtype = PRECISIONS[precision]
        self.alpha = alpha
        both = zip((completion, discriminator), rates, beta_1, strict=True)
        self.optimizers = [_Optimizer(net, rate, beta, self.dtype) for net, rate, beta in both]
        if compile_mode is not None:
            for name in ("_predict", "_discriminator_loss", "_joint_loss"):
                setattr(self, name, torch.compile(getattr(self, name), mode=compile_mode))

    def completion_step(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Updates C on the reconstruction loss."""
        _, reconstruction = self._predict(batch["image"], batch["mask"])
        self.optimizers[0].minimise(reconstruction)
        return {"loss": reconstruction.detach()}

    def joint_step(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Updates D, then C on the joint loss with the updated D, in one forward pass of C."""
        completed, reconstruction = self._predict(batch["image"], batch["mask"])
        judged = self._discriminator_loss(
            batch["image"], batch["real_mask"], completed.detach(), batch["mask"]
        )
        self.optimizers[1].minimise(judged)
        with _frozen(self.discriminator):
            loss, adversarial = self._joint_loss(reconstruction, completed, batch["mask"])
            self.optimizers[0].minimise(loss)
        parts = {
            "loss": loss,
            "reconstruction": reconstruction,
            "adversarial": adversarial,
            "discriminator": judged,
        }
        return {name: value.detach() for name, value in parts.items()}

    def _predict(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The completed pictures and the reconstruction loss."""
        with self._autocast():
            prediction = self.completion(image, mask)
        return torch.where(mask > 0.5, prediction, image), _masked_mse(image, prediction, mask)

    def _discriminator_loss(self, real: Tensor, real_mask: Tensor, fake: Tensor, mask: Tensor) -> Tensor:
        with self._autocast():
            real_logits, fake_logits = self.discriminator(real, real_mask), self.discriminator(fake, mask)
        return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()

    def _joint_loss(self, reconstruction: Tensor, completed: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        with self._autocast():
            adversarial = F.softplus(-self.discriminator(completed, mask)).mean()
        return reconstruction + self.alpha * adversarial, adversarial

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device, dtype=self.dtype, enabled=self.dtype is not None)


class Inference:
    """C alone, compiled for use: its weights frozen into the code, normalization folded, autocast.

    Args:
        completion: C, in the package's weights.
        precision: as `Training`'s.
        compiled: by `torch.compile`; else it runs eagerly.
    """

    def __init__(
        self, completion: Completion, *, precision: str = "mixed_bfloat16", compiled: bool = True
    ) -> None:
        self.completion = completion.to(memory_format=torch.channels_last).eval().requires_grad_(False)
        self.dtype = PRECISIONS[precision]
        if compiled:
            self._predict = torch.compile(self._predict, options={"freezing": True}, dynamic=False)

    def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The whole predicted pictures, NHWC: the signature of the package's engines."""
        batch = to_torch({"image": images, "mask": masks}, "cpu")
        with torch.no_grad():
            predicted = self._predict(batch["image"], batch["mask"])
        return predicted.permute(0, 2, 3, 1).numpy()

    def _predict(self, image: Tensor, mask: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=self.dtype, enabled=self.dtype is not None):
            return self.completion(image, mask)


class _Optimizer:
    """Fused Adam with Keras's epsilon, and with loss scaling as Keras does it under float16."""

    def __init__(self, network: nn.Module, rate: float, beta_1: float, dtype: torch.dtype | None) -> None:
        # Keras adds epsilon before, PyTorch after the correction of the second moment's bias: these agree in
        # the first step, and later steps have gradients to which either is small.
        epsilon = 1e-7 / (1 - 0.999) ** 0.5
        self.adam = torch.optim.Adam(
            network.parameters(), rate, betas=(beta_1, 0.999), eps=epsilon, fused=True
        )
        device = next(network.parameters()).device.type
        self.scaler = torch.amp.GradScaler(
            device, init_scale=2.0**15, growth_interval=2000, enabled=dtype == torch.float16
        )

    def minimise(self, loss: Tensor) -> None:
        self.adam.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.adam)
        self.scaler.update()


def to_torch(batch: Mapping[str, Any], device: str) -> dict[str, Tensor]:
    """A batch of the package's pipeline, NHWC, as channels-last tensors on a device."""
    return {
        name: torch.from_numpy(np.array(value)).to(device).permute(0, 3, 1, 2)
        for name, value in batch.items()
    }


def load_keras_weights(torch_modules: Sequence[nn.Module], keras_models: Sequence[Any]) -> None:
    """Copies the weights of each Keras model into the module beside it, layer by layer of the same name.

    Raises:
        ValueError: a layer on one side only, or shapes that differ.
    """
    for module, model in zip(torch_modules, keras_models, strict=True):
        holders = {
            name.rpartition(".")[2]: part
            for name, part in module.named_modules()
            if next(part.parameters(recurse=False), None) is not None
        }
        layers = {layer.name: layer for layer in model.layers if layer.weights}
        if holders.keys() != layers.keys():
            raise ValueError(f"Layers on one side only: {sorted(holders.keys() ^ layers.keys())}.")
        for name, layer in layers.items():
            _copy_layer(holders[name], layer)


def _copy_layer(module: nn.Module, layer: Any) -> None:
    names = {"kernel": "weight", "gamma": "weight", "beta": "bias"}
    names |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
    for weight in layer.weights:
        value = torch.from_numpy(np.array(weight.value))
        if (
            value.ndim == 4
        ):  # HWIO -> OIHW; a transposed convolution's HWOI -> IOHW. Neither flips the kernel.
            value = value.permute(3, 2, 0, 1)
        elif value.ndim == 2:
            value = value.T
        target = getattr(module, names.get(weight.name, weight.name))
        if target.shape != value.shape:
            raise ValueError(f"{layer.name} has {tuple(value.shape)} in Keras, {tuple(target.shape)} here.")
        with torch.no_grad():
            target.copy_(value)


def _conv(name: str, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> Layers:
    conv = SameConv2d(inputs, outputs, kernel, stride, dilation=dilation, bias=False)
    return [(name, conv), *_normalized(name, outputs)]


def _deconv(name: str, inputs: int, outputs: int) -> Layers:
    conv = nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1, bias=False)
    return [(name, conv), *_normalized(name, outputs)]


def _normalized(name: str, channels: int) -> Layers:
    normalization = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)  # Keras: 0.99 of what was
    normalization.num_batches_tracked = None  # an unused counter of steps, a kernel each
    return [(f"{name}_bn", normalization), (f"{name}_relu", nn.ReLU(inplace=True))]


def _judge(prefix: str, side: int, width: int, multiples: Sequence[int]) -> nn.Sequential:
    layers, channels = [], 3
    for i, multiple in enumerate(multiples, start=1):
        layers += _conv(f"{prefix}_conv{i}", channels, multiple * width, 5, stride=2)
        channels, side = multiple * width, -(-side // 2)
    features = nn.Linear(side * side * channels, 16 * width)
    layers += [("flatten", _FlattenChannelsLast()), (f"{prefix}_features", features), ("relu", nn.ReLU())]
    return nn.Sequential(OrderedDict(layers))


class _FlattenChannelsLast(nn.Module):
    """[N, C, H, W] -> [N, H * W * C]: Keras's order, and no copy in channels-last memory."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def _blank(image: Tensor, mask: Tensor) -> Tensor:
    """The picture with its hole painted in the mean colour of the known pixels (`layers.BlankHole`)."""
    missing = mask > 0.5
    known = image.masked_fill(missing, 0.0)
    count = (~missing).sum((2, 3), keepdim=True).clamp(min=1)
    return torch.where(missing, known.sum((2, 3), keepdim=True) / count, known)


def _crop(image: Tensor, mask: Tensor, size: int) -> Tensor:
    """The square window around the hole (`layers.CropAroundHole`)."""
    channels, width = image.shape[1], image.shape[3]
    rows, columns = _window(mask.amax((1, 3)), size), _window(mask.amax((1, 2)), size)
    image = image.gather(2, rows[:, None, :, None].expand(-1, channels, -1, width))
    return image.gather(3, columns[:, None, None, :].expand(-1, channels, size, -1))


def _window(missing: Tensor, size: int) -> Tensor:
    """[N, length] of 0/1 along one axis -> the `size` positions [N, size] around the ones."""
    length = missing.shape[1]
    positions = torch.arange(length, device=missing.device)
    first = torch.where(missing > 0.5, positions, length).amin(1)
    last = torch.where(missing > 0.5, positions, -1).amax(1)
    start = ((first + last + 1 - size) // 2).clamp(0, length - size)
    return start[:, None] + positions[:size]


def _masked_mse(target: Tensor, prediction: Tensor, mask: Tensor) -> Tensor:
    error = ((target - prediction).square() * mask).sum((1, 2, 3))
    return (error / (mask.sum((1, 2, 3)) * target.shape[1]).clamp(min=1)).mean()


@contextlib.contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    """Computes no gradients of the module's own weights in the backward pass."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)

"""How a network is applied to pictures of any size."""

from __future__ import annotations

from inpainting_tf.inference.inpainting import BLENDS, Fill, Network, inpaint, network_fill

__all__ = ["BLENDS", "Fill", "Network", "inpaint", "network_fill"]

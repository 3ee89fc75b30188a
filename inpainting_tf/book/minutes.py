"""How long trainings take, to tell how much time is left."""

from __future__ import annotations

# At laptop scale, on two CPU cores, in minutes. Other machines and scales are measured against these.
LAPTOP_MINUTES: dict[str, float] = {}

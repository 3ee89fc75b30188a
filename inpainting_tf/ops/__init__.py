"""Pure functions on arrays and tensors: pictures, masks, losses, metrics."""

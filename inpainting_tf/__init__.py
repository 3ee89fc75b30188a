"""Image inpainting in Keras: the systems of five papers, trained, measured and used alike.

model = inpainting_tf.load("runs/glcic")             # a run's folder or a .keras file
filled = inpainting_tf.inpaint(model, image, mask)   # uint8 in, uint8 out; a non-zero mask pixel is missing
network = inpainting_tf.build("glcic", image_size=64, width=32)
"""

from inpainting_tf.environment import forget_unknown_matplotlib_backend
from inpainting_tf.streams import hush_tensorflow

# Before anything imports Keras or TensorFlow.
forget_unknown_matplotlib_backend()
hush_tensorflow()

from inpainting_tf.errors import InputError
from inpainting_tf.inference import inpaint
from inpainting_tf.recipes import build
from inpainting_tf.runs import load

__all__ = ["InputError", "build", "inpaint", "load"]
__version__ = "0.1.0"

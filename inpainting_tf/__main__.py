"""The same as `inpainting-tf`."""

from inpainting_tf.commands import main

if __name__ == "__main__":
    main.inpainting_tf()

"""The same as `inpainting-tf demo`."""

from inpainting_tf.commands import cli, demo

if __name__ == "__main__":
    cli.main(demo)

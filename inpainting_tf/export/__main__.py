"""The same as `inpainting-tf export`."""

from inpainting_tf.commands import cli, export

if __name__ == "__main__":
    cli.main(export)

"""The same as `inpainting-tf reproduce`, from a checkout."""

from inpainting_tf.commands import cli, reproduce

if __name__ == "__main__":
    cli.main(reproduce)

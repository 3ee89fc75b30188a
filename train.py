"""The same as `inpainting-tf train`, from a checkout."""

from inpainting_tf.commands import cli, train

if __name__ == "__main__":
    cli.main(train)

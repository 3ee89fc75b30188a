"""The same as `inpainting-tf evaluate`, from a checkout."""

from inpainting_tf.commands import cli, evaluate

if __name__ == "__main__":
    cli.main(evaluate)

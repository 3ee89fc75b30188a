"""The same as `inpainting-tf study`."""

from inpainting_tf.commands import cli, study

if __name__ == "__main__":
    cli.main(study)

"""The same as `inpainting-tf prepare`."""

from inpainting_tf.commands import cli, prepare

if __name__ == "__main__":
    cli.main(prepare)

"""Trains a model, or continues a training that was interrupted.

python train.py --model=glcic --dataset=celeba --data_dir=FOLDER --preset=laptop
python train.py --list
"""

from absl import flags

from inpainting_tf.commands import cli

cli.define_recipe_flags()
flags.adopt_module_key_flags(cli)  # so that --help shows them
flags.DEFINE_string("data_dir", None, "Folder or archive of the pictures; default: the usual places.")
flags.DEFINE_string("workdir", None, "Folder of the run; default: runs/MODEL.")
flags.DEFINE_float("checkpoint_minutes", 2.0, "How much work a kill may cost.", lower_bound=0)
flags.DEFINE_boolean("list", False, "Show every model and stop.")


def main() -> None:
    from inpainting_tf import recipes, runs

    args = flags.FLAGS
    if args.list:
        print(recipes.table())
        return
    recipe = cli.recipe_from_flags()
    run = runs.train(
        recipe,
        args.workdir or f"runs/{recipe.name}",
        data_dir=args.data_dir,
        checkpoint_minutes=args.checkpoint_minutes,
    )
    print(f"Trained. Next: python eval.py --workdir={run.folder}  (curves and samples: {run.figures})")


if __name__ == "__main__":
    cli.run(main)

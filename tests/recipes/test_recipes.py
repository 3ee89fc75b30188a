"""Recipes: what they say, how they are changed, and that each of them can be built."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest
from running import tiny

import inpainting_tf
from inpainting_tf import recipes
from inpainting_tf.errors import InputError
from inpainting_tf.recipes import Recipe, assembly
from inpainting_tf.recipes.recipe import TRAINERS

ALL = [(name, preset) for name, recipe in recipes.RECIPES.items() for preset in ("paper", *recipe.presets)]


@pytest.mark.parametrize(("name", "preset"), ALL)
def test_every_recipe_makes_sense_and_survives_json(name, preset):
    recipe = recipes.get(name, preset).check()
    assert recipe.name == name and recipe.preset == preset and recipe.summary
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again.differences(recipe) == {} and again.schedule == recipe.schedule and again.mask == recipe.mask


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_can_be_built(name):
    recipe = recipes.get(name, "smoke").override({"network.width": 4})
    trainer = assembly.trainer(recipe, 10)
    assert trainer.completion.output.shape == (None, 32, 32, 3)
    assert set(trainer.completion.input) == {"image", "mask"}
    assert type(trainer).__name__.lower() == recipe.trainer


@pytest.mark.parametrize(
    ("name", "table", "psnr", "ssim"),
    [
        ("glcic", "table 4.3", 17.09, 0.84),
        ("one_autoencoder", "table 4.3", 31.86, 0.89),
        ("double_autoencoder", "table 4.3", 36.74, 0.91),
        ("one_autoencoder_local", "table 4.1", 13.00, 0.88),
        ("one_autoencoder_global", "table 4.1", 19.82, 0.90),
    ],
)
def test_printed_numbers_are_those_of_face_gan(name, table, psnr, ssim):
    assert recipes.RECIPES[name].printed == {table: {"psnr": psnr, "ssim": ssim}}


def test_the_papers_schedule():
    recipe = recipes.get("double_autoencoder")
    assert (recipe.data.train, recipe.data.test, recipe.data.image_size) == (4750, 250, 128)
    assert recipe.schedule.epochs == 500 and recipe.network.width == 64
    assert recipe.schedule.boundaries(500) == (100, 110)  # T_C as printed; T_D 2 % of T_train
    assert recipe.objective == recipes.recipe.Objective("masked_mse", "non_saturating", 4e-4)


PAPERS = [
    (name, preset)
    for name, recipe in recipes.RECIPES.items()
    for preset in recipe.presets
    if recipe.paper != "inpainting_tf" and preset != "smoke"
]


@pytest.mark.parametrize(("name", "preset"), PAPERS)
def test_a_preset_keeps_the_papers_proportions_weights_and_rates(name, preset):
    """Shorter, but no phase is starved: neither by its share of the epochs nor by its learning rate."""
    paper, here = recipes.get(name), recipes.get(name, preset)
    as_printed = dataclasses.replace(
        paper.schedule, epochs=here.schedule.epochs, patience=here.schedule.patience
    )
    assert here.schedule == as_printed and here.objective == paper.objective
    for each in ("optimizer", "discriminator_optimizer"):
        mine, theirs = getattr(here, each), getattr(paper, each)
        assert mine.learning_rate == theirs.learning_rate and mine.beta_1 == theirs.beta_1
        assert mine.decay == theirs.decay or here.trainer in ("reconstruction", "variational")


@pytest.mark.parametrize("name", ["one_autoencoder_plain", "double_autoencoder_plain"])
def test_the_plain_networks_have_the_biases_of_the_printed_ones_and_no_normalization(name):
    plain = assembly.trainer(recipes.get(name, "smoke"), 10)
    usual = assembly.trainer(recipes.get(name.removesuffix("_plain"), "smoke"), 10)
    for part in ("completion", "discriminator"):
        kinds = [type(layer).__name__ for layer in getattr(plain, part).layers]
        assert "BatchNormalization" not in kinds
        others = [type(layer).__name__ for layer in getattr(usual, part).layers]
        assert sorted(kinds) == sorted(kind for kind in others if kind != "BatchNormalization")
        convolutions = [layer for layer in getattr(plain, part).layers if "Conv2D" in type(layer).__name__]
        assert convolutions and all(layer.use_bias for layer in convolutions)


def test_the_joint_phase_is_78_percent_of_the_laptops_training():
    recipe = recipes.get("double_autoencoder", "laptop")
    assert recipe.schedule.boundaries(1000) == (200, 220)
    assert recipe.objective.alpha == 4e-4 and recipe.optimizer.decay == "constant"
    gentle = recipes.get("glcic_gentle", "laptop")
    assert gentle.schedule.boundaries(1000)[0] == 860 and gentle.paper == "face_gan"


TANH = [
    *(f"ce_model{number}" for number in range(4)),
    *("context_encoder", "multiscale_context_encoder", "multiscale_encoder_decoder"),
    *("gan_autoencoder", "gan_direct_conv"),
]


@pytest.mark.parametrize("name", TANH)
def test_a_network_that_ends_with_a_tanh_has_its_squared_error_in_its_range(name):
    assert recipes.get(name, "laptop").objective.reconstruction.startswith("tanh_")
    layers = assembly.completion_network(recipes.get(name, "smoke")).layers
    assert any("tanh" in layer.name for layer in layers)


def test_u_nets_train_until_the_validation_stops_improving():
    for preset in ("paper", "gpu", "laptop"):
        assert recipes.get("unet_l1", preset).schedule.patience >= 5
        assert recipes.get("unet_l1", preset).optimizer.decay == "constant"


def test_fields_are_changed_by_their_dotted_names():
    recipe = recipes.get("glcic").override(
        {
            "optimizer.learning_rate": "1e-4",
            "batch_size": "8",
            "jit_compile": "true",
            "data.train": "none",
            "mask.train.kind": "strokes",
            "network.arguments.fill": "white",
        }
    )
    assert recipe.optimizer.learning_rate == 1e-4 and recipe.batch_size == 8 and recipe.jit_compile is True
    assert recipe.data.train is None and recipe.mask.train.kind == "strokes"
    assert recipe.mask.test.kind == "rectangle" and recipe.network.arguments == {"fill": "white"}
    assert recipes.get("glcic").batch_size == 16, "the registered recipe stays"


def test_builders_arguments_are_numbers_where_they_read_so():
    changes = {"patch": "8", "rate": "1e-3", "blend": "false", "fill": "white", "code": 16}
    recipe = recipes.get("glcic").override({f"network.arguments.{k}": v for k, v in changes.items()})
    found = recipe.network.arguments
    assert found == {"patch": 8, "rate": 1e-3, "blend": False, "fill": "white", "code": 16}
    assert type(found["patch"]) is int and found["blend"] is False


@pytest.mark.parametrize("total", range(1, 30))
def test_phases_that_fill_the_training_end_with_it(total):
    assert recipes.recipe.Schedule(1, 0.5, 0.5).boundaries(total)[1] == total


def test_recipes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipes.get("glcic").batch_size = 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer.learnig_rate": 1}, "learning_rate"),
        ({"optimiser.name": "adam"}, "optimizer"),
        ({"batch_size": "many"}, "`batch_size` must be a whole number. Received 'many'"),
        ({"batch_size": 2.5}, "whole number"),
        ({"batch_size": float("inf")}, "whole number"),
        ({"batch_size": "none"}, "whole number"),
        ({"jit_compile": "perhaps"}, "true or false"),
        ({"optimizer": "adam"}, "one of its fields"),
        ({"batch_size.x": 1}, "none below it"),
        ({"printed.psnr": 40}, "must be one of"),
    ],
)
def test_changes_that_make_no_sense_are_one_line(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        recipes.get("glcic").override(changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size.*0"),
        ({"seed": -1}, "seed.*-1"),
        ({"schedule.epochs": 0}, "epochs"),
        ({"schedule.completion_share": 0.9, "schedule.discriminator_share": 0.2}, "shares"),
        ({"schedule.completion_share": -0.1}, "shares"),
        ({"optimizer.learning_rate": 0}, "learning_rate"),
        ({"objective.alpha": -1}, "alpha"),
        ({"objective.alpha": 1.5, "objective.convex": True}, "at most 1.*1.5"),
        ({"objective.kl_weight": -0.1}, "kl_weight"),
        ({"objective.boundary": -1}, "objective.boundary"),
        ({"objective.boundary": 1, "objective.boundary_reach": 0}, "boundary_reach"),
        ({"objective.judged": "predictions"}, "Did you mean 'prediction'"),
        ({"data.test": 0}, "data.test"),
        ({"data.image_size": 8}, "image_size"),
        ({"mixed_precision": "float61"}, "Did you mean 'float16'"),
        ({"objective.reconstruction": "masked"}, "masked_mse"),
        ({"objective.adversarial": "minmax"}, "Did you mean 'minimax'"),
        ({"optimizer.name": "adem"}, "Did you mean 'adam'"),
        ({"optimizer.decay": "cos"}, "cosine"),
        ({"discriminator_optimizer.decay": "cos"}, "discriminator_optimizer.decay"),
        ({"optimizer.beta_1": 1.0}, "beta_1"),
        ({"trainer": "adversary"}, "Did you mean 'adversarial'"),
        ({"trainer": "reconstruction"}, "`discriminator` must be given for trainer 'adversarial'.*'iizuka_d"),
        ({"trainer": "variational"}, "'variational'"),
        ({"objective.kl_weight": 0.1}, "`objective.kl_weight` must be given for trainer 'variational'.*0.1"),
        (
            {"network.builder": "semantic_inpainting"},
            "for trainer 'generative', and for no",
        ),
        ({"network.builder": "glicc"}, "Did you mean 'glcic'"),
        ({"discriminator.builder": "glcic"}, "joint_discriminator"),
        ({"mask.test.kind": "squares"}, "rectangle"),
    ],
)
def test_every_rule_is_checked(changes, message):
    with pytest.raises(InputError, match=message):
        recipes.get("glcic").override(changes).check()


def test_misspelt_models_and_presets_get_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'glcic'"):
        recipes.get("glcci")
    with pytest.raises(InputError, match="Did you mean 'laptop'"):
        recipes.get("glcic", "labtop")


def test_differences_and_settings():
    one, other = recipes.get("glcic"), recipes.get("glcic").override({"seed": 5})
    assert one.differences(other) == {"seed": (0, 5)} and one.differences(one) == {}
    settings = one.settings()
    assert settings["optimizer.learning_rate"] == 1e-3
    assert not any(key.startswith("printed") for key in settings)


def test_a_recipe_of_a_later_version_is_refused_by_its_field():
    fields = recipes.get("glcic").to_json() | {"novelty": 1}
    with pytest.raises(InputError, match="novelty"):
        Recipe.from_json(fields)


@pytest.mark.parametrize(
    ("name", "trainer"),
    [
        ("best", "reconstruction"),
        ("cvae", "variational"),
        ("gan_autoencoder", "adversarial"),
        ("semantic_inpainting", "generative"),
    ],
)
def test_each_trainer_needs_its_own_and_refuses_the_others(name, trainer):
    recipe = recipes.get(name)
    assert recipe.trainer == trainer
    for other in TRAINERS:
        changed = recipe.override({"trainer": other})
        if other == trainer:
            changed.check()
        else:
            with pytest.raises(InputError, match="for trainer"):
                changed.check()


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_from_before_trainers_were_named_gets_its_own(name):
    recipe = recipes.get(name)
    fields = recipe.to_json()
    del fields["trainer"]
    assert Recipe.from_json(fields).differences(recipe) == {}


@pytest.mark.parametrize("fill", ["telea", "smooth"])
def test_holes_are_filled_beforehand_for_a_network_made_for_that(fill):
    """By what was built, and not by what the recipe has as an argument."""
    recipe = recipes.get("best", "smoke")
    network = assembly.completion_network(recipe.override({"network.width": 4}), fill=fill)
    images = np.zeros((8, 32, 32, 3), "uint8")
    batch = next(iter(assembly.training_batches(recipe, network, images, 0, 1)))
    assert ("prefilled" in batch) == (fill == "telea")


@pytest.mark.slow
def test_the_table_lists_every_model_with_its_weights():
    lines = recipes.table().splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(recipes.RECIPES)
    count = inpainting_tf.build("glcic").count_params()
    assert f"{count / 1e6:.2f} M" in lines[1]


def test_build_takes_the_builders_arguments():
    network = inpainting_tf.build("one_autoencoder", image_size=(32, 48), width=8, fill="black")
    assert network.output.shape == (None, 32, 48, 3) and network.get_layer("blank_hole").fill == "black"
    with pytest.raises(InputError, match="Did you mean 'width'"):
        inpainting_tf.build("glcic", widht=8)


@pytest.mark.parametrize("decay", ["constant", "cosine"])
def test_the_learning_rate_ends_where_it_should(decay):
    recipe = recipes.get("glcic", "smoke").override(
        {"optimizer.decay": decay, "network.width": 4, "discriminator.width": 4}
    )
    trainer = assembly.trainer(recipe, 16)
    updates = 16 - (
        trainer.boundaries[1] - trainer.boundaries[0]
    )  # none while the discriminator learns alone
    rates = []
    for step in (0, updates // 2, updates):
        trainer.optimizer.iterations.assign(step)
        rates.append(float(trainer.optimizer.learning_rate))
    assert rates == pytest.approx([1e-3] * 3 if decay == "constant" else [1e-3, 5e-4, 0.0], abs=1e-9)


def test_iizukas_optimizer_can_be_chosen():
    recipe = recipes.get("glcic", "smoke").override(
        {
            "optimizer.name": "adadelta",
            "optimizer.learning_rate": 1,
            "network.width": 4,
            "discriminator.width": 4,
        }
    )
    assert isinstance(assembly.trainer(recipe.check(), 10).optimizer, keras.optimizers.Adadelta)


@pytest.mark.parametrize(
    ("source", "kind", "aligned"),
    [("celeba", "rectangle", True), ("folder", "portrait", True), ("folder", "rectangle", False)],
)
def test_a_network_of_faces_knows_that_it_is_one(source, kind, aligned):
    """By its pictures, or by holes that are meant for faces."""
    recipe = tiny("best", data__source=source, mask__train__kind=kind)
    assert assembly.portable_network(recipe).facts.aligned is aligned

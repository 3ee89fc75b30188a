"""Trainers, losses and metrics as a Keras user expects them, on TensorFlow; `test_jax` does it on JAX."""

from __future__ import annotations

import keras_habits
import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", keras_habits.KINDS)
def test_evaluation_reports_the_means_over_all_pictures(kind):
    keras_habits.evaluation_reports_the_means_over_all_pictures(kind)


@pytest.mark.parametrize("kind", keras_habits.SAVED_KINDS)
def test_a_saved_trainer_goes_on_as_the_original(kind, tmp_path):
    keras_habits.a_saved_trainer_goes_on_as_the_original(kind, tmp_path)


def test_plain_keras_takes_losses_and_metrics(tmp_path):
    keras_habits.plain_keras_takes_losses_and_metrics(tmp_path)

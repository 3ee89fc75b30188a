"""A training on several devices is that on one of them; `tests/runs/test_several_hosts.py` has processes."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import hosts
import numpy as np
import pytest
import tensorflow as tf
from running import command, environment, process, tiny_flags

from inpainting_tf import InputError, backends
from inpainting_tf.training import distribution

CASES = {
    "reconstruction": {"loss", "reconstruction"},
    "variational": {"loss", "reconstruction", "kl"},
    "generative": {"loss", "adversarial", "discriminator", "real_score", "fake_score"},
    "adversarial": {"loss", "reconstruction", "adversarial", "discriminator", "real_score", "fake_score"},
}
DEVICES = {"tensorflow": 2, "jax": 4}
QUICK = {"jax": {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=1"}}


@pytest.fixture(scope="module", params=DEVICES)
def ten_steps(request, tmp_path_factory) -> tuple[Path, str]:
    """The folder of ten steps of every trainer on one device and on several, and the backend."""
    pytest.importorskip(request.param)
    folder, here = tmp_path_factory.mktemp(request.param), Path(__file__).parents[1]
    path = os.pathsep.join(map(str, (here, here / "backends")))
    env = environment(KERAS_BACKEND=request.param, PYTHONPATH=path, **QUICK.get(request.param, {}))
    done = process("tests/training/on_devices.py", folder, DEVICES[request.param], env=env)
    assert done.status == 0, done.err
    return folder, request.param


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_ten_steps_are_those_of_one_device(ten_steps, case):
    folder, backend = ten_steps
    one, many = (dict(np.load(folder / f"{backend}-{case}-{n}.npz")) for n in (1, DEVICES[backend]))
    assert set(one) == set(many)
    for name in one:
        tolerance = 1e-5 if name.startswith("losses/") else 1e-4
        np.testing.assert_allclose(many[name], one[name], tolerance, tolerance, err_msg=name)
    computed = {name for name in one if name.startswith("losses/") and np.isfinite(one[name]).any()}
    assert computed == {f"losses/{name}" for name in CASES[case]}
    kernels = [name for name in one if name.endswith("kernel") and one[name].size > 1]
    assert kernels and all(np.ptp(one[name]) > 0 for name in kernels)


# Which devices there are


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (
            {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}},
            (["a:1", "b:2"], 1),
        ),
        (
            {"cluster": {"worker": ["b:2"], "chief": ["a:1"]}, "task": {"type": "worker", "index": 0}},
            (["a:1", "b:2"], 1),
        ),
        (
            {"cluster": {"worker": ["b:2"], "chief": ["a:1"]}, "task": {"type": "chief", "index": 0}},
            (["a:1", "b:2"], 0),
        ),
    ],
)
def test_tf_config_names_the_processes(config, found):
    assert distribution.cluster(json.dumps(config)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_another_tf_config_is_refused_in_one_line(text, monkeypatch, tmp_path):
    monkeypatch.setenv("TF_CONFIG", text)
    done = command("train.py", *tiny_flags(), "--strategy=multi_worker", f"--workdir={tmp_path / 'run'}")
    assert done.refuses("TF_CONFIG must name all workers and this one", f"Received {text!r}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--strategy=mirrored", "--devices=64"], "`devices` must be at most the number of"),
        (["--devices=2"], "`devices` must be none but with `strategy` mirrored. Received 2."),
        (["--strategy=both"], "both"),
    ],
)
def test_devices_that_are_not_there_are_refused(flags, told, tmp_path):
    assert tf.config.list_logical_devices()  # in use: it cannot be divided any more
    done = command("train.py", *tiny_flags(), *flags, f"--workdir={tmp_path / 'run'}")
    assert done.refuses(told)
    assert not (tmp_path / "run").exists()


# Several processes


# The first one, at which they meet, is killed in tests/runs/test_several_hosts.py.
@pytest.mark.slow
def test_a_process_of_jax_that_is_lost_ends_the_other_with_one_line(tmp_path):
    pytest.importorskip("jax")
    with hosts.two_processes("jax", tmp_path, "tests/training/meeting.py", str(tmp_path)) as two:
        status, told = hosts.kill_one(two, 1, tmp_path, (tmp_path / "0.met").exists)
    assert status == 1 and "Traceback" not in told and "Terminating process" not in told, told
    assert told.endswith("error: Another of the 2 processes does not answer any more. Start them again.\n"), (
        told
    )


def test_one_device_is_trained_on_as_without_a_strategy():
    used = distribution.devices("mirrored", 1)
    assert type(used) is backends.Devices and used.replicas == 1


class Several(backends.Devices):
    """Some of the devices of several processes, whose answers are given."""

    def __init__(self, hosts: int = 1, host: int = 0, replicas: int = 1, answers: list | None = None) -> None:
        self.hosts, self.host, self.replicas = hosts, host, replicas
        self.answers, self.asked = iter(answers or ()), []

    def gathered(self, values):
        self.asked.append(values.tolist())
        return np.array(next(self.answers), np.float64)


def test_every_host_has_its_rows():
    assert [distribution.rows(Several(3, host, 6), 12) for host in range(3)] == [
        slice(0, 4),
        slice(4, 8),
        slice(8, 12),
    ]
    with pytest.raises(InputError, match=r"multiple of the number of devices, 6\. Received 10\."):
        distribution.rows(Several(3, 0, 6), 10)


def test_hosts_that_see_different_folders_are_told_so():
    distribution.require_same(Several(2, answers=[[[7], [7]]]), 7, "runs/x")
    with pytest.raises(InputError, match=r"'runs/x', where they found the steps \[7, 0\]"):
        distribution.require_same(Several(2, answers=[[[7], [0]]]), 7, "runs/x")


def test_validation_is_that_of_the_first_host():
    used, row = Several(2, 1, answers=[[[20.5, np.nan], [1, 2]]]), {"loss": 1.0}
    found = distribution.of_first_host(used, row, ("val_psnr", "val_hole_psnr"))
    assert found == {"loss": 1.0, "val_psnr": 20.5, "val_hole_psnr": None}
    assert np.isnan(used.asked[0]).all()


@pytest.mark.parametrize("host", [0, 1])
def test_the_first_host_goes_first(host):
    used, order = Several(2, host, answers=[[[0], [0]]]), []
    with distribution.first_host_first(used):
        order.append(len(used.asked))
    assert order == [host] and len(used.asked) == 1


@pytest.mark.parametrize(("answer", "stopped", "ended"), [([1, 0], True, False), ([0, 1], False, True)])
def test_all_stop_when_one_is_to_stop(answer, stopped, ended):
    stop, model = threading.Event(), type("Model", (), {"stop_training": False})()
    together = distribution.Together(0, Several(2, answers=[[[0, 0], answer]]), stop)
    together.set_model(model)
    together.on_step(1, "completion", {})
    assert (stop.is_set(), model.stop_training) == (stopped, ended)

"""tensorboard_test.py CONVOY: what TensorBoard finds in the run directories of convoy."""

import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensorboard"))
from event_reader import Run  # noqa: E402

CONVOY = os.path.realpath(sys.argv[1])
SMALL = ["train", "--dataset", "synthetic", "--model", "lenet5", "--quiet"]
STEPS = 313  # of an epoch of 10,000 images
LIVE = ["train/loss", "train/accuracy", "learning_rate", "images_per_second"]


def convoy(*arguments):
    subprocess.run([CONVOY, *arguments], check=True)


def single(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


def check_charts(directory, run, steps):
    for tag in LIVE:
        assert [step for step, _ in run.scalars[tag]] == steps, (tag, run.scalars[tag])
    epochs = [json.loads(line) for line in open(f"{directory}/metrics.jsonl")]
    for key in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        expected = [(STEPS * epoch["epoch"], single(epoch[key])) for epoch in epochs]
        assert run.scalars["epoch/" + key] == expected, (key, run.scalars, expected)
    assert len(run.scalars) == len(LIVE) + 4, run.scalars.keys()


def check_whole_run():
    convoy(*SMALL, "--epochs", "2", "--seed", "3", "--run-dir", "straight")
    run = Run("straight")
    assert len(run.files) == 1 and run.torn_bytes == 0
    check_charts("straight", run, list(range(1, 2 * STEPS + 1)))
    assert all(value == single(0.001) for _, value in run.scalars["learning_rate"])
    assert all(value > 0 for _, value in run.scalars["images_per_second"])
    # The mean of an epoch's steps is the epoch's: 312 batches of 32 images and one of 16.
    losses = [loss for _, loss in run.scalars["train/loss"][:STEPS]]
    mean = (32 * sum(losses[:-1]) + 16 * losses[-1]) / 10000
    assert abs(mean - run.scalars["epoch/train_loss"][0][1]) < 1e-5, mean
    assert run.hparams["seed"] == 3 and run.hparams["model"] == "lenet5", run.hparams
    assert run.hparams["shuffle"] is True and "threads" not in run.hparams, run.hparams
    assert run.status == 1, run.status
    assert set(run.images) == {"predictions", "confusion", "mistakes"}, run.images.keys()
    for name, (width, height, png) in run.images.items():
        assert png == open(f"straight/plots/{name}.png", "rb").read(), name
        assert (width, height) == struct.unpack(">II", png[16:24]), name
    return run


def check_killed_run(straight):
    """Killed at some step, and its last record torn; it goes on from the middle of an epoch, and what
    is done again counts once."""
    process = subprocess.Popen(
        [CONVOY, *SMALL, "--epochs", "2", "--seed", "3", "--run-dir", "killed", "--plots", "none"]
        + ["--checkpoint-every", "50", "--keep-last", "99"]
    )
    while not os.path.isdir("killed/checkpoints/step-00000500") and process.poll() is None:
        time.sleep(0.01)
    time.sleep(random.random() / 10)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended too early"
    before = Run("killed")
    assert before.scalars["train/loss"][-1][0] >= 500, "not written before the checkpoint"
    assert before.status is None, before.status
    os.truncate(before.files[0], os.path.getsize(before.files[0]) - 3)
    convoy("train", "--resume", "killed/checkpoints/step-00000400", "--quiet", "--plots", "none")
    run = Run("killed")
    assert len(run.files) == 2 and run.torn_bytes > 0, run.files
    check_charts("killed", run, list(range(1, 2 * STEPS + 1)))
    for tag in set(run.scalars) - {"images_per_second"}:
        assert run.scalars[tag] == straight.scalars[tag], f"{tag} differs from the straight run's"
    assert run.hparams == straight.hparams and run.status == 1
    assert not run.images


def check_stopped_run():
    """It may go on, so nothing says that it has ended."""
    process = subprocess.Popen([CONVOY, *SMALL, "--epochs", "1000", "--run-dir", "stopped"])
    while not os.path.exists("stopped/metrics.jsonl") and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 75
    assert Run("stopped").status is None


def check_long_run():
    """More than 1,000 steps: a point stands for two, and a smaller one for the last."""
    convoy(*SMALL, "--epochs", "4", "--max-steps", "1251", "--run-dir", "long", "--plots", "svg")
    run = Run("long")
    for tag in LIVE:
        steps = [step for step, _ in run.scalars[tag]]
        assert steps == [*range(2, 1251, 2), 1251], (tag, steps)
    assert not run.images


def check_switched_off():
    convoy(*SMALL, "--max-steps", "5", "--run-dir", "off", "--no-tensorboard", "--plots", "none")
    assert not Run("off").files


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    os.environ["OMP_NUM_THREADS"] = "1"
    check_killed_run(check_whole_run())
    check_stopped_run()
    check_long_run()
    check_switched_off()
    os.chdir("/")
print("all as expected")

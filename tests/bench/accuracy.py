"""Wall time from the start of the process until an evaluation finds 99 % of MNIST's test images
right, on two cores, in convoy (two ranks) and in PyTorch (two threads) with the same recipe: the
tutorial's network, Adam, one-cycle, label smoothing, pixels in 0..1, no augmentation. Both evaluate
after each epoch, all test images, and only then. Round k takes seed k + 1. The recipe gets there in
its one epoch with every seed tried, on either side.
"""

import json
import pathlib
import time

import measuring
from ways import Way

RECIPE = {"--epochs": 1, "--batch-size": 256, "--lr": 0.015, "--label-smoothing": 0.1}
AIM = 0.99


def options(machine, round_):
    if pathlib.Path(machine.data).name != "mnist":
        raise measuring.Missing("MNIST is missing: deploy/fetch-mnist")
    recipe = RECIPE | {"--data": machine.data, "--seed": round_ + 1}
    return [f"{name}={value}" for name, value in recipe.items()]


def figures(began, line):
    """Of a line that tells about an evaluation."""
    found = json.loads(line)["test_accuracy"]
    seconds = time.monotonic() - began if found >= AIM else float("inf")
    return {"seconds": seconds, "accuracy": found}


def convoy(machine, round_):
    arguments = [*options(machine, round_), "--schedule=one_cycle", "-n", "2"]
    began = time.monotonic()
    process = machine.start_convoy(*arguments)
    metrics = machine.scratch / "run/metrics.jsonl"
    while not (metrics.exists() and metrics.read_text().endswith("\n")):
        if process.poll() is not None:
            break
        time.sleep(0.005)
    found = figures(began, metrics.read_text().splitlines()[-1]) if metrics.exists() else {}
    machine.finish(process)
    return found


def torch(machine, round_):
    arguments = [*options(machine, round_), "--threads=2"]
    began = time.monotonic()
    process = machine.start_torch("torch_train.py", *arguments, threads=2)
    found = figures(began, process.stdout.readline())
    machine.finish(process)
    return found


WAYS = [
    Way("accuracy", "convoy accuracy", convoy, most_rounds=5),
    Way("accuracy", "torch accuracy", torch, most_rounds=5),
]

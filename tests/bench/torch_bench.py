"""torch_bench.py step|bf16_step|evaluation BATCH THREADS SECONDS: prints images/s of each memory
format as JSON, medians of single steps; the formats take turns."""

import json
import sys
import time

import torch

import torch_network


def training(batch, memory_format):
    model = torch_network.network(memory_format)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    images, labels = torch_network.random_batch(batch, memory_format)
    return lambda: torch_network.train_step(model, optimizer, images, labels)


def bf16_training(batch, memory_format):
    step = training(batch, memory_format)

    def autocast():
        with torch.autocast("cpu", torch.bfloat16):
            step()

    return autocast


def evaluation(batch, memory_format):
    model = torch_network.network(memory_format).eval()
    images, _ = torch_network.random_batch(batch, memory_format)

    def evaluate():
        with torch.no_grad():
            model(images)

    return evaluate


def main(what, batch, threads, seconds):
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    make = {"step": training, "bf16_step": bf16_training, "evaluation": evaluation}[what]
    steps = {name: make(batch, form) for name, form in torch_network.FORMATS.items()}
    times = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(5):
            step()
    for turn in range(4):
        for name, step in steps.items():
            end = time.perf_counter() + seconds / 4
            while len(times[name]) <= turn or time.perf_counter() < end:
                began = time.perf_counter()
                step()
                times[name].append(time.perf_counter() - began)
    print(json.dumps({name: batch / sorted(t)[len(t) // 2] for name, t in times.items()}))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))

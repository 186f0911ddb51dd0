"""torch_ddp.py STEPS: two processes of one thread, a core each, train on 32 images each with
DistributedDataParallel over gloo. Prints images/s of both together, for each memory format, as
JSON: the mean of STEPS steps after ten others, as convoy counts its own."""

import json
import os
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

import torch_network

RANKS, BATCH = 2, 32


def images_per_second(memory_format, steps):
    model = DistributedDataParallel(
        torch_network.network(memory_format), gradient_as_bucket_view=True
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    images, labels = torch_network.random_batch(BATCH, memory_format)
    for step in range(10 + steps):
        if step == 10:
            dist.barrier()
            began = time.perf_counter()
        torch_network.train_step(model, optimizer, images, labels)
    return RANKS * BATCH * steps / (time.perf_counter() - began)


def rank_main(rank, store, steps):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS)
    figures = {}
    for name, memory_format in torch_network.FORMATS.items():
        figures[name] = images_per_second(memory_format, steps)
    if rank == 0:
        print(json.dumps(figures))
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        mp.spawn(rank_main, (f"{directory}/store", int(sys.argv[1])), nprocs=RANKS)

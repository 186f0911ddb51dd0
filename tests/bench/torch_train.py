"""torch_train.py --data DIR [...]: trains the tutorial's network on four IDX files with Adam and
one-cycle, one evaluation after each epoch; prints a line of JSON for each, and at the end the
largest resident memory. The recipe is that of `convoy train` with the same options."""

import argparse
import gzip
import json
import re

import numpy
import torch

import torch_network


def read_idx(directory, name, header):
    try:
        data = open(f"{directory}/{name}", "rb").read()
    except FileNotFoundError:
        data = gzip.open(f"{directory}/{name}.gz").read()
    return torch.from_numpy(numpy.frombuffer(data, numpy.uint8, offset=header).copy())


def load(directory, split):
    labels = read_idx(directory, f"{split}-labels-idx1-ubyte", 8).long()
    images = read_idx(directory, f"{split}-images-idx3-ubyte", 16)
    return images.view(len(labels), 1, 28, 28), labels


def batch_of(data, ids):
    images = data[0][ids].float().div_(255).contiguous(memory_format=torch.channels_last)
    return images, data[1][ids]


def accuracy(model, data):
    correct = 0
    with torch.no_grad():
        for ids in torch.arange(len(data[1])).split(256):
            images, labels = batch_of(data, ids)
            correct += int((model(images).argmax(1) == labels).sum())
    return correct / len(data[1])


def peak_memory_bytes():
    status = open("/proc/self/status").read()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+)", status).group(1))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", required=True)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--label-smoothing", type=float, default=0)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--max-steps", type=int, default=10**9)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)
train, test = load(options.data, "train"), load(options.data, "t10k")
model = torch_network.network(torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
steps_per_epoch = -(-len(train[1]) // options.batch_size)
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, options.lr, options.epochs * steps_per_epoch, cycle_momentum=False
)
step = 0
for epoch in range(options.epochs):
    for ids in torch.randperm(len(train[1])).split(options.batch_size):
        if step == options.max_steps:
            break
        batch = batch_of(train, ids)
        torch_network.train_step(model, optimizer, *batch, options.label_smoothing)
        schedule.step()
        step += 1
    print(json.dumps({"epoch": epoch + 1, "test_accuracy": accuracy(model, test)}), flush=True)
print(json.dumps({"peak_memory_bytes": peak_memory_bytes()}))

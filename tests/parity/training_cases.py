"""Ten training steps of two models: the loss of every step, and the weights they end with.

Of each tensor of the state_dict the fixture holds the Euclidean norm and 256 sampled elements (all,
if there are no more), in PyTorch's order.
"""

import numpy as np
import torch
from torch.nn import functional

import synthetic
from models import Small, Tutorial, fill
from synthetic import INPUT, STEP

STEPS = 10
SAMPLES = 256


def sampled(tensor):
    flat = tensor.detach().double().numpy().ravel()
    positions = slice(None)
    if flat.size > SAMPLES:
        positions = synthetic.bits(synthetic.SAMPLES, SAMPLES) % flat.size
    return {
        "norm": np.linalg.norm(flat),
        "samples": [float(f"{value:.8g}") for value in flat[positions]],
    }


def train(model, images, labels, optimizer, schedule=None, label_smoothing=0.0):
    losses = []
    for step in range(STEPS):
        y = labels(step)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images(step, y)), y, label_smoothing=label_smoothing)
        loss.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        losses.append(loss.item())
    state = {name: sampled(tensor) for name, tensor in model.state_dict().items()}
    return {"losses": losses, "state": state}


def tutorial():
    digits = synthetic.block_digits()
    model = fill(Tutorial().double())
    adam = torch.optim.Adam(model.parameters(), lr=0.001)
    return train(model, lambda step, y: digits[y],
                 lambda step: synthetic.labels(step, 32, classes=10), adam)


def small():
    model = fill(Small().double())
    sgd = torch.optim.SGD(
        model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=STEPS)
    return train(model, lambda step, y: synthetic.uniform(INPUT + STEP * step, [16, 3, 10, 14]),
                 lambda step: synthetic.labels(step, 16, classes=5), sgd, cosine,
                 label_smoothing=0.1)


def fixture():
    return {"tutorial": tutorial(), "small": small()}

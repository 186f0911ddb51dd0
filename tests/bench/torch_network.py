"""The tutorial's network and training step in PyTorch, as one tunes them for a CPU.

What is tuned: both memory formats are measured and the better counts; gradients are set to None
instead of zeroed; the environment (`measuring.TORCH_ENVIRONMENT`) keeps glibc from handing memory
back to the kernel in every step (+15 to 20 %), and OpenBLAS does the linear layers where Debian's
libopenblas0-openmp is installed (+25 %). Measured and found to change nothing: Adam's foreach,
inplace ReLU, flushing denormals, ATEN_CPU_CAPABILITY=avx512.
"""

import torch
from torch import nn

FORMATS = {"plain": torch.contiguous_format, "channels_last": torch.channels_last}


def network(memory_format):
    def block(inputs, outputs, pool_padding):
        return [
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, padding=pool_padding),
        ]

    def linear(inputs, outputs):
        layer = nn.Linear(inputs, outputs)
        nn.init.xavier_uniform_(layer.weight)
        return layer

    return nn.Sequential(
        *block(1, 32, 0),
        *block(32, 64, 0),
        *block(64, 128, 1),
        nn.Flatten(),
        linear(2048, 625),
        linear(625, 10),
    ).to(memory_format=memory_format)


def random_batch(size, memory_format):
    images = torch.rand(size, 1, 28, 28).to(memory_format=memory_format)
    return images, torch.randint(0, 10, (size,))


def train_step(model, optimizer, images, labels, label_smoothing=0.0):
    optimizer.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(model(images), labels, label_smoothing=label_smoothing)
    loss.backward()
    optimizer.step()
    return loss

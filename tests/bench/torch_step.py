"""The tutorial's training step in PyTorch, timed: prints images/s, the median over rounds.

torch_step.py BATCH THREADS SECONDS default|channels_last
"""

import sys
import time

import torch

batch, threads, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
memory_format = torch.channels_last if sys.argv[4] == "channels_last" else torch.contiguous_format
torch.set_num_threads(threads)
torch.manual_seed(0)


def block(inputs, outputs, padding):
    return [
        torch.nn.Conv2d(inputs, outputs, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2, padding=padding),
        torch.nn.Dropout(0.0),
    ]


model = torch.nn.Sequential(
    *block(1, 32, 0), *block(32, 64, 0), *block(64, 128, 1),
    torch.nn.Flatten(), torch.nn.Linear(2048, 625), torch.nn.Linear(625, 10),
).to(memory_format=memory_format)
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
loss_function = torch.nn.CrossEntropyLoss()
images = torch.rand(batch, 1, 28, 28).to(memory_format=memory_format)
labels = torch.randint(0, 10, (batch,))


def step():
    optimizer.zero_grad()
    loss_function(model(images), labels).backward()
    optimizer.step()


for _ in range(5):
    step()
times = []
end = time.perf_counter() + seconds
while time.perf_counter() < end:
    began = time.perf_counter()
    step()
    times.append(time.perf_counter() - began)
print(batch / sorted(times)[len(times) // 2])

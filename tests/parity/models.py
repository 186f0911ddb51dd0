"""The models of the training tests, as a PyTorch user writes them. models.cc has the same."""

import math

import torch
from torch import nn

import synthetic


class Tutorial(nn.Module):
    """The network of the PyTorch MNIST tutorial that convoy trains by default."""

    def __init__(self):
        super().__init__()
        self.layer1 = self.block(1, 32, pool_padding=0)
        self.layer2 = self.block(32, 64, pool_padding=0)
        self.layer3 = self.block(64, 128, pool_padding=1)
        self.fc1 = nn.Linear(4 * 4 * 128, 625)
        self.fc2 = nn.Linear(625, 10)

    @staticmethod
    def block(in_channels, out_channels, pool_padding):
        return nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=1, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2, padding=pool_padding),
            nn.Dropout(p=0.0),
        )

    def forward(self, x):
        y = self.layer3(self.layer2(self.layer1(x)))
        return self.fc2(self.fc1(y.flatten(start_dim=1)))


class Small(nn.Sequential):
    """What the tutorial lacks: batch norm, average pooling, groups, stride."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, kernel_size=3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(6)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.AvgPool2d(kernel_size=2)
        self.conv2 = nn.Conv2d(6, 8, kernel_size=3, stride=2, groups=2)
        self.norm2 = nn.BatchNorm2d(8, momentum=0.3)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.AvgPool2d(kernel_size=3, stride=1, padding=1)
        self.dropout = nn.Dropout(p=0.0)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(8 * 2 * 3, 5)


def fill(model):
    """Draws first values: weights within +-1/sqrt(inputs of an output), scales of norms within 0.1
    of 1, everything else within 0.1 of 0."""
    with torch.no_grad():
        for i, (name, parameter) in enumerate(model.named_parameters()):
            centre, bound = 0.0, 0.1
            if parameter.dim() > 1:
                bound = 1.0 / math.sqrt(parameter[0].numel())
            elif name.endswith("weight"):
                centre = 1.0
            parameter.copy_(synthetic.uniform(
                synthetic.PARAMETER + i, parameter.shape, centre - bound, centre + bound))
    return model

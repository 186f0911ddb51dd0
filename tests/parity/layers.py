"""Runs one layer of torch.nn on drawn numbers. layers.cc does the same with convoy's."""

import torch
from torch import nn

from synthetic import GRAD_OUTPUT, INPUT, PARAMETER, STEP


def run(draw, kind, options, shape, training=(True,)):
    """Steps one after the other on one layer, training (true) or evaluating (false): the last
    step's output and input gradient, the parameters' gradients summed over the steps, the buffers.
    `draw(sequence, shape)` makes every number. Raises what PyTorch raises.
    """
    layer = getattr(nn, kind)(**options).double()
    with torch.no_grad():
        for i, parameter in enumerate(layer.parameters()):
            parameter.copy_(draw(PARAMETER + i, parameter.shape))
    for step, train in enumerate(training):
        x = draw(INPUT + STEP * step, shape).requires_grad_()
        y = layer.train(train)(x)
        y.backward(draw(GRAD_OUTPUT + STEP * step, y.shape))
    return {
        "output": y.detach(),
        "input_gradient": x.grad,
        "gradients": {name: parameter.grad for name, parameter in layer.named_parameters()},
        "buffers": dict(layer.named_buffers()),
    }

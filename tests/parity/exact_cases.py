"""Layers, exactly: on small integers every output and gradient is an integer that float32 holds.

A product is a list of axes, each a list of choices; a case takes one choice from each, last axis
fastest. Its result is the checksums of output, input gradient and each parameter's gradient, or
null where PyTorch refuses to build or to run the layer.
"""

import itertools

import layers
import synthetic


def axis(name, *values):
    return [{name: value} for value in values]


def channels(*triples):
    return [{"in_channels": c, "out_channels": k, "groups": g} for c, k, g in triples]


CONV2D = [
    [{"layer": "Conv2d", "input": [2, 4, 6, 8]}],
    channels((4, 6, 1), (4, 6, 2), (4, 4, 4), (4, 8, 4)),
    axis("kernel_size", 3, 2, [3, 5], [1, 4]),
    axis("stride", 1, 2, [2, 1]),
    axis("padding", 0, 1, [1, 2], "same", "valid"),
    axis("dilation", 1, 2, [1, 2]),
    axis("bias", True, False),
    axis("padding_mode", "zeros", "reflect", "replicate", "circular"),
]

# Around the sizes in which kernels cut rows (6 or 14 pixels) and channels (8, 16 or 32).
CONV2D_TILES = [
    [{"layer": "Conv2d", "kernel_size": 3, "padding": 1}],
    [{"input": [1, c, 3, w], "in_channels": c} for c in (1, 3, 16)
     for w in (1, 2, 5, 6, 7, 12, 13, 14, 15, 28, 29, 40)],
    axis("out_channels", 1, 7, 8, 9, 10, 16, 17, 31, 32, 33, 64, 65),
]

CONV2D_GEOMETRIES = [
    [{"layer": "Conv2d"}],
    [{"input": [2, c, 7, w], "in_channels": c, "out_channels": k, "groups": g}
     for c, k, g in ((5, 33, 1), (32, 64, 2), (34, 66, 2), (33, 33, 33), (16, 32, 16), (33, 10, 1))
     for w in (7, 15, 29)],
    [{"kernel_size": 1},
     {"kernel_size": 1, "stride": 2},
     {"kernel_size": 3, "stride": 2, "padding": 1},
     {"kernel_size": [2, 5], "stride": [1, 3], "padding": [0, 2]},
     {"kernel_size": [5, 4], "padding": "same"},
     {"kernel_size": 3, "padding": 2, "dilation": 2},
     {"kernel_size": 3, "padding": [1, 3], "dilation": [1, 3], "stride": 2},
     {"kernel_size": [7, 1], "padding": [3, 0], "padding_mode": "circular"}],
]

CONV2D_LARGE = [[{"layer": "Conv2d"}], [
    {"input": [2, 1, 28, 28], "in_channels": 1, "out_channels": 32, "kernel_size": 3, "padding": 1},
    {"input": [2, 32, 14, 14], "in_channels": 32, "out_channels": 64, "kernel_size": 3,
     "padding": 1},
    {"input": [2, 64, 7, 7], "in_channels": 64, "out_channels": 128, "kernel_size": 3,
     "padding": 1},
    {"input": [3, 3, 21, 40], "in_channels": 3, "out_channels": 33, "kernel_size": 5, "padding": 2},
    {"input": [2, 3, 32, 40], "in_channels": 3, "out_channels": 10, "kernel_size": 7, "stride": 2,
     "padding": 3},
    {"input": [5, 33, 9, 17], "in_channels": 33, "out_channels": 10, "kernel_size": [3, 5],
     "padding": "same", "padding_mode": "reflect"},
]]

LINEAR_TILES = [
    [{"layer": "Linear"}],
    [{"input": [n, c], "in_features": c} for n in (1, 5, 6, 7, 14, 15, 32)
     for c in (1, 7, 16, 33)],
    axis("out_features", 1, 8, 10, 16, 31, 33, 65),
    axis("bias", True, False),
]

# Small integers also mean windows full of equal values: the same one has to get the gradient.
MAX_POOL2D = [
    [{"layer": "MaxPool2d"}],
    axis("input", [2, 1, 7, 9], [1, 3, 8, 6], [1, 17, 6, 7], [1, 32, 5, 8]),
    axis("kernel_size", 1, 2, 3, [2, 3], [5, 1], 7),
    [{}, *axis("stride", 1, 2, [3, 2])],
    axis("padding", 0, 1, [1, 0], [2, 3]),
    axis("dilation", 1, 2, [1, 3]),
    axis("ceil_mode", False, True),
]

# Where PyTorch draws the line; the shortest choice on each side.
CONV2D_LIMITS = [
    [{"layer": "Conv2d", "input": [1, 2, 5, 6], "in_channels": 2, "out_channels": 2,
      "kernel_size": 3}],
    [{}, {"input": [1, 3, 5, 6]}, {"input": [1, 2, 3, 3]}, {"input": [1, 2, 2, 6]},
     {"input": [1, 2, 6, 2]}, {"input": [1, 2, 1, 2], "padding": 1},
     {"out_channels": 0}, {"kernel_size": 0}, {"kernel_size": [3, 0]}, {"kernel_size": -1},
     {"stride": 0}, {"stride": [1, -1]}, {"stride": 99}, {"dilation": 0}, {"dilation": [1, -2]},
     {"dilation": 3}, {"dilation": 2}, {"padding": -1}, {"padding": 9},
     {"groups": 0}, {"groups": -1}, {"groups": 2}, {"groups": 3},
     {"in_channels": 4, "out_channels": 3, "groups": 2},
     {"padding": "same", "stride": [1, 2]}, {"padding": "same", "dilation": 4},
     {"padding": [4, 5], "padding_mode": "reflect"}, {"padding": [5, 1], "padding_mode": "reflect"},
     {"padding": [1, 6], "padding_mode": "reflect"},
     {"padding": [5, 6], "padding_mode": "circular"},
     {"padding": [6, 1], "padding_mode": "circular"},
     {"padding": [1, 7], "padding_mode": "circular"},
     {"padding": [17, 19], "padding_mode": "replicate"},
     {"padding": "same", "dilation": 4, "padding_mode": "reflect"},
     {"padding": "same", "dilation": 5, "padding_mode": "reflect"},
     {"padding": "same", "dilation": 5, "padding_mode": "circular"},
     {"padding": "same", "dilation": 6, "padding_mode": "circular"}],
]


def run(case):
    """The layer's tensors by name, or None where PyTorch refuses."""
    options = dict(case)
    kind, shape = options.pop("layer"), options.pop("input")
    try:
        result = layers.run(integers, kind, options, shape)
    except (RuntimeError, ValueError):
        return None
    return {"output": result["output"], "input_gradient": result["input_gradient"],
            **result["gradients"]}


def integers(sequence, shape):
    return synthetic.integers(sequence, shape, 3)


def cases(axes):
    for choices in itertools.product(*axes):
        yield {name: value for choice in choices for name, value in choice.items()}


def product(axes):
    results = [tensors and [synthetic.checksum(tensor) for tensor in tensors.values()]
               for tensors in map(run, cases(axes))]
    return {"axes": axes, "results": results}


def fixture():
    return {
        "Conv2d": product(CONV2D),
        "Conv2d tiles": product(CONV2D_TILES),
        "Conv2d geometries": product(CONV2D_GEOMETRIES),
        "Conv2d large": product(CONV2D_LARGE),
        "Conv2d limits": product(CONV2D_LIMITS),
        "Linear tiles": product(LINEAR_TILES),
        "MaxPool2d": product(MAX_POOL2D),
    }

"""Every layer on real numbers: forward, input gradient, parameter gradients, buffers.

Computed in float64; written with 8 digits, a thousand times finer than what the tests ask.
"""

from torch.nn import functional

import layers
import synthetic
from synthetic import INPUT

IMAGES = [2, 3, 7, 9]

CASES = [
    ("Conv2d", {"in_channels": 3, "out_channels": 5, "kernel_size": 3, "padding": 1}, IMAGES),
    ("Conv2d", {"in_channels": 3, "out_channels": 5, "kernel_size": [3, 5], "stride": [2, 1],
                "padding": [1, 2], "bias": False, "padding_mode": "reflect"}, IMAGES),
    ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": [2, 4], "padding": "same",
                "groups": 2, "dilation": [1, 2], "padding_mode": "circular"}, [2, 4, 5, 8]),
    ("Conv2d", {"in_channels": 4, "out_channels": 8, "kernel_size": 3, "groups": 4,
                "padding": 2, "dilation": 2, "padding_mode": "replicate"}, [2, 4, 5, 6]),
    ("Conv2d", {"in_channels": 32, "out_channels": 10, "kernel_size": 3, "stride": 2},
     [1, 32, 6, 9]),
    ("Conv2d", {"in_channels": 2, "out_channels": 3, "kernel_size": 2}, [2, 2, 3, 4],
     [True, True]),
    ("Linear", {"in_features": 1, "out_features": 1}, [1, 1]),
    ("Linear", {"in_features": 37, "out_features": 10}, [5, 37]),
    ("Linear", {"in_features": 16, "out_features": 33, "bias": False}, [3, 16]),
    ("Linear", {"in_features": 4, "out_features": 3}, [2, 4], [True, False, True]),
    ("MaxPool2d", {"kernel_size": 2}, IMAGES),
    ("MaxPool2d", {"kernel_size": 2, "padding": 1}, [2, 17, 7, 7]),
    ("MaxPool2d", {"kernel_size": 3, "stride": [1, 2], "padding": 1, "dilation": [1, 3],
                   "ceil_mode": True}, IMAGES),
    ("MaxPool2d", {"kernel_size": 8, "stride": 2, "ceil_mode": True}, IMAGES),
    ("AvgPool2d", {"kernel_size": 2}, IMAGES),
    ("AvgPool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, [2, 17, 8, 7]),
    ("AvgPool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
     IMAGES),
    ("AvgPool2d", {"kernel_size": [3, 2], "stride": 2, "padding": 1, "ceil_mode": True},
     [2, 3, 8, 6]),
    ("AvgPool2d", {"kernel_size": 3, "stride": [2, 3], "padding": [0, 1], "ceil_mode": True,
                   "count_include_pad": False}, [2, 3, 8, 9]),
    ("AvgPool2d", {"kernel_size": [2, 3], "divisor_override": 5}, IMAGES),
    ("AvgPool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True,
                   "divisor_override": -2}, [1, 2, 8, 6]),
    ("AvgPool2d", {"kernel_size": [4, 2], "stride": [3, 4], "padding": [2, 1], "ceil_mode": True,
                   "count_include_pad": False}, [1, 2, 9, 8]),
    ("AvgPool2d", {"kernel_size": 1, "stride": 3, "ceil_mode": True}, IMAGES),
    ("AvgPool2d", {"kernel_size": 8, "stride": 2, "ceil_mode": True}, IMAGES),
    ("ReLU", {}, IMAGES),
    ("ReLU", {}, [4, 11]),
    ("BatchNorm2d", {"num_features": 3}, IMAGES),
    ("BatchNorm2d", {"num_features": 3}, IMAGES, [True, True, True]),
    ("BatchNorm2d", {"num_features": 17, "eps": 0.1, "momentum": 0.3}, [2, 17, 3, 2],
     [True, True, False]),
    ("BatchNorm2d", {"num_features": 3, "momentum": None}, IMAGES, [True, True, True, False]),
    ("BatchNorm2d", {"num_features": 3, "affine": False}, IMAGES, [True, False]),
    ("BatchNorm2d", {"num_features": 3, "affine": False}, IMAGES, [False]),
    ("BatchNorm2d", {"num_features": 3, "track_running_stats": False}, IMAGES, [True, False]),
    ("Dropout", {"p": 0.0}, IMAGES),
    ("Dropout", {"p": 0.5}, IMAGES, [False]),
    ("Flatten", {}, IMAGES),
    ("Flatten", {}, [4, 11]),
]

REFUSED = [
    ("Linear", {"in_features": 5, "out_features": 2}, [3, 4]),
    ("MaxPool2d", {"kernel_size": 2, "padding": 2}, IMAGES),
    ("MaxPool2d", {"kernel_size": [3, 2], "padding": [1, 2]}, IMAGES),
    ("MaxPool2d", {"kernel_size": 8}, IMAGES),
    ("MaxPool2d", {"kernel_size": 4, "dilation": 3}, IMAGES),
    ("MaxPool2d", {"kernel_size": 9, "stride": 2, "ceil_mode": True}, IMAGES),
    ("MaxPool2d", {"kernel_size": 0}, IMAGES),
    ("MaxPool2d", {"kernel_size": 2, "stride": 0}, IMAGES),
    ("MaxPool2d", {"kernel_size": 2, "dilation": 0}, IMAGES),
    ("MaxPool2d", {"kernel_size": 2, "padding": -1}, IMAGES),
    ("AvgPool2d", {"kernel_size": 2, "padding": 2}, IMAGES),
    ("AvgPool2d", {"kernel_size": 8}, IMAGES),
    ("AvgPool2d", {"kernel_size": 9, "stride": 2, "ceil_mode": True}, IMAGES),
    ("AvgPool2d", {"kernel_size": 0}, IMAGES),
    ("AvgPool2d", {"kernel_size": 2, "padding": -1}, IMAGES),
    ("AvgPool2d", {"kernel_size": 2, "divisor_override": 0}, IMAGES),
    ("BatchNorm2d", {"num_features": 4}, IMAGES),
    ("BatchNorm2d", {"num_features": 3}, [1, 3, 1, 1]),
    ("Dropout", {"p": 1.5}, IMAGES),
    ("Dropout", {"p": -0.1}, IMAGES),
]

LOSSES = [
    {"logits": [1, 2]},
    {"logits": [5, 10]},
    {"logits": [5, 10], "label_smoothing": 0.1},
    {"logits": [7, 3], "reduction": "sum"},
    {"logits": [7, 3], "reduction": "sum", "label_smoothing": 1.0},
    {"logits": [4, 10], "scale": 200.0, "label_smoothing": 0.05},
]


def rounded(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def case(kind, options, shape, training=(True,)):
    result = layers.run(synthetic.uniform, kind, options, shape, training)
    return {
        "layer": kind, "options": options, "input": shape, "training": list(training),
        "output_shape": list(result["output"].shape),
        "output": rounded(result["output"]),
        "input_gradient": rounded(result["input_gradient"]),
        "gradients": {name: rounded(tensor) for name, tensor in result["gradients"].items()},
        "buffers": {name: rounded(tensor) for name, tensor in result["buffers"].items()},
    }


def refused(kind, options, shape):
    try:
        layers.run(synthetic.uniform, kind, options, shape)
    except (RuntimeError, ValueError):
        return {"layer": kind, "options": options, "input": shape}
    raise AssertionError(f"PyTorch takes {kind} with {options} on {shape}")


def loss(logits, scale=1.0, **options):
    x = synthetic.uniform(INPUT, logits, -scale, scale).requires_grad_()
    value = functional.cross_entropy(x, synthetic.labels(0, *logits), **options)
    value.backward()
    return {"logits": logits, "scale": scale, "options": options, "value": rounded(value)[0],
            "gradient": rounded(x.grad)}


def fixture():
    return {
        "cases": [case(*arguments) for arguments in CASES],
        "refused": [refused(*arguments) for arguments in REFUSED],
        "losses": [loss(**arguments) for arguments in LOSSES],
    }

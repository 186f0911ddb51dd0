"""Numbers that Python and C++ draw alike, so that the fixtures hold results only.

synthetic.h has the same functions, bit for bit. Arrays are filled in PyTorch's order (N,C,H,W).
"""

import numpy as np
import torch

# What numbers are for; step s of a role reads the sequence `role + STEP * s`, parameter i of a
# model `PARAMETER + i`.
INPUT, GRAD_OUTPUT, LABELS, CHECKSUM, SAMPLES, DIGITS, PARAMETER = 1, 2, 3, 4, 5, 14, 16
STEP = 256


def bits(sequence, count):
    """`count` well mixed 32-bit numbers: a counter through Wellons' hash lowbias32."""
    x = np.arange(count, dtype=np.uint32) + np.uint32(sequence * 0x9E3779B9 & 0xFFFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def uniform(sequence, shape, low=-1.0, high=1.0):
    """float32 numbers in [low, high), as float64 so that what is computed from them is exact."""
    unit = (bits(sequence, int(np.prod(shape))) >> np.uint32(8)) * 2.0**-24
    values = (low + (high - low) * unit).astype(np.float32)
    return torch.from_numpy(values.astype(np.float64).reshape(shape))


def integers(sequence, shape, bound):
    """Integers from -bound to bound, as float64."""
    values = bits(sequence, int(np.prod(shape))).astype(np.int64) % (2 * bound + 1) - bound
    return torch.from_numpy(values.astype(np.float64).reshape(shape))


def labels(step, count, classes):
    return torch.from_numpy(bits(LABELS + STEP * step, count).astype(np.int64) % classes)


def block_digits():
    """Ten black and white images (10, 1, 28, 28) of 4 by 4 blocks.

    Few distinct patches mean few ReLUs and maxima that rounding could decide otherwise, and this
    sequence was chosen for its clear decisions: from these images PyTorch in float32 ends ten Adam
    steps 1e-5 (in the norm of the weights) from itself in float64. From white noise it ends 2e-3
    away, and a fixture could not be met.
    """
    blocks = (uniform(DIGITS, [10, 1, 7, 7], 0.0, 1.0) < 0.3).double()
    return blocks.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


def checksum(values):
    """A sum of integers with weights from 1 to 65536: any one wrong or misplaced element shows."""
    flat = values.detach().numpy().ravel()
    integral = flat.astype(np.int64)
    assert (integral == flat).all(), "a checksum is of integers"
    weights = 1 + (bits(CHECKSUM, flat.size) >> np.uint32(16)).astype(np.int64)
    return int((weights * integral).sum())

"""Weights between convoy and PyTorch, both ways: the same names, the same logits.

    torch_exchange.py PARITY_EXCHANGE

convoy saves, PyTorch loads by name (strict) and has to compute the logits that convoy printed; then
PyTorch saves and convoy loads. Run by ctest through tests/support/with-torch.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

import synthetic
from models import Small, Tutorial

TOLERANCE = 1e-5  # relative to the largest logit
DTYPES = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
MODELS = {
    "tutorial": (Tutorial, synthetic.block_digits()),
    "small": (Small, synthetic.uniform(synthetic.INPUT, [16, 3, 10, 14])),
}


def read_safetensors(path):
    """https://github.com/huggingface/safetensors, as far as it is needed; Debian has no package."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            values = np.frombuffer(data[begin + first:begin + last], DTYPES[entry["dtype"]])
            tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        values = tensor.numpy()
        dtype = next(key for key, known in DTYPES.items() if known == values.dtype)
        first = len(data)
        data += values.tobytes()
        header[name] = {"dtype": dtype, "shape": list(values.shape),
                        "data_offsets": [first, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def convoy_logits(program, action, name, path):
    output = subprocess.run([program, action, name, path], check=True, stdout=subprocess.PIPE)
    return torch.tensor([[float(logit) for logit in line.split()]
                         for line in output.stdout.decode().splitlines()], dtype=torch.float64)


def torch_logits(model, images):
    with torch.no_grad():
        return model.double().eval()(images)


def compare(what, convoy, pytorch):
    assert convoy.shape == pytorch.shape, f"{what}: {convoy.shape} against {pytorch.shape}"
    error = ((convoy - pytorch).abs().max() / pytorch.abs().max()).item()
    print(f"{what}: logits {list(convoy.shape)} differ by {error:.1e} of the largest")
    if not error <= TOLERANCE:
        sys.exit(f"{what}: that is more than {TOLERANCE}")


def main(program):
    torch.manual_seed(0)
    for name, (make, images) in MODELS.items():
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "model.safetensors"

            logits = convoy_logits(program, "save", name, path)
            model = make()
            model.load_state_dict(read_safetensors(path), strict=True)
            compare(f"{name}, convoy to PyTorch", logits, torch_logits(model, images))

            model = make()
            model(images.float())  # in training mode: moves the statistics of batch norm
            write_safetensors(path, model.state_dict())
            logits = convoy_logits(program, "load", name, path)
            compare(f"{name}, PyTorch to convoy", logits, torch_logits(model, images))


if __name__ == "__main__":
    main(sys.argv[1])

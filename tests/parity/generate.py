#!/usr/bin/python3
"""Writes tests/parity/fixtures: what PyTorch computes, for the C++ tests to meet without Python.

Needs Debian's python3-torch 1.13, hence Debian's own interpreter. One machine writes the same bytes
on every run.

    tests/parity/generate.py                 all of them, ten seconds
    tests/parity/generate.py --exact CASE    prints the tensors of one case of exact_cases.py,
                                             given in JSON as exact_test prints it
"""

import argparse
import json
import pathlib
import warnings

import torch

import exact_cases
import layer_cases
import optimizer_cases
import training_cases

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def one_case_a_line(value, depth=2):
    """JSON that breaks lines down to `depth` brackets, so that a diff shows cases."""
    if depth == 0 or not isinstance(value, (list, dict)):
        return json.dumps(value)
    if isinstance(value, list):
        return "[\n" + ",\n".join(one_case_a_line(item, depth - 1) for item in value) + "\n]"
    members = (f"{json.dumps(name)}: {one_case_a_line(member, depth - 1)}"
               for name, member in value.items())
    return "{\n" + ",\n".join(members) + "\n}"


def write(name, fixture, depth=2):
    path = FIXTURES / f"{name}.json"
    path.write_text(one_case_a_line(fixture, depth) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--exact", type=json.loads, metavar="CASE", help="print this case only")
    case = parser.parse_args().exact
    # PyTorch warns of odd but legal cases: an empty weight, schedules within schedules.
    warnings.simplefilter("ignore")
    if case:
        for name, tensor in (exact_cases.run(case) or {"refused": None}).items():
            print(name, tensor, sep="\n")
        return
    torch.set_num_threads(1)
    FIXTURES.mkdir(exist_ok=True)
    write("exact", exact_cases.fixture(), depth=3)
    write("layers", layer_cases.fixture())
    write("optimizers", optimizer_cases.fixture())
    write("training", training_cases.fixture(), depth=3)


if __name__ == "__main__":
    main()

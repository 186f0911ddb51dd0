"""What is measured: every way is a function that measures once and returns figures by name. In each
round, every way runs once, in this order, so that all see the same machine.

A figure's full name is WAY.FIGURE: "torch step 32x1.plain"."""

import dataclasses
import os
import pathlib
import typing

import measuring

TUTORIAL = ["32,1,28,32,3,1,1", "32,32,14,64,3,1,1", "32,64,7,128,3,1,1"]
LINEAR = ["32,2048,1,625,1,1,0", "32,625,1,10,1,1,0"]  # a 1x1 convolution of a 1x1 image
FIRST = TUTORIAL[0]  # its input needs no gradient
PARTS = {"forward": "forward", "data": "data gradient", "weight": "weight gradient"}
# As in training where a max-pooling follows; the same as those for whoever knows nothing of it.
BEHIND_POOLING = {"pooled_data": "data", "pooled_weight": "weight"}

# The first steps of `convoy train` on real digits: name, options. The batch is that of all ranks
# together.
#
# How much work an image is depends on what was learned: zeros are left out, and only winners with a
# gradient visited. After as many steps another batch has learned something else. With the weights
# held where they began, an image is the same work in both.
HELD = "--lr=1e-12"
RANKS = {
    "1 rank, batch 32": "--batch-size=32",
    "2 ranks, batch 64": "-n 2 --batch-size=64",
    "1 rank, batch 32, weights held": f"--batch-size=32 {HELD}",
    "2 ranks, batch 64, weights held": f"-n 2 --batch-size=64 {HELD}",
    "2 ranks, batch 64, optimizer sharded": "-n 2 --batch-size=64 --shard-optimizer",
    "1 rank, batch 32, reproducible": "--batch-size=32 --reproducible",
    "1 rank, batch 64": "--batch-size=64",
    "1 rank, batch 64, reproducible": "--batch-size=64 --reproducible",
    "2 ranks, batch 64, reproducible": "-n 2 --batch-size=64 --reproducible",
    "1 rank, batch 256": "--batch-size=256",
    "1 rank, batch 256, reproducible": "--batch-size=256 --reproducible",
}
ISSUE_RANKS = ("1 rank, batch 32", "2 ranks, batch 64")
ISSUE_RANKS += tuple(f"{name}, weights held" for name in ISSUE_RANKS)
SECTIONS = ("step", "layers", "ranks", "memory")  # those that are measured unless others are named


@dataclasses.dataclass
class Way:
    sections: str  # words
    name: str
    measure: typing.Callable  # of a measuring.Machine and the round
    most_rounds: int = 1000


def convoy_step(what, batch, threads):
    name = f"{what}/batch:{batch}/threads:{threads}"
    return lambda machine, _: {
        "images/s": machine.google_benchmark(
            "convoy_bench", matching=f"^{name}/", seconds=5 * machine.seconds
        )[name]
    }


def torch_step(what, batch, threads, tuned=True):
    return lambda machine, _: machine.torch(
        "torch_bench.py", what, batch, threads, 5 * machine.seconds, threads=threads, tuned=tuned
    )


def convoy_kernels(machine, _):
    return machine.google_benchmark("convoy_bench", TUTORIAL, "^(Conv/|FmaPeak|Copy|Adam)")


def onednn_kernels(machine, _):
    figures = machine.google_benchmark("onednn_bench", TUTORIAL + LINEAR)
    parts = [f"Conv/{s}/{p}" for s in TUTORIAL + LINEAR for p in PARTS if (s, p) != (FIRST, "data")]
    figures["images/s"] = 32 / sum(figures[part + ".seconds"] for part in parts)
    return figures


def first_steps(machine):
    steps = f"--max-steps={machine.steps}"
    return ["--data", machine.data, "--threads=1", "--epochs=1", steps]


def ranks(machine, options):
    result = machine.convoy(*first_steps(machine), *options.split())
    return {"images/s": result["images_per_second"]}


def bf16(machine, _):
    if "avx512_bf16" not in pathlib.Path("/proc/cpuinfo").read_text():
        raise measuring.Missing("this CPU has no AVX512-BF16")
    figures = ranks(machine, f"{RANKS['1 rank, batch 32']} --precision=bf16")
    return figures | machine.google_benchmark("convoy_bench", matching="^(Fma|Bf16)Peak")


def rank_way(name):
    needed = "ranks reproducible" if name in ISSUE_RANKS else "reproducible"
    return Way(needed, name, lambda machine, _: ranks(machine, RANKS[name]))


def two_apart(machine, _):
    """Two processes that know nothing of each other, a core each."""
    cores = sorted(os.sched_getaffinity(0))
    processes = [
        machine.start_convoy(
            *first_steps(machine), "--batch-size=32", run=f"apart{i}", core=cores[i % len(cores)]
        )
        for i in range(2)
    ]
    return {"images/s": sum(machine.finish(p)["images_per_second"] for p in processes)}


def convoy_memory(machine, _):
    result = machine.convoy(*first_steps(machine))
    return {"MiB": result["peak_memory_bytes"] / 2**20}


def torch_memory(machine, _):
    steps = f"--max-steps={machine.steps}"
    result = machine.torch("torch_train.py", "--data", machine.data, steps, tuned=False)
    return {"MiB": result["peak_memory_bytes"] / 2**20}


WAYS = [
    Way("step", "convoy step 32x1", convoy_step("TrainingStep", 32, 1)),
    Way("step", "torch step 32x1", torch_step("step", 32, 1)),
    Way("step", "untuned torch step 32x1", torch_step("step", 32, 1, tuned=False)),
    Way("layers", "onednn", onednn_kernels),
    Way("layers", "convoy", convoy_kernels),
    Way("step", "convoy step 256x2", convoy_step("TrainingStep", 256, 2)),
    Way("step", "torch step 256x2", torch_step("step", 256, 2)),
    Way("step", "convoy evaluation", convoy_step("Evaluation", 256, 1)),
    Way("step", "torch evaluation", torch_step("evaluation", 256, 1)),
    Way("ranks", "torch ddp", lambda machine, _: machine.torch("torch_ddp.py", machine.steps)),
    *(rank_way(name) for name in RANKS),
    Way("ranks", "1 rank, batch 32, bf16", bf16),
    Way("ranks", "torch bf16 step 32x1", torch_step("bf16_step", 32, 1)),
    Way("ranks", "2 processes apart", two_apart),
    Way("memory", "convoy memory", convoy_memory, most_rounds=3),
    Way("memory", "torch memory", torch_memory, most_rounds=3),
]

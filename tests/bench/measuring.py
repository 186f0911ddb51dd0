"""Runs one measuring process and returns its figures: a dictionary of numbers by name."""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"

# convoy asks for huge pages itself.
PEER_ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

# PyTorch's own choice of kernels, whatever an OpenBLAS setting of this shell says; no memory handed
# back to the kernel only to be asked for again.
TORCH_ENVIRONMENT = PEER_ENVIRONMENT | {
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
}
OPENBLAS = "/usr/lib/x86_64-linux-gnu/openblas-openmp"


class Missing(Exception):
    """A peer that is not installed; the text says what to install."""


class Failed(Exception):
    """A measuring process that failed; the text has the end of its stderr."""


def environment(threads, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    return kept | {
        "OMP_NUM_THREADS": str(threads),
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    } | more


class Machine:
    """Where the programs are and how long to measure."""

    def __init__(self, programs, scratch, data, seconds, steps):
        self.programs = pathlib.Path(programs)
        self.scratch = pathlib.Path(scratch)
        self.data = data
        self.seconds = seconds
        self.steps = steps

    def start(self, argv, env, **options):
        return subprocess.Popen(
            [str(word) for word in argv],
            env=env,
            stdout=subprocess.PIPE,
            stderr=open(self.scratch / "stderr", "w"),
            text=True,
            **options,
        )

    def finish(self, process):
        """Its last line, which is JSON."""
        out, _ = process.communicate()
        if process.returncode != 0:
            last = "\n".join((self.scratch / "stderr").read_text().splitlines()[-20:])
            raise Failed(f"{' '.join(process.args)}: exit code {process.returncode}\n{last}")
        return json.loads(out if out.startswith("{\n") else out.splitlines()[-1])

    def google_benchmark(self, program, shapes=(), matching=".", seconds=None):
        """Rates by the names of benchmarks, and NAME.seconds."""
        path = self.programs / "tests/bench" / program
        if not path.exists():
            raise Missing("oneDNN is missing: apt-get install libdnnl-dev")
        argv = [path, "--benchmark_format=json", f"--benchmark_filter={matching}", *shapes]
        argv.append(f"--benchmark_min_time={seconds or self.seconds}")
        env = environment(1, **(PEER_ENVIRONMENT if program == "onednn_bench" else {}))
        figures = {}
        for one in self.finish(self.start(argv, env))["benchmarks"]:
            name = one["name"].removesuffix("/real_time")
            unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[one["time_unit"]]
            figures[name + ".seconds"] = one["real_time"] * unit
            figures |= {name: rate for key, rate in one.items() if key.endswith("/s")}
        return figures

    def torch(self, script, *arguments, threads=1, tuned=True):
        return self.finish(self.start_torch(script, *arguments, threads=threads, tuned=tuned))

    def start_torch(self, script, *arguments, threads=1, tuned=True):
        if importlib.util.find_spec("torch") is None:
            raise Missing("PyTorch is missing: apt-get install python3-torch")
        env = environment(threads, LD_LIBRARY_PATH=OPENBLAS, **(TORCH_ENVIRONMENT if tuned else {}))
        return self.start([PYTHON, "-B", HERE / script, *arguments], env)

    def convoy(self, *options, run="run", core=None):
        """The JSON of `convoy train`."""
        return self.finish(self.start_convoy(*options, run=run, core=core))

    def start_convoy(self, *options, run="run", core=None):
        if "-n" in options and shutil.which("mpirun") is None:
            raise Missing("mpirun is missing: apt-get install openmpi-bin")
        directory = self.scratch / run
        shutil.rmtree(directory, ignore_errors=True)
        argv = [self.programs / "launcher/convoy", "train", "--plots=none", "--quiet", "--json"]
        pinned = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
        env = {k: v for k, v in environment(1).items() if k != "OMP_NUM_THREADS"}
        return self.start([*argv, "--run-dir", directory, *options], env, preexec_fn=pinned)

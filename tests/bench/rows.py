"""The rows of the table: which figures are compared, and what is wanted of their ratio."""

import dataclasses
import statistics

from ways import BEHIND_POOLING, FIRST, PARTS, TUTORIAL


@dataclasses.dataclass
class Row:
    what: str
    unit: str
    ours: str
    against: str
    theirs: tuple  # names of figures; the best of them counts
    wanted: float = None
    less_is_better: bool = False  # then the ratio is theirs to ours, or ours to theirs if `share`
    share: bool = False

    def result(self, figures):
        """`figures`: lists of a number a round, by name. None if one side was not measured."""
        present = [name for name in self.theirs if name in figures]
        if self.ours not in figures or not present:
            return None
        pick = min if self.less_is_better else max
        peer = pick(present, key=lambda name: statistics.median(figures[name]))
        invert = self.less_is_better and not self.share
        pairs = zip(figures[self.ours], figures[peer])
        ratios = [theirs / ours if invert else ours / theirs for ours, theirs in pairs]
        ratio = statistics.median(ratios)
        reached = None
        if self.wanted is not None:
            reached = ratio <= self.wanted if self.share else ratio >= self.wanted
        return {
            "ours": statistics.median(figures[self.ours]),
            "theirs": statistics.median(figures[peer]),
            "peer": peer,
            "ratio": ratio,
            "lowest": min(ratios),
            "highest": max(ratios),
            "reached": reached,
        }


def both_formats(way):
    return (way + ".plain", way + ".channels_last")


def conv_name(shape):
    _, c, side, k, kernel, stride, _ = shape.split(",")
    return f"conv {c} to {k}@{side}" + (f", {kernel}x{kernel}" if kernel != "3" else "") + (
        f", stride {stride}" if stride != "1" else ""
    )


def conv_rows(shapes, way, peer, figure=None, wanted=None):
    """Each computation of each convolution; against `figure` of the peer, or the same of it."""
    for shape in shapes:
        for part in (*PARTS, *BEHIND_POOLING):
            whole = BEHIND_POOLING.get(part, part)
            if whole == "data" and shape.split(",")[1] in ("1", "3"):
                continue  # images need no gradient
            if part in BEHIND_POOLING and (shape == FIRST or shape not in TUTORIAL):
                continue  # one channel fills no vector; the others have no pooling behind them
            what = f"{conv_name(shape)}, {PARTS[whole]}"
            what += " behind pooling" if part in BEHIND_POOLING else ""
            theirs = f"convoy.{figure}" if figure else f"{way[1]}.Conv/{shape}/{whole}"
            aim = None if shape == FIRST else wanted
            yield Row(what, "GFLOP/s", f"{way[0]}.Conv/{shape}/{part}", peer, (theirs,), aim)


def rank_rows():
    for name in ("1 rank, batch 32", "1 rank, batch 64", "2 ranks, batch 64", "1 rank, batch 256"):
        ours = f"{name}, reproducible.images/s"
        yield Row(f"{name}, reproducible", "images/s", ours, "not so", (f"{name}.images/s",))
    sharded = "2 ranks, batch 64, optimizer sharded"
    theirs = ("2 ranks, batch 64.images/s",)
    yield Row(sharded, "images/s", f"{sharded}.images/s", "not so", theirs)


STEP = "convoy step 32x1.images/s"
ONE, TWO = "1 rank, batch 32.images/s", "2 ranks, batch 64.images/s"
BF16 = "1 rank, batch 32, bf16.images/s"
TORCH = "PyTorch"
ROWS = [
    Row("step, batch 32, 1 thread", "images/s", STEP, TORCH, both_formats("torch step 32x1"), 2.5),
    Row("  the same, its memory untuned", "images/s", STEP, TORCH,
        both_formats("untuned torch step 32x1")),
    Row("step, batch 256, 2 threads", "images/s", "convoy step 256x2.images/s", TORCH,
        both_formats("torch step 256x2"), 2),
    Row("step, batch 32, 1 thread", "images/s", STEP, "oneDNN, layers alone", ("onednn.images/s",),
        0.8),
    *conv_rows(TUTORIAL, ("convoy",), "FMA peak", "FmaPeak", 0.75),
    *conv_rows(TUTORIAL, ("convoy", "onednn"), "oneDNN"),
    Row("2 ranks, batch 64", "images/s", TWO, "PyTorch DDP", both_formats("torch ddp"), 3.5),
    Row("2 ranks, batch 64", "images/s", TWO, "1 rank, batch 32", (ONE,), 1.85),
    Row("2 ranks, batch 64, weights held", "images/s", "2 ranks, batch 64, weights held.images/s",
        "1 rank, batch 32, weights held", ("1 rank, batch 32, weights held.images/s",), 1.85),
    Row("2 processes apart, batch 32 each", "images/s", "2 processes apart.images/s",
        "1 rank, batch 32", (ONE,)),
    Row("1 rank, batch 32, bf16", "images/s", BF16, "float32", (ONE,), 2),
    Row("1 rank, batch 32, bf16", "images/s", BF16, "PyTorch autocast",
        both_formats("torch bf16 step 32x1")),
    Row("evaluation, batch 256, 1 thread", "images/s", "convoy evaluation.images/s", TORCH,
        both_formats("torch evaluation"), 2),
    Row("99 % of MNIST, 2 cores", "s", "convoy accuracy.seconds", TORCH,
        ("torch accuracy.seconds",), 3, less_is_better=True),
    Row("Adam, 1.4 M parameters", "GB/s", "convoy.Adam", "copy",
        ("convoy.Copy/memcpy", "convoy.Copy/registers"), 0.8),
    Row("resident memory, training", "MiB", "convoy memory.MiB", TORCH, ("torch memory.MiB",),
        0.25, less_is_better=True, share=True),
    *rank_rows(),
]  # fmt: skip

"""Convolutions of larger networks beside oneDNN, and sweeps over sizes that look for cliffs: where
twice the size, or half of it, has less than half of the speed."""

import statistics

from rows import conv_rows
from ways import PARTS, Way

VGG16 = [
    "2,3,224,64,3,1,1",
    "2,64,224,64,3,1,1",
    "2,64,112,128,3,1,1",
    "2,128,112,128,3,1,1",
    "2,128,56,256,3,1,1",
    "2,256,56,256,3,1,1",
    "2,256,28,512,3,1,1",
    "2,512,28,512,3,1,1",
    "2,512,14,512,3,1,1",
]
RESNET18 = [
    "4,3,224,64,7,2,3",
    "4,64,56,64,3,1,1",
    "4,64,56,128,3,2,1",
    "4,64,56,128,1,2,0",
    "4,128,28,128,3,1,1",
    "4,128,28,256,3,2,1",
    "4,128,28,256,1,2,0",
    "4,256,14,256,3,1,1",
    "4,256,14,512,3,2,1",
    "4,256,14,512,1,2,0",
    "4,512,7,512,3,1,1",
]
SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
CHANNELS = {c: f"8,{c},14,{c},3,1,1" for c in (8, 16, 32, 64, 128, 256, 512)}
IMAGES = {side: f"8,32,{side},32,3,1,1" for side in (7, 14, 28, 56, 112, 224)}
BATCHES = {n: f"{n},32,14,64,3,1,1" for n in SIZES}
STEPS = {n: f"TrainingStep/batch:{n}/threads:1" for n in SIZES}


def large(program):
    return lambda machine, _: machine.google_benchmark(program, VGG16 + RESNET18, "^Conv/")


def sweeps(machine, _):
    convolutions = [*CHANNELS.values(), *IMAGES.values(), *BATCHES.values()]
    wanted = "^(Conv/|TrainingStep/.*/threads:1/)"
    return machine.google_benchmark("convoy_bench", convolutions, wanted)


WAYS = [
    Way("shapes", "onednn large", large("onednn_bench"), most_rounds=3),
    Way("shapes", "convoy large", large("convoy_bench"), most_rounds=3),
    Way("shapes", "convoy sweeps", sweeps, most_rounds=3),
]
ROWS = [*conv_rows(VGG16 + RESNET18, ("convoy large", "onednn large"), "oneDNN")]


def show_sweep(what, sizes, figures):
    speeds = [statistics.median(figures[f"convoy sweeps.{name}"]) for name in sizes.values()]
    words = []
    for i, (size, speed) in enumerate(zip(sizes, speeds)):
        cliff = i > 0 and max(speed / speeds[i - 1], speeds[i - 1] / speed) > 2
        words.append(f"{'CLIFF ' if cliff else ''}{size}: {speed:.0f}")
    print(f"{what}: {', '.join(words)}")


def show_sweeps(figures):
    if f"convoy sweeps.{STEPS[1]}" not in figures:
        return
    show_sweep("training step, images/s by batch", STEPS, figures)
    for what, shapes in (
        ("batch, conv 32 to 64@14", BATCHES),
        ("channels, conv C to C@14, batch 8", CHANNELS),
        ("image side, conv 32 to 32, batch 8", IMAGES),
    ):
        for part, words in PARTS.items():
            names = {size: f"Conv/{shape}/{part}" for size, shape in shapes.items()}
            show_sweep(f"GFLOP/s of {words} by {what}", names, figures)

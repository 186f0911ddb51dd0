"""Optimizers for ten steps on a small vector, and learning rates step by step.

The gradient of each step is drawn, whatever the values are; `gradient_scale` multiplies it and
`max_norm` then clips it.
"""

import torch
from torch import optim
from torch.optim import lr_scheduler

import synthetic
from synthetic import GRAD_OUTPUT, PARAMETER, STEP

SIZE = 37
STEPS = 10

UPDATES = [
    {"kind": "Adam", "lr": 0.01, "options": {}},
    {"kind": "Adam", "lr": 0.1, "options": {"betas": [0.5, 0.9], "eps": 0.01,
                                           "weight_decay": 0.1}},
    {"kind": "Adam", "lr": 0.01, "options": {}, "gradient_scale": 1e-7},
    {"kind": "Adam", "lr": 0.01, "options": {"weight_decay": 0.01}, "gradient_scale": 0.125,
     "max_norm": 0.2},
    {"kind": "AdamW", "lr": 0.01, "options": {"weight_decay": 0.01}},
    {"kind": "AdamW", "lr": 0.1, "options": {"weight_decay": 0.5, "betas": [0.8, 0.99]}},
    {"kind": "SGD", "lr": 0.1, "options": {}},
    {"kind": "SGD", "lr": 0.1, "options": {"weight_decay": 0.1}},
    {"kind": "SGD", "lr": 0.1, "options": {"momentum": 0.9}},
    {"kind": "SGD", "lr": 0.1, "options": {"momentum": 0.9, "dampening": 0.5}},
    {"kind": "SGD", "lr": 0.05, "options": {"momentum": 0.9, "nesterov": True,
                                           "weight_decay": 0.01}},
    {"kind": "SGD", "lr": 0.1, "options": {"momentum": 0.9}, "gradient_scale": 0.5,
     "max_norm": 1.0},
]

SCHEDULES = [
    {"kind": "step", "lr": 0.1, "total_steps": 10, "step_size": 3, "gamma": 0.5},
    {"kind": "cosine", "lr": 0.1, "total_steps": 10},
    {"kind": "cosine", "lr": 0.1, "total_steps": 20, "eta_min": 0.01, "warmup_steps": 4},
    {"kind": "step", "lr": 0.1, "total_steps": 12, "step_size": 3, "gamma": 0.1, "warmup_steps": 5},
    {"kind": "one_cycle", "lr": 0.1, "total_steps": 20},
    {"kind": "one_cycle", "lr": 0.1, "total_steps": 7, "pct_start": 0.5, "div_factor": 10,
     "final_div_factor": 100},
]


def update(kind, lr, options, gradient_scale=1.0, max_norm=None):
    values = synthetic.uniform(PARAMETER, [SIZE]).requires_grad_()
    optimizer = getattr(optim, kind)([values], lr=lr, **options)
    after = []
    for step in range(STEPS):
        values.grad = gradient_scale * synthetic.uniform(GRAD_OUTPUT + STEP * step, [SIZE])
        if max_norm:
            torch.nn.utils.clip_grad_norm_([values], max_norm)
        optimizer.step()
        after.append([float(f"{value:.9g}") for value in values.tolist()])
    return {"kind": kind, "lr": lr, "options": options, "gradient_scale": gradient_scale,
            "max_norm": max_norm, "values": after}


def scheduler(optimizer, kind, lr, total_steps, warmup_steps=0, **options):
    make = {"step": lr_scheduler.StepLR, "cosine": lr_scheduler.CosineAnnealingLR,
            "one_cycle": lr_scheduler.OneCycleLR}[kind]
    if kind == "one_cycle":
        return make(optimizer, lr, total_steps, cycle_momentum=False, **options)
    if kind == "cosine":
        options["T_max"] = total_steps - warmup_steps
    if warmup_steps == 0:
        return make(optimizer, **options)
    warmup = lr_scheduler.LinearLR(
        optimizer, start_factor=1 / (warmup_steps + 1), total_iters=warmup_steps)
    return lr_scheduler.SequentialLR(optimizer, [warmup, make(optimizer, **options)],
                                     milestones=[warmup_steps])


def schedule(options):
    optimizer = optim.SGD([torch.zeros(1)], lr=options["lr"])
    schedule = scheduler(optimizer, **options)
    rates = []
    for step in range(options["total_steps"]):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < options["total_steps"]:
            schedule.step()
    return {"options": options, "rates": rates}


def fixture():
    return {
        "updates": [update(**case) for case in UPDATES],
        "schedules": [schedule(case) for case in SCHEDULES],
    }

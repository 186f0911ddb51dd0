"""A client of convoy.v1.CoordinatorService that shares no code with convoy: only its .proto files.

  coordinator_client.py --protos DIR --address HOST:PORT [--token-file F] [--ca F --cert F --key F] COMMAND
    wait-step RUN STEP        waits, a minute at most, until all ranks have reported that step
    wait-state RUN STATE      likewise for a state, as RUNNING
    check RUN METRICS WORLD   what the coordinator has of an ended run is complete, and equal to what
                              the trainer wrote to METRICS, its metrics.jsonl
    supersede RUN             claims the run's next generation, as a second start of it would
"""
import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time

import grpc


def load_messages(protos):
    folder = tempfile.mkdtemp()
    names = ["convoy/v1/run.proto", "convoy/v1/coordinator.proto"]
    subprocess.run(["protoc", f"--proto_path={protos}", f"--python_out={folder}", *names], check=True)
    sys.path.insert(0, folder)
    return importlib.import_module("convoy.v1.coordinator_pb2"), importlib.import_module("convoy.v1.run_pb2")


def open_channel(options):
    if not options.ca:
        return grpc.insecure_channel(options.address)

    def read(path):
        return open(path, "rb").read() if path else None

    return grpc.secure_channel(
        options.address,
        grpc.ssl_channel_credentials(read(options.ca), read(options.key), read(options.cert)))


class Client:
    def __init__(self, options):
        self.messages, self.run_messages = load_messages(options.protos)
        self.channel = open_channel(options)
        self.metadata = []
        if options.token_file:
            token = open(options.token_file).readline().strip()
            self.metadata = [("authorization", f"Bearer {token}")]

    def call(self, method, answer, **fields):
        request = getattr(self.messages, method + "Request")(**fields)
        answer = getattr(self.messages, answer, None) or getattr(self.run_messages, answer)
        stub = self.channel.unary_unary(
            f"/convoy.v1.CoordinatorService/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString)
        return stub(request, timeout=10, metadata=self.metadata, wait_for_ready=True)

    def run(self, run):
        return self.call("GetRun", "Run", run=run)

    def pages(self, method, field, **fields):
        token = ""
        while True:
            # Small pages, so that there are several.
            answer = self.call(method, method + "Response", page_size=100, page_token=token, **fields)
            yield from getattr(answer, field)
            token = answer.next_page_token
            if not token:
                return

    def wait(self, run, what, reached):
        deadline = time.monotonic() + 60
        while True:
            try:
                state = self.run(run)
                if reached(state):
                    return
            except grpc.RpcError as error:
                state = error
            if time.monotonic() > deadline:
                sys.exit(f"after a minute {run} has not come to {what}: {state}")
            time.sleep(0.05)

    def state(self, name):
        return self.run_messages.RunState.Value("RUN_STATE_" + name)


def equal(what, one, other):
    if one != other:
        sys.exit(f"{what}: {one} is not {other}")


def check(client, run, metrics, world):
    written = [json.loads(line) for line in open(metrics)]
    state = client.run(run)
    equal("lost steps", state.lost_steps, 0)
    steps = list(client.pages("ListSteps", "steps", run=run))
    equal("steps", [step.step for step in steps], list(range(1, state.spec.steps + 1)))
    equal("ranks of all steps", {step.ranks for step in steps}, {world})
    epochs = list(client.pages("ListEpochs", "epochs", run=run))
    equal("epochs", [epoch.epoch for epoch in epochs], [line["epoch"] for line in written])
    for epoch, line in zip(epochs, written):
        name = f"epoch {epoch.epoch}: "
        own = [step.sums for step in steps if step.epoch == epoch.epoch]
        # Sums of these doubles are exact, in any order; so `==` is what is meant.
        equal(name + "images", sum(sums.images for sums in own), state.spec.images_per_epoch)
        equal(name + "correct", sum(sums.correct for sums in own), epoch.train.correct)
        equal(name + "loss sum", sum(sums.loss_sum for sums in own), epoch.train.loss_sum)
        equal(name + "aggregated", epoch.aggregated, epoch.train)
        equal(name + "train loss", epoch.train.loss_sum / epoch.train.images, line["train_loss"])
        equal(name + "test loss", epoch.test.loss_sum / epoch.test.images, line["test_loss"])
        equal(name + "accuracy", epoch.test.correct / epoch.test.images, line["test_accuracy"])
    ranks = list(client.pages("ListRanks", "ranks", run=run))
    equal("ranks", [rank.info.rank for rank in ranks], list(range(world)))
    equal("steps of ranks", {rank.step for rank in ranks}, {state.spec.steps})
    print(f"{len(epochs)} epochs and {len(steps)} steps of {world} ranks are as trained")


def supersede(client, run):
    state = client.run(run)
    client.call("RegisterRun", "RegisterRunResponse", run=run, generation=state.generation + 1,
                attempt="another start", spec=state.spec, first_step=state.step,
                ranks=[dict(rank=rank, host="elsewhere", pid=1)
                       for rank in range(state.spec.world_size)])


def main():
    parser = argparse.ArgumentParser()
    for flag in ["--protos", "--address", "--token-file", "--ca", "--cert", "--key"]:
        parser.add_argument(flag)
    parser.add_argument("command", choices=["wait-step", "wait-state", "check", "supersede"])
    parser.add_argument("run")
    parser.add_argument("more", nargs="*")
    options = parser.parse_args()
    client = Client(options)
    if options.command == "wait-step":
        step = int(options.more[0])
        client.wait(options.run, f"step {step}", lambda run: run.step >= step)
    elif options.command == "wait-state":
        state = client.state(options.more[0])
        client.wait(options.run, options.more[0], lambda run: run.state == state)
    elif options.command == "check":
        check(client, options.run, options.more[0], int(options.more[1]))
    else:
        supersede(client, options.run)


main()

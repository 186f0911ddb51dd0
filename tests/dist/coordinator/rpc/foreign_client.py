"""foreign_client.py ADDRESS: calls a coordinator as somebody would who has only the .proto files.

The messages' modules, made by protoc, are on PYTHONPATH (see foreign_client_test.sh); the token is
in CONVOY_COORDINATOR_TOKEN. Prints what it did; fails with a traceback.
"""
import os
import sys
import threading

import grpc

# protoc's folder grpc/ would hide the library of that name, or be hidden by it.
grpc.__path__ += [os.path.join(path, "grpc") for path in os.environ["PYTHONPATH"].split(":")]

from convoy.v1 import coordinator_pb2, run_pb2  # noqa: E402
from grpc.health.v1 import health_pb2  # noqa: E402
from grpc.reflection.v1alpha import reflection_pb2  # noqa: E402

SERVICE = "convoy.v1.CoordinatorService"
TOKEN = [("authorization", "Bearer " + os.environ["CONVOY_COORDINATOR_TOKEN"])]
STEPS = 20


def method(kind, name, request, response):
    return kind(f"/{SERVICE}/{name}", request.SerializeToString, response.FromString)


def check_health(channel):
    check = channel.unary_unary("/grpc.health.v1.Health/Check",
                                health_pb2.HealthCheckRequest.SerializeToString,
                                health_pb2.HealthCheckResponse.FromString)
    for service in ("", SERVICE):
        answer = check(health_pb2.HealthCheckRequest(service=service), timeout=30)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, answer
    print("health: serving, without a token")


def list_services(channel):
    info = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString)
    asked = [reflection_pb2.ServerReflectionRequest(list_services=""),
             reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)]
    listed, described = info(iter(asked), timeout=30)
    names = [service.name for service in listed.list_services_response.service]
    assert SERVICE in names and "grpc.health.v1.Health" in names, names
    assert described.file_descriptor_response.file_descriptor_proto, described
    print("reflection:", ", ".join(sorted(names)))


def refused_without_token(channel):
    get = method(channel.unary_unary, "ListRuns", coordinator_pb2.ListRunsRequest,
                 coordinator_pb2.ListRunsResponse)
    for metadata in ([], [("authorization", "Bearer wrong-wrong-wrong-wrong")]):
        try:
            get(coordinator_pb2.ListRunsRequest(), metadata=metadata, timeout=30)
            raise AssertionError("was let in")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED, error
    print("token: needed")


def reports():
    for sequence in range(1, STEPS + 1):
        rank = coordinator_pb2.RankStep(
            rank=0, sums=run_pb2.Sums(images=32, correct=16, loss_sum=48.5))
        step = coordinator_pb2.StepReport(step=sequence, epoch=1, learning_rate=0.001, ranks=[rank])
        step.duration.nanos = 10_000_000
        yield coordinator_pb2.ReportProgressRequest(
            run="foreign", generation=1, rank=0, sequence=sequence, steps=[step])


def watch(channel, seen):
    stream = method(channel.unary_stream, "WatchRun", coordinator_pb2.WatchRunRequest,
                    coordinator_pb2.WatchRunResponse)
    for answer in stream(coordinator_pb2.WatchRunRequest(run="foreign"), metadata=TOKEN, timeout=60):
        seen.append(answer.run)


def tell_a_run(channel):
    spec = run_pb2.RunSpec(model="tutorial", dataset="synthetic", batch_size=32, epochs=1,
                           steps=STEPS, steps_per_epoch=STEPS, images_per_epoch=32 * STEPS,
                           world_size=1, threads=1)
    registration = coordinator_pb2.RegisterRunRequest(
        run="foreign", generation=1, attempt="python", spec=spec,
        ranks=[run_pb2.RankInfo(rank=0, host="here", pid=1)])
    register = method(channel.unary_unary, "RegisterRun", coordinator_pb2.RegisterRunRequest,
                      coordinator_pb2.RegisterRunResponse)
    answer = register(registration, metadata=TOKEN, timeout=30)
    assert answer.acknowledged_sequence == 0 and answer.heartbeat_interval.ToNanoseconds() > 0, answer

    seen = []
    watcher = threading.Thread(target=watch, args=(channel, seen))
    watcher.start()
    report = method(channel.stream_unary, "ReportProgress", coordinator_pb2.ReportProgressRequest,
                    coordinator_pb2.ReportProgressResponse)
    answer = report(reports(), metadata=TOKEN, timeout=30)
    assert answer.acknowledged_sequence == STEPS and not answer.stop_requested, answer

    get = method(channel.unary_unary, "GetRun", coordinator_pb2.GetRunRequest, run_pb2.Run)
    run = get(coordinator_pb2.GetRunRequest(run="foreign"), metadata=TOKEN, timeout=30)
    assert run.step == STEPS and run.state == run_pb2.RUN_STATE_RUNNING, run
    assert run.epoch_so_far.images == 32 * STEPS and run.epoch_so_far.loss_sum == 48.5 * STEPS, run

    finish = method(channel.unary_unary, "FinishRun", coordinator_pb2.FinishRunRequest,
                    coordinator_pb2.FinishRunResponse)
    finish(coordinator_pb2.FinishRunRequest(run="foreign", generation=1, sequence=STEPS + 1,
                                            state=run_pb2.RUN_STATE_SUCCEEDED),
           metadata=TOKEN, timeout=30)
    watcher.join()
    assert seen and seen[-1].state == run_pb2.RUN_STATE_SUCCEEDED, seen
    print(f"run: registered, {STEPS} reports, watched to its end in {len(seen)} messages")


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        check_health(channel)
        list_services(channel)
        refused_without_token(channel)
        tell_a_run(channel)


main()

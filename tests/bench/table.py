"""The table, for people and as JSON."""

import dataclasses
import json
import statistics


# By way and figure.
MACHINE = {
    "convoy.FmaPeak": "GFLOP/s of one core",
    "1 rank, batch 32, bf16.FmaPeak": "GFLOP/s of one core, after that way",
    "1 rank, batch 32, bf16.Bf16Peak": "GFLOP/s of one core, after that way",
    "convoy.Copy/memcpy": "GB/s, read and written",
    "convoy.Copy/registers": "GB/s, read and written",
}


def number(value):
    if value != value or value == float("inf"):
        return "never"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def line(row, result):
    peer = row.against
    if len(row.theirs) > 1:
        peer += ", " + result["peer"].rpartition(".")[2].rpartition("/")[2].replace("_", "-")
    aim = "" if row.wanted is None else f"{'<' if row.share else '>'}= {row.wanted:g}"
    verdict = {True: "yes", False: "no", None: ""}[result["reached"]]
    spread = f"{number(result['lowest'])} to {number(result['highest'])}"
    figures = [number(result[key]) for key in ("ours", "theirs", "ratio")]
    return [row.what, row.unit, figures[0], peer, figures[1], figures[2], spread, aim, verdict]


def show(results, figures, skipped, rounds):
    head = ["what", "unit", "convoy", "against", "its", "ratio", "min to max", "wanted", "met"]
    lines = [head] + [line(row, result) for row, result in results if result]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for words in lines:
        print("  ".join(word.ljust(width) for word, width in zip(words, widths)).rstrip())
    for name, unit in MACHINE.items():
        values = figures.get(name)
        if values:
            low, high = number(min(values)), number(max(values))
            print(f"{name}: {number(statistics.median(values))} ({low} to {high}) {unit}")
    print(f"medians of {rounds} interleaved rounds")
    for name, why in skipped.items():
        print(f"skipped: {name}: {why}")


def write_json(path, results, figures, skipped):
    kept = [dataclasses.asdict(row) | result for row, result in results if result]
    with open(path, "w") as file:
        json.dump({"rows": kept, "figures": figures, "skipped": skipped}, file, indent=1)
        file.write("\n")

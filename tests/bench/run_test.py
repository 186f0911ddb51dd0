"""run_test.py BUILD_DIR: tests/bench/run still measures every row. Says nothing about the speeds."""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import rows  # noqa: E402
import ways  # noqa: E402

with tempfile.TemporaryDirectory() as directory:
    kept = f"{directory}/kept.json"
    argv = [HERE / "run", "--quick", "--programs", sys.argv[1], "--json", kept]
    subprocess.run(argv, check=True)
    result = json.loads(pathlib.Path(kept).read_text())

measured = {way.name for way in ways.WAYS if set(way.sections.split()) & set(ways.SECTIONS)}
measured -= set(result["skipped"])
shown = {(row["what"], row["against"]): row for row in result["rows"]}
missing = []
for row in rows.ROWS:
    if not {name.partition(".")[0] for name in (row.ours, *row.theirs)} <= measured:
        continue
    found = shown.get((row.what, row.against))
    numbers = [found[key] for key in ("ours", "theirs", "ratio")] if found else []
    if not numbers or not all(math.isfinite(number) and number > 0 for number in numbers):
        missing.append(f"{row.what}, against {row.against}: {numbers or 'not measured'}")
sys.exit("\n".join(missing) or 0)

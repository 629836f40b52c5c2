"""The same as a tool that knows nothing of Assay: ``tool.py OUT T1 SERIES --later FILE... [--dwi FILE] …``."""

import json
import pathlib
import sys

import adapter


def main(arguments):
    out = pathlib.Path(arguments.pop(0))
    if arguments == ["--fail"]:
        return 3
    inputs = {}
    for word in arguments:
        if word.startswith("--"):
            port = word[2:]
            inputs[port] = []
        else:
            inputs[port].append(pathlib.Path(word))
    given = {name: paths if name == "later" else paths[0] for name, paths in inputs.items()}
    answers = adapter.answer(given, out.joinpath)
    rows = answers["means"]
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    (out / "means.csv").write_text("\n".join(lines) + "\n")
    for port, kind in (
        ("call", "classification"),
        ("found", "detections"),
        ("risk", "score"),
        ("back", "transform"),
    ):
        document = {"contract": f"assay.{kind}/1"}
        if kind == "detections":
            document.update(frame="LPS", detections=answers[port])
        elif kind == "transform":
            document["matrix"] = answers[port]
        else:
            document.update(answers[port])
        (out / f"{port}.json").write_text(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

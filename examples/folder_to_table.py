"""Read a folder of photos into a pandas table: python examples/folder_to_table.py FOLDER OUT.csv [MODEL]

Needs pandas (`pip install pandas`). For thousands of photos use `fer batch`, which uses all cores.
"""

import sys
from pathlib import Path

import pandas as pd

import fer
from fer.expressions import NAMES


def main(folder: str, out: str, model: str = "compact") -> None:
    recognizer, rows = fer.load(model), []
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file():
            continue
        try:
            faces = recognizer.predict(fer.read_image(path))
        except fer.FerError as error:  # one unreadable file never stops the others
            print(f"{path}: {error.message}", file=sys.stderr)
            continue
        for face in faces:
            probabilities = dict(zip(NAMES, face.probabilities, strict=True))
            rows.append({"input": path.name, "answer": face.answer, "confidence": face.confidence, **probabilities})
    table = pd.DataFrame(rows, columns=["input", "answer", "confidence", *NAMES])
    table.to_csv(out, index=False)
    print(table["answer"].value_counts().to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Explain the largest face of a photo, and say how far to trust each map (needs the extra `train`).

python examples/explain_face.py photo.jpg OUT_FOLDER [MODEL]
"""

import sys
from pathlib import Path

import fer
from fer.visualization.explanation_files import write_explanation


def main(photo: str, out: str, model: str = "compact") -> None:
    recognizer, image_rgb = fer.load(model), fer.read_image(photo)
    faces = recognizer.predict(image_rgb)
    if not faces:
        sys.exit("No face was found.")
    shown = faces[0].expression
    explanation = fer.explain(recognizer, image_rgb, faces[0], methods=("grad_cam", "hires_cam"), classes=(shown,))
    for method, words in explanation.words.items():
        judgment = explanation.judgments[method].get(shown, "not measured")
        print(f"{method}: {words[shown]} (tests: {judgment})")
    files = write_explanation(explanation, Path(out))
    print(f"{len(files)} files in {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])

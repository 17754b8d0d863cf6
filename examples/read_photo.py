"""Read the expressions in a photo: python examples/read_photo.py photo.jpg [MODEL]"""

import sys

import fer


def main(photo: str, model: str = "compact") -> None:
    recognizer = fer.load(model)
    faces = recognizer.predict(fer.read_image(photo))
    if not faces:
        print("No face was found.")
    for number, face in enumerate(faces, 1):
        if face.sure:
            print(f"face {number}: {face.expression}, {face.confidence:.1%}")
        elif face.quality.ok:
            print(f"face {number}: not sure, {' or '.join(face.prediction_set)}")
        else:
            print(f"face {number}: cannot be read, {', '.join(face.quality.reasons)}")


if __name__ == "__main__":
    main(*sys.argv[1:])

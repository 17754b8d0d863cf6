"""Follow faces in OpenCV's window, q ends it: python examples/webcam.py [CAMERA_OR_VIDEO] [MODEL]

FER Studio installs opencv-python-headless, which has no windows. Replace it with opencv-python of the same version.
"""

import sys

import cv2

import fer
from fer.inference.tracked_reader import TrackedReader
from fer.vision.detection import load_detector


def main(source: str = "0", model: str = "compact") -> None:
    reader = TrackedReader(fer.load(model), load_detector("auto"))
    camera = cv2.VideoCapture(int(source) if source.isdigit() else source)
    if not camera.isOpened():
        sys.exit(f"{source} cannot be opened. Name another camera, such as 1, or a video.")
    started = cv2.getTickCount()
    try:
        while (frame := camera.read())[0]:
            frame_bgr = frame[1]
            time_s = (cv2.getTickCount() - started) / cv2.getTickFrequency()
            for face in reader.read(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB), time_s):
                x, y, width, height = (round(value) for value in face.prediction.to_json()["box"])
                text = f"{face.person}: {face.prediction.answer}"
                cv2.rectangle(frame_bgr, (x, y), (x + width, y + height), (80, 200, 80), 2)
                cv2.putText(frame_bgr, text, (x, y - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (80, 200, 80), 2)
            cv2.imshow("FER Studio", frame_bgr)
            if cv2.waitKey(1) == ord("q"):
                break
    finally:
        camera.release()


if __name__ == "__main__":
    main(*sys.argv[1:])

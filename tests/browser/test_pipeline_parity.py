"""One pipeline, two languages, one answer: the browser's modules against Python's on the same input."""

from __future__ import annotations

import base64
import os
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer.app.predict.browser import assets, component
from fer.app.predict.browser.constants import constants
from fer.conformal import LEVELS, PredictionSets
from fer.errors import WeightsError
from fer.expressions import NAMES
from fer.inference import timeline
from fer.inference.recognizer import load
from fer.inference.smoothing import ProbabilitySmoother
from fer.inference.tracked_reader import LIVE_SIDE, TrackedReader
from fer.locations import SAMPLES
from fer.records import FaceBox, Quality
from fer.vision.alignment import Crop, cut, face_crop
from fer.vision.detection import bounded, load_detector
from fer.vision.images import read_image
from fer.vision.quality import assess
from fer.vision.tracking import FaceTracker, cheapest_pairs
from tests.browser.in_browser import named_runtime, served
from tests.conftest import SHARED
from tests.inference.test_timeline import track

TEN = 10


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    """Ten photographs: two samples, the annotated groups where they are at hand, and the samples seen otherwise."""
    samples = [SAMPLES / "astronaut.jpg", SAMPLES / "grace-hopper.jpg"]
    files = [*samples, *sorted((SHARED / "data" / "photos").glob("*.jpg"))]
    found = {file.stem: read_image(file) for file in files}
    for file in samples:
        photo = found[file.stem]
        height, width = photo.shape[:2]
        turned = cv2.getRotationMatrix2D((width / 2, height / 2), 14, 1)
        found |= {
            f"{file.stem}-mirrored": np.ascontiguousarray(photo[:, ::-1]),
            f"{file.stem}-turned": cv2.warpAffine(photo, turned, (width, height)),
            f"{file.stem}-small": cv2.resize(photo, (300, round(300 * height / width)), interpolation=cv2.INTER_AREA),
            f"{file.stem}-dim": (photo * 0.4).astype(np.uint8),
        }
    return dict(list(found.items())[:TEN])


@pytest.fixture(scope="module")
def modules_page(browser, pictures):
    """A page that can import the modules (`window.modules` is their address) and has the constants."""
    encoded = {name: cv2.imencode(".png", photo[..., ::-1])[1].tobytes() for name, photo in pictures.items()}
    with served(encoded) as address:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.evaluate(
            "given => Object.assign(window, given)",
            {"modules": assets.offer(component._modules()), "constants": constants()},
        )
        yield page
        page.close()


def test_an_isolated_page_reads_with_threads_in_the_worker_and_says_the_same(browser, yunet_needed, monkeypatch):
    """Where the page is cross-origin isolated the worker starts, and onnxruntime-web takes several threads."""
    monkeypatch.setenv("FER_ORT_WEB", str(named_runtime()))
    photo = read_image(SAMPLES / "astronaut.jpg")
    with served({"astronaut": cv2.imencode(".png", photo[..., ::-1])[1].tobytes()}) as address:
        data = {
            "constants": constants(),
            "runtime": {name: address + url for name, url in component._runtime().items()},
            "yunet": address + component._yunet(),
            "model": component.model("mini_xception", "mini")[0],
            "settings": {"smoothingS": 0, "mirror": False, "parts": ["boxes", "labels", "landmarks"], "longSide": 320},
        }
        data["model"]["url"] = address + data["model"]["url"]
        page = browser.new_page()
        page.goto(f"{address}/isolated")
        loaded, answer = page.evaluate(
            """async ([modules, data]) => {
                const worker = new Worker(modules + "worker.js", { type: "module" });
                const hear = () => new Promise((resolve, reject) => {
                    worker.onmessage = ({ data }) => resolve(data);
                    worker.onerror = reject;
                });
                const canvas = document.createElement("canvas").transferControlToOffscreen();
                worker.postMessage({ kind: "canvas", canvas }, [canvas]);
                worker.postMessage({ kind: "load", data });
                const loaded = await hear();
                const bitmap = await createImageBitmap(await (await fetch("/pictures/astronaut")).blob());
                worker.postMessage({ kind: "frame", bitmap, timeS: 0 }, [bitmap]);
                return [loaded, await hear()];
            }""",
            [assets.offer(component._modules()), data],
        )
        assert page.evaluate("crossOriginIsolated")
        page.close()
    assert loaded["kind"] == "loaded" and loaded["threads"] == min(os.cpu_count(), 4), loaded
    (face,) = load("mini_xception").read(photo, load_detector("yunet").detect(photo, 320))
    assert np.allclose(answer["faces"][0]["probabilities"], face.probabilities, atol=0.02)


def iou(box: FaceBox, other: dict) -> float:
    width = min(box.x + box.width, other["x"] + other["width"]) - max(box.x, other["x"])
    height = min(box.y + box.height, other["y"] + other["height"]) - max(box.y, other["y"])
    both = max(width, 0) * max(height, 0)
    return both / (box.area + other["width"] * other["height"] - both)


@pytest.mark.parametrize("name", ["compact", "mini_xception"])
def test_ten_photographs_get_the_same_faces_and_probabilities(modules_page, pictures, yunet_needed, monkeypatch, name):
    monkeypatch.setenv("FER_ORT_WEB", str(named_runtime()))
    assert len(pictures) == TEN
    data = {
        "constants": constants(),
        "runtime": component._runtime(),
        "yunet": component._yunet(),
        "model": component.model(name, name)[0],
    }
    found = modules_page.evaluate(
        """async ([data, names, side]) => {
            const { Recognizer } = await import(modules + "recognizer.js");
            const recognizer = await Recognizer.load(data);
            const answers = {};
            for (const name of names) {
                const blob = await (await fetch("/pictures/" + name)).blob();
                const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
                const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
                context.drawImage(bitmap, 0, 0);
                const picture = context.getImageData(0, 0, bitmap.width, bitmap.height);
                answers[name] = await recognizer.read(picture, await recognizer.detect(picture, side));
            }
            return answers;
        }""",
        [data, list(pictures), 640],
    )
    recognizer, detector = load(name), load_detector("yunet")
    faces, furthest = 0, 0.0
    for photo, picture in pictures.items():
        expected = recognizer.read(picture, detector.detect(picture, 640))
        assert len(found[photo]) == len(expected), photo
        for face in expected:
            mine = max(found[photo], key=lambda one: iou(face.box, one["box"]))
            assert iou(face.box, mine["box"]) >= 0.9, photo
            furthest = max(furthest, np.abs(np.subtract(mine["probabilities"], face.probabilities)).max())
            assert bool(mine["reasons"]) == (not face.quality.ok), (photo, mine["reasons"], face.quality.reasons)
            faces += 1
    assert faces >= TEN and furthest <= 0.02, (faces, furthest)
    print(furthest)


def face_at(x: float, y: float, width: float, height: float) -> FaceBox:
    return FaceBox(x, y, width, height, detector="yunet")


def people_walking(count: int = 120) -> list[tuple[float, list[FaceBox]]]:
    """(seconds, boxes) of three people who cross, vanish and grow, in no fixed order; the stream stalls at times."""
    rng, frames, time_s = np.random.default_rng(5), [], 0.0
    for index in range(count):
        boxes = [
            face_at(20 + 12 * index, 100, 60, 70),
            face_at(500 - 12 * index, 110 + rng.normal(), 62, 66),
            face_at(300, 300, 40 + index, 44 + index),
        ]
        kept = [box for box in boxes if rng.random() > 0.1]
        time_s += rng.choice([0.07, 0.6, 1.5, 11], p=[0.8, 0.1, 0.07, 0.03])
        frames.append((float(time_s), [kept[place] for place in rng.permutation(len(kept))]))
    return frames


def as_values(box: FaceBox) -> dict:
    points = box.landmarks or ((0.0, 0.0),) * 5
    return {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "score": box.score, "landmarks": points}


def test_people_get_the_same_numbers(modules_page):
    frames, tracker = people_walking(), FaceTracker()
    expected = [tracker.update(boxes, time_s) for time_s, boxes in frames]
    found = modules_page.evaluate(
        """async (frames) => {
            const { FaceTracker } = await import(modules + "tracking.js");
            const tracker = new FaceTracker(constants.tracking);
            return frames.map(([timeS, boxes]) => tracker.update(boxes, timeS));
        }""",
        [[time_s, [as_values(box) for box in boxes]] for time_s, boxes in frames],
    )
    assert found == expected and max(max(row, default=0) for row in expected) >= 3


def test_the_same_people_stand_in_the_timeline(modules_page):
    """Tracks that begin, end, come back and overlap at random."""
    rng = np.random.default_rng(5)
    rows = [
        one
        for number in range(1, 41)
        for begin in [float(rng.uniform(0, 50))]
        for one in track(number, begin, begin + float(rng.choice([0.2, 0.6, 3])), x=float(rng.choice([100, 130, 400])))
    ]
    rows.sort(key=lambda row: row.time_s)
    expected = timeline.people(rows, now_s=51.0)
    found = modules_page.evaluate(
        """async (rows) => {
            const { people } = await import(modules + "timeline.js");
            return people(rows, 51, constants.timeline).map(({ numbers, rows }) => [numbers, rows.length]);
        }""",
        [{"timeS": row.time_s, "person": row.person, "box": as_values(row.prediction.box)} for row in rows],
    )
    assert found == [[list(person.numbers), len(person.rows)] for person in expected]
    assert 3 < len(expected) < 38


def test_pairs_are_the_cheapest_in_both(modules_page):
    rng = np.random.default_rng(3)
    for shape in ((1, 1), (3, 2), (2, 4), (5, 5), (0, 0)):
        costs = rng.random(shape)
        costs[rng.random(shape) < 0.3] = np.inf
        found = modules_page.evaluate(
            """async ([costs, alone]) => (await import(modules + "tracking.js")).cheapestPairs(
                costs.map((row) => row.map((cost) => cost ?? Infinity)), alone)""",
            [[[None if np.isinf(cost) else cost for cost in row] for row in costs.tolist()], 1e3],
        )
        assert [tuple(pair) for pair in found] == cheapest_pairs(costs)


@pytest.mark.parametrize("constant_s", [0.0, 0.4, 1.5])
def test_probabilities_are_smoothed_alike(modules_page, constant_s):
    rng = np.random.default_rng(8)
    rows = [rng.dirichlet(np.full(7, 0.4)).tolist() for _ in range(60)]
    smoother = ProbabilitySmoother(constant_s)
    expected = [smoother.update(tuple(row), 0.05 * index) for index, row in enumerate(rows)]
    found = modules_page.evaluate(
        """async ([rows, constantS]) => {
            const { ProbabilitySmoother } = await import(modules + "smoothing.js");
            const smoother = new ProbabilitySmoother();
            return rows.map((row, index) => smoother.update(row, 0.05 * index, constantS));
        }""",
        [rows, constant_s],
    )
    assert np.allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("method", ["lac", "aps", None])
def test_a_face_is_judged_alike(modules_page, method):
    rng = np.random.default_rng(6)
    quantiles = {name: tuple(rng.uniform(0.4, 1, len(LEVELS))) for name in NAMES}
    sets = PredictionSets(method, {"none": quantiles}) if method else None
    card = replace(load("mini_xception").card, threshold=0.45, prediction_sets=sets)
    rows = [rng.dirichlet(np.full(7, 0.3)).tolist() for _ in range(80)]
    fit = [bool(index % 5) for index in range(80)]
    found = modules_page.evaluate(
        """async ([rows, fit, card]) => {
            const { judge } = await import(modules + "judgement.js");
            return rows.map((row, index) => judge(row, fit[index], card));
        }""",
        [rows, fit, {"threshold": card.threshold, "sets": sets and sets.rule()}],
    )
    for row, ok, mine in zip(rows, fit, found, strict=True):
        face = card.judge(face_at(0, 0, 50, 60), tuple(row), Quality(ok))
        assert (NAMES[mine["label"]], mine["sure"]) == (face.expression, face.sure)
        assert tuple(NAMES[index] for index in mine["set"]) == face.prediction_set
    assert 0 < sum(one["sure"] for one in found) < 80


def faces_of(rng: np.random.Generator, count: int) -> list[FaceBox]:
    """Boxes with landmarks anywhere in 320 x 240, some over its edge, some in profile."""
    boxes = []
    for _ in range(count):
        x, y, width = rng.uniform(-30, 250), rng.uniform(-30, 180), rng.uniform(15, 140)
        turn = rng.uniform(-0.6, 0.6)
        center, unit = np.array([x + width / 2, y + 0.6 * width]), width / 4
        offsets = np.array([[-1, -1], [1, -1], [rng.uniform(-0.9, 0.9), 0], [-0.8, 1], [0.8, 1]]) * unit
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        points = tuple(tuple(map(float, point)) for point in center + offsets @ rotation.T)
        boxes.append(FaceBox(x, y, width, 1.2 * width, 0.9, points, detector="yunet"))
    return boxes


def test_faces_are_cut_and_judged_alike(modules_page):
    rng = np.random.default_rng(2)
    small = rng.integers(0, 255, (24, 32, 3), np.uint8)
    picture = cv2.resize(small, (320, 240), interpolation=cv2.INTER_CUBIC)
    picture[:, 200:] = 12  # dark
    boxes = faces_of(rng, 24)
    rgba = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    found = modules_page.evaluate(
        """async ([bytes, boxes]) => {
            const { cut, faceCrop } = await import(modules + "alignment.js");
            const { assess } = await import(modules + "quality.js");
            const data = Uint8ClampedArray.from(atob(bytes), (letter) => letter.charCodeAt(0));
            const picture = { data, width: 320, height: 240 };
            return boxes.map((box) => {
                const face = cut(picture, faceCrop(box, constants.alignment), 48, constants.alignment);
                return [Array.from(face), assess(picture, box, face, constants)];
            });
        }""",
        [base64.b64encode(rgba.tobytes()).decode(), [as_values(box) for box in boxes]],
    )
    judged = set()
    for box, (face, reasons) in zip(boxes, found, strict=True):
        expected = cut(picture, face_crop(box), 48)
        assert np.abs(np.reshape(face, (48, 48)) - expected.astype(int)).mean() < 0.05
        quality = assess(picture.shape, box, expected)
        assert reasons == list(quality.reasons)
        judged |= set(reasons)
    assert len(judged) >= 4, judged


def noise(width: int, height: int) -> tuple[np.ndarray, str]:
    """A picture (H, W, 3), and the same as RGBA for the page."""
    picture = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    rgba = np.dstack([picture, np.full((height, width), 255, np.uint8)])
    return picture, base64.b64encode(rgba.tobytes()).decode()


@pytest.mark.parametrize("size", [(640, 480), (640, 360), (640, 361), (960, 720), (1280, 960), (500, 375), (300, 200)])
def test_the_search_picture_is_opencvs_to_the_last_gray(modules_page, size):
    """OpenCV rounds halves up where it shrinks by exactly two, and else to the even one."""
    width, height = size
    picture, encoded = noise(width, height)
    found = modules_page.evaluate(
        """async ([bytes, width, height]) => {
            const { networkInput } = await import(modules + "detection.js");
            const data = Uint8ClampedArray.from(atob(bytes), (letter) => letter.charCodeAt(0));
            const input = networkInput({ data, width, height }, 320, constants.detection.divisor);
            return [input.width, input.height, btoa(
                Array.from(input.planes, (value) => String.fromCharCode(value)).join(""))];
        }""",
        [encoded, width, height],
    )
    planes = np.frombuffer(base64.b64decode(found[2]), np.uint8).reshape(3, found[1], found[0])
    expected, _ = bounded(picture, 320)
    rows, columns = expected.shape[:2]
    assert (planes[:, :rows, :columns].transpose(1, 2, 0)[..., ::-1] != expected).sum() == 0


@pytest.mark.parametrize("side", [40, 90, 140, 170, 230, 280, 330, 400, 570])
def test_an_upright_face_is_cut_gray_by_gray(modules_page, side):
    """One side for each way of supersampling, and one beyond the most."""
    picture, encoded = noise(640, 640)
    found = modules_page.evaluate(
        """async ([bytes, side]) => {
            const { cut } = await import(modules + "alignment.js");
            const data = Uint8ClampedArray.from(atob(bytes), (letter) => letter.charCodeAt(0));
            const crop = { centerX: 320, centerY: 320, side, roll: 0 };
            return Array.from(cut({ data, width: 640, height: 640 }, crop, 48, constants.alignment));
        }""",
        [encoded, side],
    )
    assert (np.reshape(found, (48, 48)) != cut(picture, Crop(320, 320, side), 48)).sum() == 0


class Detector:
    name = "yunet"

    def __init__(self, frames: list[list[FaceBox]]) -> None:
        self.frames = iter(frames)

    def detect(self, image_rgb, long_side=LIVE_SIDE):
        return next(self.frames)


def test_weights_that_overflow_fail_the_frame_and_no_other(modules_page):
    """With Python's sentence. One reading that is no number would otherwise stay in the smoother forever."""
    points = ((130.0, 110.0), (190.0, 110.0), (160.0, 140.0), (137.0, 170.0), (183.0, 170.0))
    frontal = FaceBox(100, 60, 120, 140, 0.9, points, detector="yunet")
    with pytest.raises(WeightsError) as expected:
        load("mini_xception").checked(np.full((1, 7), np.nan))
    found = modules_page.evaluate(
        """async ([box, card]) => {
            const { Recognizer } = await import(modules + "recognizer.js");
            const { TrackedReader } = await import(modules + "tracking.js");
            const good = [0, 0, 0, 5, 0, 0, 0];
            const rows = [good, [0, 0, 0, Infinity, 0, 0, 0], Array(7).fill(NaN), good];
            const network = {
                inputNames: ["faces"], outputNames: ["logits"], run: async () => ({ logits: { data: rows.shift() } }),
            };
            const runtime = { Tensor: class {} };
            const recognizer = new Recognizer(constants, runtime, null, network, { name: "mini_xception", card });
            recognizer.detect = async () => [box];
            const data = new Uint8ClampedArray(4 * 320 * 240).map((_, at) => at % 251);
            const picture = { width: 320, height: 240, data };
            const reader = new TrackedReader(constants);
            const told = [];
            for (let index = 0; index < 4; index++) {
                const settings = { longSide: 320, smoothingS: 0.4 };
                const read = reader.read(recognizer, picture, 0.1 * index, settings);
                told.push(await read.then(([face]) => [face.reasons, face.probabilities], (error) => error.message));
            }
            return told;
        }""",
        [as_values(frontal), component.model("mini_xception", "")[0]["card"]],
    )
    assert found[0][0] == [], "this face is fit to be read, and so goes into the smoother"
    assert found[1] == found[2] == str(expected.value)
    assert np.allclose(found[3][1], found[0][1]) and np.isfinite(found[0][1]).all()


def test_people_over_time_are_told_the_same(modules_page):
    """A face that cannot be read says nothing, in both: what was seen before stays."""
    rng = np.random.default_rng(4)
    rows = [rng.dirichlet(np.full(7, 0.5)).tolist() for _ in range(30)]
    fit = [bool(index % 4) for index in range(30)]
    box = face_at(100, 80, 60, 70)

    class Stub:
        name = "stub"
        card = replace(load("mini_xception").card, threshold=0.5)

        def __init__(self):
            self.rows = iter(zip(rows, fit, strict=True))

        def read(self, frame, boxes):
            row, ok = next(self.rows)
            return [self.card.judge(box, tuple(row), Quality(ok, () if ok else ("blurred",)))]

    reader = TrackedReader(Stub(), Detector([[box]] * 30), 0.4)
    frame = np.zeros((240, 320, 3), np.uint8)
    expected = [reader.read(frame, 0.1 * index)[0] for index in range(30)]
    found = modules_page.evaluate(
        """async ([rows, fit, box]) => {
            const { TrackedReader } = await import(modules + "tracking.js");
            const reader = new TrackedReader(constants);
            let at = 0;
            const recognizer = {
                card: { threshold: 0.5, sets: null },
                detect: async () => [box],
                read: async () => [{ box, probabilities: rows[at], reasons: fit[at++] ? [] : ["blurred"] }],
            };
            const told = [];
            for (let index = 0; index < rows.length; index++) {
                const settings = { longSide: 320, smoothingS: 0.4 };
                told.push((await reader.read(recognizer, { width: 320, height: 240 }, 0.1 * index, settings))[0]);
            }
            return told;
        }""",
        [rows, fit, as_values(box)],
    )
    for mine, face in zip(found, expected, strict=True):
        told = face.prediction
        assert (NAMES[mine["label"]], mine["sure"], mine["person"]) == (told.expression, told.sure, face.person)
        assert np.allclose(mine["probabilities"], face.prediction.probabilities, atol=1e-9)

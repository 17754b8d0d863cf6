"""The numbers and words that the browser's pipeline shares with Python's, as one JSON value."""

from __future__ import annotations

from fer.expressions import COLORS, NAMES, UNSURE_COLOR
from fer.inference import live, timeline, tracked_reader
from fer.limits import limits
from fer.preprocessing import DEVIATION_FLOOR
from fer.vision import alignment, detection, quality, tracking
from fer.vision.registry import DETECTOR_SPECS

PUSH_S = 10.0  # between batches of numbers to Python, each of which reruns a fragment of the page
NO_FRAMES = "No frames are arriving. If this continues, stop the camera and start it again."
MAX_SIDE = 1280  # pixels; larger camera frames are reduced first
SHOWN_PEOPLE = 3
YUNET_STRIDES, YUNET_DIVISOR = (8, 16, 32), 32  # of the file's outputs; the input's sides are multiples of the last one
GRAY_WEIGHTS, GRAY_SHIFT = (9798, 19235, 3735), 15  # cv2.cvtColor's RGB2GRAY as integers


def constants() -> dict[str, object]:
    """For js/types.d.ts's Constants."""
    median = DETECTOR_SPECS["yunet"].median
    return {
        "names": list(NAMES),
        "colors": [COLORS[name] for name in NAMES],
        "unsureColor": UNSURE_COLOR,
        "detection": {
            "threshold": detection.YUNET_THRESHOLD,
            "nms": detection.YUNET_OVERLAP,
            "mergeOverlap": detection.MERGE_OVERLAP,
            "divisor": YUNET_DIVISOR,
            "strides": list(YUNET_STRIDES),
        },
        "alignment": {
            "reference": alignment.REFERENCE,
            "maxSupersampling": alignment.MAX_SUPERSAMPLING,
            "boxSide": median.side,
            "boxCenter": list(median.center),
            "eyeDistance": alignment.EYE_DISTANCE,
            "eyesToMouth": alignment.EYES_TO_MOUTH,
            "eyesMouthMiddle": list(alignment.EYES_MOUTH_MIDDLE),
            "grayWeights": list(GRAY_WEIGHTS),
            "grayShift": GRAY_SHIFT,
        },
        "quality": {
            # All but "doubtful", which applies only to photos.
            "reasons": {name: words for name, words in quality.REASONS.items() if name != "doubtful"},
            "minSidePx": quality.MIN_SIDE_PX,
            "darkGray": quality.DARK_GRAY,
            "brightGray": quality.BRIGHT_GRAY,
            "plainDeviation": quality.PLAIN_DEVIATION,
            "cutShare": quality.CUT_SHARE,
            "minSharpness": quality.MIN_SHARPNESS,
            "faceHeight": quality.FACE_HEIGHT,
            "faceTop": quality.FACE_TOP,
            "faceSteps": quality.FACE_STEPS,
            "maxTurn": quality.MAX_TURN,
        },
        "deviationFloor": DEVIATION_FLOOR,
        "tracking": {
            "patienceS": tracking.PATIENCE_S,
            "stallS": tracking.STALL_S,
            "farthest": tracking.FARTHEST,
            "reach": tracking.REACH,
            "growth": tracking.GROWTH,
            "alone": tracking.ALONE,
            "memoryS": tracking.MEMORY_S,
            "stopped": tracking.STOPPED,
            "trackedSide": tracked_reader.TRACKED_SIDE,
        },
        "timeline": {
            "awayS": timeline.AWAY_S,
            "near": timeline.NEAR,
            "growth": tracking.GROWTH,
            "briefS": timeline.BRIEF_S,
            "briefGapS": timeline.BRIEF_GAP_S,
            "briefGrowth": timeline.BRIEF_GROWTH,
            "hereS": timeline.HERE_S,
        },
        "live": {
            "historyS": live.HISTORY_S,
            "rateS": live.RATE_S,
            "silentS": live.PERSONS_KEPT_S,
            "noFrames": NO_FRAMES,
            "shownPeople": SHOWN_PEOPLE,
            "maxSide": MAX_SIDE,
            "pushS": PUSH_S,
            "recordedRows": limits().recorded_rows,
        },
    }

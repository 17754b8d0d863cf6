"""The seven expressions of FER2013: names, order, colors and action units. Imports nothing."""

NAMES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
COUNT = len(NAMES)
INDEX = {name: index for index, name in enumerate(NAMES)}

# Okabe and Ito's palette, which color-blind people can tell apart; neutral is gray.
COLORS = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#8A8A8A",
}
UNSURE_COLOR = "#6B7280"

# The facial action units of each prototype. Source: Ekman, Friesen and Hager (2002),
# "Facial Action Coding System: Investigator's Guide", table of emotion predictions (prototypes).
ACTION_UNITS = {
    "angry": (4, 5, 7, 23),
    "disgust": (9, 15, 16),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "happy": (6, 12),
    "sad": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
    "neutral": (),
}

# Action unit -> (visible change, face region).
ACTION_UNIT_NAMES = {
    1: ("inner brow raised", "brows"),
    2: ("outer brow raised", "brows"),
    4: ("brows lowered", "brows"),
    5: ("upper lid raised", "eyes"),
    6: ("cheeks raised", "cheeks"),
    7: ("lids tightened", "eyes"),
    9: ("nose wrinkled", "nose"),
    12: ("lip corners pulled up", "mouth"),
    15: ("lip corners pulled down", "mouth"),
    16: ("lower lip pulled down", "mouth"),
    20: ("lips stretched", "mouth"),
    23: ("lips tightened", "mouth"),
    26: ("jaw dropped", "mouth"),
}

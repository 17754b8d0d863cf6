"""Compare filling removed pixels with gray and with ROAD: `python -m fer tools fills --data fer2013.csv`.

Uses PublicTest only. Replaces more and more random squares of 4x4 pixels by the face's mean gray or by ROAD's noisy
linear imputation: a fill that costs much more accuracy makes pictures unlike those that the network learned from. --out
draws the deletion and insertion curves of the map that Explain opens with.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tyro
from tqdm import tqdm

from fer.data.read import read_dataset
from fer.explanation.attribution import units
from fer.explanation.faithfulness import FRACTIONS, curves, mean_curves, random_walks, square_of
from fer.explanation.faithfulness_table import opening_map
from fer.explanation.job import FILLS
from fer.explanation.methods import METHODS, evidence
from fer.files import replace_file
from fer.inference.recognizer import Recognizer, load
from fer.tools.faithfulness import subject_of

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)
FIGURE_FACES = 60
WORDS = {"gray": "gray", "road": "ROAD"}
COLORS = {"strongest first": "#ac2b24", "random": "#767676", "weakest first": "#0b66bd"}
WIDTH, HEIGHT, LEFT, TOP = 300, 220, 56, 58  # of a panel, and the first one's position


def accuracies(recognizer: Recognizer, pixels: np.ndarray, labels: np.ndarray, seed: int = 0) -> dict[str, list[float]]:
    """Each fill's accuracy, for whole faces first, then at each of SHARES. pixels: (N, 48, 48) uint8 gray."""
    rng, preprocessing = np.random.default_rng(seed), recognizer.card.preprocessing
    cells = square_of(preprocessing.input_size)
    count = cells.max() + 1
    right: dict[str, list[np.ndarray]] = {name: [] for name in FILLS}
    for gray, label in zip(tqdm(pixels, unit="face", disable=None), labels, strict=True):
        batch = preprocessing(gray[None])
        rank = rng.permutation(count)[cells]
        masks = np.stack([rank < round(share * count) for share in (0.0, *SHARES)])
        for name, fill in FILLS.items():
            logits = recognizer.engine(fill(batch, masks))
            right[name].append(logits.argmax(1) == label)
    return {name: np.mean(rows, 0).tolist() for name, rows in right.items()}


def figure(recognizer: Recognizer, pixels: np.ndarray) -> str:
    """An SVG with one panel per fill: the predicted class's probability as squares are removed."""
    method, layer = opening_map(recognizer)
    lines: dict[tuple[str, str], list[tuple[float, ...]]] = {(name, order): [] for name in FILLS for order in COLORS}
    for index, gray in enumerate(tqdm(pixels[:FIGURE_FACES], unit="face", disable=None)):
        face = subject_of(recognizer, gray)
        k = int(np.argmax(face.prediction.probabilities))
        values = face.attribute(method, units([k]), layer if METHODS[method].layered else None)[0]
        for name, fill in FILLS.items():
            found = curves(face.probabilities, face.batch.numpy(), evidence(values, method), k, fill)
            random = mean_curves(random_walks(face.probabilities, face.batch.numpy(), index, fill=fill))[k]
            lines[name, "strongest first"].append(found.deletion)
            lines[name, "weakest first"].append(found.insertion[::-1])
            lines[name, "random"].append(random.deletion)
    means = {key: np.mean(rows, 0) for key, rows in lines.items()}
    title = f"{recognizer.name}: {METHODS[method].label}, mean of {len(pixels[:FIGURE_FACES])} PublicTest faces"
    return _svg(title, means)


def _svg(title: str, means: dict[tuple[str, str], np.ndarray]) -> str:
    width, height = LEFT + 2 * (WIDTH + LEFT), TOP + HEIGHT + 78
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12" fill="#222" role="img" aria-label="{title}">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">{title}</text>',
    ]
    for panel, name in enumerate(FILLS):
        left = LEFT + panel * (WIDTH + LEFT)
        parts.append(f'<text x="{left}" y="{TOP - 12}">Removed squares filled by {WORDS[name]}</text>')
        for tick in (0, 0.25, 0.5, 0.75, 1):
            y, x = TOP + HEIGHT * (1 - tick), left + WIDTH * tick
            parts.append(f'<path d="M{left} {y:.1f}h{WIDTH}" stroke="#ddd"/>')
            parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:.0%}</text>')
            parts.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{tick:.0%}</text>')
        for order, color in COLORS.items():
            places = " ".join(
                f"{left + WIDTH * fraction:.1f},{TOP + HEIGHT * (1 - p):.1f}"
                for fraction, p in _points(means[name, order], order)
            )
            parts.append(f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="2"/>')
        middle, below = left + WIDTH / 2, TOP + HEIGHT + 38
        parts.append(f'<text x="{middle}" y="{below}" text-anchor="middle">Share of the face removed</text>')
    for index, (order, color) in enumerate(COLORS.items()):
        x, y = LEFT + index * 150, height - 14
        parts.append(f'<path d="M{x} {y - 4}h22" stroke="{color}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 28}" y="{y}">{order}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _points(line: np.ndarray, order: str) -> list[tuple[float, float]]:
    """(share removed, probability); for insertion, the share removed is what is not shown yet."""
    fractions = [1 - fraction for fraction in reversed(FRACTIONS)] if order == "weakest first" else list(FRACTIONS)
    return list(zip(fractions, line.tolist(), strict=True))


def main(
    data: str,
    models: tuple[str, ...] = ("mini_xception", "compact"),
    faces: int = 500,
    seed: int = 0,
    figure_of: str = "mini_xception",
    out: Path | None = None,
) -> None:
    """Print the accuracy with each fill, one per row, and draw the curves if --out is given.

    Args:
        data: fer2013.csv.
        models: Names in weights/, run directories, or .safetensors files.
        faces: Number of random faces from PublicTest.
        seed: Random seed for faces and squares.
        figure_of: The model whose curves to draw.
        out: SVG file for the curves.
    """
    split = read_dataset(data).split("PublicTest")
    rows = np.sort(np.random.default_rng(seed).choice(len(split), min(faces, len(split)), replace=False))
    heads = " | ".join(f"{share:.0%} removed" for share in SHARES)
    print(f"| model | filled by | whole | {heads} |\n|---|---|---|{'---|' * len(SHARES)}")
    for model in models:
        recognizer = load(model, threads=1)
        for name, shares in accuracies(recognizer, split.pixels[rows], split.labels[rows], seed).items():
            cells = " | ".join(f"{share:.1%}" for share in shares)
            print(f"| {recognizer.name} | {WORDS[name]} | {cells} |", flush=True)
    if out is not None:
        replace_file(out, figure(load(figure_of, threads=1), split.pixels[rows]))


if __name__ == "__main__":
    tyro.cli(main)

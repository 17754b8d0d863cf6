"""Draw maps as pictures: single tiles, and the grid of methods and classes as PNG or SVG."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer.explanation.methods import METHODS, is_blank
from fer.records import Explanation
from fer.visualization.palettes import paint

TILE = 176  # side of a tile in pixels
LABEL_WIDTH, HEADER, GAP, FOOT = 190, 64, 10, 34
CLIP = {"value": 99.5, "size": 97}  # percentile at the palette's end, so that a few pixels do not dim the others


@dataclass(frozen=True)
class Look:
    """How to draw maps. opacity: of the map over the face, 0..1. alone: without the face. each: one scale per map."""

    opacity: float = 0.75
    alone: bool = False
    each: bool = False


def scales(maps: np.ndarray, method: str, each: bool) -> np.ndarray:
    """The value at the palette's end for each of K maps (K, S, S): the same for all, or one for each."""
    tops = np.array([np.percentile(np.abs(values), CLIP[METHODS[method].marks]) for values in maps])
    peaks = np.abs(maps).max((1, 2))
    tops = np.where(tops > 0, tops, peaks)
    return tops if each else np.full(len(maps), tops.max(initial=0))


def tile(
    values: np.ndarray, scale: float, signed: bool, picture_rgb: np.ndarray, look: Look, side: int = TILE
) -> np.ndarray:
    """Draw one map (S, S), alone or over the face (P, P, 3). Returns (side, side, 3) uint8 RGB."""
    smooth = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)
    painted = paint(smooth, scale, signed)
    if look.alone:
        return painted
    face = cv2.cvtColor(cv2.resize(picture_rgb, (side, side), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    strength = np.clip(np.abs(smooth) / scale, 0, 1) if scale > 0 else np.zeros_like(smooth)
    weight = (look.opacity * np.sqrt(strength))[..., None]  # the face shows through where the map is zero
    return (painted * weight + face[..., None] * (1 - weight)).round().astype(np.uint8)


def layers(
    values: np.ndarray, scale: float, signed: bool, picture_rgb: np.ndarray, alone: bool, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same map as two pictures, for a page that blends them itself: the gray face (side, side, 3), and the map
    (side, side, 4) with its strength as alpha, or opaque if shown alone.
    """
    smooth = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)
    face = cv2.cvtColor(cv2.resize(picture_rgb, (side, side), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return np.repeat(face[..., None], 3, 2), _marks(smooth, scale, signed, alone)


def color_scale(signed: bool, alone: bool) -> np.ndarray:
    """A map's color scale as painted by `layers`: (1, 256, 4) uint8, from 0, or from -1 if signed."""
    return _marks(np.linspace(-1 if signed else 0, 1, 256, dtype=np.float32)[None], 1, signed, alone)


def _marks(values: np.ndarray, scale: float, signed: bool, alone: bool) -> np.ndarray:
    """A map (H, W) -> (H, W, 4) uint8."""
    strength = np.clip(np.abs(values) / scale, 0, 1) if scale > 0 else np.zeros_like(values)
    alpha = np.ones_like(values) if alone else np.sqrt(strength)
    return np.dstack([paint(values, scale, signed), (255 * alpha).round().astype(np.uint8)])


def tiles(maps: np.ndarray, method: str, picture_rgb: np.ndarray, look: Look, side: int = TILE) -> list[np.ndarray]:
    """The tiles of one method, one per class."""
    return [
        tile(values, scale, METHODS[method].signed, picture_rgb, look, side)
        for values, scale in zip(maps, scales(maps, method, look.each), strict=True)
    ]


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def cell_boxes(methods: list[str], classes: list[str]) -> dict[str, list[int]]:
    """The position of each cell in the grid's PNG: "method/class" -> [x, y, width, height] in pixels."""
    return {
        f"{method}/{name}": [LABEL_WIDTH + column * (TILE + GAP), HEADER + row * (TILE + GAP), TILE, TILE]
        for row, method in enumerate(methods)
        for column, name in enumerate(classes)
    }


def grid_png(
    rows: dict[str, list[np.ndarray]],
    maps: dict[str, np.ndarray],
    heads: dict[str, str],
    marks: dict[str, str],
    foot: str,
) -> bytes:
    """The grid on white. rows: a method's tiles. heads: class -> its heading. marks: class -> a word below it. foot: a
    line below the grid.
    """
    boxes = cell_boxes(list(rows), list(heads))
    canvas = Image.new("RGB", _size(len(rows), len(heads)), "white")
    draw = ImageDraw.Draw(canvas)
    for index, (name, head) in enumerate(heads.items()):
        x = LABEL_WIDTH + index * (TILE + GAP)
        draw.text((x + TILE / 2, 22), head, "#1B1E2B", ImageFont.load_default(20), anchor="mm")
        draw.text((x + TILE / 2, 46), marks.get(name, ""), "#3A4FBF", ImageFont.load_default(15), anchor="mm")
    for method, pictures in rows.items():
        for name, picture, values in zip(heads, pictures, maps[method], strict=True):
            x, y, _, _ = boxes[f"{method}/{name}"]
            canvas.paste(Image.fromarray(picture), (x, y))
            if is_blank(values):
                draw.text((x + TILE / 2, y + TILE / 2), "empty", "#8A8A8A", ImageFont.load_default(18), anchor="mm")
        draw.multiline_text(
            (LABEL_WIDTH - 14, y + TILE / 2),
            METHODS[method].label.replace(" ", "\n", 1),
            "#1B1E2B",
            ImageFont.load_default(18),
            anchor="rm",
            align="right",
        )
    draw.text((LABEL_WIDTH, canvas.height - FOOT / 2), foot, "#3A3F55", ImageFont.load_default(16), anchor="lm")
    file = io.BytesIO()
    canvas.save(file, "PNG", optimize=False)
    return file.getvalue()


def grid_svg(rows: dict[str, list[np.ndarray]], heads: dict[str, str], marks: dict[str, str], foot: str) -> bytes:
    """The same grid as SVG, with real text and each tile embedded as a picture."""
    boxes, (width, height) = cell_boxes(list(rows), list(heads)), _size(len(rows), len(heads))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" fill="#1B1E2B">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for index, (name, head) in enumerate(heads.items()):
        x = LABEL_WIDTH + index * (TILE + GAP) + TILE / 2
        parts.append(
            f'<text x="{x}" y="28" text-anchor="middle" font-size="19">{html.escape(head)}</text>'
            f'<text x="{x}" y="51" text-anchor="middle" font-size="14" fill="#3A4FBF">'
            f"{html.escape(marks.get(name, ''))}</text>"
        )
    for method, pictures in rows.items():
        for name, picture in zip(heads, pictures, strict=True):
            x, y, _, _ = boxes[f"{method}/{name}"]
            data = base64.b64encode(png(picture)).decode()
            parts.append(f'<image x="{x}" y="{y}" width="{TILE}" height="{TILE}" href="data:image/png;base64,{data}"/>')
        for line, word in enumerate(METHODS[method].label.split(" ", 1)):
            parts.append(
                f'<text x="{LABEL_WIDTH - 14}" y="{y + TILE / 2 + 22 * line}" text-anchor="end" '
                f'font-size="17">{html.escape(word)}</text>'
            )
    parts.append(
        f'<text x="{LABEL_WIDTH}" y="{height - FOOT / 2 + 5}" font-size="16" fill="#3A3F55">{html.escape(foot)}</text>'
    )
    return "\n".join([*parts, "</svg>"]).encode()


def _size(rows: int, columns: int) -> tuple[int, int]:
    return LABEL_WIDTH + columns * (TILE + GAP) + GAP, HEADER + rows * (TILE + GAP) + GAP + FOOT


def npz(explanation: Explanation) -> bytes:
    """All maps, float32, keyed "method/class"."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        **{
            f"{method}/{name}": values.astype(np.float32)
            for method, found in explanation.maps.items()
            for name, values in zip(explanation.classes, found, strict=True)
        },
    )
    return file.getvalue()

"""Export a model as an ONNX file for other programs, verified against PyTorch on faces."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from fer.data.dataset import Dataset
from fer.errors import WeightsError
from fer.files import replace_file
from fer.inference.engine import Engine
from fer.models.card import Card
from fer.models.checkpoints import load_checkpoint
from fer.models.onnx_check import metadata_of
from fer.models.onnx_export import export_onnx
from fer.models.weights import find_weights
from fer.preprocessing import Preprocessing

TOLERANCE = 1e-3  # of logits, which have magnitudes of a few units
CALIBRATION_FACES = 512
CHECKED_FACES = 3589  # all of PublicTest
BATCH = 128


@dataclass(frozen=True)
class Exported:
    """The written file, and its difference from PyTorch on the checked faces.

    difference: the largest of any logit. agreement: the share of faces with the same label. accuracy, torch_accuracy:
    0..1, on the same faces.
    """

    file_bytes: int
    faces: int
    difference: float
    agreement: float
    accuracy: float
    torch_accuracy: float


def export(model: str | Path, out: Path, dataset: Dataset, int8: bool = False) -> Exported:
    """Write `out`, completely or not at all. The graph takes faces (N, 1, S, S) float32, preprocessed as on the card,
    and returns logits (N, 7); its metadata contains the card.

    dataset: Training calibrates int8, PublicTest is used for the check. Raises WeightsError if a float export differs
    from PyTorch by more than TOLERANCE, or if the file cannot be written.
    """
    network, card = load_checkpoint(find_weights(model))
    graph = export_onnx(network, card.input_size)
    if int8:
        graph = quantized(graph, card.preprocessing, dataset.split("Training").pixels)
    graph = _with_card(graph, card)
    checked = dataset.split("PublicTest")
    found = _compare(graph, network, card.preprocessing, checked.pixels[:CHECKED_FACES], checked.labels[:CHECKED_FACES])
    if not int8 and not found.difference <= TOLERANCE:
        raise WeightsError(
            f"The exported graph differs from PyTorch by {found.difference:.2g} in a logit, more than "
            f"{TOLERANCE:g}. Nothing was written."
        )
    _write(out, graph)
    return found


def quantized(graph: bytes, preprocessing: Preprocessing, faces: np.ndarray) -> bytes:
    """Quantize the graph's kernels and activations to 8 bits, with ranges from 512 of the faces (N, S, S) uint8."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    rows = np.random.default_rng(0).permutation(len(faces))[:CALIBRATION_FACES]

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.parts = iter(np.array_split(faces[rows], max(len(rows) // 64, 1)))

        def get_next(self) -> dict | None:
            part = next(self.parts, None)
            return None if part is None else {"faces": preprocessing(part)}

    with tempfile.TemporaryDirectory() as folder:
        ready, file = Path(folder) / "ready.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(onnx.load_from_string(graph), ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            file,
            Reader(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )
        return file.read_bytes()


def _with_card(graph: bytes, card: Card) -> bytes:
    model = onnx.load_from_string(graph)
    onnx.helper.set_model_props(model, metadata_of(card))
    onnx.checker.check_model(model)
    return model.SerializeToString()


@torch.inference_mode()
def _compare(
    graph: bytes, network: torch.nn.Module, preprocessing: Preprocessing, faces: np.ndarray, labels: np.ndarray
) -> Exported:
    engine, pairs = Engine(graph), []
    for first in range(0, len(faces), BATCH):
        batch = preprocessing(faces[first : first + BATCH])
        pairs.append((engine(batch), network(torch.from_numpy(batch)).numpy()))
    exported, expected = (np.concatenate(side) for side in zip(*pairs, strict=True))
    named, wanted = exported.argmax(1), expected.argmax(1)
    return Exported(
        len(graph),
        len(faces),
        float(np.abs(exported - expected).max()),
        float((named == wanted).mean()),
        float((named == labels).mean()),
        float((wanted == labels).mean()),
    )


def _write(out: Path, graph: bytes) -> None:
    try:
        replace_file(out, graph)
    except OSError as error:
        raise WeightsError(f"{out.name} cannot be written: {error.strerror}. Choose another --out.") from None

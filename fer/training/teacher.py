"""Larger networks as teachers: their answers to the same views that the student sees."""

from __future__ import annotations

from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from fer.errors import WeightsError
from fer.expressions import COUNT
from fer.files import replace_file
from fer.models.checkpoints import load_checkpoint, read_tensors
from fer.models.registry import fold
from fer.models.weights import find_weights
from fer.preprocessing import Preprocessing
from fer.training.config import TrainConfig
from fer.training.preprocessing import normalize


class Teacher:
    """The mean logits of several networks, each averaged over a view and its mirror image.

    networks: (network in evaluation mode, its preprocessing). keep: store the answers, for views that are reused.
    """

    def __init__(self, networks: list[tuple[nn.Module, Preprocessing]], low_precision: bool, keep: bool) -> None:
        self.networks, self.low_precision, self.keep = networks, low_precision, keep
        self.kept: dict[tuple[int, int], torch.Tensor] = {}

    @torch.no_grad()
    def __call__(self, views: torch.Tensor, place: tuple[int, int]) -> torch.Tensor:
        """Views (N, 1, S, S) in 0..1 -> logits (N, 7) float32. place: (epoch, step) that these views belong to."""
        if place in self.kept:
            return self.kept[place].to(views.device).float()
        with torch.autocast(views.device.type, torch.bfloat16, enabled=self.low_precision):
            logits = torch.stack(
                [self._ask(network, preprocessing, views) for network, preprocessing in self.networks]
            ).mean(0)
        if not self.keep:
            return logits
        self.kept[place] = logits.half()  # 14 bytes per view: twenty epochs of FER2013 take 8 MB
        return self.kept[place].float()  # rounded the first time too, so that a resumed run learns the same

    def save(self, path: Path) -> None:
        """Save the stored answers, so that a resumed run need not compute them again."""
        found = {f"{epoch}.{step}": answers.contiguous().cpu() for (epoch, step), answers in self.kept.items()}
        replace_file(path, safetensors.torch.save(found))

    def restore(self, path: Path) -> None:
        """Load the answers that `save` wrote; if the file is missing or damaged, they are computed again."""
        try:
            for place, answers in read_tensors(path).items():
                epoch, step = place.split(".")
                if answers.ndim != 2 or answers.shape[1] != COUNT:
                    raise ValueError(place)
                self.kept[int(epoch), int(step)] = answers
        except (OSError, ValueError, WeightsError):
            self.kept.clear()

    @staticmethod
    def _ask(network: nn.Module, preprocessing: Preprocessing, views: torch.Tensor) -> torch.Tensor:
        size = (preprocessing.input_size, preprocessing.input_size)
        if views.shape[-2:] != size:
            views = nn.functional.interpolate(views, size=size, mode="bilinear", antialias=True, align_corners=False)
        batch = normalize(preprocessing, views)
        both = torch.cat([batch, batch.flip(-1)]).contiguous(memory_format=torch.channels_last)
        straight, mirrored = network(both).float().chunk(2)
        return (straight + mirrored) / 2


def load_teacher(config: TrainConfig, device: torch.device) -> Teacher | None:
    """The teacher made of the checkpoints in config.teacher; None if there are none. Raises WeightsError."""
    names = [name.strip() for name in config.teacher.split(",") if name.strip()]
    if not names:
        return None
    networks = []
    for name in names:
        network, card = load_checkpoint(find_weights(name))
        network = fold(network).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        networks.append((network.requires_grad_(False), card.preprocessing))
    return Teacher(networks, config.precision != "no", config.teacher_epochs > 0)

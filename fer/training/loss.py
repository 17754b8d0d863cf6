"""The training loss: cross-entropy, optionally weighted and blended, with the FER+ votes as an auxiliary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from fer.data.ferplus import VOTE_NAMES
from fer.expressions import COUNT
from fer.training.config import TrainConfig

Output = torch.Tensor | tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Blend:
    """One batch's mixup (Zhang et al. 2018): each face is blended with a partner, all by the same share."""

    share: float
    partner: torch.Tensor

    @classmethod
    def draw(cls, strength: float, count: int, rng: np.random.Generator) -> Blend:
        return cls(float(rng.beta(strength, strength)), torch.from_numpy(rng.permutation(count)))

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        return self.share * values + (1 - self.share) * values[self.partner.to(values.device)]


class Loss:
    """The mean loss over a batch's faces. class_weights (7,) average 1 over the training faces."""

    def __init__(self, config: TrainConfig, labels: torch.Tensor, epoch: int = 1) -> None:
        self.smoothing, self.votes_weight = config.label_smoothing, config.ferplus_weight
        weighted = config.balance_in(epoch) == "weights"
        self.class_weights = class_weights(labels, config.balance_strength) if weighted else None
        self.teacher_weight, self.temperature = config.teacher_weight, config.teacher_temperature

    def __call__(
        self,
        output: Output,
        labels: torch.Tensor,
        votes: torch.Tensor | None = None,
        blend: Blend | None = None,
        taught: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """output: logits (N, 7), or with the vote head (logits, vote logits (N, 10)). Returns a scalar.

        taught: the teacher's logits (N, 7) for the same views.
        """
        logits = output[0] if isinstance(output, tuple) else output
        if blend is None:
            loss = self._labels(logits, labels)
        else:
            other = labels[blend.partner.to(labels.device)]
            loss = blend.share * self._labels(logits, labels) + (1 - blend.share) * self._labels(logits, other)
        if taught is not None:
            loss = (1 - self.teacher_weight) * loss + self.teacher_weight * self._distance(logits, taught, blend)
        if isinstance(output, tuple) and votes is not None:
            wanted = blend(votes) if blend else votes
            # A face without FER+ votes is a row of zeros and adds nothing.
            loss = loss - self.votes_weight * (wanted * output[1].log_softmax(1)).sum(1).mean()
        return loss

    def _distance(self, logits: torch.Tensor, taught: torch.Tensor, blend: Blend | None) -> torch.Tensor:
        """T^2 times the divergence between the teacher's and student's softened probabilities (Hinton et al. 2015)."""
        wanted = (taught.float() / self.temperature).softmax(1)
        wanted = blend(wanted) if blend else wanted
        softened = (logits.float() / self.temperature).log_softmax(1)
        return self.temperature**2 * F.kl_div(softened, wanted, reduction="batchmean")

    def _labels(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if self.class_weights is None:
            return F.cross_entropy(logits, labels, label_smoothing=self.smoothing)
        each = F.cross_entropy(logits, labels, label_smoothing=self.smoothing, reduction="none")
        return (each * self.class_weights[labels]).mean()


def class_weights(labels: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
    """Labels (N,) -> weights (7,) float32: higher for rarer classes, 0 for absent ones, 1 on average over N.

    strength: 1 gives every class the same total weight, 0 every face.
    """
    counts = torch.bincount(labels, minlength=COUNT).float()
    weights = torch.where(counts > 0, counts.clamp_min(1) ** -strength, 0)
    return weights * len(labels) / (weights * counts).sum()


class WithVotes(nn.Module):
    """A network with a second head on the classifier's features, which predicts how ten people voted.

    Faces (N, 1, S, S) -> (logits (N, 7), vote logits (N, 10)). The head only shapes the features; only `network` is
    saved and shipped.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        classifier = network.get_submodule("classifier")
        assert isinstance(classifier, nn.Conv2d | nn.Linear)
        channels = classifier.in_channels if isinstance(classifier, nn.Conv2d) else classifier.in_features
        self.votes = nn.Linear(channels, len(VOTE_NAMES))

    def forward(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen: list[torch.Tensor] = []
        classifier = self.network.get_submodule("classifier")
        hook = classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            logits = self.network(batch)
        finally:
            hook.remove()
        features = seen[0]
        return logits, self.votes(features.mean((2, 3)) if features.ndim == 4 else features)


def vote_shares(votes: np.ndarray) -> torch.Tensor:
    """FER+ votes (N, 10) uint8 -> shares (N, 10) float32; zeros for faces without votes."""
    counts = torch.from_numpy(votes.astype(np.float32))
    return counts / counts.sum(1, keepdim=True).clamp_min(1)

"""Maps of the evidence for a class score, computed with Captum on a private copy of the network under a lock."""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from captum.attr import GuidedBackprop, LayerAttribution, LayerGradCam, Saliency
from torch import nn

from fer.errors import ExplainError
from fer.explanation.methods import FUSED, METHODS, Method

warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU activations")
warnings.filterwarnings("ignore", message="Input Tensor 0 did not already require gradients")


# (N, 1, S, S) under directions (N, 7) -> maps (N, 1, h, w), one per layer.
LayerCams = Callable[[torch.Tensor, torch.Tensor], list[torch.Tensor]]


class Scores(nn.Module):
    """One score per row: the logits weighted by its direction, a unit vector for a class, A - B for a contrast."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        return (self.model(batch) * directions).sum(1)  # (N, 7) -> (N,)


class Explainer:
    """Explains a copy of one network, so that hooks never affect predictions; safe to use from any thread.

    model: returns logits and has `attribution_layers()`. ReLUs must be modules, each used once.
    """

    def __init__(self, model: nn.Module) -> None:
        # channels_last: the compact network's maps take two thirds of the time.
        own = copy.deepcopy(model).eval().requires_grad_(False)
        self._model = own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Never hooked, so it needs no lock: slow work does not delay fast work.
        self._unhooked = _twin(self._model)
        # Hooked by slow methods, so that they do not delay fast ones.
        self._slowly_hooked = _twin(self._model)
        self._scores = Scores(self._model)
        self._layers = self._model.attribution_layers()
        self._lock, self._slow_lock = threading.Lock(), threading.Lock()

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers available to Grad-CAM, shallowest first, then all of them fused."""
        return (*self._layers, FUSED)

    @property
    def model(self) -> nn.Module:
        """The explained network; do not change it."""
        return self._model

    def attribute(
        self, method: str, batch: torch.Tensor, directions: torch.Tensor, layer: str | None = None
    ) -> np.ndarray:
        """Maps of the scores `logits . direction`, all in one batched pass.

        batch: (N, 1, S, S) float32, preprocessed, or (1, 1, S, S) for one face under N directions.
        directions: (N, 7). layer: of `layers`, for Grad-CAM and Guided Grad-CAM; None is the deepest.
        Returns (N, S, S) float32, unscaled, so that rows can be compared. Raises ExplainError for an unknown method or
        layer.
        """
        if method not in METHODS:
            raise ExplainError(f"There is no method {method[:40]!r}. Choose from {', '.join(METHODS)}.")
        layer = list(self._layers)[-1] if layer is None else layer
        if METHODS[method].layered and layer not in self.layers:
            raise ExplainError(f"This network has no layer {layer[:40]!r}. Choose from {', '.join(self.layers)}.")
        with torch.enable_grad(), _one_thread:
            if METHODS[method].place and not METHODS[method].layered:
                maps = METHODS[method].function()(self._unhooked, batch.detach(), directions)
            else:
                with self._slow_lock if METHODS[method].slow else self._lock:
                    maps = self._maps(method, batch.detach(), directions, layer)
        return maps.detach().squeeze(1).numpy().astype(np.float32, copy=False)  # (N, 1, S, S) -> (N, S, S)

    def grad_cam_alone(self, batch: torch.Tensor, direction: torch.Tensor, layer: str) -> np.ndarray:
        """One face's Grad-CAM, (S, S) float32, up to a factor, so it cannot be compared with other classes.

        With all layers fused, several times as fast as `attribute`, since it computes no other class.
        """
        if layer != FUSED:
            return self.attribute("grad_cam", batch, direction[None], layer)[0]
        with torch.enable_grad(), _one_thread, self._lock:
            cams = self._layer_cams(batch.detach(), direction[None])
            return torch.stack([_scaled(cam, batch.shape[-2:]) for cam in cams]).mean(0)[0, 0].numpy()

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) -> (N, 7), by the explained copy."""
        with torch.inference_mode(), _one_thread:
            return self._unhooked(batch)

    def _maps(self, method: str, batch: torch.Tensor, directions: torch.Tensor, layer: str) -> torch.Tensor:
        faces = batch.expand(len(directions), -1, -1, -1)
        if METHODS[method].place:
            return self._of_layer(METHODS[method], faces, directions, layer)
        if method == "grad_cam":
            return self._grad_cam(faces, directions, layer)
        if method == "guided_backprop":
            return self._guided(faces, directions)
        if method == "guided_grad_cam":
            return self._guided(faces, directions) * self._grad_cam(faces, directions, layer)
        return Saliency(self._scores).attribute(faces.clone(), abs=False, additional_forward_args=directions)

    def _guided(self, faces: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        return GuidedBackprop(self._scores).attribute(faces.clone(), additional_forward_args=directions)

    def _grad_cam(self, faces: torch.Tensor, directions: torch.Tensor, layer: str) -> torch.Tensor:
        """(N, 1, S, S), never negative. With all layers fused: the mean of their LayerCAM maps."""
        size = faces.shape[-2:]
        if layer != FUSED:
            cam = LayerGradCam(self._scores, self._layers[layer]).attribute(
                faces.clone(), additional_forward_args=directions, relu_attributions=True
            )
            return LayerAttribution.interpolate(cam, size, "bilinear")
        return _fused(faces, directions, self._layer_cams)

    def _of_layer(self, method: Method, faces: torch.Tensor, directions: torch.Tensor, layer: str) -> torch.Tensor:
        """A layered method with its own module: (N, 1, S, S)."""
        function, model = method.function(), self._slowly_hooked if method.slow else self._model
        layers = model.attribution_layers()  # type: ignore[operator]
        chosen = list(layers.values()) if layer == FUSED else [layers[layer]]

        def cams(faces: torch.Tensor, directions: torch.Tensor) -> list[torch.Tensor]:
            batch = faces[:1] if bool((faces == faces[:1]).all()) else faces
            return [function(model, batch, directions, module) for module in chosen]

        if layer == FUSED:
            return _fused(faces, directions, cams)
        return LayerAttribution.interpolate(cams(faces, directions)[0], faces.shape[-2:], "bilinear")

    def _layer_cams(self, faces: torch.Tensor, directions: torch.Tensor) -> list[torch.Tensor]:
        """LayerCAM (Jiang et al. 2021) of every layer, from one forward and backward pass."""
        features: list[torch.Tensor] = []
        hooks = [
            module.register_forward_hook(lambda _module, _inputs, output: features.append(output))
            for module in self._layers.values()
        ]
        try:
            total = self._scores(faces.clone().requires_grad_(True), directions).sum()
        finally:
            for hook in hooks:
                hook.remove()
        gradients = torch.autograd.grad(total, features)
        return [
            F.relu((F.relu(gradient) * feature.detach()).sum(1, keepdim=True))
            for gradient, feature in zip(gradients, features, strict=True)
        ]


def _twin(model: nn.Module) -> nn.Module:
    """A copy with its own hooks, sharing the weights, which nobody changes."""
    shared = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in shared})


def _fused(faces: torch.Tensor, directions: torch.Tensor, layer_cams: LayerCams) -> torch.Tensor:
    """The mean over layers of a row's maps, each scaled to 1, times the row's strength: (N, 1, S, S).

    The strength, 0..1 for a class, is the mean over layers of a row's peak relative to the highest peak of that face's
    seven classes, so that rows can be compared and do not depend on which others were requested.
    """
    count, size = len(faces), faces.shape[-2:]
    alike = bool((faces == faces[:1]).all())
    if alike and torch.equal(directions, units()):
        cams = [torch.cat([cam, cam]) for cam in layer_cams(faces, directions)]
    else:
        every = faces[:1] if alike else faces  # faces whose classes are compared: (M, 1, S, S)
        cams = layer_cams(
            torch.cat([faces, every.repeat_interleave(7, 0)]), torch.cat([directions, units().repeat(len(every), 1)])
        )
    maps, strengths = [], []
    for cam in cams:  # (N + 7 M, 1, h, w), one per layer
        peaks = cam.amax((1, 2, 3))
        highest = peaks[count:].view(-1, 7).amax(1).expand(count)  # (M,) -> (N,)
        strengths.append(peaks[:count] / highest.clamp_min(1e-12))
        maps.append(_scaled(cam[:count], size))
    return torch.stack(maps).mean(0) * torch.stack(strengths).mean(0).view(-1, 1, 1, 1)


def _scaled(cam: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """A layer's maps (N, 1, h, w), each scaled to a peak of 1 and resized to the input."""
    return LayerAttribution.interpolate(cam / cam.amax((1, 2, 3), keepdim=True).clamp_min(1e-12), size, "bilinear")


class _OneThread:
    """Run small networks on one thread: on two busy cores, waiting for a second thread made Grad-CAM 200 times slower.

    The thread count belongs to each thread and is inherited by new ones. A thread that starts while another is in here
    would find 1, so all restore the count that the first one found.
    """

    def __init__(self) -> None:
        self._lock, self._usual = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            self._usual = self._usual or torch.get_num_threads()
            torch.set_num_threads(1)

    def __exit__(self, *_failure: object) -> None:
        with self._lock:
            torch.set_num_threads(self._usual)


_one_thread = _OneThread()


def units(classes: list[int] | range = range(7)) -> torch.Tensor:
    """The directions of single classes: (len(classes), 7)."""
    return torch.eye(7)[list(classes)]


def contrast(one: int, other: int) -> torch.Tensor:
    """The direction for "why one and not the other": (1, 7)."""
    return units([one]) - units([other])

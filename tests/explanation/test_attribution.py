"""Maps against hand-computed answers, against plain hooks, and against Captum's own where ours is not Captum's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import captum.attr
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fer.errors import ExplainError
from fer.explanation.attribution import Explainer, contrast, units
from fer.explanation.methods import METHODS
from fer.explanation.occlusion import occlusion


def hook_count(model) -> int:
    return sum(
        len(getattr(module, name))
        for module in model.modules()
        for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    )


def plain_grad_cam(model, layer, batch, k):
    """Grad-CAM by two plain hooks."""
    kept = {}
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.update(features=output))
    score = model(batch)[0, k]
    hook.remove()
    (gradient,) = torch.autograd.grad(score, kept["features"])
    cam = F.relu((gradient.mean((2, 3), keepdim=True) * kept["features"]).sum(1, keepdim=True))
    return F.interpolate(cam, batch.shape[-2:], mode="bilinear", align_corners=False)[0, 0].detach().numpy()


def plain_guided(model, batch, k):
    """Guided backpropagation by one plain hook a ReLU."""
    hooks = [
        module.register_full_backward_hook(lambda module, into, out: (into[0].clamp(min=0),))
        for module in model.modules()
        if isinstance(module, torch.nn.ReLU)
    ]
    face = batch.clone().requires_grad_(True)
    model(face)[0, k].backward()
    for hook in hooks:
        hook.remove()
    return face.grad[0, 0].numpy()


# ------------------------------------------------------------------ by hand

PICTURE = torch.tensor([[[[3.0, -2.0], [0.0, 1.0]]]])


def test_grad_cam_by_hand(toy):
    maps = Explainer(toy).attribute("grad_cam", PICTURE, units())
    # Class 0: weight 1 on relu(x), 0 on relu(-x). Class 2: 2 relu(x) - relu(-x), then ReLU.
    assert np.allclose(maps[0], [[3, 0], [0, 1]]) and np.allclose(maps[1], [[0, 2], [0, 0]])
    assert np.allclose(maps[2], [[6, 0], [0, 2]]) and not maps[3:].any()


def test_gradient_and_guided_by_hand(toy):
    explainer = Explainer(toy)
    gradient = explainer.attribute("gradient", PICTURE, units())
    assert np.allclose(gradient[0], [[1, 0], [0, 1]]) and np.allclose(gradient[1], [[0, -1], [0, 0]])
    assert np.allclose(gradient[2], [[2, 1], [0, 2]])  # -1 against darkness, through -x
    guided = explainer.attribute("guided_backprop", PICTURE, units())
    assert np.allclose(guided[2], [[2, 0], [0, 2]])  # what counts against is stopped at the ReLU
    assert np.allclose(guided[1], [[0, -1], [0, 0]])
    both = explainer.attribute("guided_grad_cam", PICTURE, units())
    assert np.allclose(both[2], [[12, 0], [0, 4]])


def test_occlusion_by_hand(toy):
    gray = float(PICTURE.mean())  # 0.5
    maps = occlusion(toy, PICTURE, units(), side=1, stride=1)[:, 0].numpy()
    assert np.allclose(maps[0], [[3 - gray, -gray], [-gray, 1 - gray]])
    assert np.allclose(maps[1], [[0, 2], [0, 0]])


def test_contrast_is_the_map_of_the_difference(toy):
    explainer = Explainer(toy)
    maps = explainer.attribute("gradient", PICTURE, torch.cat([contrast(0, 1), units([0, 1])]))
    assert np.allclose(maps[0], maps[1] - maps[2]) and np.allclose(maps[0], [[1, 1], [0, 1]])


def test_integrated_gradients_by_hand(toy):
    gray = float(PICTURE.mean())
    maps = Explainer(toy).attribute("integrated_gradients", PICTURE, units())
    # Class 0 is relu(x): a pixel's share is relu(x) - relu(gray).
    assert np.allclose(maps[0], np.maximum(PICTURE[0, 0].numpy(), 0) - gray, atol=0.02)


# ------------------------------------------------------------------ against independent references


def test_grad_cam_and_guided_equal_plain_hooks(network, face):
    explainer = Explainer(network)
    for layer, module in network.attribution_layers().items():
        maps = explainer.attribute("grad_cam", face.batch, units(), layer)
        for k in range(7):
            assert np.abs(maps[k] - plain_grad_cam(network, module, face.batch, k)).max() < 1e-5
    guided = explainer.attribute("guided_backprop", face.batch, units())
    for k in range(7):
        assert np.abs(guided[k] - plain_guided(network, face.batch, k)).max() < 1e-5
    assert np.abs(guided).max() > 1e-4


def test_integrated_gradients_add_up_and_agree_with_captum(network, face):
    explainer = Explainer(network)
    maps = explainer.attribute("integrated_gradients", face.batch, units())
    gray = face.batch.mean().expand_as(face.batch)
    gaps = (explainer.logits(face.batch) - explainer.logits(gray))[0].numpy()
    assert np.abs(maps.sum((1, 2)) - gaps).max() < 0.01 * np.abs(gaps).max()
    k = int(np.abs(gaps).argmax())
    captums = (
        captum.attr.IntegratedGradients(network)
        .attribute(face.batch, gray, target=k, n_steps=300, internal_batch_size=50)[0, 0]
        .detach()
        .numpy()
    )
    assert np.corrcoef(captums.ravel(), maps[k].ravel())[0, 1] > 0.98


def test_one_direction_alone_adds_up_within_one_percent(mini, face):
    explainer = Explainer(mini)
    gray = face.batch.mean().expand_as(face.batch)
    for k in (0, 3):
        total = explainer.attribute("integrated_gradients", face.batch, units([k])).sum()
        gap = float((explainer.logits(face.batch) - explainer.logits(gray))[0, k])
        assert abs(total - gap) < 0.01 * abs(gap)


def test_occlusion_equals_captum(mini, face):
    ours = occlusion(mini, face.batch, units(), side=8, stride=4)
    for k in (0, 3):
        captums = captum.attr.Occlusion(mini).attribute(
            face.batch,
            (1, 8, 8),
            strides=(1, 4, 4),
            target=k,
            baselines=float(face.batch.mean()),
            perturbations_per_eval=20,
        )
        assert (ours[k] - captums[0]).abs().max() < 1e-4


def test_fused_cam_is_the_mean_of_scaled_layer_cams(mini, face):
    """Each row's shape is that of its layers' maps scaled to 1; its strength, that of the layers' peaks."""
    fused = Explainer(mini).attribute("grad_cam", face.batch, units(), "fused")
    layers = mini.attribution_layers()
    shapes, strengths = np.zeros_like(fused), np.zeros(7)
    for module in layers.values():
        cams = []
        for k in range(7):
            kept = []
            hook = module.register_forward_hook(lambda m, i, output, kept=kept: kept.append(output))
            score = mini(face.batch)[0, k]
            hook.remove()
            (gradient,) = torch.autograd.grad(score, kept[0])
            cams.append(F.relu((F.relu(gradient) * kept[0]).sum(1, keepdim=True)).detach())
        cams = torch.cat(cams)
        peaks = cams.amax((1, 2, 3))
        scaled = F.interpolate(cams / peaks.clamp_min(1e-12).view(7, 1, 1, 1), (44, 44), mode="bilinear")
        shapes += scaled[:, 0].numpy() / len(layers)
        strengths += (peaks / peaks.max()).numpy() / len(layers)
    assert np.abs(fused - shapes * strengths[:, None, None]).max() < 1e-5
    assert 0.5 < strengths.max() <= 1 and strengths.min() < 0.9 * strengths.max()


def test_a_fused_map_does_not_depend_on_what_else_is_asked(explainer, face):
    """Nor on the other faces of a batch. The table was measured a class at a time, which changed no rank."""
    for method in ("grad_cam", "guided_grad_cam"):
        together = explainer.attribute(method, face.batch, units(), "fused")
        largest = np.abs(together).max()
        for k in range(7):
            alone = explainer.attribute(method, face.batch, units([k]), "fused")[0]
            assert np.abs(together[k] - alone).max() < 1e-5 * largest
        two = torch.cat([face.batch, 3 * face.batch.flip(3)])
        pair = explainer.attribute(method, two, units([4, 3]), "fused")
        assert np.abs(pair[0] - together[4]).max() < 1e-4 * largest


def test_a_map_by_itself_has_the_shape_of_the_one_among_others(explainer, face):
    for layer in explainer.layers:
        among = explainer.attribute("grad_cam", face.batch, units([3]), layer)[0]
        alone = explainer.grad_cam_alone(face.batch, units([3])[0], layer)
        assert (alone.max() > 0) == (among.max() > 0)  # a layer may mark nothing
        assert np.abs(alone * among.max() - among * alone.max()).max() <= 1e-5 * alone.max() * among.max()
    assert alone.max() > 0  # fused


def test_one_batch_equals_one_by_one(explainer, face):
    for method in ("grad_cam", "guided_backprop", "guided_grad_cam", "gradient", "occlusion"):
        together = explainer.attribute(method, face.batch, units())
        for k in range(7):
            alone = explainer.attribute(method, face.batch, units([k]))[0]
            assert np.abs(together[k] - alone).max() < 1e-5, method


# ------------------------------------------------------------------ left as found


@pytest.mark.parametrize("method", METHODS)
def test_predictions_stay_bit_equal_and_no_hook_is_left(network, face, method):
    explainer = Explainer(network)
    before, threads = network(face.batch), torch.get_num_threads()
    own_before = explainer.logits(face.batch)
    for layer in explainer.layers if METHODS[method].layered else (None,):
        maps = explainer.attribute(method, face.batch, units(), layer)
        assert maps.shape == (7, 44, 44) and maps.dtype == np.float32 and np.isfinite(maps).all()
    assert torch.equal(network(face.batch), before) and torch.equal(explainer.logits(face.batch), own_before)
    assert hook_count(network) == hook_count(explainer.model) == 0
    assert not any(parameter.grad is not None for parameter in explainer.model.parameters())
    assert torch.get_num_threads() == threads


def test_hooks_go_when_an_explanation_fails(mini):
    explainer = Explainer(mini)
    for method in METHODS:
        for layer in ("block4", "fused"):
            with pytest.raises(RuntimeError):
                explainer.attribute(method, torch.zeros(1, 3, 44, 44), units(), layer)
    assert hook_count(explainer.model) == 0


def test_eight_threads_explain_and_predict_at_once(recognizer, mini, face):
    """Every map made under load equals the single-threaded one; so does every prediction."""
    explainer = Explainer(mini)
    jobs = [
        (method, layer)
        for method in ("grad_cam", "guided_backprop", "guided_grad_cam", "gradient")
        for layer in ("block2", "block4", "fused")
    ]
    alone = {job: explainer.attribute(job[0], face.batch, units(), job[1]) for job in jobs}
    logits, probabilities = explainer.logits(face.batch), recognizer.probabilities(face.aligned_gray[None])
    wrong, seen = [], []

    def work(number: int) -> None:
        for turn in range(len(jobs)):
            method, layer = jobs[(number * 5 + turn) % len(jobs)]
            maps = explainer.attribute(method, face.batch, units(), layer)
            if not np.array_equal(maps, alone[method, layer]):
                wrong.append((method, layer))
            if not torch.equal(explainer.logits(face.batch), logits) or not np.array_equal(
                recognizer.probabilities(face.aligned_gray[None]), probabilities
            ):
                wrong.append("prediction")
            seen.append(method)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 * len(jobs) and not wrong


def test_the_count_of_threads_comes_back_for_threads_that_began_meanwhile():
    from fer.explanation.attribution import _OneThread

    usual, one_thread = torch.get_num_threads(), _OneThread()
    torch.set_num_threads(2)
    try:
        with one_thread, ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 1
            pool.submit(lambda: one_thread.__enter__() or one_thread.__exit__()).result()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 2 == torch.get_num_threads()
    finally:
        torch.set_num_threads(usual)


def test_unknown_method_and_layer_are_named(explainer, face):
    with pytest.raises(ExplainError, match="no method 'magic'"):
        explainer.attribute("magic", face.batch, units())
    with pytest.raises(ExplainError, match="no layer 'block9'"):
        explainer.attribute("grad_cam", face.batch, units(), "block9")


def test_hires_cam_by_hand(toy):
    """Features x and -x where positive; class 2 weighs them by 2 and -1."""
    batch = torch.tensor([[[[1.0, -2.0], [3.0, 0.0]]]])
    found = Explainer(toy).attribute("hires_cam", batch, units([0, 1, 2]), "relu")
    assert np.allclose(found, [[[1, 0], [3, 0]], [[0, 2], [0, 0]], [[2, 0], [6, 0]]])


def test_score_cam_by_hand(toy):
    """A channel's weight is the softmax of the scores of the face as each channel lets it through."""
    batch = torch.tensor([[[[1.0, -2.0], [3.0, 0.0]]]])
    light, dark = batch[0, 0].clamp_min(0), (-batch[0, 0]).clamp_min(0)
    gray = batch.mean()
    scores = []
    for features in (light, dark):
        mask = features / features.max()
        seen = gray + mask * (batch[0, 0] - gray)
        scores.append([seen.clamp_min(0).sum(), (-seen).clamp_min(0).sum()])
    weights = torch.tensor(scores).softmax(0)
    found = Explainer(toy).attribute("score_cam", batch, units([0, 1]), "relu")
    for k in range(2):
        assert np.allclose(found[k], weights[0, k] * light + weights[1, k] * dark, atol=1e-6)


@pytest.mark.parametrize("method", ["hires_cam", "score_cam"])
def test_layered_methods_fuse_and_do_not_depend_on_what_else_is_asked(explainer, face, method):
    together = explainer.attribute(method, face.batch, units(), "fused")
    alone = explainer.attribute(method, face.batch, units([3]), "fused")
    assert together.shape == (7, *face.batch.shape[2:]) and (together >= 0).all() and together.max() <= 1 + 1e-5
    assert np.allclose(together[3], alone[0], atol=1e-4)

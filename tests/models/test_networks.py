"""mini-XCEPTION is exactly the published one; a folded RepVGG is the same function."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fer.errors import WeightsError
from fer.models.merging import merge
from fer.models.network import check_network
from fer.models.registry import ARCHITECTURES, build, fold, parameter_count
from fer.models.summary import multiply_adds, summarize

FIRST_ROWS = [
    ("Conv2d", (8, 42, 42), 72),
    ("BatchNorm2d", (8, 42, 42), 16),
    ("ReLU", (8, 42, 42), 0),
    ("Conv2d", (8, 40, 40), 576),
    ("BatchNorm2d", (8, 40, 40), 16),
    ("ReLU", (8, 40, 40), 0),
    ("Conv2d", (16, 20, 20), 128),
    ("BatchNorm2d", (16, 20, 20), 32),
    ("Conv2d", (8, 40, 40), 72),
    ("Conv2d", (16, 40, 40), 128),
    ("SeparableConv2d", (16, 40, 40), 0),
    ("BatchNorm2d", (16, 40, 40), 32),
]


def test_the_summary_of_mini_xception():
    table = summarize(build("mini_xception"))
    assert [(row.kind, row.shape, row.parameters) for row in table.rows[:12]] == FIRST_ROWS
    assert table.parameters == 56_951
    sizes = table.input_mb, table.forward_backward_mb, table.parameters_mb, table.total_mb
    assert [f"{size:.2f}" for size in sizes] == ["0.01", "4.11", "0.22", "4.33"]


def test_enlarging_the_face_adds_no_parameter():
    small, large = build("mini_xception"), build("mini_xception_64")
    assert parameter_count(large) == 56_951 and large.state_dict().keys() == small.state_dict().keys()
    large.load_state_dict(small.state_dict())
    face = torch.randn(2, 1, 44, 44)
    enlarged = nn.functional.interpolate(face, size=(64, 64), mode="bilinear", align_corners=False)
    assert torch.equal(large.eval()(face), small.eval()(enlarged))


@pytest.mark.parametrize("side", [44, 60])
def test_every_size_can_be_trained(side):
    """torch 2.13's gradient of a strided 1x1 convolution kills the process at some sizes."""
    model = build("mini_xception_64").to(memory_format=torch.channels_last).train()
    model(torch.randn(64, 1, side, side)).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_summarizing_leaves_the_model_as_it_was():
    model = build("mini_xception").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    summarize(model)
    assert model.training and all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_networks_suit_guided_backpropagation_and_keep_their_statistics(name):
    model = build(name)
    assert model(torch.zeros(2, 1, 44, 44)).shape == (2, 7)
    for module in model.modules():
        assert not (isinstance(module, nn.ReLU) and module.inplace)
        assert not isinstance(module, nn.BatchNorm2d) or module.momentum == 0.1


def lived_in(name: str) -> nn.Module:
    """A network whose batch-norms are not those of a new one."""
    model = build(name)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return model.eval()


@pytest.mark.parametrize("name", ["repvgg_small", "repvgg_small_g2", "repvgg_small_g3", "repvgg"])
def test_folding_changes_nothing_but_the_parameters(name):
    torch.manual_seed(0)
    model = lived_in(name)
    folded, batch = fold(model), torch.randn(4, 1, 44, 44)
    assert torch.allclose(model(batch), folded(batch), atol=1e-5)
    assert parameter_count(folded) < parameter_count(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())


@pytest.mark.parametrize("count", [2, 3])
def test_merged_networks_answer_with_the_mean_of_their_logits(count):
    torch.manual_seed(0)
    parts, batch = [lived_in("repvgg_small") for _ in range(count)], torch.randn(4, 1, 44, 44)
    name, merged = merge("repvgg_small", parts)
    mean = torch.stack([part(batch) for part in parts]).mean(0)
    assert name == f"repvgg_small_g{count}" and torch.allclose(merged(batch), mean, atol=1e-5)
    assert torch.allclose(fold(merged)(batch), mean, atol=1e-5)


def test_only_architectures_that_have_groups_can_be_merged():
    with pytest.raises(WeightsError, match="cannot be merged"):
        merge("mini_xception", [build("mini_xception")] * 2)


def test_an_unknown_architecture_is_a_sentence():
    with pytest.raises(WeightsError, match="mini_xception"):
        build("resnet999")


def test_multiply_adds_by_hand():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 7)
    )
    assert multiply_adds(net, 10) == 8 * 8 * 4 * 9 + 4 * 7


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_registry_names_the_networks_own_layers(name):
    assert tuple(build(name).attribution_layers()) == ARCHITECTURES[name].layers


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda model: setattr(model, "classifier", nn.Sequential(nn.Linear(128, 7))), "needs a `classifier`"),
        (lambda model: setattr(model, "classifier", nn.Linear(128, 7, bias=False)), "and a bias"),
        (lambda model: setattr(model, "classifier", nn.Linear(128, 8)), "7 outputs"),
        (lambda model: setattr(model, "attribution_layers", dict), "but attribution_layers"),
    ],
)
def test_a_network_that_breaks_its_contract_is_refused(change, says):
    model = build("mini_xception")
    change(model)
    with pytest.raises(WeightsError, match=says):
        check_network("mine", model, ARCHITECTURES["mini_xception"].layers)

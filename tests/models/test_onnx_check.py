"""An ONNX file from anywhere is looked through before any of it runs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer.errors import WeightsError
from fer.models import onnx_check
from fer.models.onnx_check import checked_model
from fer.models.onnx_export import export_onnx, store_as_float16
from fer.models.registry import ARCHITECTURES, build
from fer.models.weights import find_weights, shipped_names

FLOAT = TensorProto.FLOAT


def constant(name: str, values: object, dtype: type = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def network(nodes: list | None = None, constants: list | None = None, **changes) -> onnx.ModelProto:
    """Faces -> Flatten -> Gemm -> logits, or what the changes make of it."""
    faces = changes.get("faces", ["n", 1, 8, 8])
    logits = changes.get("logits", ["n", 7])
    if nodes is None:
        nodes = [
            helper.make_node("Flatten", ["faces"], ["flat"]),
            helper.make_node("Gemm", ["flat", "kernel"], ["logits"]),
        ]
    if constants is None:
        constants = [constant("kernel", np.ones((64, 7)))]
    inputs = [helper.make_tensor_value_info("faces", changes.get("kind", FLOAT), faces), *changes.get("inputs", [])]
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("logits", FLOAT, logits)], constants)
    opsets = changes.get("opsets", [helper.make_opsetid("", 17)])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def external(model: onnx.ModelProto) -> onnx.ModelProto:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return model


def with_claimed_shape(model: onnx.ModelProto, dims: list[int]) -> onnx.ModelProto:
    tensor = model.graph.initializer[0]
    del tensor.dims[:]
    tensor.dims.extend(dims)
    return model


def with_inner_graph() -> onnx.ModelProto:
    inner = helper.make_graph([helper.make_node("Identity", ["faces"], ["x"])], "inner", [], [])
    node = helper.make_node("Flatten", ["faces"], ["flat"], body=inner)
    return network([node, helper.make_node("Gemm", ["flat", "kernel"], ["logits"])])


def resized(sizes: list[int]) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Resize", ["faces", "", "", "sizes"], ["large"]),
        helper.make_node("GlobalAveragePool", ["large"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "kernel"], ["logits"]),
    ]
    return network(nodes, [constant("sizes", sizes, np.int64), constant("kernel", np.ones((1, 7)))])


def with_function(model: onnx.ModelProto) -> onnx.ModelProto:
    node = helper.make_node("Relu", ["x"], ["y"])
    model.functions.append(helper.make_function("mine", "f", ["x"], ["y"], [node], [helper.make_opsetid("", 17)]))
    return model


def convolution(channels: int) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["faces", "wide"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["a", "deep"], ["b"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["b"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "kernel"], ["logits"]),
    ]
    return network(
        nodes,
        [
            constant("wide", np.ones((channels, 1, 3, 3))),
            constant("deep", np.ones((channels, channels, 3, 3))),
            constant("kernel", np.ones((channels, 7))),
        ],
        faces=["n", 1, 128, 128],
    )


def matrix_products(*nodes: onnx.NodeProto, rows: int = 64, inner: int = 2**16) -> onnx.ModelProto:
    """The plain network, with products of 64 x 65,536 and 65,536 x 64 beside it: 2.7e8 multiply-adds each."""
    plain = network()
    wide, tall = np.zeros((rows, inner), np.float32), np.zeros((inner, rows), np.float32)
    vector = np.zeros(inner, np.float32)
    constants = [constant("wide", wide), constant("tall", tall), constant("vector", vector)]
    return network([*nodes, *plain.graph.node], [*plain.graph.initializer, *constants])


def gemms(left: str, right: str, **transposed: int) -> onnx.ModelProto:
    return matrix_products(*(helper.make_node("Gemm", [left, right], [f"g{each}"], **transposed) for each in range(16)))


def vector_products() -> onnx.ModelProto:
    """1,000 products of 4.2 million multiply-adds each, which return only 64 values."""
    return matrix_products(*(helper.make_node("MatMul", ["wide", "vector"], [f"m{each}"]) for each in range(1_000)))


def means() -> onnx.ModelProto:
    return matrix_products(*(helper.make_node("ReduceMean", ["wide"], [f"m{each}"]) for each in range(1_000)))


def many_alive(layers: int) -> onnx.ModelProto:
    """A U of element-wise layers of 2048 x 2048: all of the way down is alive at its end."""
    down = [helper.make_node("Sigmoid", [f"d{each}"], [f"d{each + 1}"]) for each in range(layers)]
    up = [
        helper.make_node("Mul", [f"d{layers}" if each == layers - 1 else f"u{each + 1}", f"d{each}"], [f"u{each}"])
        for each in reversed(range(layers))
    ]
    nodes = [
        helper.make_node("Mul", ["row", "column"], ["plane"]),
        helper.make_node("ReduceMean", ["faces"], ["mean"], axes=[2, 3]),
        helper.make_node("Mul", ["mean", "plane"], ["d0"]),
        *(down + up),
        helper.make_node("GlobalAveragePool", ["u0"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "kernel"], ["logits"]),
    ]
    constants = [("row", (1, 1, 1, 2048)), ("column", (1, 1, 2048, 1)), ("kernel", (1, 7))]
    return network(nodes, [constant(name, np.ones(shape)) for name, shape in constants])


def test_a_plain_network_passes():
    assert checked_model("a.onnx", network().SerializeToString()).graph.name == "g"


@pytest.mark.parametrize("name", shipped_names())
def test_what_ships_passes(name):
    checked_model(name, find_weights(name).with_suffix(".onnx").read_bytes())


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: network(opsets=[helper.make_opsetid("", 99)]), "opset 99"),
        (lambda: network(opsets=[]), "opset"),
        (lambda: with_function(network()), "functions"),
        (lambda: network([helper.make_node("Loop", ["faces"], ["logits"])]), "'Loop'"),
        (lambda: network([helper.make_node("Flatten", ["faces"], ["logits"], domain="evil")]), "Flatten"),
        (lambda: network([helper.make_node("ConstantOfShape", ["faces"], ["logits"])]), "ConstantOfShape"),
        (with_inner_graph, "graph inside"),
        (lambda: external(network()), "another file"),
        (lambda: with_claimed_shape(network(), [2**31, 2**31]), "larger than its data"),
        (lambda: with_claimed_shape(network(), [-64, -7]), "larger than its data"),
        (lambda: with_claimed_shape(network(), [63, 7]), "cannot be read"),
        (lambda: network(constants=[constant("kernel", np.full((64, 7), np.nan))]), "infinite or NaN"),
        (lambda: network(constants=[constant("kernel", np.ones((65, 7)))]), "is inconsistent"),
        (lambda: network(faces=["n", 3, 8, 8]), r"takes \[n, 3, 8, 8\]"),
        (lambda: network(faces=["n", 1, 8, 9]), "gray faces"),
        (lambda: network(faces=["n", 1, 100_000, 100_000]), "gray faces"),
        (lambda: network(faces=[4, 1, 8, 8], logits=[4, 7]), "batch size of 4"),
        (lambda: network(kind=TensorProto.DOUBLE), "32-bit floats"),
        (lambda: network(logits=["n", 8]), r"returns \[n, 8\]"),
        (lambda: network(inputs=[helper.make_tensor_value_info("more", FLOAT, [1])]), "2 inputs"),
        (lambda: resized([1, 1, 60_000, 60_000]), "more than a face needs"),
        (lambda: convolution(200), "multiply-adds"),
        (lambda: gemms("wide", "tall"), "4.3e[+]09 multiply-adds"),
        (lambda: gemms("wide", "wide", transB=1), "4.3e[+]09 multiply-adds"),
        (lambda: gemms("tall", "tall", transA=1), "4.3e[+]09 multiply-adds"),
        (lambda: gemms("tall", "wide", transA=1, transB=1), "4.3e[+]09 multiply-adds"),
        (vector_products, "4.2e[+]09 multiply-adds"),
        (means, "4.2e[+]09 multiply-adds"),
        (lambda: many_alive(4), "values per face"),
    ],
)
def test_everything_else_is_a_sentence(made, says):
    with pytest.raises(WeightsError, match=says):
        checked_model("a.onnx", made().SerializeToString())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_far_below_the_limits(name, monkeypatch):
    monkeypatch.setattr(onnx_check, "VALUES", onnx_check.VALUES / 4)
    monkeypatch.setattr(onnx_check, "WORK", onnx_check.WORK / 4)
    largest = store_as_float16(export_onnx(build(name).eval(), 48))  # the largest faces that a run may have
    checked_model("a.onnx", largest)


@pytest.mark.parametrize("blob", [b"", b"\x80\x04\x95", b"\xff" * 1000, b"onnx", network().SerializeToString()[:-40]])
def test_no_onnx_file_at_all(blob):
    with pytest.raises(WeightsError, match="a.onnx"):
        checked_model("a.onnx", blob)


def test_too_many_nodes(monkeypatch):
    monkeypatch.setattr(onnx_check, "NODES", 1)
    with pytest.raises(WeightsError, match="2 nodes"):
        checked_model("a.onnx", network().SerializeToString())

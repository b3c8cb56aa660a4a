"""Networks by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn
from funcnet import models
from funcnet.models import multi_layer, two_layer

ANY: Any = fn.models  # to be called as the checker would not let us


def test_multi_layer_is_what_one_would_write() -> None:
    between = fn.batch_norm() >> fn.relu() >> fn.dropout(0.5)
    net = multi_layer(784, [100, 50], 10, between, weights=fn.normal(0.01))
    written = (
        fn.dense(784, 100) >> fn.batch_norm() >> fn.relu() >> fn.dropout(0.5)
        >> fn.dense(100, 50) >> fn.batch_norm() >> fn.relu() >> fn.dropout(0.5)
        >> fn.dense(50, 10)
    )  # fmt: skip
    assert repr(net) == repr(written)
    assert [name for name, _ in net.parts] == [name for name, _ in written.parts]
    assert float(net.init(fn.Key(0), (784,))["dense1"]["W"].std()) == pytest.approx(0.01, rel=0.02)


def test_no_hidden_layer_is_one_dense_layer() -> None:
    assert repr(multi_layer(4, (), 2)) == "dense(4, 2)"


def test_whatever_comes_in() -> None:
    net = two_layer(..., 50, 10, fn.sigmoid())
    assert repr(net) == "dense(..., 50) >> sigmoid() >> dense(50, 10)"
    assert fn.count(net.init(fn.Key(0), (64,))) == 64 * 50 + 50 + 510


# ---- the published networks at full size, where nothing is allocated ---------------------------

IMAGENET = (3, 224, 224)
PUBLISHED: dict[str, tuple[fn.Layer[Any, Any], tuple[int, ...], int]] = {
    "simple_conv": (models.simple_conv(1, 10), (1, 28, 28), 433_890),
    "deep_conv": (models.deep_conv(1, 10), (1, 28, 28), 123_552),
    "lenet5": (models.lenet5(1, 10), (1, 32, 32), 61_706),
    "alexnet": (models.alexnet(3, 1000), (3, 227, 227), 60_965_224),
    "vgg11": (models.vgg(3, 1000, 11), IMAGENET, 132_863_336),
    "vgg13": (models.vgg(3, 1000, 13), IMAGENET, 133_047_848),
    "vgg16": (models.vgg(3, 1000, 16), IMAGENET, 138_357_544),
    "vgg19": (models.vgg(3, 1000, 19), IMAGENET, 143_667_240),
    "googlenet": (models.googlenet(3, 1000), IMAGENET, 6_998_552),
    "resnet18": (models.resnet(3, 1000, 18), IMAGENET, 11_689_512),
    "resnet34": (models.resnet(3, 1000, 34), IMAGENET, 21_797_672),
    "resnet50": (models.resnet(3, 1000, 50), IMAGENET, 25_557_032),
    "resnet101": (models.resnet(3, 1000, 101), IMAGENET, 44_549_160),
    "resnet152": (models.resnet(3, 1000, 152), IMAGENET, 60_192_808),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_as_many_parameters_as_published(name: str) -> None:
    net, shape, parameters = PUBLISHED[name]
    spec, out = net.spec(shape)
    assert fn.count(spec) == parameters
    assert out == ((10,) if shape[0] == 1 else (1000,))


@pytest.mark.parametrize(
    ("name", "path", "shape"),
    [
        ("lenet5", "dense1/W", (400, 120)),
        ("alexnet", "conv2d5/W", (256, 192, 3, 3)),
        ("alexnet", "dense1/W", (9216, 4096)),
        ("vgg16", "stage5/conv2d3/W", (512, 512, 3, 3)),
        ("vgg16", "dense1/W", (25088, 4096)),
        ("googlenet", "stem/conv2d3/W", (192, 64, 3, 3)),
        ("googlenet", "inception3a/1x1/conv2d1/W", (64, 192, 1, 1)),
        ("googlenet", "inception4e/3x3/conv2d2/W", (320, 160, 3, 3)),
        ("googlenet", "inception5b/5x5/conv2d2/W", (128, 48, 5, 5)),
        ("googlenet", "inception5b/pool/conv2d1/W", (128, 832, 1, 1)),
        ("resnet34", "stem/conv2d1/W", (64, 3, 7, 7)),
        ("resnet34", "stage1/residual3/body/conv2d2/W", (64, 64, 3, 3)),
        ("resnet34", "stage4/residual1/shortcut/conv2d1/W", (512, 256, 1, 1)),
        ("resnet101", "stage1/residual1/shortcut/conv2d1/W", (256, 64, 1, 1)),
        ("resnet101", "stage3/residual23/body/conv2d3/W", (1024, 256, 1, 1)),
    ],
)
def test_parameters_have_the_names_of_the_papers_parts(
    name: str, path: str, shape: tuple[int, ...]
) -> None:
    net, image, _ = PUBLISHED[name]
    leaf: Any = net.spec(image)[0]
    for part in path.split("/"):
        leaf = leaf[part]
    assert leaf.shape == shape


@pytest.mark.parametrize(
    ("name", "kind", "sizes"),
    [
        ("deep_conv", "max_pool2d", [14, 8, 4]),
        ("alexnet", "max_pool2d", [27, 13, 6]),
        ("vgg16", "stage", [112, 56, 28, 14, 7]),
        ("googlenet", "max_pool2d", [14, 7]),
        ("googlenet", "inception", [28, 28, 14, 14, 14, 14, 14, 7, 7]),
        ("resnet50", "stage", [56, 28, 14, 7]),
    ],
)
def test_images_shrink_as_published(name: str, kind: str, sizes: list[int]) -> None:
    net, image, _ = PUBLISHED[name]
    ends = [i for i, (part, _) in enumerate(net.parts, 1) if part.startswith(kind)]
    assert [net[:i].spec(image)[1][1] for i in ends] == sizes


# ---- small ones, with numbers ------------------------------------------------------------------


def stem(channels: int) -> fn.Layer[Any, Any]:
    """What stands before the stages where images are small."""
    return fn.conv2d(1, channels, 3, pad=1) >> fn.batch_norm() >> fn.relu()


NORM = fn.batch_norm() >> fn.relu()
SMALL: dict[str, tuple[fn.Layer[Any, Any], tuple[int, ...]]] = {
    "simple_conv": (models.simple_conv(1, 10, filters=8, hidden=32), (1, 8, 8)),
    "deep_conv": (models.deep_conv(1, 10, rate=0.1), (1, 8, 8)),
    "lenet5": (models.lenet5(1, 10), (1, 16, 16)),
    "alexnet": (models.alexnet(1, 10, width=12, hidden=128, stem=stem(12)), (1, 8, 8)),
    "vgg": (models.vgg(1, 10, 11, width=4, hidden=64, between=NORM), (1, 32, 32)),
    "googlenet": (models.googlenet(1, 10, width=8, stem=stem(24)), (1, 8, 8)),
    "resnet18": (models.resnet(1, 10, 18, width=4, stem=stem(4)), (1, 8, 8)),
    "resnet50": (models.resnet(1, 10, 50, width=4, stem=stem(4)), (1, 8, 8)),
}


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (models.vgg_stage(2, 3, 2), (2, 4, 4)),
        (models.inception(3, 1, 2, 3, 2, 2, 1), (3, 4, 4)),
        (models.basic_block(2, 2), (2, 4, 4)),
        (models.basic_block(2, 4, stride=2), (2, 5, 5)),
        (models.bottleneck(4, 4), (4, 4, 4)),
        (models.bottleneck(4, 8, stride=2), (4, 5, 5)),
        (models.simple_conv(2, 3, filters=2, hidden=4), (2, 8, 8)),
        (models.lenet5(2, 3), (2, 16, 16)),
        (models.alexnet(2, 3, width=6, hidden=8, stem=fn.conv2d(2, 6, 3)), (2, 9, 9)),
        (models.vgg(2, 3, 11, width=2, hidden=5), (2, 32, 32)),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else repr(value)[:40],
)
def test_layers_keep_the_contract(layer: fn.AnyLayer, shape: tuple[int, ...]) -> None:
    fn.check_layer(layer, shape)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_of_whole_networks(name: str) -> None:
    """The slope of the loss along one random direction of all parameters, in Train."""
    net, shape = SMALL[name]
    mode, drawn = fn.Train(fn.Key(1)), fn.Key(2).generator()
    x = drawn.standard_normal((4, *shape))
    # Away from biases of 0, where what a ReLU gets from inputs of 0 is on its kink.
    params = fn.tree_map(
        lambda w: w + 0.1 * drawn.standard_normal(w.shape), net.init(fn.Key(0), shape, np.float64)
    )
    f = fn.value_and_grad(net, fn.softmax_cross_entropy())
    _, grads, _ = f(params, x, np.arange(4), mode)
    direction = fn.tree_map(lambda g: drawn.standard_normal(g.shape) * g, grads)
    slope = sum(dot(g, d) for g, d in paired(grads, direction))
    size = sum(dot(d, d) for d, _ in paired(direction, direction)) ** 0.5

    def moved(h: float) -> float:
        step = fn.tree_map(lambda d: h / size * d, direction)
        return f(fn.apply_updates(params, step), x, np.arange(4), mode)[0]

    assert (moved(1e-7) - moved(-1e-7)) / 2e-7 == pytest.approx(slope / size, rel=1e-5)


def dot(a: fn.Array, b: fn.Array) -> float:
    return float((a * b).sum())


def paired(a: fn.Grads, b: fn.Grads) -> list[tuple[Any, Any]]:
    return [(x, y) for (_, x), (_, y) in zip(fn.leaves(a), fn.leaves(b), strict=True)]


@pytest.mark.parametrize(
    ("name", "rate", "steps"),
    [
        ("simple_conv", 0.005, 40),
        ("deep_conv", 0.003, 60),
        ("lenet5", 0.005, 20),
        ("alexnet", 0.003, 60),
        ("vgg", 0.01, 50),
        ("googlenet", 0.003, 50),
        ("resnet18", 0.01, 20),
        ("resnet50", 0.01, 40),
    ],
)
def test_they_learn(name: str, rate: float, steps: int) -> None:
    net, (_, height, _) = SMALL[name]
    (x, t), _ = fn.datasets.digits()
    x = x.repeat(height // 8, axis=2).repeat(height // 8, axis=3)
    optimizer, loss = fn.adam(rate), fn.softmax_cross_entropy()
    step, batches, state = fn.prepare(fn.Key(0), net, loss, optimizer, x, t, size=50, epochs=2)
    losses = []
    for batch in batches[:steps]:
        state = step(state, batch)
        losses.append(state.loss)
    assert np.mean(losses[-5:]) < 0.8 * np.log(10)  # log 10 is the loss of knowing nothing


def test_a_stem_takes_the_place_of_the_published_one() -> None:
    net = models.resnet(1, 10, 18, width=4, stem=stem(4))
    assert net.spec((1, 28, 28))[1] == (10,)
    assert net[:2].spec((1, 28, 28))[1] == (4, 28, 28)
    assert list(net.spec((1, 28, 28))[0]["stem"]) == ["conv2d1", "batch_norm1"]


def test_a_bottleneck_strides_in_the_middle_so_that_weights_fit_torchvision() -> None:
    block = models.bottleneck(8, 16, stride=2)
    assert repr(block["residual1/body"]) == (
        "(conv2d(8, 4, 1, bias=False) >> batch_norm() >> relu() >> "
        "conv2d(4, 4, 3, stride=2, pad=1, bias=False) >> batch_norm() >> relu() >> "
        "conv2d(4, 16, 1, bias=False) >> batch_norm()).named('body')"
    )
    assert repr(block["relu1"]) == "relu()"  # after the sum


def test_between_follows_every_convolution_of_vgg() -> None:
    net = models.vgg(3, 10, 11, between=NORM)
    assert repr(net["stage3"]) == (
        "(conv2d(128, 256, 3, pad=1) >> batch_norm() >> relu() >> conv2d(256, 256, 3, pad=1) >> "
        "batch_norm() >> relu() >> max_pool2d(2)).named('stage3')"
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ANY.multi_layer(784, 100, 10), "a list of sizes, not 100"),
        (lambda: ANY.multi_layer(784, "100", 10), "a list of sizes, not '100'"),
        (lambda: ANY.multi_layer(784, [0], 10), "integer of at least 1, not 0"),
        (lambda: ANY.multi_layer(784, [5], 10, fn.relu), r"did you mean relu\(\)"),
        (lambda: ANY.two_layer(784, [5], 10), r"two_layer's hidden is an integer, not \[5\]"),
        (lambda: ANY.multi_layer(784, [5], 10, fn.dense(6, 6)), "expects 6 features, but dense1"),
        (lambda: ANY.resnet(3, 10, depth=20), "depth is 18, 34, 50, 101 or 152, not 20"),
        (lambda: ANY.vgg(3, 10, 20), "vgg's depth is 11, 13, 16 or 19, not 20"),
        (lambda: ANY.vgg(3, 10, 16.0), r"vgg's depth is an integer, not 16\.0"),
        (lambda: ANY.alexnet(3, 10, width=20), "alexnet's width is a multiple of 6, 20 is not"),
        (lambda: ANY.googlenet(3, 10, width=6), "googlenet's width is a multiple of 4, 6 is not"),
        (lambda: ANY.bottleneck(8, 10), "bottleneck's c_out is a multiple of 4, 10 is not"),
        (lambda: ANY.basic_block(..., 8), "basic_block's c_in is an integer"),
        (lambda: ANY.vgg_stage(3, 8, 0), "vgg_stage's convolutions is an integer of at least 1"),
        (lambda: ANY.vgg(3, 10, 11, between=fn.relu), r"did you mean relu\(\)"),
        (lambda: ANY.resnet(3, 10, stem=fn.conv2d), r"did you mean conv2d\(\.\.\.\)"),
        (
            lambda: models.resnet(3, 10, width=8, stem=fn.conv2d(3, 16, 3)),
            "resnet's width expects 8 channels, but resnet's stem gives 16; write width=16, or let",
        ),
        (
            lambda: ANY.alexnet(1, 10, width=6, stem=fn.identity()),
            "alexnet's width expects 6 channels, but alexnet's stem gives 1; write width=1, or let",
        ),
        (
            lambda: ANY.googlenet(1, 10, stem=fn.flatten()),
            r"googlenet's width expects images .*, but googlenet's stem gives vectors",
        ),
        (lambda: ANY.basic_block(4, 4, (1, 1)), "basic_block's stride is an integer, not"),
        (lambda: ANY.bottleneck(4, 4, 0), "bottleneck's stride is an integer of at least 1, not 0"),
        (
            lambda: (
                ANY.googlenet(1, 10, stem=stem(8) >> fn.conv2d(8, 2, 1))
                >> ANY.googlenet(3, 10, stem=stem(8))
            ),
            r"googlenet's stem/conv2d1 .* expects 1 channel, but googlenet's c_in gives 3",
        ),
        (
            lambda: models.vgg(1, 10, 11).spec((1, 28, 28)),
            "stage5/max_pool2d1 .* expects images of at least 2x2, but .* gives 1x1; .*pool less",
        ),
        (
            lambda: models.lenet5(1, 10).spec((1, 8, 8)),
            "conv2d2 .* expects images of at least 5x5, but avg_pool2d1 gives 2x2",
        ),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(fn.FuncnetError, match=text):
        call()

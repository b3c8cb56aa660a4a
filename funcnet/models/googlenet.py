"""GoogLeNet: inception modules, which look at several sizes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, Final

from ..combinators import concat
from ..kinds import Image, M, Vec
from ..layers.activations import relu
from ..layers.convolution import conv2d
from ..layers.dense import dense
from ..layers.noise import dropout
from ..layers.pooling import global_avg_pool2d, max_pool2d
from ..layers.response import local_response_norm
from ..typed import C, Layer, sequential
from .published import stem_of, width_of

# The paper's table 1: 1x1; 3x3, reduced and out; 5x5, reduced and out; what follows the pool.
STAGE_3: Final = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
}
STAGE_4: Final = {
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
}
STAGE_5: Final = {
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}


def inception(
    c_in: C | EllipsisType,
    c1: int,
    c3_reduce: int,
    c3: int,
    c5_reduce: int,
    c5: int,
    c_pool: int,
) -> Layer[Image[C], Image[Any]]:
    """Convolutions of 1x1, 3x3 and 5x5 and a pool side by side, their channels in a row.

    Gives c1 + c3 + c5 + c_pool channels of the height and width that come in. Convolutions of 1x1
    reduce what the larger ones see to ``c3_reduce`` and ``c5_reduce`` channels, and follow the
    pool. The parts are "1x1", "3x3", "5x5" and "pool".

    Source: Szegedy et al. 2015, "Going Deeper with Convolutions", figure 2(b).

    >>> module = models.inception(192, 64, 96, 128, 16, 32, 32)
    >>> module.spec((192, 28, 28))[1], list(module.spec((192, 28, 28))[0])
    ((256, 28, 28), ['1x1', '3x3', '5x5', 'pool'])
    """
    one = conv2d(c_in, c1, 1) >> relu()
    three = conv2d(c_in, c3_reduce, 1) >> relu() >> conv2d(c3_reduce, c3, 3, pad=1) >> relu()
    five = conv2d(c_in, c5_reduce, 1) >> relu() >> conv2d(c5_reduce, c5, 5, pad=2) >> relu()
    pool = max_pool2d(3, 1, pad=1) >> conv2d(c_in, c_pool, 1) >> relu()
    return concat(one.named("1x1"), three.named("3x3"), five.named("5x5"), pool.named("pool"))


def googlenet(
    c_in: C | EllipsisType,
    n_out: M,
    width: int = 64,
    *,
    stem: Layer[Image[C], Image[Any]] | None = None,
) -> Layer[Image[C], Vec[M]]:
    """GoogLeNet: a stem, nine inception modules in three stages, a global mean, one dense layer.

    For images of 224x224. ``width``, a multiple of 4, is how many channels the first convolution
    gives; those of all others are to it as in the paper, where it is 64, rounded down. ``stem``
    stands in place of all before the first module, which leaves an eighth of an image's height and
    width; it gives any number of channels. The parts are ``stem``, ``inception3a`` to
    ``inception5b``, and the dense layer. The paper's two further outputs, which help training, are
    left out. Raises ``ConfigError`` for a ``width`` that is no multiple of 4.

    Source: Szegedy et al. 2015, "Going Deeper with Convolutions", table 1.

    >>> count(models.googlenet(3, 1000).spec((3, 224, 224))[0])
    6998552
    >>> net = models.googlenet(1, 10, width=8, stem=conv2d(1, 24, 3, pad=1) >> relu())
    >>> count(net.spec((1, 28, 28))[0])
    93684
    """
    width = width_of("googlenet", width, 4)
    first = stem_of("googlenet", c_in, ..., _stem(c_in, width) if stem is None else stem)
    return (
        first.named("stem")
        >> _stage(STAGE_3, width)
        >> max_pool2d(3, 2, pad=1)
        >> _stage(STAGE_4, width)
        >> max_pool2d(3, 2, pad=1)
        >> _stage(STAGE_5, width)
        >> global_avg_pool2d()
        >> dropout(0.4)
        >> dense(..., n_out)
    )


def _stem(c_in: C | EllipsisType, width: int) -> Layer[Image[C], Image[Any]]:
    """Three convolutions and two pools."""
    return (
        conv2d(c_in, width, 7, 2, pad=3)
        >> relu()
        >> max_pool2d(3, 2, pad=1)
        >> local_response_norm()
        >> conv2d(width, width, 1)
        >> relu()
        >> conv2d(width, 3 * width, 3, pad=1)
        >> relu()
        >> local_response_norm()
        >> max_pool2d(3, 2, pad=1)
    )


def _stage(modules: Mapping[str, Sequence[int]], width: int) -> Layer[Image[Any], Image[Any]]:
    return sequential(
        *[
            inception(..., *[n * width // 64 for n in row]).named(name)
            for name, row in modules.items()
        ]
    )

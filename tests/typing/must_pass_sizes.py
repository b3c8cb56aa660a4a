"""The sizes that mypy finds in right code: ``Layer[Vec[Literal[784]], Vec[Literal[10]]]``.

pyright finds ``int`` in place of every ``Literal``, and so disagrees with what stands here.
"""
# pyright: reportAssertTypeFailure=false

from typing import Any, Final, Literal, assert_type

import funcnet as fn

# ---- written sizes -----------------------------------------------------------------------------

assert_type(
    fn.dense(784, 50) >> fn.relu() >> fn.dense(50, 10),
    fn.Layer[fn.Vec[Literal[784]], fn.Vec[Literal[10]]],
)
assert_type(
    fn.dense(784, 50) >> (fn.relu() >> fn.dense(50, 10)),
    fn.Layer[fn.Vec[Literal[784]], fn.Vec[Literal[10]]],
)
assert_type(
    fn.conv2d(1, 30, 5)
    >> fn.batch_norm()
    >> fn.relu()
    >> fn.max_pool2d(2)
    >> fn.dropout(0.5)
    >> fn.flatten()
    >> fn.dense(..., 100)
    >> fn.tanh()
    >> fn.dense(100, 10),
    fn.Layer[fn.Image[Literal[1]], fn.Vec[Literal[10]]],
)
assert_type(
    fn.conv2d(1, 8, 3) >> (fn.relu() >> fn.max_pool2d(2)) >> fn.sigmoid(),
    fn.Layer[fn.Image[Literal[1]], fn.Image[Literal[8]]],
)
assert_type(
    fn.conv2d(1, 8, 3) >> (fn.max_pool2d(2) >> fn.conv2d(8, 16, 3)),
    fn.Layer[fn.Image[Literal[1]], fn.Image[Literal[16]]],
)
assert_type(
    fn.conv2d(3, 16, 3) >> fn.global_avg_pool2d(),
    fn.Layer[fn.Image[Literal[3]], fn.Vec[Literal[16]]],
)
assert_type(
    fn.conv2d(3, 16, 3) >> fn.relu() >> fn.global_avg_pool2d() >> fn.dense(16, 10),
    fn.Layer[fn.Image[Literal[3]], fn.Vec[Literal[10]]],
)
assert_type(
    fn.global_avg_pool2d() >> fn.dense(16, 10),
    fn.Layer[fn.Image[Any], fn.Vec[Literal[10]]],
)
assert_type(
    fn.conv2d(1, 8, 3) >> fn.avg_pool2d(2) >> fn.local_response_norm(),
    fn.Layer[fn.Image[Literal[1]], fn.Image[Literal[8]]],
)
assert_type(
    fn.conv_transpose2d(16, 8, 4, stride=2, pad=1) >> fn.conv2d(8, 3, 3),
    fn.Layer[fn.Image[Literal[16]], fn.Image[Literal[3]]],
)
assert_type(fn.identity() >> fn.dense(4, 5), fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[5]]])
assert_type(fn.flatten() >> fn.dense(..., 5), fn.Layer[fn.Image[Any], fn.Vec[Literal[5]]])

HIDDEN: Final = 50
assert_type(
    fn.dense(784, HIDDEN) >> fn.dense(50, 10),
    fn.Layer[fn.Vec[Literal[784]], fn.Vec[Literal[10]]],
)

# ---- wrappers, names, prefixes -----------------------------------------------------------------

net = fn.dense(4, 5) >> fn.relu() >> fn.dense(5, 3)
assert_type(fn.freeze(net), fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[3]]])
assert_type(fn.checked(net), fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[3]]])
assert_type(fn.recompute(net).named("body"), fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[3]]])
assert_type(net[:2], fn.Layer[fn.Vec[Literal[4]], Any])
assert_type(net[:2] >> fn.dense(5, 7), fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[7]]])
assert_type(net["dense1"], fn.Layer[Any, Any])

# ---- sizes known only at run time --------------------------------------------------------------

n = len([1, 2, 3, 4])
m = n + 1
assert_type(fn.dense(n, 5), fn.Layer[fn.Vec[int], fn.Vec[Literal[5]]])
assert_type(fn.dense(3, n) >> fn.dense(4, 5), fn.Layer[fn.Vec[Literal[3]], fn.Vec[Literal[5]]])
assert_type(
    fn.dense(3, 4) >> fn.relu() >> fn.dense(n, 5),
    fn.Layer[fn.Vec[Literal[3]], fn.Vec[Literal[5]]],
)
assert_type(
    fn.conv2d(1, n, 3) >> fn.max_pool2d(2) >> fn.conv2d(4, 8, 3),
    fn.Layer[fn.Image[Literal[1]], fn.Image[Literal[8]]],
)

assert_type(
    fn.conv2d(1, n, 3) >> fn.global_avg_pool2d() >> fn.dense(4, 5),
    fn.Layer[fn.Image[Literal[1]], fn.Vec[Literal[5]]],
)

# ---- branches ----------------------------------------------------------------------------------

assert_type(
    fn.fan_out(fn.dense(4, 5), fn.relu(), fn.dense(n, 6)),
    fn.Layer[fn.Vec[Literal[4]], tuple[fn.Vec[Literal[5]], fn.Vec[Literal[4]], fn.Vec[Literal[6]]]],
)
assert_type(
    fn.fan_out(fn.conv2d(3, 8, 1), fn.max_pool2d(3, 1, 1)),
    fn.Layer[fn.Image[Literal[3]], tuple[fn.Image[Literal[8]], fn.Image[Literal[3]]]],
)
assert_type(
    fn.fan_out(fn.dense(4, 5), fn.dense(4, 5)) >> fn.plus(),
    fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[5]]],
)
assert_type(
    fn.fan_out(fn.dense(4, 5), fn.dense(4, m)) >> fn.plus() >> fn.dense(5, 2),
    fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[2]]],
)
assert_type(
    fn.add(fn.dense(4, 5), fn.dense(..., 5)), fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[5]]]
)
assert_type(fn.add(fn.relu(), fn.dense(4, 4)), fn.Layer[fn.Vec[Literal[4]], fn.Vec[Literal[4]]])
assert_type(
    fn.dense(3, 8) >> fn.residual(fn.dense(8, n) >> fn.relu() >> fn.dense(n, 8)) >> fn.dense(8, 2),
    fn.Layer[fn.Vec[Literal[3]], fn.Vec[Literal[2]]],
)
assert_type(
    fn.residual(fn.conv2d(8, 16, 3, pad=1), fn.conv2d(8, 16, 1)),
    fn.Layer[fn.Image[Literal[8]], fn.Image[Literal[16]]],
)

# ---- networks by name --------------------------------------------------------------------------

assert_type(fn.models.resnet(3, 1000, 50), fn.Layer[fn.Image[Literal[3]], fn.Vec[Literal[1000]]])
assert_type(fn.models.vgg(..., 10), fn.Layer[fn.Image[Any], fn.Vec[Literal[10]]])
assert_type(fn.models.alexnet(n, 10), fn.Layer[fn.Image[int], fn.Vec[Literal[10]]])
assert_type(fn.models.lenet5(1, m), fn.Layer[fn.Image[Literal[1]], fn.Vec[int]])
assert_type(
    fn.models.googlenet(1, 10, stem=fn.conv2d(1, 24, 3) >> fn.relu()),
    fn.Layer[fn.Image[Literal[1]], fn.Vec[Literal[10]]],
)
assert_type(
    fn.conv2d(1, 8, 3) >> fn.models.resnet(8, 10),
    fn.Layer[fn.Image[Literal[1]], fn.Vec[Literal[10]]],
)
assert_type(
    fn.models.basic_block(8, 16, stride=2) >> fn.models.bottleneck(16, 32),
    fn.Layer[fn.Image[Literal[8]], fn.Image[Literal[32]]],
)
assert_type(fn.models.vgg_stage(3, 8, 2), fn.Layer[fn.Image[Literal[3]], fn.Image[Literal[8]]])

"""Right code without annotations, as a beginner writes it: mypy has nothing against it.

What is not annotated is not checked inside, and fits everywhere.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

import functools

import numpy as np

import funcnet as fn


def scale_forward(params, x, mode):
    x = fn.cast(x, params)
    return x * params.leaf("scale"), (x, params)


def scale_backward(cache, dy):
    x, params = cache
    return dy * params.leaf("scale"), fn.Grads({"scale": (x * dy).sum(0)})


def scale_spec(shape):
    return {"scale": fn.Leaf(shape, uniform)}, shape


def uniform(key, shape, fan_in, fan_out, dtype):
    return key.generator().random(shape).astype(dtype)


def scale():
    return fn.Layer("scale", forward=scale_forward, backward=scale_backward, spec=scale_spec)


def absolute_forward(y, t):
    return float(np.abs(y - t).mean()), np.sign(y - t)


def absolute_backward(sign):
    return sign / sign.size


def sign_init(params):
    return 0


def sign_update(grads, state, params):
    return fn.tree_map(lambda g: -0.01 * np.sign(g), grads), state + 1


def halved(step):
    return 0.5**step


def doubled(key, x):
    return 2 * x


double = fn.Layer(
    "double",
    forward=lambda params, x, mode: (2 * x, None),
    backward=lambda cache, dy: (2 * dy, fn.NO_GRADS),
)
net = fn.dense(4, 5, weights=uniform) >> double >> scale() >> fn.dense(5, 3)
params = net.init(fn.Key(0), (4,))
loss = fn.Loss(absolute_forward, absolute_backward)
x, t = np.ones((6, 4), "float32"), np.ones((6, 3), "float32")
batches = fn.minibatches(fn.Key(1), x, t, size=3, epochs=2, transform=doubled)
optimizer = fn.Optimizer(sign_init, sign_update)
step = fn.train_step(net, loss, optimizer)
final = functools.reduce(step, batches, fn.TrainState.start(params, optimizer, fn.Key(2)))
fn.evaluate(net, loss, final.params, x, t)
fn.sgd(halved)
fn.check_layer(scale(), (3,))

"""Right code, which no checker may complain about: every public name, as users write it.

mypy --strict and pyright are silent here, and the file runs. ``assert_type`` states what is
inferred. The sizes in types, which mypy alone infers, are in ``must_pass_sizes.py``.
"""
# pyright: reportUnusedExpression=false

import functools
import itertools
import operator
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, assert_type

import numpy as np

import funcnet as fn

Array = np.ndarray[tuple[Any, ...], np.dtype[np.floating[Any]]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.floating[Any]]]
Images = np.ndarray[tuple[int, int, int, int], np.dtype[np.floating[Any]]]
Labels = np.ndarray[tuple[int], np.dtype[np.integer[Any]]]

key = fn.Key(0)
rng = np.random.default_rng(0)
x = np.ones((12, 4), np.float32)
t = np.arange(12) % 3
images = np.ones((12, 1, 8, 8), np.float32)
rows = np.full((12, 3), 1 / 3, np.float32)

# Ours are the same types.
vector: fn.Vector = np.ones(3, np.float32)
matrix: fn.Matrix = x
sequences: fn.Tensor3 = np.ones((2, 3, 4))
pictures: fn.Tensor4 = images
whichever: list[fn.Array] = [vector, matrix, sequences, pictures]
labels: fn.Labels = t
tokens: fn.IntMatrix = np.ones((2, 3), np.int64)

# ---- networks ----------------------------------------------------------------------------------

mlp = fn.dense(4, 5) >> fn.relu() >> fn.dense(5, 3)
convolutional = (
    fn.conv2d(1, 2, 3, pad=1)
    >> fn.batch_norm()
    >> fn.relu()
    >> fn.max_pool2d(2)
    >> fn.dropout(0.5)
    >> fn.flatten()
    >> fn.dense(..., 6)
    >> fn.tanh()
    >> fn.dense(6, 3)
)
params = mlp.init(key, (4,))
weights = convolutional.init(key, images.shape[1:])
assert_type(params, fn.Params)

# An activation in a variable, used twice; layers joined in any order.
activation = fn.sigmoid()
assert_type(activation, fn.Same)
mlp_again = fn.dense(4, 5) >> (activation >> fn.dense(5, 3)) >> activation
assert_type(fn.relu() >> fn.dropout(0.1), fn.Same)
assert_type(fn.relu() >> fn.max_pool2d(2), fn.SameImage)
front = fn.relu() >> fn.max_pool2d(2) >> fn.flatten()
fn.conv2d(1, 2, 3) >> front >> fn.dense(18, 3)
fn.conv2d(1, 2, 3) >> (fn.relu() >> fn.max_pool2d(2)) >> fn.flatten()
fn.identity() >> fn.dense(4, 5)

# Images made smaller, larger, and vectors.
assert_type(fn.avg_pool2d(2) >> fn.local_response_norm(5, k=2.0), fn.SameImage)
pooled = fn.conv2d(1, 6, 3) >> fn.relu() >> fn.global_avg_pool2d() >> fn.dense(6, 3)
assert_type(pooled.apply(pooled.init(key, (1, 8, 8)), images), Matrix)
global_pool = fn.global_avg_pool2d()
fn.conv2d(1, 6, 3) >> global_pool >> fn.dense(6, 3)
fn.conv2d(1, 6, 3) >> (fn.max_pool2d(2) >> global_pool >> fn.dropout(0.4)) >> fn.dense(6, 3)
fn.freeze(fn.conv2d(1, 6, 3) >> fn.global_avg_pool2d().named("pool")) >> fn.dense(6, 3)
global_pool.apply(fn.NO_PARAMS, images)
fn.conv2d(1, 6, 3) >> fn.conv_transpose2d(6, 1, 3, stride=2, output_pad=1)
fn.conv_transpose2d(..., 2, (3, 4), bias=False, weights=fn.normal(0.1)) >> fn.avg_pool2d(2)
assert_type(fn.im2col(images, 3, stride=2, pad=1), fn.Matrix)
assert_type(fn.col2im(fn.im2col(images, (3, 2)), (12, 1, 8, 8), (3, 2)), fn.Tensor4)

# The other layers without sizes, and those that change the kind.
curved = fn.elu() >> fn.gelu() >> fn.silu() >> fn.softplus() >> fn.leaky_relu(0.1) >> fn.step()
assert_type(curved >> fn.gaussian_noise(0.1) >> fn.layer_norm() >> fn.softmax(), fn.Same)
assert_type(fn.log_softmax(), fn.Same)
fn.dense(4, 8) >> fn.reshape((2, 2, 2)) >> fn.conv2d(2, 1, 1) >> fn.reshape((4,)) >> fn.dense(4, 2)
words = fn.embedding(10, 4) >> fn.layer_norm() >> fn.tanh()
words.apply(words.init(key, (3,)), tokens)

# Side by side, gated, and in a row.
pair = fn.fan_out(fn.dense(4, 5), fn.dense(4, 5)) >> fn.both(fn.relu(), fn.dense(5, 5))
pair >> fn.plus() >> fn.dense(5, 3)
fn.fan_out(fn.dense(4, 5), fn.dense(4, 5) >> fn.sigmoid()) >> fn.times() >> fn.dense(5, 3)
fn.fan_out(fn.dense(4, 5), fn.dense(4, 2)) >> fn.join() >> fn.dense(7, 3)
fn.concat(fn.dense(4, 5), fn.dense(4, 2)) >> fn.relu() >> fn.dense(..., 3)
fn.concat(fn.conv2d(1, 2, 1), fn.conv2d(1, 3, 3, pad=1)) >> fn.conv2d(5, 1, 1)

# Prefixes and parts.
features = mlp[:2]
fn.freeze(features) >> fn.dense(5, 7)
mlp["dense1"] >> fn.dense(5, 2)
mlp["dense1"].apply(params["dense1"], x)
for name, part in mlp.parts:
    assert_type(name, str)
    assert_type(part, fn.AnyLayer)

# Wrappers keep the type of what they wrap.
assert_type(fn.freeze(fn.relu()), fn.Same)
assert_type(fn.checked(fn.max_pool2d(2)), fn.SameImage)
assert_type(fn.recompute(fn.relu() >> fn.tanh()), fn.Same)
fn.dense(4, 5) >> fn.freeze(fn.relu()) >> fn.checked(fn.dense(5, 3)).named("head")

# ---- layers in lists and loops -----------------------------------------------------------------

assert_type(fn.sequential(fn.dense(50, 50), fn.relu()), fn.Layer[Any, Any])
mixed = [fn.dense(4, 5), fn.relu(), fn.dense(5, 3)]
fn.sequential(*mixed).apply(params, x)
of_one_class = [fn.dense(4, 5), fn.dense(5, 3)]
listed = fn.sequential(*of_one_class)
sizes = [4, 8, 6, 3]
blocks: list[fn.AnyLayer] = []
for n_in, n_out in itertools.pairwise(sizes):
    blocks += [fn.dense(n_in, n_out), fn.relu()]
functools.reduce(operator.rshift, blocks)

grown = fn.dense(4, 5) >> fn.relu()
for _depth in range(3):
    grown = grown >> fn.dense(5, 5) >> fn.relu()
grown_of_sizes = fn.dense(sizes[0], sizes[1])
for n_in, n_out in itertools.pairwise(sizes[1:]):
    grown_of_sizes = grown_of_sizes >> fn.relu() >> fn.dense(n_in, n_out)
from_nothing = fn.sequential()
for n_in, n_out in itertools.pairwise(sizes):
    from_nothing = from_nothing >> fn.dense(n_in, n_out) >> fn.relu()
chosen = fn.dense(5, 5) if len(sizes) > 9 else fn.identity()
fn.dense(4, 5) >> chosen >> fn.dense(5, 3)


def deepened(net: fn.AnyLayer, depth: int) -> fn.AnyLayer:
    for _depth in range(depth):
        net = net >> fn.relu()
    return net


fn.predict(deepened(mlp, 2), params, x)

# ---- sizes known only at run time, and `...` ---------------------------------------------------

n = len(sizes)
m = int(x.shape[1]) + 1
fn.dense(4, m) >> fn.relu() >> fn.dense(5, 3)
fn.dense(4, 5) >> fn.relu() >> fn.dense(m, 3)
fn.dense(n, m) >> fn.dense(m, n)
fn.dense(4, m) >> (fn.relu() >> fn.dense(5, 3))
fn.dense(4, 5) >> fn.dense(..., 3)
fn.conv2d(1, m, 3) >> fn.max_pool2d(2) >> fn.conv2d(5, 2, 3)
fn.conv2d(1, 5, 3) >> fn.relu() >> fn.conv2d(m, 2, 3)
fn.conv2d(..., 5, 3) >> fn.conv2d(..., n, 3)
fn.dense(x.shape[1], 5)

# ---- networks that branch ----------------------------------------------------------------------

fn.fan_out(fn.dense(4, 5), fn.dense(4, 5)) >> fn.plus() >> fn.dense(5, 3)
fn.fan_out(fn.dense(4, 4), fn.relu()) >> fn.plus()
fn.fan_out(fn.relu(), fn.dense(4, 4)) >> fn.plus()
fn.fan_out(fn.dense(4, 5), fn.dense(4, 5), fn.dense(4, 5)) >> fn.plus()
fn.fan_out(fn.dense(4, 4), fn.relu(), fn.tanh(), fn.identity()) >> fn.plus()
fn.fan_out(fn.conv2d(3, 8, 3, pad=1), fn.max_pool2d(3, 1, 1))
fn.fan_out(fn.dense(n, 5), fn.dense(4, m)) >> fn.plus()
fn.dense(3, 4) >> fn.fan_out(fn.relu(), fn.tanh()) >> fn.plus() >> fn.dense(4, 2)

fn.add(fn.dense(4, 5), fn.dense(4, 5))
fn.add(fn.dense(n, 5), fn.dense(4, m))
fn.dense(3, 4) >> fn.add(fn.dense(4, 4), fn.tanh()) >> fn.add(fn.tanh(), fn.dense(4, 4))
assert_type(fn.add(fn.relu(), fn.tanh()), fn.Same)

block = fn.residual(fn.dense(4, 8) >> fn.relu() >> fn.dense(8, 4))
fn.dense(3, 4) >> block >> fn.relu() >> fn.dense(4, 2)
fn.residual(fn.dense(4, n))
fn.residual(fn.dense(n, 4))
fn.dense(3, n) >> fn.residual(fn.dense(4, 4)) >> fn.dense(4, 3)
fn.residual(fn.dense(..., 4) >> fn.relu() >> fn.dense(4, 4))
fn.residual(fn.conv2d(1, 2, 3, pad=1) >> fn.batch_norm(), fn.conv2d(1, 2, 1))
fn.residual(fn.conv2d(2, 2, 3, pad=1), fn.max_pool2d(3, 1, 1))
assert_type(fn.residual(fn.relu()), fn.Same)
fn.residual(fn.sequential(fn.dense(4, 4), fn.relu()))

# ---- passes ------------------------------------------------------------------------------------

assert_type(mlp.apply(params, x), Matrix)
y, cache = mlp.forward(params, x, fn.Train(key.child("pass").child(3)))
assert_type(cache, fn.Cache)
dx, grads = mlp.backward(cache, y)
assert_type(grads, fn.Grads)
assert_type(mlp.grads(cache, y), fn.Grads)
assert_type(mlp.refresh(params, cache), fn.Params)
mlp.pull(cache, y)
weights_in_half = convolutional.init(key, (1, 8, 8), dtype=np.float16)
assert_type(convolutional.apply(weights, images), Matrix)
assert_type(fn.conv2d(1, 2, 3).apply(fn.conv2d(1, 2, 3).init(key, (1, 8, 8)), images), Images)
assert_type(fn.relu().forward(fn.NO_PARAMS, x, fn.Eval())[1], fn.Cache)
fn.relu().apply(fn.NO_PARAMS, images)
assert_type(fn.max_pool2d(2).apply(fn.NO_PARAMS, images), Images)


def in_mode(mode: fn.Mode) -> Matrix:
    return mlp.forward(params, x, mode)[0]


in_mode(fn.Eval())
in_mode(fn.Train(key))

# Arrays whose rank or dtype the checker cannot know.
with tempfile.TemporaryDirectory() as folder:
    np.save(Path(folder, "x.npy"), x)
    loaded = np.load(Path(folder, "x.npy"))
mlp.apply(params, loaded)
mlp.apply(params, rng.random((2, 4)))
mlp.apply(params, rng.random((2, 4), np.float32))
mlp.apply(params, x[t])
mlp.apply(params, x[:2])
mlp.apply(params, x[x.sum(1) > 0])
mlp.apply(params, x / 255)
mlp.apply(params, (x - x.mean(0)) / (x.std(0) + 1))
mlp.apply(params, x.reshape(-1, 4))
mlp.apply(params, np.concatenate([x, x]))
mlp.apply(params, np.array([[1.0, 2.0, 3.0, 4.0]]))
convolutional.apply(weights, np.zeros((2, 1, 8, 8), np.uint8).astype("float32") / 255)
convolutional.apply(weights, images.reshape(12, 1, 8, 8))
fn.accuracy(mlp, params, x, t[:12])
fn.accuracy(mlp, params, x, rng.integers(0, 3, 12))
fn.accuracy(mlp, params, x, np.eye(3)[t].argmax(1))
fn.accuracy(mlp, params, x, np.array([0, 1, 2] * 4, np.uint8))

# ---- training ----------------------------------------------------------------------------------

loss = fn.softmax_cross_entropy(label_smoothing=0.1)
optimizer = fn.adam(1e-3)
step = fn.train_step(mlp, loss, optimizer)
batches = fn.minibatches(fn.Key(1), x, t, size=4, epochs=2, drop_last=True)
start = fn.TrainState.start(params, optimizer, fn.Key(2))

final = functools.reduce(step, batches, start)
for watched in itertools.accumulate(batches, step, initial=start):
    assert_type(watched.loss, float)
state = start
for batch in batches:
    state = step(state, batch)
resumed = functools.reduce(step, batches[state.step :], state)
assert_type(state.params["dense1"], fn.Params)
state.params["dense1"]["W"].mean()
state.optimizer_state.mean["dense1"]["W"].sum()
state._replace(key=fn.Key(3))
functools.reduce(fn.train_step(mlp, fn.softmax_cross_entropy(), optimizer), batches, start)
one = step(start, fn.Batch(x, t))
first = batches[0]
assert_type(first.x, np.ndarray[tuple[int, int], np.dtype[np.float32]])
assert_type(len(batches[:3]), int)


def half_of(batches: fn.Minibatches[Matrix, Labels]) -> fn.Minibatches[Matrix, Labels]:
    return batches[: len(batches) // 2]


functools.reduce(step, half_of(fn.minibatches(key, x, t, size=4)), start)


def flipped(key: fn.Key, x: Images) -> Images:
    return x[..., ::-1] if key.generator().random() < 0.5 else x


augmented = fn.minibatches(key, images, t, size=6, transform=flipped)
noisy = fn.minibatches(
    key, x, t, size=6, transform=lambda k, x: x + k.generator().random(x.shape, np.float32)
)
functools.reduce(step, noisy, start)
for state in fn.epochs(step, batches, start):
    state.optimizer_state.mean["dense1"]["W"].sum()
prepared = fn.prepare(key, mlp, loss, optimizer, x, t, size=4, epochs=2)
functools.reduce(*prepared).optimizer_state.mean["dense1"]["W"].sum()
prepared_images: fn.Prepared[Any, Images, Labels] = fn.prepare(
    key, convolutional, loss, optimizer, images, t, size=4, transform=flipped
)
assert [state.step for state in fn.epochs(*prepared)] == [3, 6]
conv_step = fn.train_step(convolutional, loss, fn.sgd(0.1))
conv_start = fn.TrainState.start(weights, fn.sgd(0.1), key)
functools.reduce(conv_step, augmented, conv_start)
moves = fn.augmentation.compose(
    fn.augmentation.shift(1),
    fn.augmentation.crop((8, 8), pad=2),
    fn.augmentation.flip(),
    fn.augmentation.rotate(15),
    fn.augmentation.scale(0.1),
    fn.augmentation.blur(0.5),
    fn.augmentation.noise(0.1),
    fn.augmentation.sometimes(0.5, flipped),
    lambda key, x: x + 1,
)
assert_type(moves(key, images), Images)
transform: fn.augmentation.Transform = flipped
for transform in (moves, flipped):
    moving = fn.minibatches(key, images, t, size=6, transform=transform)
    functools.reduce(conv_step, moving, conv_start)
fn.minibatches(key, images[:6], t[:6], size=6, transform=moves)

adaptive: list[fn.Optimizer[Any]] = [
    fn.nesterov(0.1),
    fn.adagrad(0.1),
    fn.rmsprop(0.1),
    fn.adadelta(),
    fn.adamw(fn.warmup(10, fn.exponential_decay(0.1, 10, 0.5)), where="**/W"),
    fn.chain(fn.l1_penalty(0.1), fn.sgd(fn.step_decay(0.1, 10, 0.5))),
]
for other in adaptive:
    fn.train_step(mlp, loss, other)(fn.TrainState.start(params, other, key), fn.Batch(x, t))
rest, held = fn.split(key, x, t, 0.25)
assert_type(fn.one_hot(t, 3), fn.Matrix)
scaled, scaled_too = fn.standardise(x, held.x)
fn.evaluate(mlp, loss, params, rest.x, rest.t)
for regression in (fn.huber(2.0), fn.sigmoid_cross_entropy()):
    fn.evaluate(mlp, regression, params, x, rows)
gradient = fn.value_and_grad(mlp, loss)
value, grads, refreshed = gradient(params, x, t, fn.Train(key))
assert_type(value, float)
assert_type(grads, fn.Grads)
assert_type(refreshed, fn.Params)
by_hand = fn.apply_updates(params, fn.tree_map(lambda g: -0.1 * g, grads))
fn.value_and_grad(convolutional, loss)(weights, images, t, fn.Eval())
fn.value_and_grad(listed, loss)(listed.init(key, (4,)), x, t, fn.Eval())
divided = fn.data_parallel(gradient)
assert_type(divided(params, x, t, fn.Train(key))[0], float)
for each_gradient in (gradient, divided, fn.data_parallel(divided, workers=3)):
    functools.reduce(fn.gradient_step(each_gradient, optimizer), batches, start)
fn.data_parallel(fn.value_and_grad(convolutional, loss))(weights, images, t, fn.Eval())


def towards(
    params: fn.Params, x: Array, t: Array, mode: fn.Mode
) -> tuple[float, fn.Grads, fn.Params]:
    d = params["b"] - t.mean(0)
    return float((d**2).mean()), fn.Grads({"b": d * (2 / d.size)}), params


bias = fn.TrainState.start(fn.Params({"b": np.zeros(3)}), fn.sgd(0.1), key)
fn.gradient_step(towards, fn.sgd(0.1))(bias, fn.Batch(x, rows))
fn.data_parallel(towards)(bias.params, x, rows, fn.Eval())


class Alone:
    rank, size = 0, 1

    def Alltoall(self, sent: Array, received: Array) -> None:  # noqa: N802
        received[:] = sent

    def Allgather(self, sent: Array, received: Array) -> None:  # noqa: N802
        received[:] = sent


def trained(
    gradient: fn.ValueAndGrad[fn.Matrix, fn.Labels], optimizer: fn.Optimizer[Any]
) -> fn.StepFunction[Any, fn.Matrix, fn.Labels]:
    return fn.gradient_step(gradient, optimizer)


functools.reduce(trained(gradient, optimizer), batches, start)
comm: fn.Communicator = Alone()
ranked = fn.across_ranks(gradient, comm)
assert_type(ranked(params, x, t, fn.Train(key))[0], float)
functools.reduce(fn.gradient_step(ranked, optimizer), batches, start)

# Every loss, and one of one's own.
fn.value_and_grad(mlp, fn.soft_cross_entropy())(params, x, rows, fn.Eval())
fn.value_and_grad(mlp, fn.mean_squared_error())(params, x, rows, fn.Eval())
fn.value_and_grad(mlp, fn.squared_error())(params, x, np.eye(3)[t], fn.Eval())
fn.value_and_grad(fn.relu(), fn.mean_squared_error())(fn.NO_PARAMS, x, x, fn.Eval())
fn.value_and_grad(fn.max_pool2d(2), fn.mean_squared_error())(
    fn.NO_PARAMS, images, images[:, :, :4, :4], fn.Eval()
)


def absolute_forward(y: Array, t: Array) -> tuple[float, Array]:
    return float(np.abs(y - t).mean()), y - t


def absolute_backward(difference: Array) -> Array:
    return np.sign(difference) / difference.size


absolute_error = fn.Loss(absolute_forward, absolute_backward)
assert_type(absolute_error, fn.Loss[Array, Array])
fn.evaluate(mlp, absolute_error, params, x, rows)
fn.train_step(mlp, absolute_error, optimizer)(start, fn.Batch(x, rows))


# A network of two outputs.
def heads_forward(y: tuple[Array, Array], t: Array) -> tuple[float, tuple[Array, Array]]:
    return float((y[0] - t).mean()), y


def heads_backward(y: tuple[Array, Array]) -> tuple[Array, Array]:
    return np.full_like(y[0], 1 / y[0].size), np.zeros_like(y[1])


heads = fn.fan_out(mlp, fn.dense(4, 2))
two_outputs = fn.predict(heads, heads.init(key, (4,)), x)
assert_type(two_outputs, tuple[Array, Array])
heads_loss = fn.Loss(heads_forward, heads_backward)
fn.value_and_grad(heads, heads_loss)(heads.init(key, (4,)), x, rows, fn.Eval())
four = fn.fan_out(fn.dense(4, 4), fn.relu(), fn.tanh(), fn.dense(4, 2))
assert_type(fn.predict(four, four.init(key, (4,)), x), tuple[Array, ...])


# Every optimizer and schedule, and ones of one's own.
def halved(step: int) -> float:
    return 0.5**step


schedule: fn.Schedule = halved
for rate in (0.1, 1, fn.constant(0.1), fn.cosine_decay(0.1, steps=10), schedule):
    fn.sgd(rate)
    fn.momentum(rate, momentum=0.9)
    fn.adam(rate, beta1=0.9)
fn.sgd(lambda step: 0.1 / (step + 1))
chained = fn.chain(fn.weight_decay(1e-4), fn.clip_by_global_norm(1.0), fn.momentum(halved))
chained_step = fn.train_step(mlp, loss, chained)
chained_state = chained_step(fn.TrainState.start(params, chained, key), first)
chained_state.optimizer_state[2].velocity["dense1"]["W"].sum()
for each in (fn.sgd(0.1), fn.momentum(0.1), fn.adam(0.1), chained):
    fn.train_step(mlp, loss, each)(fn.TrainState.start(params, each, key), first)
for named in {"sgd": fn.sgd(0.1), "adam": fn.adam(0.1)}.values():
    named_step = fn.train_step(mlp, loss, named)
    functools.reduce(named_step, batches, fn.TrainState.start(params, named, key))


class Signs(NamedTuple):
    """The state of an optimizer of one's own."""

    steps: int


def sign_init(params: fn.Params) -> Signs:
    return Signs(0)


def sign_update(grads: fn.Grads, state: Signs, params: fn.Params) -> tuple[fn.Grads, Signs]:
    return fn.tree_map(lambda g: -0.01 * np.sign(g), grads), Signs(state.steps + 1)


signs = fn.Optimizer(sign_init, sign_update)
assert_type(signs, fn.Optimizer[Signs])
signed = fn.train_step(mlp, loss, signs)(fn.TrainState.start(params, signs, key), first)
assert_type(signed, fn.TrainState[Signs])
updates, signs_state = signs.update(grads, signed.optimizer_state, params)
assert_type(fn.apply_updates(params, updates), fn.Params)

# ---- using a network ---------------------------------------------------------------------------

assert_type(fn.predict(mlp, params, x), Matrix)
assert_type(fn.predict(convolutional, weights, images, size=5), Matrix)
fn.predict(fn.relu(), fn.NO_PARAMS, x)
members = [(mlp >> fn.softmax(), each) for each in (params, params)]
assert_type(fn.ensemble_predict(members, x), Matrix)
assert_type(fn.ensemble_predict([(convolutional, weights)], images), Matrix)
assert_type(fn.evaluate(mlp, loss, params, x, t), float)
assert_type(fn.accuracy(convolutional, weights, images, t), float)
counts = fn.confusion_matrix(mlp, params, x, t)
assert_type(counts, np.ndarray[tuple[int, int], np.dtype[np.int64]])

# Drawn.
assert_type(fn.diagram(convolutional, (1, 8, 8)), fn.Graph)
fn.diagram(fn.both(fn.dense(4, 5), fn.dense(3, 5)) >> fn.plus(), ((4,), (3,)))
fn.diagram(fn.relu(), (3,)).svg().encode("utf-8")
assert_type(fn.units(mlp, params).dot(), str)
nodes = (fn.Node("x", ("an input",), "text"), fn.Node("f", ("a function", "of x")))
fn.Graph(nodes, (fn.Edge("x", "f", "1.5"),), "right").svg()
apple, tax = fn.Scalar(100, "apple"), fn.Scalar(1.1, name="tax")
total = ((2 * apple + 30) * tax - apple / 2) ** 2
assert_type(total.log().sigmoid() + 1, fn.Scalar)
assert_type(total.gradients()[apple], float)
assert_type((-total.tanh()).named("z").graph(), fn.Graph)

with tempfile.TemporaryDirectory() as folder:
    fn.save(Path(folder, "params"), params)
    assert_type(fn.load(Path(folder, "params")), fn.Params)
    assert_type(fn.load(Path(folder, "params"), params), fn.Params)
    fn.save(Path(folder, "state"), signed)
    assert_type(fn.load(Path(folder, "state"), like=signed), fn.TrainState[Signs])

train, test = fn.datasets.digits()
assert_type(train, fn.Batch[Images, Labels])
reader = fn.conv2d(1, 2, 3) >> fn.relu() >> fn.flatten() >> fn.dense(..., 10)
read_step = fn.train_step(reader, loss, fn.sgd(0.1))
read_start = fn.TrainState.start(reader.init(key, (1, 8, 8)), fn.sgd(0.1), key)
read_step(read_start, fn.Batch(train.x[:8], train.t[:8]))
functools.reduce(read_step, fn.minibatches(key, train.x[:8], train.t[:8], size=4), read_start)
fn.accuracy(reader, read_start.params, test.x[:20], test.t[:20])


def not_run() -> None:
    """For the checker alone: MNIST may have to be downloaded."""
    assert_type(fn.datasets.mnist(), fn.Dataset)


# ---- trees -------------------------------------------------------------------------------------

kernel = params["dense1"]["W"]
kernel.T @ kernel
kernel * 2 + 1
kernel.copy()[0] = 1
(-kernel)[0] = 1
moved = kernel + 0.5
moved += 1
norm = float(np.sqrt(sum((leaf**2).sum() for _, leaf in fn.leaves(params))))
assert_type(params | {"extra": np.ones(3)}, fn.Params)
assert_type(params | params, fn.Params)
assert_type(params.only(mlp[:2]), fn.Params)
assert_type(fn.tree_map(np.zeros_like, params), fn.Params)
assert_type(fn.tree_map(np.add, grads, grads), fn.Grads)
assert_type(fn.Params({"scale": np.ones(3)}), fn.Params)
assert_type(fn.count(params), int)
assert_type(fn.count(mlp.spec((4,))[0]), int)
assert "dense1" in params
assert list(params) == ["dense1", "dense2"]
assert fn.Grads() == fn.NO_GRADS

# ---- looking into networks ---------------------------------------------------------------------

assert_type(fn.summary(mlp, (4,)), str)
assert_type(fn.trace(mlp, params, x), dict[str, Any])
fn.summary(fn.relu(), (4,))
fn.numerical_gradient(lambda w: float((w**2).sum()), np.ones((2, 2)))
fn.numerical_gradient(lambda p: float((p["b"] ** 2).sum()), params["dense2"])
fn.check_layer(fn.dense(3, 2) >> fn.tanh(), (3,))
fn.check_layer(fn.relu(), (3,))

# ---- a layer of one's own ----------------------------------------------------------------------


class ScaleCache(NamedTuple):
    """What backward needs."""

    x: Array
    params: fn.Params


def scale_forward(params: fn.Params, x: Array, mode: fn.Mode) -> tuple[Array, ScaleCache]:
    x = fn.cast(x, params)
    return x * params.leaf("scale"), ScaleCache(x, params)


def scale_backward(cache: ScaleCache, dy: Array) -> tuple[Array, fn.Grads]:
    return dy * cache.params.leaf("scale"), fn.Grads({"scale": (cache.x * dy).sum(0)})


def scale_refresh(params: fn.Params, cache: ScaleCache) -> fn.Params:
    return params


def scale_spec(shape: tuple[int, ...]) -> tuple[fn.Spec, tuple[int, ...]]:
    return {"scale": fn.Leaf(shape, fn.ones)}, shape


def uniform(key: fn.Key, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: Any) -> Array:
    return key.generator().random(shape).astype(dtype)


scale_any = fn.Same(
    "scale",
    forward=scale_forward,
    backward=scale_backward,
    spec=scale_spec,
    refresh=scale_refresh,
)
scale_vectors = fn.Layer[fn.Vec[int], fn.Vec[int]](
    "scale", forward=scale_forward, backward=scale_backward, spec=scale_spec
)
scale_said = fn.Layer(
    "scale",
    forward=scale_forward,
    backward=scale_backward,
    spec=scale_spec,
    grads=lambda cache, dy: fn.Grads({"scale": (cache.x * dy).sum(0)}),
    takes=fn.Vec(...),
    gives=fn.SAME,
)
for scale in (scale_any, scale_vectors, scale_said):
    fn.check_layer(scale, (3,))
fn.dense(4, 5) >> scale_any >> fn.dense(5, 3)
fn.dense(4, 5) >> scale_vectors >> fn.dense(5, 3)
fn.dense(4, 5) >> scale_said >> fn.dense(5, 3)
fn.conv2d(1, 2, 3) >> scale_any >> fn.conv2d(2, 3, 3)
(fn.dense(4, 5) >> scale_any).init(key, (4,))["scale1"].leaf("scale").sum()

double = fn.Layer(
    "double",
    forward=lambda params, x, mode: (2 * x, None),
    backward=lambda cache, dy: (2 * dy, fn.NO_GRADS),
    grads=fn.no_grads,
    refresh=fn.no_refresh,
)
fn.dense(4, 5) >> double >> fn.dense(5, 3)

initializer: fn.Initializer = uniform
for initial in (uniform, fn.he_normal, fn.xavier_normal, fn.normal(0.1), fn.zeros, fn.ones):
    fn.dense(4, 5, weights=initial, bias=False).init(key, (4,))

kinds = (fn.Vec(3), fn.Image(3), fn.Seq(...), fn.Tokens(100))

# ---- search ------------------------------------------------------------------------------------


def searched(key: fn.Key, rate: float, size: int) -> Iterator[float]:
    net = fn.dense(4, size) >> fn.relu() >> fn.dense(size, 3)
    first = fn.TrainState.start(net.init(key, (4,)), fn.sgd(rate), key)
    for state in fn.epochs(fn.train_step(net, loss, fn.sgd(rate)), batches, first):
        yield -fn.evaluate(net, loss, state.params, x, t)


def below(scores: tuple[float, ...], earlier: Sequence[fn.Trial]) -> bool:
    return any(scores[-1] < trial.score for trial in earlier)


space = {
    "rate": fn.log_uniform(1e-6, 1e-2),
    "size": lambda key: int(key.generator().choice([32, 64])),
}
for stop in (None, fn.median_stop(), fn.median_stop(trials=3, epochs=2), below):
    tried = list(fn.random_search(key, space, searched, trials=2, stop=stop))
    assert_type(tried, list[fn.Trial])
    fn.random_search(key, space, searched, 3, stop, (fn.Trial(*trial) for trial in tried))
best_of_all = max(tried, key=lambda trial: trial.score)
fn.dense(4, best_of_all.values["size"])
assert_type(best_of_all.scores, tuple[float, ...])
assert_type(best_of_all.stopped, bool)

# ---- networks by name, drawings ----------------------------------------------------------------

named_net = fn.models.multi_layer(4, [5, 6], 3, fn.batch_norm() >> fn.relu())
fn.models.two_layer(..., 5, 4, fn.sigmoid(), weights=fn.normal(0.01)) >> named_net
fn.train_step(named_net, loss, optimizer)
fn.models.lenet5(1, 10).spec((1, 28, 28))
small_stem = fn.conv2d(1, 8, 3, pad=1, bias=False) >> fn.batch_norm() >> fn.relu()
small_nets: list[fn.AnyLayer] = [
    fn.models.alexnet(1, 10, width=24, hidden=64, stem=fn.conv2d(1, 24, 5, pad=2) >> fn.relu()),
    fn.models.vgg(..., 10, 11, width=8, hidden=64, between=fn.batch_norm() >> fn.relu()),
    fn.models.googlenet(1, 10, width=8, stem=small_stem),
    fn.models.resnet(1, 10, depth=50, width=8, stem=small_stem),
    fn.models.resnet(..., 10, 34, width=8, stem=small_stem),
]
blocks_by_hand = (
    small_stem
    >> fn.models.basic_block(8, 16, stride=2)
    >> fn.models.bottleneck(16, 16)
    >> fn.models.inception(16, 4, 2, 4, 2, 4, 4)
    >> fn.models.vgg_stage(16, 32, 2)
    >> fn.global_avg_pool2d()
    >> fn.dense(32, 10)
)
assert_type(blocks_by_hand.apply(blocks_by_hand.init(key, (1, 8, 8)), images), Matrix)
fn.models.resnet(c_in=len(sizes), n_out=m, width=n)

losses = {"train": [0.5, 0.2], "test": ([0, 1], np.array([0.6, 0.4]))}
drawing: fn.plotting.Drawing = fn.plotting.curves(losses, log=True)
fn.plotting.figure(drawing, lambda axes: axes.plot([1, 2]), *fn.plotting.images(images), columns=7)

# ---- errors ------------------------------------------------------------------------------------

for error in (
    fn.ArgumentError,
    fn.CheckpointError,
    fn.ConfigError,
    fn.DataError,
    fn.DtypeError,
    fn.ImmutableError,
    fn.LayerCheckError,
    fn.MissingExtraError,
    fn.MissingFileError,
    fn.NonFiniteError,
    fn.ParamsError,
    fn.ShapeError,
):
    assert issubclass(error, fn.FuncnetError)

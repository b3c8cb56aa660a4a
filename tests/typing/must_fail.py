"""Mistakes, each of which mypy must report on its line, in words that contain the text after E.

Only mypy reads this file: it is never run, and left out of the normal checks.
"""

import functools
import itertools
from typing import Any, NamedTuple

import numpy as np

import funcnet as fn

Array = np.ndarray[tuple[Any, ...], np.dtype[np.floating[Any]]]

key = fn.Key(0)
x = np.zeros((8, 4), np.float32)
images = np.zeros((8, 1, 6, 6), np.float32)
whole_images = np.zeros((8, 1, 6, 6), np.uint8)
t = np.zeros(8, np.int64)
t_floats = np.zeros(8, np.float32)
t_one_hot = np.zeros((8, 3), np.float32)
t_columns = np.zeros((8, 1), np.int64)

mlp = fn.dense(4, 5) >> fn.relu() >> fn.dense(5, 3)
conv = fn.conv2d(1, 2, 3) >> fn.relu() >> fn.flatten() >> fn.dense(32, 3)
to_images = fn.conv2d(1, 2, 3) >> fn.relu()
params = mlp.init(key, (4,))
weights = conv.init(key, (1, 6, 6))
loss = fn.softmax_cross_entropy()
sgd, adam = fn.sgd(0.1), fn.adam(0.1)
both = fn.chain(fn.clip_by_global_norm(1.0), adam)
step = fn.train_step(mlp, loss, adam)
conv_step = fn.train_step(conv, loss, adam)
gradient = fn.value_and_grad(mlp, loss)
divided = fn.data_parallel(gradient)
divided_step = fn.gradient_step(divided, adam)
start = fn.TrainState.start(params, adam, key)
conv_start = fn.TrainState.start(weights, adam, key)
batch = fn.Batch(x, t)
batches = fn.minibatches(key, x, t, size=2)
y, cache = mlp.forward(params, x, fn.Eval())
value, grads, _ = gradient(params, x, t, fn.Eval())

# ---- sizes -------------------------------------------------------------------------------------

fn.dense(784, 50) >> fn.dense(100, 10)  # E: "Literal[100]"; expected "Literal[50]"
fn.dense(784, 50) >> fn.relu() >> fn.dense(100, 10)  # E: "Literal[100]"; expected "Literal[50]"
fn.dense(784, 50) >> (fn.relu() >> fn.dense(100, 10))  # E: "Literal[100]"; expected "Literal[50]"
fn.dense(4, 5) >> fn.dropout(0.5) >> fn.batch_norm() >> fn.dense(6, 3)  # E: expected "Literal[5]"
fn.dense(4, 5) >> fn.identity() >> fn.dense(6, 3)  # E: "Literal[6]"; expected "Literal[5]"
fn.dense(4, 5) >> fn.freeze(fn.dense(6, 3))  # E: "Literal[6]"; expected "Literal[5]"
fn.dense(4, 5) >> fn.dense(6, 3).named("head")  # E: Unsupported operand types for >>
fn.dense(3, 9) >> mlp  # E: ("Layer[Vec[Literal[3]], Vec[Literal[9]]]" and "Layer[Vec[Literal[4]]
mlp >> fn.dense(4, 2)  # E: "Literal[4]"; expected "Literal[3]"
fn.dense(3, 9) >> mlp[:2]  # E: ("Layer[Vec[Literal[3]], Vec[Literal[9]]]" and "Layer[Vec[Literal[4]]
mlp >> mlp[:2]  # E: "Layer[Vec[Literal[4]], Vec[Literal[3]]]" and "Layer[Vec[Literal[4]], Any]"
fn.dense(4.0, 5)  # E: No overload variant of "dense" matches argument types "float", "int"

# ---- sizes in branches -------------------------------------------------------------------------

fn.fan_out(fn.dense(4, 5), fn.dense(6, 5))  # E: Argument 2 to "fan_out" has incompatible type
fn.fan_out(fn.dense(4, 5), fn.relu(), fn.dense(6, 5))  # E: Argument 3 to "fan_out" has incompatible
fn.dense(3, 4) >> fn.fan_out(fn.dense(5, 5), fn.dense(5, 5))  # E: "Literal[5]"; expected "Literal[4]"
fn.fan_out(fn.dense(4, 5), fn.dense(4, 6)) >> fn.plus()  # E: tuple[Vec[Literal[5]], Vec[Literal[6]]]
fn.fan_out(fn.dense(4, 5), fn.relu()) >> fn.plus()  # E: tuple[Vec[Literal[5]], Vec[Literal[4]]]
fn.add(fn.dense(4, 5), fn.dense(4, 6))  # E: Vec[Literal[6]]]"; expected "Beside[Vec[Literal[4]], Vec[Literal[5]]]"
fn.add(fn.dense(4, 5), fn.dense(3, 5))  # E: "Layer[Vec[Literal[3]], Vec[Literal[5]]]"; expected "Beside[Vec[Literal[4]]
fn.add(fn.dense(4, 5), fn.relu())  # E: Argument 1 to "add" has incompatible type
fn.add(fn.tanh(), fn.dense(4, 5))  # E: Argument 2 to "add" has incompatible type
fn.residual(fn.dense(4, 5))  # E: Argument 1 to "residual" has incompatible type
fn.residual(fn.dense(4, 8) >> fn.relu() >> fn.dense(8, 5))  # E: expected "Keeps[Vec[Literal[4]], Vec[Literal[5]]]"
fn.residual(fn.dense(4, 5), fn.dense(4, 6))  # E: Argument 2 to "residual" has incompatible type
fn.residual(fn.dense(4, 5), fn.identity())  # E: Argument 1 to "residual" has incompatible type
fn.dense(3, 5) >> fn.residual(fn.dense(4, 4))  # E: Argument 1 to "residual" has incompatible type

# ---- channels ----------------------------------------------------------------------------------

fn.conv2d(1, 8, 3) >> fn.conv2d(4, 8, 3)  # E: "Literal[4]"; expected "Literal[8]"
fn.conv2d(1, 8, 3) >> fn.relu() >> fn.conv2d(4, 8, 3)  # E: "Literal[4]"; expected "Literal[8]"
fn.conv2d(1, 8, 3) >> fn.max_pool2d(2) >> fn.conv2d(4, 8, 3)  # E: "Literal[4]"; expected "Literal[8]"
fn.conv2d(1, 8, 3) >> (fn.max_pool2d(2) >> fn.conv2d(4, 8, 3))  # E: "Literal[4]"; expected "Literal[8]"
fn.conv2d(1, 8, 3) >> fn.global_avg_pool2d() >> fn.dense(9, 10)  # E: "Literal[9]"; expected "Literal[8]"
fn.conv2d(1, 8, 3) >> fn.relu() >> fn.global_avg_pool2d() >> fn.dropout(0.4) >> fn.dense(9, 10)  # E: expected "Literal[8]"
fn.conv2d(1, 8, 3) >> (fn.relu() >> fn.global_avg_pool2d()) >> fn.dense(9, 10)  # E: expected "Literal[8]"
fn.conv2d(1, 8, 3) >> fn.local_response_norm() >> fn.conv2d(4, 8, 3)  # E: "Literal[4]"; expected "Literal[8]"
fn.conv2d(1, 8, 3) >> fn.avg_pool2d(2) >> fn.conv2d(4, 8, 3)  # E: "Literal[4]"; expected "Literal[8]"
fn.conv2d(1, 8, 3) >> fn.conv_transpose2d(4, 1, 3)  # E: "Literal[4]"; expected "Literal[8] 
fn.conv_transpose2d(8, 4, 3) >> fn.conv2d(8, 1, 3)  # E: "Literal[8]"; expected "Literal[4]"
fn.residual(fn.conv2d(1, 8, 3, pad=1))  # E: expected "Keeps[Image[Literal[1]], Image[Literal[8]]]"
fn.residual(fn.conv2d(1, 8, 3, pad=1), fn.conv2d(1, 4, 1))  # E: expected "Beside[Image[Literal[1]], Image[Literal[8]]]"
fn.residual(fn.conv2d(1, 8, 3, pad=1), fn.max_pool2d(3, 1, 1))  # E: Argument 1 to "residual"

# ---- kinds -------------------------------------------------------------------------------------

fn.conv2d(1, 8, 3) >> fn.dense(8, 10)  # E: Unsupported operand types for >> ("Layer[Image[Literal[1]]
fn.conv2d(1, 8, 3) >> fn.relu() >> fn.dense(..., 10)  # E: and "Layer[Vec[Any], Vec[Literal[10]]]"
fn.conv2d(1, 8, 3) >> fn.max_pool2d(2) >> fn.dense(8, 10)  # E: Unsupported operand types for >>
fn.dense(4, 8) >> fn.conv2d(8, 3, 3)  # E: and "Layer[Image[Literal[8]], Image[Literal[3]]]"
fn.dense(4, 8) >> fn.relu() >> fn.max_pool2d(2)  # E: Vec[Literal[8]]]" and "SameImage"
fn.dense(4, 8) >> fn.flatten()  # E: Vec[Literal[8]]]" and "Layer[Image[Any], Vec[Any]]"
fn.max_pool2d(2) >> fn.dense(4, 8)  # E: ("SameImage" and "Layer[Vec[Literal[4]], Vec[Literal[8]]]")
fn.dense(4, 8) >> fn.global_avg_pool2d()  # E: and "Layer[Image[Any], Vec[Any]]"
fn.conv2d(1, 8, 3) >> fn.global_avg_pool2d() >> fn.conv2d(8, 3, 3)  # E: Vec[Literal[8]]]" and "Layer[Image[Literal[8]]
fn.global_avg_pool2d() >> fn.flatten()  # E: Unsupported operand types for >>
fn.conv2d(1, 8, 3) >> fn.models.resnet(3, 10)  # E: "Literal[3]"; expected "Literal[8] | EllipsisType"
fn.models.basic_block(8, 16) >> fn.models.basic_block(8, 8)  # E: "Literal[8]"; expected "Literal[16]"
fn.models.resnet(1, 10, stem=fn.conv2d(3, 64, 3))  # E: Cannot infer value of type parameter "C" of "resnet"
fn.models.basic_block(..., 16)  # E: "basic_block"
fn.models.vgg(3, 10, depth="16")  # E: incompatible type "str"; expected "int"
fn.flatten() >> fn.max_pool2d(2)  # E: ("Layer[Image[Any], Vec[Any]]" and "SameImage")
fn.dense(4, 8) >> fn.plus()  # E: Vec[Literal[8]]]" and "Merge"
fn.fan_out(fn.dense(4, 8), fn.dense(4, 8)) >> fn.dense(8, 3)  # E: Unsupported operand types for >>
fn.fan_out(fn.flatten(), fn.conv2d(1, 3, 3)) >> fn.plus()  # E: tuple[Vec[Any], Image[Literal[3]]]
fn.add(fn.dense(4, 5), fn.conv2d(4, 5, 3))  # E: Argument 2 to "add" has incompatible type
fn.residual(fn.flatten())  # E: Argument 1 to "residual" has incompatible type
fn.value_and_grad(to_images, loss)  # E: Argument 1 to "value_and_grad" has incompatible type
fn.train_step(to_images, loss, adam)  # E: Argument 1 to "train_step" has incompatible type
fn.accuracy(to_images, weights, images, t)  # E: Argument 1 to "accuracy" has incompatible type
fn.evaluate(fn.max_pool2d(2), loss, fn.NO_PARAMS, images, t)  # E: Argument 1 to "evaluate" has incompatible

# ---- ranks and dtypes of inputs ----------------------------------------------------------------

conv.apply(weights, x)  # E: Argument 2 to "apply" of "Layer" has incompatible type "ndarray[tuple[int, int]
conv.forward(weights, x, fn.Eval())  # E: expected "ndarray[tuple[int, int, int, int]
mlp.apply(params, images)  # E: expected "ndarray[tuple[int, int], dtype[floating[Any]]]"
fn.freeze(conv).apply(weights, x)  # E: expected "ndarray[tuple[int, int, int, int]
fn.global_avg_pool2d().apply(fn.NO_PARAMS, x)  # E: expected "ndarray[tuple[int, int, int, int]
fn.local_response_norm().apply(fn.NO_PARAMS, x)  # E: Argument 2 to "apply" of "SameImage"
fn.im2col(x, 3)  # E: Argument 1 to "im2col" has incompatible type "ndarray[tuple[int, int]
fn.max_pool2d(2).apply(fn.NO_PARAMS, x)  # E: Argument 2 to "apply" of "SameImage"
gradient(params, images, t, fn.Eval())  # E: Argument 2 to "__call__" of "ValueAndGrad"
fn.value_and_grad(conv, loss)(weights, x, t, fn.Eval())  # E: expected "ndarray[tuple[int, int, int, int]
divided(params, images, t, fn.Eval())  # E: Argument 2 to "__call__" of "ValueAndGrad"
divided_step(start, fn.Batch(images, t))  # E: Argument 1 to "Batch" has incompatible type
step(start, fn.Batch(images, t))  # E: Argument 1 to "Batch" has incompatible type
conv_step(conv_start, batch)  # E: Argument 2 has incompatible type "Batch[ndarray[tuple[int, int]
conv_step(conv_start, batches[0])  # E: Argument 2 has incompatible type "Batch[ndarray[tuple[int, int]
functools.reduce(conv_step, batches, conv_start)  # E: Argument 1 to "reduce" has incompatible type
fn.predict(conv, weights, x)  # E: Argument 3 to "predict" has incompatible type "ndarray[tuple[int, int]
fn.predict(mlp, params, images)  # E: Argument 3 to "predict" has incompatible type
fn.accuracy(conv, weights, x, t)  # E: Argument 3 to "accuracy" has incompatible type
fn.confusion_matrix(conv, weights, x, t)  # E: Argument 3 to "confusion_matrix" has incompatible type
fn.evaluate(conv, loss, weights, x, t)  # E: Argument 4 to "evaluate" has incompatible type
conv.apply(weights, whole_images)  # E: dtype[unsignedinteger[_8Bit]]]"; expected
fn.predict(conv, weights, whole_images)  # E: dtype[unsignedinteger[_8Bit]]]"; expected
mlp.apply(params, [[1.0, 2.0, 3.0, 4.0]])  # E: incompatible type "list[list[float]]"; expected

# ---- modes -------------------------------------------------------------------------------------

mlp.forward(params, x)  # E: Missing positional argument "mode" in call to "forward" of "Layer"
fn.relu().forward(fn.NO_PARAMS, x)  # E: Missing positional argument "mode"
mlp.forward(params, x, key)  # E: incompatible type "Key"; expected "Train | Eval"
mlp.forward(params, x, True)  # E: incompatible type "bool"; expected "Train | Eval"
mlp.forward(params, x, None)  # E: incompatible type "None"; expected "Train | Eval"
mlp.forward(params, x, fn.Eval)  # E: incompatible type "type[Eval]"; expected "Train | Eval"
mlp.forward(params, x, fn.Train)  # E: incompatible type "type[Train]"; expected "Train | Eval"
mlp.forward(params, x, "train")  # E: incompatible type "str"; expected "Train | Eval"
mlp.forward(params, x, fn.Train())  # E: Missing positional argument "key" in call to "Train"
mlp.forward(params, x, fn.Train(0))  # E: Argument 1 to "Train" has incompatible type "int"
gradient(params, x, t)  # E: Missing positional argument "mode" in call to "__call__"
gradient(params, x, t, key)  # E: incompatible type "Key"; expected "Train | Eval"
mlp.apply(params, x, fn.Eval())  # E: Too many arguments for "apply" of "Layer"
mlp.train()  # E: has no attribute "train"

# ---- writing to values -------------------------------------------------------------------------

kernel = params["dense1"]["W"]
params["dense1"]["W"][0] = 1  # E: "TreesNeverChange" not callable
params["dense1"]["W"] += 1  # E: "TreesNeverChange" not callable
params["dense1"]["W"] -= 0.1 * grads["dense1"]["W"]  # E: "TreesNeverChange" not callable
params["dense1"]["W"] = x  # E: Unsupported target for indexed assignment ("Params")
params["dense1"] = fn.NO_PARAMS  # E: Unsupported target for indexed assignment ("Params")
del params["dense1"]  # E: "Params" has no attribute "__delitem__"
params |= {"dense1": fn.NO_PARAMS}  # E: "TreesNeverChange" not callable
params.update({"dense1": fn.NO_PARAMS})  # E: "Params" has no attribute "update"
params.pop("dense1")  # E: "Params" has no attribute "pop"
kernel[0] = 1  # E: "TreesNeverChange" not callable
kernel[:, 0] *= 2  # E: "TreesNeverChange" not callable
kernel *= 2  # E: "TreesNeverChange" not callable
kernel.T[0] = 1  # E: "TreesNeverChange" not callable
kernel.fill(0)  # E: "TreesNeverChange" not callable
kernel.sort()  # E: "TreesNeverChange" not callable
kernel.setflags(write=True)  # E: "TreesNeverChange" not callable
params.leaf("scale")[0] = 1  # E: "TreesNeverChange" not callable
grads["dense1"]["W"][:] = 0  # E: "TreesNeverChange" not callable
start.optimizer_state.mean["dense1"]["W"][0] = 0  # E: "TreesNeverChange" not callable
mlp.name = "other"  # E: Property "name" defined in "AnyLayer" is read-only
mlp["dense1"] = fn.dense(4, 5)  # E: Unsupported target for indexed assignment
start.step = 3  # E: Property "step" defined in "TrainState" is read-only
batch.x = x  # E: Property "x" defined in "Batch" is read-only
batches[0] = batch  # E: Unsupported target for indexed assignment ("Minibatches
fn.Train(key).key = key  # E: Property "key" defined in "Train" is read-only
adam.update = adam.update  # E: Property "update" defined in "Optimizer" is read-only

# ---- parameters and gradients swapped ----------------------------------------------------------

fn.apply_updates(grads, params)  # E: incompatible type "Grads"; expected "Params"
fn.apply_updates(params, params)  # E: incompatible type "Params"; expected "Grads"
adam.update(params, start.optimizer_state, params)  # E: incompatible type "Params"; expected "Grads"
adam.update(grads, start.optimizer_state, grads)  # E: incompatible type "Grads"; expected "Params"
adam.init(grads)  # E: incompatible type "Grads"; expected "Params"
mlp.apply(grads, x)  # E: incompatible type "Grads"; expected "Params"
mlp.forward(grads, x, fn.Eval())  # E: incompatible type "Grads"; expected "Params"
mlp.apply(x, params)  # E: Argument 1 to "apply" of "Layer" has incompatible type "ndarray
mlp.refresh(grads, cache)  # E: incompatible type "Grads"; expected "Params"
mlp.backward(y, cache)  # E: expected "Cache"
gradient(grads, x, t, fn.Eval())  # E: incompatible type "Grads"; expected "Params"
fn.TrainState.start(grads, adam, key)  # E: incompatible type "Grads"; expected "Params"
fn.predict(mlp, grads, x)  # E: incompatible type "Grads"; expected "Params"
fn.accuracy(mlp, grads, x, t)  # E: incompatible type "Grads"; expected "Params"
params | grads  # E: Unsupported operand types for | ("Params" and "Grads")
mlp.apply({"dense1": {"W": x}}, x)  # E: expected "Params"

# ---- labels and targets ------------------------------------------------------------------------

gradient(params, x, t_floats, fn.Eval())  # E: expected "ndarray[tuple[int], dtype[integer[Any]]]"
gradient(params, x, t_one_hot, fn.Eval())  # E: expected "ndarray[tuple[int], dtype[integer[Any]]]"
gradient(params, x, t_columns, fn.Eval())  # E: expected "ndarray[tuple[int], dtype[integer[Any]]]"
gradient(params, x, [0, 1, 2], fn.Eval())  # E: incompatible type "list[int]"; expected "ndarray[tuple[int]
fn.value_and_grad(mlp, fn.mean_squared_error())(params, x, t, fn.Eval())  # E: dtype[signedinteger[_64Bit]]]"; expected
fn.value_and_grad(mlp, fn.soft_cross_entropy())(params, x, t, fn.Eval())  # E: dtype[signedinteger[_64Bit]]]"; expected
fn.value_and_grad(mlp, fn.soft_cross_entropy())(params, x, t_floats, fn.Eval())  # E: expected "ndarray[tuple[int, int]
loss.forward(y, t_one_hot)  # E: Argument 2 has incompatible type "ndarray[tuple[int, int]
loss.forward(t, y)  # E: Argument 1 has incompatible type "ndarray[tuple[int]
divided_step(start, fn.Batch(x, t_one_hot))  # E: Argument 2 to "Batch" has incompatible type
divided(params, x, t_one_hot, fn.Eval())  # E: Argument 3 to "__call__" of "ValueAndGrad"
step(start, fn.Batch(x, t_one_hot))  # E: Argument 2 to "Batch" has incompatible type
functools.reduce(step, fn.minibatches(key, x, t_one_hot, size=2), start)  # E: Argument 1 to "reduce"
itertools.accumulate(fn.minibatches(key, x, t_floats, size=2), step, initial=start)  # E: Argument 2 to "accumulate"
fn.accuracy(mlp, params, x, t_floats)  # E: Argument 4 to "accuracy" has incompatible type
fn.accuracy(mlp, params, x, t_one_hot)  # E: Argument 4 to "accuracy" has incompatible type
fn.confusion_matrix(mlp, params, x, t_one_hot)  # E: Argument 4 to "confusion_matrix" has incompatible type
fn.evaluate(mlp, loss, params, x, t_one_hot)  # E: Argument 5 to "evaluate" has incompatible type
fn.evaluate(mlp, fn.squared_error(), params, x, t)  # E: Argument 5 to "evaluate" has incompatible type

# ---- optimizer state ---------------------------------------------------------------------------

adam.update(grads, sgd.init(params), params)  # E: incompatible type "Step"; expected "Adam"
sgd.update(grads, adam.init(params), params)  # E: incompatible type "Adam"; expected "Step"
fn.momentum(0.1).update(grads, adam.init(params), params)  # E: incompatible type "Adam"; expected "Momentum"
adam.update(grads, params)  # E: Too few arguments
adam.update(grads, params, params)  # E: incompatible type "Params"; expected "Adam"
both.update(grads, adam.init(params), params)  # E: incompatible type "Adam"; expected "tuple[tuple[()], Adam]"
adam.update(grads, both.init(params), params)  # E: incompatible type "tuple[tuple[()], Adam]"; expected "Adam"
step(fn.TrainState.start(params, sgd, key), batch)  # E: incompatible type "Optimizer[Step]"; expected "Optimizer[Adam]"
divided_step(fn.TrainState.start(params, sgd, key), batch)  # E: expected "Optimizer[Adam]"
step(fn.TrainState.start(params, both, key), batch)  # E: expected "Optimizer[Adam]"
fn.train_step(mlp, loss, both)(start, batch)  # E: expected "TrainState[tuple[tuple[()], Adam]]"
functools.reduce(step, batches, fn.TrainState.start(params, sgd, key))  # E: Argument 1 to "reduce"
start.optimizer_state.velocity  # E: "Adam" has no attribute "velocity"
fn.TrainState.start(params, adam)  # E: Missing positional argument "key" in call to "start"
fn.TrainState.start(adam, params, key)  # E: Argument 1 to "start" of "TrainState" has incompatible type
step(params, batch)  # E: Argument 1 has incompatible type "Params"; expected "TrainState[Adam]"
step(batch, start)  # E: Argument 1 has incompatible type "Batch
step(start, (x, t))  # E: Argument 2 has incompatible type "tuple

# ---- layers, losses and optimizers of one's own ------------------------------------------------


class Kept(NamedTuple):
    x: Array


def good_forward(params: fn.Params, x: Array, mode: fn.Mode) -> tuple[Array, Kept]:
    return x, Kept(x)


def good_backward(cache: Kept, dy: Array) -> tuple[Array, fn.Grads]:
    return dy, fn.NO_GRADS


def other_backward(cache: str, dy: Array) -> tuple[Array, fn.Grads]:
    return dy, fn.NO_GRADS


def swapped_backward(cache: Kept, dy: Array) -> tuple[Array, fn.Params]:
    return dy, fn.NO_PARAMS


def bare_backward(cache: Kept, dy: Array) -> Array:
    return dy


def modeless_forward(params: fn.Params, x: Array) -> tuple[Array, Kept]:
    return x, Kept(x)


def shapeless_spec(shape: tuple[int, ...]) -> fn.Spec:
    return {}


def other_refresh(params: fn.Params, cache: str) -> fn.Params:
    return params


def absolute_forward(y: Array, t: Array) -> Array:
    return y - t


def absolute_backward(cache: Array) -> Array:
    return cache


def count_init(params: fn.Params) -> int:
    return 0


def count_update(grads: fn.Grads, state: str, params: fn.Params) -> tuple[fn.Grads, str]:
    return grads, state


spec = {"W": fn.Leaf((3,), fn.ones)}
fn.Layer("mine", forward=good_forward, backward=other_backward)  # E: type parameter "CacheT" of "Layer"
fn.Same("mine", forward=good_forward, backward=other_backward)  # E: type parameter "CacheT" of "Same"
fn.Layer("mine", forward=good_forward, backward=swapped_backward)  # E: Argument "backward" to "Layer"
fn.Layer("mine", forward=good_forward, backward=bare_backward)  # E: Argument "backward" to "Layer"
fn.Layer("mine", forward=modeless_forward, backward=good_backward)  # E: Argument "forward" to "Layer"
fn.Layer("mine", forward=good_forward)  # E: Missing named argument "backward" for "Layer"
fn.Layer("mine", good_forward, good_backward)  # E: Too many positional arguments for "Layer"
fn.Layer("mine", forward=good_forward, backward=good_backward, spec=spec)  # E: Argument "spec" to "Layer"
fn.Layer("mine", forward=good_forward, backward=good_backward, spec=shapeless_spec)  # E: Argument "spec"
fn.Layer("mine", forward=good_forward, backward=good_backward, refresh=other_refresh)  # E: "CacheT" of "Layer"
fn.Layer[int, int]("mine", forward=good_forward, backward=good_backward)  # E: Value of type variable "In" of "Layer" cannot be "int"
fn.Leaf(3, fn.ones)  # E: Argument 1 to "Leaf" has incompatible type "int"; expected "tuple[int, ...]"
fn.Leaf((3,), 0.0)  # E: Argument 2 to "Leaf" has incompatible type "float"
fn.Loss(absolute_forward, absolute_backward)  # E: Argument 1 to "Loss" has incompatible type
fn.Optimizer(count_init, count_update)  # E: Cannot infer value of type parameter "S_co" of "Optimizer"
fn.dense(4, 5, weights=fn.normal)  # E: Argument "weights" to "dense" has incompatible type

# ---- arguments ---------------------------------------------------------------------------------

mlp >> fn.relu  # E: and "Callable[[], Same]"
fn.relu() >> fn.relu  # E: No overload variant of "__rshift__" of "Same" matches argument type
mlp >> np.tanh  # E: Unsupported operand types for >>
mlp >> params  # E: Vec[Literal[3]]]" and "Params"
x >> mlp  # E: Unsupported operand types for >> ("ndarray
mlp(x)  # E: not callable
mlp[1:]  # E: Invalid index type "slice[int, None, None]"
fn.sequential(fn.relu)  # E: incompatible type "Callable[[], Same]"; expected "AnyLayer
fn.sequential([fn.relu(), fn.tanh()])  # E: incompatible type "list[Same]"; expected "AnyLayer
fn.freeze(fn.relu)  # E: cannot be "Callable[[], Same]"
fn.residual(fn.relu)  # E: No overload variant of "residual" matches argument type "Callable[[], Same]"
fn.train_step(mlp, fn.softmax_cross_entropy, adam)  # E: Argument 2 to "train_step" has incompatible type "Callable
fn.train_step(mlp, loss, fn.adam)  # E: Argument 3 to "train_step" has incompatible type "Callable
fn.train_step(mlp, loss)  # E: Missing positional argument "optimizer" in call to "train_step"
fn.value_and_grad(mlp.apply, loss)  # E: Argument 1 to "value_and_grad" has incompatible type "Callable
fn.data_parallel(mlp)  # E: Argument 1 to "data_parallel" has incompatible type "Layer[
fn.data_parallel(fn.value_and_grad)  # E: Argument 1 to "data_parallel" has incompatible type "Callable
fn.data_parallel(step)  # E: Argument 1 to "data_parallel" has incompatible type "Callable[[TrainState[Adam]
fn.data_parallel(gradient, workers=2.0)  # E: incompatible type "float"; expected "int"
fn.across_ranks(gradient, 4)  # E: Argument 2 to "across_ranks" has incompatible type "int"; expected "Communicator"
fn.gradient_step(mlp, adam)  # E: Argument 1 to "gradient_step" has incompatible type "Layer[
fn.gradient_step(gradient, fn.adam)  # E: Argument 2 to "gradient_step" has incompatible type "Callable
fn.gradient_step(gradient, loss)  # E: Argument 2 to "gradient_step" has incompatible type "Loss[
divided(params, x, t)  # E: Missing positional argument "mode" in call to "__call__" of "ValueAndGrad"
fn.predict(params, mlp, x)  # E: Argument 1 to "predict" has incompatible type "Params"
fn.adam("fast")  # E: incompatible type "str"; expected "float | Callable[[int], float]"
fn.adam()  # E: Missing positional argument "learning_rate" in call to "adam"
fn.sgd(fn.constant)  # E: expected "float | Callable[[int], float]"
fn.chain(adam, fn.sgd)  # E: No overload variant of "chain" matches argument types
mlp.init(0, (4,))  # E: Argument 1 to "init" of "AnyLayer" has incompatible type "int"; expected "Key"
mlp.init(key, 4)  # E: Argument 2 to "init" of "AnyLayer" has incompatible type "int"; expected "Shapes"
mlp.init((4,), key)  # E: Argument 1 to "init" of "AnyLayer" has incompatible type "tuple[int]"
fn.summary(mlp, 4)  # E: incompatible type "int"; expected "Shapes"
fn.minibatches(0, x, t, size=2)  # E: Argument 1 to "minibatches" has incompatible type "int"; expected "Key"
fn.minibatches(key, x, t, size=2, transform=lambda x: x)  # E: Argument "transform" to "minibatches"
fn.minibatches(key, x, t, size=2, transform=fn.augmentation.shift(1))  # E: Argument "transform" to "minibatches"
fn.augmentation.compose(fn.augmentation.flip)  # E: Argument 1 to "compose" has incompatible type "Callable
fn.ensemble_predict((mlp, params), x)  # E: Argument 1 to "ensemble_predict" has incompatible type
fn.TrainState.start(params, adam, 0)  # E: incompatible type "int"; expected "Key"
fn.Key("seed")  # E: incompatible type "str"; expected "int"
fn.dropout("0.5")  # E: incompatible type "str"; expected "float"
fn.max_pool2d(2.0)  # E: incompatible type "float"; expected "int | tuple[int, int]"
fn.local_response_norm("5")  # E: incompatible type "str"; expected "int"
fn.global_avg_pool2d(2)  # E: Too many arguments for "global_avg_pool2d"
fn.conv2d(1, 2)  # E: No overload variant of "conv2d" matches argument types "int", "int"
fn.save(params, "file")  # E: Argument 1 to "save" has incompatible type "Params"
fn.trace(mlp, x, params)  # E: Argument 2 to "trace" has incompatible type
fn.count(mlp)  # E: Argument 1 to "count" has incompatible type

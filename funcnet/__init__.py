"""funcnet: a purely functional neural-network library on NumPy alone.

A layer is a pair of pure functions; ``>>`` composes them; parameters are immutable trees; training
is a fold. ``README.md`` shows the whole on one screen. Examples in docstrings read as after
``from funcnet import *`` and ``import numpy as np``.
"""

from . import augmentation, datasets, models, plotting
from .arrays import Array, IntMatrix, Labels, Matrix, Tensor3, Tensor4, Vector
from .checking import check_layer
from .checkpoint import load, save
from .combinators import add, both, concat, fan_out, residual
from .data import (
    Minibatches,
    Prepared,
    epochs,
    minibatches,
    one_hot,
    prepare,
    split,
    standardise,
)
from .datasets import Dataset
from .diagrams import diagram, units
from .errors import (
    ArgumentError,
    CheckpointError,
    ConfigError,
    DataError,
    DtypeError,
    FuncnetError,
    ImmutableError,
    LayerCheckError,
    MissingExtraError,
    MissingFileError,
    NonFiniteError,
    ParamsError,
    ShapeError,
)
from .functions import Initializer, Leaf, Spec, cast, no_grads, no_refresh
from .graph import Graph
from .graph_svg import Edge, Node
from .initializers import he_normal, normal, ones, xavier_normal, zeros
from .inspection import count, numerical_gradient, summary, trace
from .kinds import SAME, Image, Seq, Tokens, Vec
from .layer import AnyLayer, Cache
from .layers.activations import (
    elu,
    gelu,
    leaky_relu,
    relu,
    sigmoid,
    silu,
    softplus,
    step,
    tanh,
)
from .layers.convolution import conv2d
from .layers.dense import dense
from .layers.embedding import embedding
from .layers.noise import dropout, gaussian_noise
from .layers.normalization import batch_norm, layer_norm
from .layers.pooling import avg_pool2d, global_avg_pool2d, max_pool2d
from .layers.response import local_response_norm
from .layers.shape import flatten, identity, reshape
from .layers.softmax import log_softmax, softmax
from .layers.transposed import conv_transpose2d
from .losses import (
    Loss,
    huber,
    mean_squared_error,
    sigmoid_cross_entropy,
    soft_cross_entropy,
    softmax_cross_entropy,
    squared_error,
)
from .merges import join, plus, times
from .metrics import accuracy, confusion_matrix, ensemble_predict, evaluate, predict
from .optimizers import adadelta, adagrad, adam, adamw, momentum, nesterov, rmsprop, sgd
from .parallel import data_parallel
from .patches import col2im, im2col
from .random import Eval, Key, Mode, Train
from .ranks import Communicator, across_ranks
from .scalars import Scalar
from .schedules import (
    Schedule,
    constant,
    cosine_decay,
    exponential_decay,
    step_decay,
    warmup,
)
from .search import Trial, log_uniform, median_stop, random_search
from .training import (
    Batch,
    StepFunction,
    TrainState,
    ValueAndGrad,
    gradient_step,
    train_step,
    value_and_grad,
)
from .transforms import clip_by_global_norm, l1_penalty, weight_decay
from .tree import NO_GRADS, NO_PARAMS, Grads, Params, leaves, tree_map
from .typed import Layer, Same, SameImage, sequential
from .updates import Optimizer, apply_updates, chain
from .wrappers import checked, freeze, recompute

__version__ = "0.1.0"

__all__ = [
    "NO_GRADS",
    "NO_PARAMS",
    "SAME",
    "AnyLayer",
    "ArgumentError",
    "Array",
    "Batch",
    "Cache",
    "CheckpointError",
    "Communicator",
    "ConfigError",
    "DataError",
    "Dataset",
    "DtypeError",
    "Edge",
    "Eval",
    "FuncnetError",
    "Grads",
    "Graph",
    "Image",
    "ImmutableError",
    "Initializer",
    "IntMatrix",
    "Key",
    "Labels",
    "Layer",
    "LayerCheckError",
    "Leaf",
    "Loss",
    "Matrix",
    "Minibatches",
    "MissingExtraError",
    "MissingFileError",
    "Mode",
    "Node",
    "NonFiniteError",
    "Optimizer",
    "Params",
    "ParamsError",
    "Prepared",
    "Same",
    "SameImage",
    "Scalar",
    "Schedule",
    "Seq",
    "ShapeError",
    "Spec",
    "StepFunction",
    "Tensor3",
    "Tensor4",
    "Tokens",
    "Train",
    "TrainState",
    "Trial",
    "ValueAndGrad",
    "Vec",
    "Vector",
    "accuracy",
    "across_ranks",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "add",
    "apply_updates",
    "augmentation",
    "avg_pool2d",
    "batch_norm",
    "both",
    "cast",
    "chain",
    "check_layer",
    "checked",
    "clip_by_global_norm",
    "col2im",
    "concat",
    "confusion_matrix",
    "constant",
    "conv2d",
    "conv_transpose2d",
    "cosine_decay",
    "count",
    "data_parallel",
    "datasets",
    "dense",
    "diagram",
    "dropout",
    "elu",
    "embedding",
    "ensemble_predict",
    "epochs",
    "evaluate",
    "exponential_decay",
    "fan_out",
    "flatten",
    "freeze",
    "gaussian_noise",
    "gelu",
    "global_avg_pool2d",
    "gradient_step",
    "he_normal",
    "huber",
    "identity",
    "im2col",
    "join",
    "l1_penalty",
    "layer_norm",
    "leaky_relu",
    "leaves",
    "load",
    "local_response_norm",
    "log_softmax",
    "log_uniform",
    "max_pool2d",
    "mean_squared_error",
    "median_stop",
    "minibatches",
    "models",
    "momentum",
    "nesterov",
    "no_grads",
    "no_refresh",
    "normal",
    "numerical_gradient",
    "one_hot",
    "ones",
    "plotting",
    "plus",
    "predict",
    "prepare",
    "random_search",
    "recompute",
    "relu",
    "reshape",
    "residual",
    "rmsprop",
    "save",
    "sequential",
    "sgd",
    "sigmoid",
    "sigmoid_cross_entropy",
    "silu",
    "soft_cross_entropy",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "split",
    "squared_error",
    "standardise",
    "step",
    "step_decay",
    "summary",
    "tanh",
    "times",
    "trace",
    "train_step",
    "tree_map",
    "units",
    "value_and_grad",
    "warmup",
    "weight_decay",
    "xavier_normal",
    "zeros",
]

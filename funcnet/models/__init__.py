"""Networks by name: functions that return plain layers, and the blocks that they are made of."""

from .alexnet import alexnet
from .convolutional import deep_conv, simple_conv
from .googlenet import googlenet, inception
from .lenet import lenet5
from .perceptrons import multi_layer, two_layer
from .resnet import basic_block, bottleneck, resnet
from .vgg import vgg, vgg_stage

__all__ = [
    "alexnet",
    "basic_block",
    "bottleneck",
    "deep_conv",
    "googlenet",
    "inception",
    "lenet5",
    "multi_layer",
    "resnet",
    "simple_conv",
    "two_layer",
    "vgg",
    "vgg_stage",
]

"""Networks by name: functions that return plain layers."""

from .perceptrons import multi_layer, two_layer

__all__ = ["multi_layer", "two_layer"]

"""Drawings, by matplotlib (the extra ``plot``).

A drawing is a function of axes; ``figure`` lays drawings out and gives a matplotlib ``Figure``,
which ``figure(...).savefig("curves.png")`` writes. Nothing global is touched: no pyplot, no
current figure. What is lacking here is a function of your own: ``lambda axes: axes.plot(...)``.
"""

from .lines import Line, curves, functions, histogram, histograms
from .panels import Drawing, figure, over
from .pictures import confusion, filters, image, images
from .planes import contours, path, points, regions
from .trials import search

__all__ = [
    "Drawing",
    "Line",
    "confusion",
    "contours",
    "curves",
    "figure",
    "filters",
    "functions",
    "histogram",
    "histograms",
    "image",
    "images",
    "over",
    "path",
    "points",
    "regions",
    "search",
]

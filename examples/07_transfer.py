"""Transfer learning: what a network learned of the digits 0 to 4, put to use for 5 to 9."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, partial, reduce
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from lesson import Part, Setting, equal, own, shows, side_by_side, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Images: TypeAlias = fn.Batch[fn.Tensor4, fn.Labels]


def stage(c_in: int, c_out: int) -> fn.Layer[fn.Image[int], fn.Image[int]]:
    """A convolution, and a pool that halves."""
    return fn.conv2d(c_in, c_out, 3, pad=1) >> fn.relu() >> fn.max_pool2d(2)


CONVOLUTIONS = stage(1, 16) >> stage(16, 32) >> stage(32, 64)
NET = CONVOLUTIONS >> fn.flatten() >> fn.models.two_layer(..., 64, 5)
CUTS = {"pixels": 0, "1 conv": 3, "2 conv": 6, "3 conv": 9, "dense": 12}
"""How many parts of the network come before each cut."""
FEATURES = NET[: CUTS["3 conv"]]
HEAD = (fn.flatten() >> fn.dense(..., 5)).named("head")
LOSS = fn.softmax_cross_entropy()

FROZEN, TUNED, SCRATCH = WAYS = ("features frozen", "fine-tuned", "from scratch")
UNTRAINED = "untrained features frozen"
KEYS, COUNTS, RATES = (0, 1, 2, 3, 4), (3, 10, 30, 100, 300), (0.001, 0.003, 0.01)


class Case(NamedTuple):
    """A way to learn the new digits: from so many images of each, by a rate, with features."""

    way: str
    images: int = 10
    rate: float = 0.003
    cut: str = "3 conv"


CASES = {
    *[Case(way, count) for way in WAYS for count in COUNTS],
    *[Case(way, rate=rate) for way in WAYS for rate in RATES],
    *[Case(way, cut=cut) for way in (FROZEN, UNTRAINED) for cut in CUTS],
}


claim = partial(shows, full=True)


# ---- the two tasks -----------------------------------------------------------------------------


def five(data: Images, first: int) -> Images:
    """The images of five digits from ``first`` on, labelled from 0 on."""
    rows = (data.t >= first) & (data.t < first + 5)
    return fn.Batch(data.x[rows], data.t[rows] - first)


def some(key: fn.Key, data: Images, count: int) -> Images:
    """``count`` images of each of five digits; of one key, fewer are among the more."""
    order = key.generator().permutation(len(data.t))
    rows = np.concatenate([order[data.t[order] == digit][:count] for digit in range(5)])
    return fn.Batch(data.x[rows], data.t[rows])


def started(
    key: fn.Key, net: fn.Layer[Any, fn.Vec[Any]], known: fn.Params, few: Images, rate: float
) -> fn.Prepared[Any, Any, Any]:
    """A run that starts from parameters of which some are ``known``."""
    size = min(50, len(few.t))
    return fn.prepare(key, net, LOSS, fn.adam(rate), *few, size=size, epochs=200, params=known)


class Found(NamedTuple):
    """What came out with one key: test accuracies, and the losses of the last batches."""

    learned: fn.Params
    before: float
    scores: dict[Case, float]
    losses: dict[Case, float]


def with_key(setting: Setting, n: int) -> Found:
    """One epoch on 0 to 4; then, in each case, 200 steps on some images of 5 to 9.

    All cases have the same images, batches, and weights of the head to start from.
    """
    key, (train, test) = fn.Key(n), setting.images()
    high, unseen = five(train, 5), five(test, 5)
    run = fn.prepare(key.child("old"), NET, LOSS, fn.adam(0.001), *five(train, 0), size=100)
    learned, scores, losses = reduce(*run).params, {}, {}
    blank = run.start.params
    source = {FROZEN: learned, TUNED: learned, SCRATCH: fn.NO_PARAMS, UNTRAINED: blank}
    for case in CASES:
        features = NET[: CUTS[case.cut]]
        net = (features if case.way in (TUNED, SCRATCH) else fn.freeze(features)) >> HEAD
        known = source[case.way].only(features) if features.parts else fn.NO_PARAMS
        few = some(key.child("few"), high, case.images)
        step, batches, start = started(key.child("new"), net, known, few, case.rate)
        end = reduce(step, batches[: setting.choose(200, 2)], start)
        scores[case], losses[case] = fn.accuracy(net, end.params, *unseen), end.loss
    return Found(learned, fn.accuracy(NET, learned, *five(test, 0)), scores, losses)


@cache
def found(setting: Setting) -> list[Found]:
    """What came out with each key, once for all parts of this lesson."""
    return side_by_side(setting, partial(with_key, setting), KEYS[: setting.choose(5, 1)])


def scores(setting: Setting, *cases: Case) -> fn.Array:
    """Test accuracies (keys, cases)."""
    return np.array([[one.scores[case] for case in cases] for one in found(setting)])


# ---- few images --------------------------------------------------------------------------------


def few_images(setting: Setting) -> Part:
    """With few images of the digits 5 to 9, does it help to have learned 0 to 4 before?

    The features are three convolutions; the head is one dense layer, and new. Frozen, the head
    alone learns; fine-tuned, all of it does; from scratch, all of it does and nothing is known.
    """
    runs = {way: scores(setting, *[Case(way, n) for n in COUNTS]) for way in WAYS}
    ten = {way: scores(setting, Case(way))[:, 0] for way in WAYS}
    middle = {way: np.median(run, 0) for way, run in runs.items()}
    by_rate = {way: scores(setting, *[Case(way, rate=r) for r in RATES]) for way in WAYS}
    rates = {way: np.median(run, 0) for way, run in by_rate.items()}
    gain = np.maximum(middle[FROZEN], middle[TUNED]) - middle[SCRATCH]
    last = {way: [one.losses[Case(way)] for one in found(setting)] for way in WAYS}
    return Part(
        [
            own("test accuracy on 0 to 4, each key", [one.before for one in found(setting)]),
            *[own(f"{way}, median of keys: {COUNTS} of each digit", middle[way]) for way in WAYS],
            *[own(f"{way}, 10 of each digit, each key", ten[way]) for way in WAYS],
            *[own(f"{way}, 10 of each digit: rates {RATES}", rates[way]) for way in WAYS],
            own("largest last loss of each way", [max(last[w]) for w in WAYS]),
            claim(
                "10 of each digit: both are above from scratch in the median",
                min(np.median(ten[way]) for way in (FROZEN, TUNED)) > np.median(ten[SCRATCH]),
            ),
            claim("frozen features with every key", (ten[FROZEN] > ten[SCRATCH]).all()),
            claim("fine-tuned with four of five", (ten[TUNED] > ten[SCRATCH]).mean() >= 0.8),
            claim("and at the best rate of each",
                  min(max(rates[FROZEN]), max(rates[TUNED])) > max(rates[SCRATCH])),
            claim(
                "from 100 of each on, frozen features are behind both others, in the median",
                (middle[FROZEN] < np.minimum(middle[TUNED], middle[SCRATCH]))[3:].all(),
            ),
            claim("the gain with 300 is below a fifth of that with 3", gain[4] < gain[0] / 5),
        ],
        "Test accuracy on all images of 5 to 9, after 200 steps of Adam at .003, or at the rates "
        "given; all three fit their few images. What was learned of 0 to 4 is worth three points "
        "with 3 images of each, about one with 10 or 30, and next to nothing from 100 on: there "
        "frozen features hold the rest back. At a rate of .01 they do best.",
        {"images": fn.plotting.figure(by_count(runs), size=(6.4, 4.2))},
        key=0,
    )  # fmt: skip


def by_count(runs: Mapping[str, fn.Array]) -> fn.plotting.Drawing:
    """Medians of the keys, and from the lowest to the highest of them."""

    def draw(axes: Axes) -> None:
        for way, run in runs.items():
            axes.plot(COUNTS, np.median(run, 0), marker="o", markersize=4, label=way)
            axes.fill_between(COUNTS, run.min(0), run.max(0), alpha=0.15)
        axes.set(xscale="log", xlabel="images of each digit", ylabel="test accuracy")
        axes.set_xticks(COUNTS, [str(n) for n in COUNTS])
        axes.minorticks_off()
        axes.set_title("digits 5 to 9: median and range of five keys")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")

    return draw


# ---- the cut -----------------------------------------------------------------------------------


def where_to_cut(setting: Setting) -> Part:
    """How much of the network is worth keeping, and is it what was learned that counts?

    Frozen up to a cut, with a new head on top, 10 images of each digit; beside it, the same of the
    network as it was before it learned anything.
    """
    learned, blank = (
        np.median(scores(setting, *[Case(way, cut=cut) for cut in CUTS]), 0)
        for way in (FROZEN, UNTRAINED)
    )
    curves = fn.plotting.curves(
        {"learned": learned, "untrained": blank}, x="kept up to", y="test accuracy", markers="o"
    )
    return Part(
        [
            own(f"learned features: {', '.join(CUTS)}", learned),
            own("untrained features", blank),
            claim("two convolutions are better than pixels", learned[2] > learned[0]),
            claim(
                "three learned ones are .02 or more above untrained", learned[3] > blank[3] + 0.02
            ),
            claim(
                "with the dense layer kept too it is .05 or more below the convolutions alone",
                learned[4] <= learned[3] - 0.05,
            ),
        ],
        "What the convolutions found serves any digit; untrained ones are of use too, if less. The "
        "dense layer leaves 64 numbers of 576, and less of what 5 to 9 would have needed.",
        {"cuts": fn.plotting.figure(fn.plotting.over(curves, named_cuts), size=(6.4, 3.8))},
        key=0,
    )


def named_cuts(axes: Axes) -> None:
    axes.set_xticks(range(len(CUTS)), CUTS)
    axes.set_title("digits 5 to 9: features frozen, 10 images of each")


# ---- the work ----------------------------------------------------------------------------------


def count(calls: Counter[str], what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """``function`` of the arguments, counted in ``calls``: impure, to watch with."""
    calls[what] += 1
    return function(*arguments)


def counting(calls: Counter[str], layer: fn.AnyLayer) -> fn.Layer[Any, Any]:
    """A layer that does what ``layer`` does, and counts it."""
    return fn.Layer(
        layer.name,
        forward=partial(count, calls, "forward", layer.forward),
        backward=partial(count, calls, "backward", layer.backward),
        pull=partial(count, calls, "backward", layer.pull),
        grads=partial(count, calls, "backward", layer.grads),
        apply=partial(count, calls, "forward", layer.apply),
        spec=layer.spec,
    )


def frozen_work(setting: Setting) -> Part:
    """What does the frozen part cost, and what becomes of it?"""
    learned, calls, tuned_calls = found(setting)[0].learned, Counter[str](), Counter[str]()
    known, few = learned.only(FEATURES), some(fn.Key(0), five(setting.images().train, 5), 10)
    watched, tuned_watched = (
        fn.sequential(*[counting(each, part).named(name) for name, part in FEATURES.parts])
        for each in (calls, tuned_calls)
    )
    nets = {FROZEN: fn.freeze(FEATURES) >> HEAD, TUNED: FEATURES >> HEAD}
    steps = partial(ten_steps, known=known, few=few)
    (after, frozen_time), (_, tuned_time) = map(steps, nets.values())
    counted, _ = steps(fn.freeze(watched) >> HEAD)
    steps(tuned_watched >> HEAD)
    trained = [fn.count(net.spec(few.x.shape[1:])[0]) for net in nets.values()]
    return Part(
        [
            equal("backward calls in the frozen part, ten steps", 0, calls["backward"]),
            equal("forward calls in it, nine parts", 90, calls["forward"]),
            equal("backward calls in it, fine-tuned", 90, tuned_calls["backward"]),
            shows("counting changes nothing that is learned", counted == after),
            shows(
                "every frozen parameter is afterwards, by reference, what it was",
                all(after[name] is known[name] for name in known),
            ),
            own("parameters trained: frozen, fine-tuned", trained),
            own("milliseconds a step: frozen, fine-tuned", [frozen_time, tuned_time]),
            claim(
                "a frozen step takes less than two thirds of a fine-tuned one's time",
                frozen_time < tuned_time * 2 / 3,
            ),
        ],
        "Nothing before the head waits for a gradient, so nothing goes backward there: what "
        "remains is the forward pass. The layer that counts is a user's own, made of the passes "
        "of any other.",
        key=0,
    )


def ten_steps(
    net: fn.Layer[Any, fn.Vec[Any]], known: fn.Params, few: Images
) -> tuple[fn.Params, float]:
    """The parameters after ten steps, and the milliseconds of one."""
    step, batches, start = started(fn.Key(0), net, known, few, 0.003)
    began = time.perf_counter()
    end = reduce(step, batches[:10], start)
    return end.params, 100 * (time.perf_counter() - began)


if __name__ == "__main__":
    teach(few_images, where_to_cut, frozen_work)

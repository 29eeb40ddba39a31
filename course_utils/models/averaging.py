"""Averages of weights over the steps of a training: a generator that is the mean of many is better than the last."""

import keras
from keras import ops


def average_weights(averaged: keras.Model, current: keras.Model, steps, share: float) -> None:
    """One step of an exponential average: each weight of `averaged` keeps a share of itself, and takes the rest.

    averaged, current: models of the same structure. steps: how many were averaged, this one counted; early on the
    average is mostly over the last tenth of them, so that it does not remember untrained weights. share: of later
    steps; 0 for none, so that `averaged` equals `current`.
    Yazici et al., "The unusual effectiveness of averaging in GAN training", 2019.
    """
    steps = ops.cast(steps, "float32")
    keep = ops.minimum(share, steps / (steps + 10)) if share else 0.0
    for average, weights in zip(averaged.weights, current.weights, strict=True):
        average.assign(keep * average + (1 - keep) * weights)

"""Right and wrong answers to the exercises of lesson 00."""

import numpy as np

ACCEPTED = {
    "e0_1": [
        lambda picture: 1 - picture,
        lambda picture: np.ones_like(picture) - picture,
        lambda picture: (1.0 - picture).astype(np.float32),
        lambda picture: -(picture - 1),
    ],
    "e0_2": [
        lambda picture: picture[:, ::-1],
        np.fliplr,
        lambda picture: np.array([row[::-1] for row in picture]),
        lambda picture: np.flip(picture, axis=1).astype(np.float32),
    ],
}

REJECTED = {
    "e0_1": [
        (lambda picture: 255 - picture, "not from 0 to 255"),
        (lambda picture: -picture, "Negative numbers"),
        (lambda picture: picture - 1, "wrong way round"),
        (lambda picture: picture, "unchanged"),
        (lambda picture: (picture < 0.5).astype(float), "0 or 1"),
        (lambda picture: picture[::-1], "unchanged"),
        (lambda picture: picture.max() - picture, "brightest pixel of this picture"),
        (lambda picture: np.round(255 * (1 - picture)).astype(np.uint8), "These are bytes"),
        (lambda picture: (1 - picture).astype(np.uint8), "no greys between"),
        (lambda picture: 1 / (picture + 1e-9), "should become black"),
        (lambda picture: print(1 - picture), "returned nothing"),
    ],
    "e0_2": [
        (lambda picture: picture[::-1], "Top and bottom"),
        (lambda picture: picture[::-1, ::-1], "upside down"),
        (lambda picture: picture, "unchanged"),
        (lambda picture: np.swapaxes(picture, 0, 1), "exchanged"),
        (lambda picture: np.roll(picture, 1, axis=1), "moved round"),
        (lambda picture: picture[..., ::-1], "last axis"),
        (lambda picture: picture[:, -1], "first column"),
        (lambda picture: picture[:, :, ::-1], "two axes"),
    ],
}

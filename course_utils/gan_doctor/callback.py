"""The doctor itself, a Keras callback."""

import ipywidgets
import keras
import numpy as np
from IPython import get_ipython
from IPython.display import display
from PIL import Image
from sklearn.metrics import roc_auc_score

from course_utils import figures, metrics
from course_utils.gan_doctor.drawing import panels_figure, record_figure
from course_utils.gan_doctor.record import NEIGHBOURS, SHOWN, Look, Record
from course_utils.image_files import encoded
from course_utils.models import sampling

_COMPARED = 64  # samples that are searched for among the training pictures


class GanDoctor(keras.callbacks.Callback):
    """Looks at a `models.gan.Gan` after its first step, after every `every` steps and at the end of training.

    training_images: what it trains on, to search for copies: float32 (n, h, w, c) in [0, 1].
    unseen_images: other real pictures, to compare with: `count` or more.
    count: samples for the numbers of a look; few, so that a look takes about a second.
    seed: of the latent numbers, the same at all looks, which are not taken from the stream that training draws from.

    In a notebook a picture of all looks so far is redrawn at each of them; `show` then leaves a figure in its place.
    In a terminal it keeps silent. `record` holds what it saw.

    The discriminator is asked for the order of its scores, not for a right side of zero: a relativistic or Wasserstein
    loss sees differences of scores only, so that zero has no meaning to it. The answer is the area under the ROC
    curve: 1/2 where real pictures and fakes are told apart no better than by a coin, 1 where always.
    It plays against `model.generator`, whose pictures are judged there; the other numbers are of `model.sample`.

    Raises ValueError for `every` under 1, and for fewer unseen_images than `count` or a `count` under 64.
    """

    def __init__(self, training_images, unseen_images, *, every: int = 100, count: int = 250, seed: int = 0):
        super().__init__()
        if every < 1:
            raise ValueError(f"every is the number of steps between two looks, expected 1 or more, got {every}")
        if not _COMPARED <= count <= len(unseen_images):
            raise ValueError(
                f"count must be from {_COMPARED} to {len(unseen_images)}, the number of unseen_images, got {count}"
            )
        self.every, self.count, self.seed = every, count, seed
        self.training_images, self.unseen_images = training_images, unseen_images[:count]
        self.judge = metrics.Judge(self.unseen_images, training_images[:count])
        # The judge knows no classes where its network does not.
        self.asked = [name for name in ("effective_classes", "diversity") if name in self.judge.metrics]
        self.unseen_distance = self._distance(self.unseen_images[:_COMPARED])[0]
        self.live = None

    def on_train_begin(self, logs=None):
        self.step, self.loss_sums = 0, np.zeros(2)  # generator's and discriminator's, over all steps
        self.at_last_look = self.step, self.loss_sums
        self.looks, self.samples = [], []
        if hasattr(get_ipython(), "kernel"):
            self.live = _display_picture("GAN doctor")

    def on_epoch_begin(self, epoch, logs=None):
        self.at_epoch_begin = self.step, self.loss_sums

    def on_train_batch_end(self, batch, logs=None):
        before, (step, loss_sums) = self.step, self.at_epoch_begin
        means = np.array([logs["generator_loss"], logs["discriminator_loss"]], float)  # over the epoch so far
        self.step, self.loss_sums = step + batch + 1, loss_sums + (batch + 1) * means
        if before == 0 or before // self.every < self.step // self.every:
            self._look()

    def on_train_end(self, logs=None):
        if self.step > self.at_last_look[0]:
            self._look()

    def _look(self):
        samples = self.model.sample(self.count, seed=self.seed)
        if not np.isfinite(samples).all():
            return  # training stops at the next loss and says why
        scores = self.judge(samples, self.asked)
        classes = scores.get("effective_classes")
        distance, nearest = self._distance(samples[:_COMPARED])
        again = self.model.sample(SHOWN, seed=self.seed)
        look = Look(
            self.step,
            *self._losses_since_last_look(),
            self._real_above_made(),
            classes.value if classes else float("nan"),
            scores["diversity"].value,
            distance / self.unseen_distance,
            float(np.abs(samples[:SHOWN] - again).mean()),
        )
        self.real_effective_classes = classes.floor if classes else float("nan")
        self.looks.append(look)
        self.samples.append(samples[:SHOWN].copy())
        self.nearest, self.at_last_look = nearest[:NEIGHBOURS], (self.step, self.loss_sums)
        if self.live is not None:
            self.live.value = encoded(figures.render(panels_figure({"": self.record}), per_inch=80), "PNG")

    def _losses_since_last_look(self) -> list[float]:
        """The mean losses of the generator and the discriminator."""
        step, loss_sums = self.at_last_look
        return ((self.loss_sums - loss_sums) / (self.step - step)).tolist()

    def _distance(self, images) -> tuple[float, np.ndarray]:
        """The median distance of pictures to their nearest training picture, and the indices of these."""
        distances, indices = metrics.nearest_neighbours(images, self.training_images)
        return float(np.median(distances)), indices

    def _real_above_made(self) -> float:
        """The area under the ROC curve of the discriminator's scores, without augmentation or dropout."""
        latents = sampling.latents(self.count, self.model.latent_size, self.seed)
        made = sampling.in_batches(lambda batch: self.model.generator(batch, training=False), latents)
        scores = [
            sampling.in_batches(lambda batch: self.model.discriminator(batch, training=False), pictures)
            for pictures in (self.unseen_images, made)
        ]
        return float(roc_auc_score(np.repeat([1, 0], self.count), np.concatenate(scores)[:, 0]))

    @property
    def record(self) -> Record:
        """What was seen so far. Raises ValueError before the first look."""
        if not getattr(self, "looks", None):
            raise ValueError("the doctor has not looked yet: give it to training.fit(..., callbacks=[doctor])")
        grids = np.stack([self.samples[index] for index in (0, len(self.looks) // 2, -1)])
        return Record(tuple(self.looks), grids, self.training_images[self.nearest], self.real_effective_classes)

    def show(self, alt: str) -> None:
        """Put a figure of the whole training in place of the live one. alt: as in `figures.show`."""
        figures.show(record_figure(self.record), alt)
        if self.live is not None:
            self.live.close()
            self.live = None


def _display_picture(text: str) -> ipywidgets.Image:
    """An empty picture in the output of the running cell; in a stored notebook the fixed text, so that runs compare."""
    picture = ipywidgets.Image(value=encoded(Image.new("RGB", (80, 8), "white"), "PNG"), layout={"max_width": "100%"})
    view = {"model_id": picture.model_id, "version_major": 2, "version_minor": 0}
    display({"text/plain": text, "application/vnd.jupyter.widget-view+json": view}, raw=True)
    return picture

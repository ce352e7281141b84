"""A convolutional network over columns: shifts, the place of a pixel, and a pattern that hides anywhere."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from hepclf.events import Events
from hepclf.models.cnn import CNN
from hepclf.models.loading import load_tagger
from hepclf.models.mlp_plain import PlainMLP
from hepclf.models.pixels import Pixels, numbered_shape, places
from hepclf.models.preprocess import Preprocess
from hepclf.training.trainer import Trainer

SIDE = 8
NAMES = tuple(f"image_{i}_{j}" for i in range(SIDE) for j in range(SIDE))
PLAIN = Preprocess(scaling="none")


def hidden_pattern(events=3000, seed=0):
    """Noise, and in half of the images three bright pixels in a row, anywhere on the torus."""
    rng = np.random.default_rng(seed)
    images, labels = rng.normal(size=(events, SIDE, SIDE)), np.arange(events) % 2
    rows, columns = rng.integers(0, SIDE, (2, events))
    for step in range(3):
        images[np.arange(events), rows, (columns + step) % SIDE] += 2.0 * labels
    return Events(features=images.reshape(events, -1), labels=labels, names=NAMES)


def fitted(model, train, trainer=None):
    fit = model.fit(train, train, trainer or Trainer(epochs=1))
    for _ in fit:
        pass
    return fit.tagger()


def with_whole_weights(network):
    """Whole numbers as weights, whose sums in single precision are exact in any order."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randint(-3, 4, parameter.shape))
    return network.eval()


@pytest.mark.parametrize("summary", ["max", "mean"])
@pytest.mark.parametrize(("shape", "axes"), [((1, 8, 8), (1, 2)), ((2, 16), (1,)), ((1, 3, 5), (1, 2))])
def test_a_shifted_image_has_the_same_score_to_the_last_bit(shape, axes, summary):
    model = CNN(shape=shape, padding="periodic", pooling=1, summary=summary, channels=(4, 8))
    network = with_whole_weights(model.network(int(np.prod(shape)), 3))
    images = torch.randint(-5, 6, (20, *shape)).float()
    scores = network(images.flatten(1))
    assert scores.std() > 0
    for shift in (1, 2):
        shifted = torch.roll(images, (shift,) * len(axes), dims=[axis + 1 for axis in axes])
        # A mean divides once, after the same sum of whole numbers.
        assert torch.equal(network(shifted.flatten(1)), scores)


@pytest.mark.parametrize("settings", [{"padding": "zeros"}, {"summary": "all"}, {"pooling": 2}])
def test_a_shift_is_seen_at_edges_by_dense_layers_and_by_pooling(settings):
    chosen = {"padding": "periodic", "pooling": 1, "channels": (4, 4)} | settings
    network = with_whole_weights(CNN(shape=(1, 8, 8), **chosen).network(64, 1))
    images = torch.randint(-5, 6, (20, 1, 8, 8)).float()
    assert not torch.equal(network(torch.roll(images, 1, dims=3).flatten(1)), network(images.flatten(1)))


def test_pooling_keeps_shifts_by_its_multiples():
    network = with_whole_weights(CNN(shape=(1, 8, 8), padding="periodic").network(64, 1))
    images = torch.randint(-5, 6, (20, 1, 8, 8)).float()
    assert torch.equal(network(torch.roll(images, 4, dims=2).flatten(1)), network(images.flatten(1)))


def test_a_convolution_is_the_sum_over_neighbours():
    network = CNN(shape=(1, 8), channels=(1,), pooling=1, padding="periodic", hidden=(), activation="relu").network(
        8, 1
    )
    convolution, head = network[1], network[-1]
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([[[1.0, 2.0, 4.0]]]))
        head.weight.fill_(1.0)
    series = np.array([0, 0, 0, 5, 1, 0, 0, 3], dtype=np.float32)
    expected = np.roll(series, 1) + 2 * series + 4 * np.roll(series, -1)
    assert network(torch.tensor(series[None])).item() == expected.max()


def test_events_that_are_scored_in_parts_have_the_same_scores():
    network = CNN(shape=(1, 8, 8), summary="all").network(64, 2).eval()
    images = torch.randn(50, 64)
    scores = network(images)
    network.rows = 7
    assert torch.allclose(network(images), scores, atol=1e-6)


def test_it_finds_a_pattern_anywhere_that_a_perceptron_does_not(caplog):
    train, test = hidden_pattern(3000, seed=1), hidden_pattern(2000, seed=2)
    trainer = Trainer(epochs=6, batch=128, learning_rate=0.01)
    areas = {}
    for model in (CNN(channels=(16,), pooling=1, padding="periodic", hidden=(16,)), PlainMLP(hidden=(32,))):
        scores = fitted(model, train, trainer).scores(test)
        areas[type(model)] = roc_auc_score(test.labels, scores)
    assert areas[CNN] > 0.85
    assert areas[PlainMLP] < areas[CNN] - 0.15


@pytest.mark.parametrize("classes", [2, 3])
def test_saving_and_loading_changes_no_score(gaussians, tmp_path, classes):
    events = gaussians(400, features=16, classes=classes)
    tagger = fitted(CNN(channels=(3,), summary="all", hidden=(4,), dropout=0.1), events)
    tagger.save(tmp_path)
    again = load_tagger(tmp_path)
    assert again.recipe.shape == (1, 16)  # told by the names x0..x15
    assert (again.scores(events) == tagger.scores(events)).all()


def test_a_constant_pixel_is_zero_at_its_place_and_the_others_stay_at_theirs(tmp_path, caplog):
    events = hidden_pattern(300)
    features = events.features.copy()
    features[:, [0, 9]] = 0
    flat = replace(events, features=features)
    with caplog.at_level(logging.WARNING):
        tagger = fitted(CNN(), flat)
    assert "2 features never vary in the training set and are dropped: feature 'image_0_0' is always 0;" in caplog.text
    assert len(tagger.inputs) == 62
    fill = tagger.module.body[0][0]
    image = fill(torch.arange(1, 63).float()[None])
    assert image.shape == (1, 1, 8, 8)
    assert image[0, 0].flatten()[[0, 9]].tolist() == [0, 0]
    assert image[0, 0].flatten()[[1, 8, 10, 63]].tolist() == [1, 8, 9, 62]
    tagger.save(tmp_path)
    assert (load_tagger(tmp_path).scores(flat) == tagger.scores(flat)).all()


def test_the_order_of_the_features_does_not_matter():
    events = hidden_pattern(300)
    order = np.random.default_rng(0).permutation(64)
    mixed = replace(events, features=events.features[:, order], names=tuple(NAMES[i] for i in order))
    scores = [fitted(CNN(preprocess=PLAIN), part).scores(events) for part in (events, mixed)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_names_tell_the_shape():
    assert numbered_shape(("x_0", "x_1", "x_2")) == (1, 3)
    assert numbered_shape(NAMES) == (1, 8, 8)
    assert numbered_shape(tuple(f"jet_{c}_{i}_{j}" for c in range(3) for i in range(4) for j in range(5))) == (3, 4, 5)
    with pytest.raises(ValueError, match=r"^model\.shape must be given, as the features are not numbered"):
        numbered_shape(("pt", "eta"))
    with pytest.raises(ValueError, match=r"^model\.shape must be given"):
        numbered_shape(("x_0", "x_0_1"))


def test_places_follow_numbers_or_the_order():
    assert places(("a_1_0", "a_0_1"), (1, 2, 2)) == (2, 1)
    assert places(("a_1_0_1", "a_0_1_0"), (2, 2, 2)) == (5, 2)
    assert places(("c5", "c0"), (1, 2, 3)) == (5, 0)
    assert places(("pt", "eta", "phi", "m"), (1, 2, 2)) == (0, 1, 2, 3)
    assert places(("c1", "c2", "c3", "c4"), (1, 4)) == (0, 1, 2, 3)  # numbered from 1
    with pytest.raises(ValueError, match=r"as many pixels as there are features, 3, not 4"):
        places(("pt", "eta", "phi"), (1, 2, 2))


def test_complete_columns_are_only_reshaped():
    columns = torch.arange(12.0).reshape(2, 6)
    assert torch.equal(Pixels((1, 2, 3), tuple(range(6)))(columns), columns.view(2, 1, 2, 3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": 4}, "kernel must be an odd number, not 4"),
        ({"channels": ()}, "channels, hidden and pooling must be at least 1"),
        ({"pooling": 0}, "channels, hidden and pooling must be at least 1"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), not 1.0"),
        ({"shape": (16,)}, r"shape must be \[channels, length\] or \[channels, height, width\]"),
        ({"shape": (1, 1 << 11, 1 << 11)}, "with at most 1,048,576 pixels"),
        ({"shape": (1, 3, 3)}, r"pooling must leave a pixel of \[1, 3, 3\] after 2 convolutions, not be 2"),
        ({"shape": (1, 4), "kernel": 7, "padding": "periodic"}, r"kernel must be smaller for periodic padding"),
    ],
)
def test_what_cannot_be_built_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CNN(**settings)


def test_a_shape_that_does_not_fit_the_features_is_refused_before_the_training():
    with pytest.raises(ValueError, match=r"as many pixels as there are features, 2, not 16"):
        CNN(shape=(1, 4, 4)).check(("pt", "eta"), None, Trainer(device="cpu"))
    with pytest.raises(ValueError, match=r"model\.shape must be given"):
        CNN().check(("pt", "eta"), None, Trainer(device="cpu"))


def test_missing_pixels_are_refused(gaussians):
    events = gaussians(100, features=8)
    features = events.features.copy()
    features[0, 3] = np.nan
    with pytest.raises(ValueError, match="feature 'x3' has missing values, which model=cnn cannot use"):
        CNN().fit(replace(events, features=features), events, Trainer(epochs=1))

from __future__ import annotations

import numpy as np
import pytest
import torch

from hepclf.events import Events
from hepclf.training.decorrelate import Decorrelate, disco, distance_correlation
from hepclf.training.trainer import Trainer


def brute(x, y, w):
    """Squared distance correlation by double-centred matrices, entry by entry."""
    n, w = len(x), np.asarray(w) / np.mean(w)

    def centred(v):
        a = np.array([[abs(v[i] - v[j]) for j in range(n)] for i in range(n)])
        row = [sum(a[i, j] * w[j] for j in range(n)) / n for i in range(n)]
        whole = sum(row[i] * w[i] for i in range(n)) / n
        return np.array([[a[i, j] - row[i] - row[j] + whole for j in range(n)] for i in range(n)])

    def product(a, b):
        return sum(w[i] * w[j] * a[i, j] * b[i, j] for i in range(n) for j in range(n)) / n**2

    a, b = centred(x), centred(y)
    return product(a, b) / np.sqrt(product(a, a) * product(b, b))


def tensors(*columns):
    return [torch.tensor(column, dtype=torch.float64) for column in columns]


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_that_of_double_centred_matrices(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=30)
    y, w = x**2 + rng.normal(size=30), rng.lognormal(0, 1, 30)
    assert float(distance_correlation(*tensors(x, y, w))) == pytest.approx(brute(x, y, w), rel=1e-12)


def test_single_precision_is_enough_far_from_zero():
    rng = np.random.default_rng(3)
    x, y, w = 0.5 + 1e-3 * rng.normal(size=300), rng.normal(size=300), np.ones(300)
    single = distance_correlation(*(torch.tensor(column, dtype=torch.float32) for column in (x, y, w)))
    # Measured 5e-6 of the value.
    assert float(single) == pytest.approx(float(distance_correlation(*tensors(x, y, w))), rel=1e-3)


def test_a_line_is_one_and_a_constant_is_nothing():
    x, w = np.linspace(-1, 2, 50), np.linspace(1, 3, 50)
    assert float(distance_correlation(*tensors(x, 7 - 3 * x, w))) == pytest.approx(1)
    assert float(distance_correlation(*tensors(x, np.ones(50), w))) == 0


def test_independent_columns_come_near_zero_as_one_over_n():
    rng = np.random.default_rng(4)
    found = {
        n: np.mean([float(distance_correlation(*tensors(*rng.normal(size=(2, n)), np.ones(n)))) for _ in range(20)])
        for n in (50, 400)
    }
    assert found[50] / found[400] == pytest.approx(8, rel=0.15)
    # A parabola, which has no linear correlation, is seen.
    x = rng.normal(size=400)
    assert float(distance_correlation(*tensors(x, x**2, np.ones(400)))) > 20 * found[400]


def test_an_event_of_weight_zero_counts_as_none_and_of_weight_two_as_two():
    x, y = np.random.default_rng(5).normal(size=(2, 20))
    doubled = distance_correlation(*tensors(np.r_[x, x[:5]], np.r_[y, y[:5]], np.ones(25)))
    weighed = distance_correlation(*tensors(np.r_[x, 9.0], np.r_[y, -9.0], [2.0] * 5 + [1.0] * 15 + [0.0]))
    assert float(weighed) == pytest.approx(float(doubled), rel=1e-12)


def test_the_gradient_is_that_of_finite_differences_and_never_nan():
    x, y, w = tensors(*np.random.default_rng(6).normal(size=(2, 12)), np.ones(12))
    assert torch.autograd.gradcheck(lambda x: distance_correlation(x, y, w), x.requires_grad_())
    same = torch.full((12,), 0.5, dtype=torch.float64, requires_grad=True)
    distance_correlation(same, y, w).backward()
    assert same.grad.tolist() == [0.0] * 12


def test_only_events_with_a_spectator_and_the_mean_of_members_count():
    logits, y, w = tensors(*np.random.default_rng(7).normal(size=(2, 8)), np.ones(8))
    y[5:] = torch.nan
    expected = distance_correlation(torch.sigmoid(logits[:5]), y[:5], w[:5])
    assert float(disco(logits, y, w)) == pytest.approx(float(expected))
    members = torch.stack([logits + 1, logits - 1])
    assert float(disco(members, y, w)) == pytest.approx(float(expected))
    assert float(disco(logits, torch.full_like(y, torch.nan), w)) == 0


@pytest.fixture
def events():
    mass = np.array([100.0, 110, 120, 90, 80, 70])
    return Events(
        features=np.arange(6)[:, None],
        names=("x",),
        labels=[0, 0, 0, 1, 1, 1],
        spectators={
            "mass": mass,
            "flat": np.ones(6),
            "holes": np.r_[mass[:5], np.nan],
            "word": np.array(list("abcdef")),
        },
    )


def test_the_column_is_scaled_and_empty_outside_its_class(events):
    column = Decorrelate(spectator="mass").column(events, np.ones(6))
    assert column[:3] == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])
    assert np.isnan(column[3:]).all()
    other = Decorrelate(spectator="mass", class_="signal").column(events, np.ones(6))
    assert np.isnan(other).tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("settings", "weights", "message"),
    [
        (
            {"spectator": "mas"},
            1,
            "trainer.decorrelate names 'mas', which is no spectator of the data; nearest: 'mass'",
        ),
        ({"spectator": "word"}, 1, "spectator 'word' must be numbers for trainer.decorrelate, not text"),
        ({"spectator": "holes"}, 1, "trainer.decorrelate needs a number in each event, and 'holes' has none in 1"),
        (
            {"spectator": "flat"},
            1,
            "trainer.decorrelate needs a spectator that varies, and 'flat' is constant in class 'background'",
        ),
        ({"spectator": "mass", "class_": "sgnal"}, 1, "trainer.decorrelate.class names 'sgnal', which is no class"),
        ({"spectator": "mass"}, -1, "trainer.decorrelate needs weights of one sign"),
        ({"spectator": "mass", "strength": 0.0}, 1, "strength must be positive and finite"),
    ],
)
def test_mistakes_are_one_line(events, settings, weights, message):
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        Decorrelate(**settings).column(events, np.full(6, float(weights)))
    assert "\n" not in str(caught.value)


def test_several_classes_are_refused(events):
    three = Events(features=events.features, names=("x",), labels=[0, 0, 1, 1, 2, 2], classes=("a", "b", "c"))
    with pytest.raises(ValueError, match="is for two classes, not 3"):
        Decorrelate(spectator="mass").column(three, np.ones(6))


def test_batches_too_large_for_all_pairs_are_refused():
    with pytest.raises(ValueError, match="batch must be at most 8192 with decorrelate"):
        Trainer(batch=10_000, decorrelate=Decorrelate(spectator="mass"))

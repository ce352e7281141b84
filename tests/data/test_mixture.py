import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score, roc_curve

from hepclf.data.mixture import Component, Mixture

OPTIMAL_AUC = 0.8055561631  # NUMBERS 7
BACKGROUND_EFFICIENCIES = {
    0.3: 0.0751594,
    0.5: 0.1364795,
    0.6: 0.1736924,
    0.7: 0.2186933,
    0.8: 0.2760148,
    0.9: 0.4494493,
}


@pytest.fixture(scope="module")
def million():
    return Mixture(events=1_000_000, seed=3).load()


def test_the_likelihood_ratio_reaches_the_optimal_auc(million):
    error = 0.00309 / np.sqrt(50)  # Hanley-McNeil, 10k + 10k events to 500k + 500k
    assert roc_auc_score(million.labels, million.spectators["llr"]) == pytest.approx(OPTIMAL_AUC, abs=4 * error)


def test_a_cut_on_x_alone_reaches_less(million):
    assert roc_auc_score(million.labels, -million.features[:, 0]) == pytest.approx(0.753897, abs=0.002)


def test_background_efficiencies_are_those_of_the_exact_optimum(million):
    background, signal, _ = roc_curve(million.labels, million.spectators["llr"])
    for at, expected in BACKGROUND_EFFICIENCIES.items():
        slope = (np.interp(at + 0.01, signal, background) - np.interp(at - 0.01, signal, background)) / 0.02
        error = np.sqrt((expected * (1 - expected) + slope**2 * at * (1 - at)) / 500_000)
        assert np.interp(at, signal, background) == pytest.approx(expected, abs=4 * error)


def test_stationary_points_of_the_likelihood_ratio_are_those_of_the_formula():
    mixture = Mixture()
    x = np.array([-1.10931, -0.06369, 0.61495, 2.33263])
    llr = mixture.log_density("signal", x) - mixture.log_density("background", x)
    np.testing.assert_allclose(llr, [1.42750, 0.63918, 1.21120, -1.92046], atol=1e-5)


def test_the_llr_of_an_event_is_that_of_its_feature(million):
    some = million.take(np.arange(1000))
    x = some.features.astype(np.float64)
    llr = Mixture().log_density("signal", x) - Mixture().log_density("background", x)
    np.testing.assert_allclose(some.spectators["llr"], llr, atol=1e-5)


def test_densities_in_several_dimensions_agree_with_scipy():
    parts = (
        Component(fraction=0.25, mean=(0.0, 1.0, 2.0), width=(1.0, 2.0, 0.5)),
        Component(fraction=0.75, mean=(1.0, -1.0, 0.0), width=(0.3, 1.0, 1.0)),
    )
    mixture = Mixture(
        classes={"a": parts, "b": parts[1:] and (Component(fraction=1, mean=(0, 0, 0), width=(1, 1, 1)),)}
    )
    x = np.random.default_rng(0).normal(size=(50, 3))
    expected = sum(p.fraction * multivariate_normal(p.mean, np.square(p.width)).pdf(x) for p in parts)
    np.testing.assert_allclose(mixture.log_density("a", x), np.log(expected), rtol=1e-12)


def test_two_equal_gaussians_in_the_plane_have_the_area_of_their_distance():
    unit = (1.0, 1.0)
    classes = {
        "noise": (Component(fraction=1, mean=(0.0, 0.0), width=unit),),
        "signal": (Component(fraction=1, mean=(1.2, 1.6), width=unit),),
    }
    events = Mixture(events=200_000, classes=classes).load()
    assert events.names == ("x0", "x1")
    assert roc_auc_score(events.labels, events.spectators["llr"]) == pytest.approx(0.921350, abs=0.003)  # d' = 2


def test_drawn_events_have_the_moments_of_their_class(million):
    signal = million.features[million.labels == 1, 0].astype(np.float64)
    mean = 0.6 * -1.1 + 0.4 * 1.0
    variance = 0.6 * (0.25 + 1.21) + 0.4 * 2.0 - mean**2
    assert signal.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / 500_000))
    assert signal.var() == pytest.approx(variance, rel=0.01)


def test_three_classes_carry_one_density_each():
    classes = {name: (Component(fraction=1, mean=float(i), width=1.0),) for i, name in enumerate("abc")}
    events = Mixture(events=900, classes=classes, fractions=(0.5, 0.25, 0.25)).load().check()
    assert events.counts == {"a": 450, "b": 225, "c": 225}
    assert list(events.spectators) == ["log_density_a", "log_density_b", "log_density_c"]


def test_the_same_seed_gives_the_same_events_and_another_seed_others():
    first, again, other = (Mixture(events=100, seed=seed).load() for seed in (1, 1, 2))
    assert (first.features == again.features).all()
    assert (first.labels == again.labels).all()
    assert (first.features != other.features).any()


def test_classes_are_in_random_order():
    labels = Mixture(events=10_000).load().labels
    assert abs(labels[:5000].mean() - 0.5) < 0.03


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"events": -5}, "events must be at least 2, not -5"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"classes": {"a": ()}}, "classes must be at least 2"),
        ({"classes": {"a": (), "b": ()}}, "the fractions of class 'a' must sum to 1, not 0"),
        ({"fractions": (0.5, 0.6)}, r"fractions must be 2 positive numbers that sum to 1, one a class"),
        ({"fractions": (1.0,)}, "fractions must be 2 positive numbers"),
        ({"fractions": (1.5, -0.5)}, "fractions must be 2 positive numbers"),
    ],
)
def test_a_mixture_that_cannot_be_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        Mixture(**settings)


def test_classes_of_different_dimensions_are_refused():
    classes = {
        "a": (Component(fraction=1, mean=0.0, width=1.0),),
        "b": (Component(fraction=1, mean=(0.0, 1.0), width=(1.0, 1.0)),),
    }
    with pytest.raises(ValueError, match="all components must have 1 dimensions like the first, not 2 as in class 'b'"):
        Mixture(classes=classes)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"fraction": 0}, r"fraction of a component must lie in \(0, 1\], not 0"),
        ({"width": 0.0}, "width of a component must be above 0, not 0.0"),
        ({"width": (1.0, 1.0)}, "mean and width must have the same length, not 1 and 2"),
        ({"mean": float("nan")}, "mean of a component must be finite"),
    ],
)
def test_a_component_that_cannot_be_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        Component(**({"fraction": 1.0, "mean": 0.0, "width": 1.0} | settings))

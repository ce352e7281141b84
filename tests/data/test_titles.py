"""Titles and units of features, as a loader's setting gives them."""

from __future__ import annotations

import pytest

from hepclf import GW, MLP, train
from hepclf.data.titles import check_titles, titles
from hepclf.recipe import RecipeError


def test_a_label_is_a_title_or_a_title_and_a_unit():
    data = GW(labels={"snr": "SNR", "chirp_mass": ("chirp mass", r"$M_\odot$")})
    assert titles(data) == {"snr": ("SNR", ""), "chirp_mass": ("chirp mass", r"$M_\odot$")}


def test_a_loader_of_ones_own_needs_no_labels():
    assert titles(object()) == {}


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (("a", "b", "c"), "must be a title, or a title and a unit, not"),
        (("$a", "b"), r"must have a partner for each \$ and brace, not '\$a'"),
        ("${a$", "must have a partner"),
    ],
)
def test_what_cannot_be_shown_is_refused(label, message):
    with pytest.raises(ValueError, match=rf"data\.labels\.snr {message}"):
        check_titles(GW(labels={"snr": label}), None)


def test_a_label_of_an_unknown_feature_is_refused_before_a_training_with_the_nearest_name():
    with pytest.raises(
        (RecipeError, ValueError), match=r"data\.labels must name .*, not 'chirp_mas'; nearest: 'chirp_mass'"
    ):
        train(GW(signals=100, noise=300, labels={"chirp_mas": "M"}), MLP())


def test_spectators_have_labels_too():
    check_titles(GW(labels={"llr": "exact"}), ("snr", "llr"))

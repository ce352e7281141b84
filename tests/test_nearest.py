"""What an error offers instead of a mistyped name."""

from __future__ import annotations

from hepclf.nearest import nearest

SETTINGS = ("trainer.epochs", "trainer.learning_rate", "trainer.batch")


def test_the_nearest_spelling_is_offered():
    assert nearest("trainer.epoch", SETTINGS).startswith("; nearest: 'trainer.epochs'")
    assert nearest("EPOCHS", ("epochs", "batch")) == "; nearest: 'epochs'"


def test_initials_find_a_name_of_several_words():
    assert nearest("lr", SETTINGS) == "; nearest: 'trainer.learning_rate'"
    assert nearest("lx", ("learning_rate", "batch")) == "; there are: 'learning_rate', 'batch'"

"""How numbers are written."""

from __future__ import annotations

import random
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from hepclf.words import (
    grouped_rows,
    number,
    score_cut,
    setting_text,
    setting_word,
    targeted,
    to_error_digits,
    typed_setting,
)


@pytest.mark.parametrize(
    ("value", "error", "written"),
    [
        (0.98123, 0.00104, "0.9812 ± 0.0010"),
        (4000.3, 2309.4, "4000 ± 2309"),
        (635.21, 42.1, "635 ± 42"),
        (3.9, 1.23, "3.9 ± 1.2"),
        (3.63e8, 1.04e8, "(3.6 ± 1.0)e+08"),
        (3.96e6, 9.04e5, "(3.96 ± 0.90)e+06"),
        (1.23456e9, 2.04e5, "(1.23456 ± 0.00020)e+09"),
        (8.88e-9, 2.8e-10, "(8.88 ± 0.28)e-09"),
        (-4e6, 3e7, "(-0.4 ± 3.0)e+07"),
        (0.25, None, "0.2500"),
        (2.5e-5, None, "2.5e-05"),
        (0.2, 1e-16, "0.2000"),
        (0.99999962, 4.5e-7, "0.99999962 ± 0.00000045"),
        (0.9999962, 4.5e-6, "0.9999962 ± 0.0000045"),
        (1.01425286, 3e-10, "1.01425286000 ± 0.00000000030"),
        (0.05, 3e-7, "0.05000000 ± 0.00000030"),
        (10.02, 9.96, "10 ± 10"),
        (0.7, 0.0952, "0.700 ± 0.095"),
        (0.99999123, None, "0.9999912"),
        (0.9996, None, "0.9996"),
        (1 - 1e-15, None, "1.0000"),
        (1.0000001, None, "1.0000"),
        (-0.0, None, "0.0000"),
        (None, None, "-"),
    ],
)
def test_a_number_has_the_decimals_of_two_digits_of_its_error(value, error, written):
    assert number(value, error) == written


def test_a_number_alone_has_the_decimals_of_its_error():
    assert [to_error_digits(2958.2, 4500.0), to_error_digits(239.24, 6.9), to_error_digits(0.97812, 0.0009)] == [
        "2958",
        "239.2",
        "0.97812",
    ]


def test_a_cut_below_one_is_not_written_as_one():
    assert [score_cut(0.83671234), score_cut(1 - 3e-8), score_cut(1.0)] == ["0.836712", "0.999999970", "1"]


def test_rows_of_one_cut_are_joined_and_name_their_targets():
    rows = [(0.3, 0.37), (0.5, 0.2), (0.7, 0.37)]
    assert grouped_rows(rows, lambda row: row[1]) == [[(0.3, 0.37), (0.7, 0.37)], [(0.5, 0.2)]]
    assert targeted("1.0000", [0.3, 0.7]) == "1.0000 (targets 0.3, 0.7)"
    assert targeted("0.5000", [0.5]) == "0.5000"


def _odd_texts():
    names = [
        "runs/a",
        "a run",
        "000",
        "1/2",
        "null",
        "runs/a=b,(c)[d]{e}",
        "it's",
        'a "b"',
        "a\\",
        "\\'",
        "${x}",
        "$x\\${",
    ]
    rng = random.Random(0)
    signs = "ab1./- =,()[]{}'\"\\$:~+*?#é"
    return [*names, *("".join(rng.choices(signs, k=rng.randint(1, 8))) for _ in range(300))]


def test_a_setting_is_read_back_by_the_shell_and_by_hydra():
    for text in _odd_texts():
        (word,) = shlex.split(typed_setting("again", text))
        assert word == setting_word("again", text)
        value = OverridesParser.create().parse_override(word).value()
        assert str(OmegaConf.create({"again": value}).again) == text
        assert setting_text(word.partition("=")[2]) == text


def test_a_plain_setting_has_no_quotes():
    assert typed_setting("again", "runs/latest") == "again=runs/latest"
    assert typed_setting("again", "a run") == "again='a run'"

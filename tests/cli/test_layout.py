from __future__ import annotations

from hepclf.cli.layout import aligned, table_lines


def test_numbers_stand_below_each_other_at_the_decimal_point():
    assert aligned(["> 532.4 (95 %)", "399 ± 205", "16.6 ± 2.5", "-", "1e-06"]) == [
        "> 532.4 (95 %)",
        "  399   ± 205 ",
        "   16.6 ± 2.5 ",
        "             -",
        "    1e-06     ",
    ]


def test_a_long_name_has_a_line_of_its_own_and_is_never_broken():
    header = ["", "minimum", "maximum"]
    rows = [["DER_mass_transverse_met_lep", "-3.176", "5.02"], ["mass", "60.01", "479.7"]]
    assert table_lines(header, rows, 30) == [
        "      minimum  maximum",
        "DER_mass_transverse_met_lep",
        "       -3.176     5.02",
        "mass    60.01    479.7",
    ]
    assert table_lines(header, rows, 80)[1].startswith("DER_mass_transverse_met_lep   -3.176")


def test_headers_are_wrapped_between_words():
    assert table_lines(["", "validation set (1,500)"], [["AUC of background", "0.9812"]], 36) == [
        "                   validation set",
        "                          (1,500)",
        "AUC of background          0.9812",
    ]


def test_columns_without_room_are_printed_below_the_others():
    header = ["truth", *(f"→ class{i}" for i in range(8))]
    rows = [[f"class{i}", *["100 (12.5 %)"] * 8] for i in range(3)]
    lines = table_lines(header, rows, 80)
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).count("100 (12.5 %)") == 24
    assert [line.split()[0] for line in lines].count("class0") == 2


def test_a_unit_follows_its_number():
    assert aligned(["11 s", "3.25 s", "120 min", "-"]) == [" 11 s   ", "  3.25 s", "120 min ", "       -"]


def test_a_bare_number_does_not_push_errors_away():
    assert aligned(["0.9619", "11400 ± 239", "48.4 ± 1.5"]) == [
        "    0.9619   ",
        "11400   ± 239",
        "   48.4 ± 1.5",
    ]

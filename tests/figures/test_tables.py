from figures.tables import excerpt, fixed, percent, scientific, table


def test_numbers_have_true_minus_signs_and_fixed_decimals():
    assert fixed(-0.12345, 3) == "−0.123"
    assert percent(0.1125) == "11.25"
    assert scientific(0) == "0"
    assert scientific(-1.25e-9) in (r"$-1.2\times 10^{-9}$", r"$-1.3\times 10^{-9}$")


def test_a_table_has_a_head_and_columns_aligned_as_told():
    lines = table(["a", "b", "c"], [["1", "2", "3"], ["4", "5", "6"]], "lrc").splitlines()
    assert lines == [
        "| a | b | c |",
        "| :-- | --: | :-: |",
        "| 1 | 2 | 3 |",
        "| 4 | 5 | 6 |",
    ]


def test_columns_have_relative_widths_where_they_are_told():
    _, marks, *_ = table(["a", "b", "c"], [["1", "2", "3"]], "lrc", (2, 5, 4)).splitlines()
    assert marks == "| :--- | ------: | :----: |"


def test_digits_before_the_point_line_up_among_powers_of_ten():
    rows = [["0", "0"], [scientific(1.5e-16), "1"], [scientific(2e-9), "2"]]
    zero, long, short = table(["a", "b"], rows, "rr").splitlines()[2:]
    assert zero == r"| $0\,\,\quad\quad\quad\quad$ | 0 |"
    assert long == r"| $1.5\times 10^{-16}$ | 1 |"
    assert short == r"| $2.0\times 10^{-9}\,\,$ | 2 |"


def test_what_is_no_number_stays_as_it_is_among_powers_of_ten():
    rows = [["–"], [scientific(1.5e-16)], [scientific(2e-9)]]
    assert table(["a"], rows, "r").splitlines()[2] == "| – |"


def test_excerpt_keeps_columns_apart_and_rounds():
    text = excerpt(["epoch,train_error", "1,0.123456"])
    assert text.splitlines() == ["epoch  train_error", "    1       0.1235"]

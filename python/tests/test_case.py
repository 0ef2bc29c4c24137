import subprocess

import pytest
from conftest import ROOT

import tieout

CORPUS = [
    "conv" + line.split(" conv", 1)[1]
    for line in (ROOT / "props/properties/corpus/contract.txt").read_text().splitlines()
    if line.startswith("equal ")
]


def test_fields_have_the_values_of_the_line() -> None:
    case = tieout.Case.parse(
        "conv2d out_channels=2 input=3x4 kernel=3 xs=0.05 ws=[0.1,0.2] os=0.5 bias=[2*0] relu x=[12*255] w=edges seed=7"
    )
    assert (case.dims, case.out_channels, case.input, case.kernel) == (2, 2, (3, 4), (3, 3))
    assert (case.xs, case.ws, case.os) == (0.05, (0.1, 0.2), 0.5)
    assert (case.bias, case.relu, case.x, case.w, case.seed) == ((0.0, 0.0), True, (255,) * 12, "edges", 7)
    assert (case.batch, case.padding, case.engine, case.threads) == (1, (0, 0), "fbgemm", 1)


def test_types_integer_biases_and_paddings_are_read_and_written() -> None:
    line = (
        "conv2d input=3x4 kernel=2x2 padding=0x1 padding_end=1x1 xtype=int8 xs=0.5 xz=-3 ytype=int8 oz=-128 "
        "int32_bias=[-2147483648] x=[12*-7] w=edges"
    )
    case = tieout.Case.parse(line)
    assert (case.xtype, case.ytype, case.int32_bias) == ("int8", "int8", (-(2**31),))
    assert (case.padding, case.padding_end, case.engine) == ((0, 1), (1, 1), "fbgemm_direct")
    assert str(case) == line
    assert case.replace(padding_end=(0, 1)) == case.replace(padding_end=None)
    sums = tieout.Case(ytype="int32", int32_bias=(4,))
    assert str(sums) == "conv2d ytype=int32 int32_bias=[4] x=uniform w=uniform" and sums.engine == "fbgemm_direct"


def test_a_linear_layer_has_features() -> None:
    line = "linear batch=4 in_features=3 out_features=2 ws=[0.5,1] bias=[1,2] relu x=uniform w=uniform engine=onednn"
    case = tieout.Case.parse(line)
    assert (case.call, case.in_channels, case.out_channels) == ("linear", 3, 2)
    assert str(case) == line
    for wrong in ("linear kernel=3", "linear in_channels=3", "linear groups=1"):
        with pytest.raises(tieout.CaseError):
            tieout.Case.parse(wrong)


def test_words_in_other_spellings_are_read() -> None:
    same = tieout.Case.parse("conv2d input=5 kernel=2 padding=same stride=2 ws=[ 0.5 ] x=[25*1] w=[ 1, 2 ,3,4 ]")
    assert (same.padding, same.ws, same.w) == ("same", (0.5,), (1, 2, 3, 4))
    assert "padding=same" in str(same)
    assert tieout.Case.parse("conv2d padding=valid") == tieout.Case()
    report = tieout.check(same)
    assert report.passed and report.elements == 9


def test_lines_of_the_corpus_keep_their_values() -> None:
    assert len(CORPUS) > 20
    for line in CORPUS:
        case = tieout.Case.parse(line)
        assert tieout.Case.parse(str(case)) == case


def test_program_prints_random_cases_as_the_module_does() -> None:
    report = tieout.verify(
        "hypothesis:round_down", cases=400, seed=5, diagnose=0, reference="hypothesis:integer_float32"
    )
    drawn = [finding["original_case"] for finding in report.raw["findings"]]
    assert drawn
    for line in drawn:
        assert str(tieout.Case.parse(line)) == line


@pytest.mark.parametrize(
    "text, value",
    [
        ("1e-05", 1e-05),
        ("1e+05", 100000.0),
        ("1e-04", 0.0001),
        ("0.00012", 0.00012),
        ("12345.678", 12345.678),
        ("100", 100.0),
        ("5e-324", 5e-324),
    ],
)
def test_numbers_have_their_shortest_text(text: str, value: float) -> None:
    assert str(tieout.Case(xs=value)) == f"conv2d xs={text} x=uniform w=uniform"
    assert tieout.Case.parse(f"conv2d xs={text}").xs == value


def test_negative_zero_is_kept() -> None:
    assert (
        str(tieout.Case.parse("conv2d bias=[-0,0] out_channels=2"))
        == "conv2d out_channels=2 bias=[-0,0] x=uniform w=uniform"
    )


@pytest.mark.parametrize(
    "line, message",
    [
        ("", "must begin with conv1d"),
        ("conv4d", "must begin with conv1d"),
        ("conv2d qq=1", "qq: is not a word"),
        ("conv2d batch", "batch: is not a word"),
        ("conv2d batch=x", "batch: 'x' cannot be read"),
        ("conv2d batch=1 batch=2", "batch: is given twice"),
        ("conv2d input=1x2x3", "input: must have 2 integers"),
        ("conv2d bias=1", "bias: '1' cannot be read"),
    ],
)
def test_a_wrong_word_is_named(line: str, message: str) -> None:
    with pytest.raises(tieout.CaseError, match=message):
        tieout.Case.parse(line)


def test_replace_changes_fields_and_keeps_the_others() -> None:
    case = tieout.Case.parse("conv2d input=5x5 kernel=3x3 w=edges")
    assert str(case.replace(relu=True, stride=2)) == "conv2d input=5x5 kernel=3x3 stride=2x2 relu x=uniform w=edges"


def test_cases_are_equal_and_hashable_by_value() -> None:
    from_list = tieout.Case(x=[1, 2])  # type: ignore[arg-type]
    assert len({tieout.Case(x=(1, 2)), tieout.Case.parse("conv2d x=[1,2]"), from_list}) == 1


def test_the_program_accepts_what_the_module_writes() -> None:
    case = tieout.Case(
        dims=3, in_channels=2, out_channels=2, input=4, kernel=(1, 2, 3), padding=1, xs=1e-5, bias=(0.5, -0.0)
    )
    printed = subprocess.run(
        [tieout.program(), "explain", str(case)], capture_output=True, text=True, check=True
    ).stdout
    assert printed.startswith(f"case: {case}\n")

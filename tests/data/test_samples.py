from pathlib import Path

import pytest

from hepclf.data.samples import Sample, Source, SumOfWeights, find_sources, missing_file, ordered_classes, rooted
from hepclf.recipe import build, describe


@pytest.fixture(autouse=True)
def some_files(_own_folder):
    for name in ("b.root", "a.root", "run2/d.root", "run1/c.root"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()


def names(files):
    return [source.name for source in find_sources(files)]


def sample(**settings):
    return Sample(**{"name": "a", "class_": "signal", "files": "a.root", **settings})


def test_names_and_patterns_stand_for_files_in_order():
    assert names("a.root") == ["a.root"]
    assert names(("b.root", "a.root")) == ["b.root", "a.root"]
    assert names("*.root") == ["a.root", "b.root"]
    assert names(("b.root", "run*/*.root")) == ["b.root", "run1/c.root", "run2/d.root"]
    assert names("**/*.root") == ["a.root", "b.root", "run1/c.root", "run2/d.root"]
    assert names("[b]?root") == ["b.root"]


def test_a_file_or_folder_whose_name_has_brackets_is_itself_and_no_pattern():
    for name in ("[b].root", "run[1]/e.root"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert names("[b].root") == ["[b].root"]
    assert names("run[1]/e.root") == names("run[1]/*.root") == ["run[1]/e.root"]
    assert find_sources("[b].root:Events") == [Source("[b].root", "Events")]


def test_absolute_patterns_and_those_below_home_are_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert names(f"{tmp_path}/run?/*.root") == names("~/run?/*.root")
    assert names("~/a.root") == [f"{tmp_path}/a.root"]


def test_a_name_may_say_the_tree():
    assert find_sources("a.root:Events") == [Source("a.root", "Events")]
    assert find_sources("a.root:folder/tree")[0].tree == "folder/tree"
    assert find_sources("*.root:Events") == [Source("a.root", "Events"), Source("b.root", "Events")]
    assert [source.tree for source in find_sources(("a.root:t", "a.root:u"))] == ["t", "u"]


def test_a_remote_name_may_say_the_tree_and_stays_as_it_is():
    assert find_sources("root://eos//a.root:Events") == [Source("root://eos//a.root", "Events")]
    assert find_sources("roots://me@a.root:1094//x.root") == [Source("roots://me@a.root:1094//x.root", None)]
    assert find_sources("root://eos//b?.root=1") == [Source("root://eos//b?.root=1", None)]
    assert find_sources("root://eos//a.root?authz=x:y") == [Source("root://eos//a.root?authz=x:y", None)]
    with pytest.raises(ValueError, match=r"file 'root://eos//a\.root' is remote, which data=root alone reads; copy it"):
        _ = Source("root://eos//a.root", None).path


def test_a_text_file_lists_names_relative_to_its_folder(monkeypatch):
    Path("run1/files.txt").write_text("# of the first run\n\nc.root:t\n  ../*.root  # two\n")
    assert find_sources("run1/files.txt") == [
        Source("run1/c.root", "t"),
        Source("run1/../a.root", None),
        Source("run1/../b.root", None),
    ]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((), "files must name at least one file, not none"),
        ("x*.root", "no file matches 'x*.root'"),
        ("run1", "file 'run1' is a folder; name files in it, such as 'run1/*.root'"),
        (("a.root", "a.root"), "file 'a.root' is named twice; its events would count double"),
        (("a.root", "*.root"), "file 'a.root' is named twice; its events would count double"),
        (
            "https://eos/a.root",
            "file 'https://eos/a.root' is on no XRootD server (root://), which alone are read; download it first",
        ),
        ("root://eos", "file 'root://eos' has no host or no path; write root://host//folder/file.root"),
        ("root:////a.root", "file 'root:////a.root' has no host or no path; write root://host//folder/file.root"),
        (
            ("root://h//a.root", "root://h//a.root"),
            "file 'root://h//a.root' is named twice; its events would count double",
        ),
        ("none.txt", "'none.txt' lists no files; write one name a line"),
    ],
)
def test_names_that_stand_for_no_file_are_refused(files, says):
    Path("none.txt").write_text("# nothing\n")
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        find_sources(files)
    assert str(error.value) == says


def test_a_missing_file_is_named_with_its_nearest():
    Path("c.roots").mkdir()  # a folder is not offered
    assert str(missing_file(Path("c.root"))) == "file 'c.root' does not exist; nearest: 'b.root', 'a.root'"
    assert str(missing_file(Path("nowhere/c.root"))) == "file 'nowhere/c.root' does not exist"


def test_expected_events_are_luminosity_times_cross_section_and_factors():
    assert sample(cross_section_fb=3.0).expected(2.0) == 6
    assert sample(cross_section_pb=3.0, k_factor=1.2, filter_efficiency=0.5).expected(2.0) == pytest.approx(3600)
    with pytest.raises(ValueError, match="sample 'a' has no cross section, which luminosity_fb=2 needs"):
        sample().expected(2.0)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"cross_section_pb": 1.0, "cross_section_fb": 1.0},
            "cross_section_pb=1 and cross_section_fb=1 are both",
        ),
        ({"cross_section_pb": 0.0}, "cross_section_pb must be above 0, not 0 for sample 'a'"),
        ({"cross_section_fb": float("nan")}, "cross_section_fb must be above 0, not nan"),
        ({"k_factor": -1.0}, "k_factor must be above 0, not -1"),
        ({"filter_efficiency": 2.0}, "filter_efficiency must be at most 1, not 2 for sample 'a'"),
        ({"sum_of_weights": 0.0}, "sum_of_weights must be above 0, not 0 for sample 'a'"),
        ({"sum_of_weights": -3.0}, "sum_of_weights must be above 0, not -3 for sample 'a'"),
        (
            {"sum_of_weights": "entries"},
            "sum_of_weights must be a number or events or the",
        ),
        ({"max_events": 0}, "max_events must be at least 1, not 0"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(settings, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        sample(**settings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "must name a branch or a histogram, one of the two"),
        ({"branch": "a", "histogram": "b"}, "must name a branch or a histogram, one of the two"),
        ({"branch": "a", "bin": 1}, "bin is that of a histogram"),
        ({"histogram": "a", "tree": "t"}, "tree is that of a branch"),
        ({"histogram": "a", "bin": -1}, "bin must be at least 0, the underflow, not -1"),
    ],
)
def test_a_place_of_the_sum_that_cannot_be_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        SumOfWeights(**settings)


def test_classes_come_in_the_order_of_their_samples_but_background_first():
    def classes(*names, told=()):
        return ordered_classes(tuple(sample(name=f"s{i}", class_=name) for i, name in enumerate(names)), told)

    assert classes("qcd", "top", "qcd", "higgs") == ("qcd", "top", "higgs")
    assert classes("signal", "background") == ("background", "signal")
    assert classes("a", "b", told=("b", "a")) == ("b", "a")
    for names, told, says in (
        ((), (), "samples must list at least one process"),
        (("a", "b"), ("a", "a"), "classes must be different names, not 'a' twice"),
        (("higs",), ("higgs",), "class 'higs' of sample 's0' is not in classes; nearest: 'higgs'"),
        (("a",), ("a", "b"), "class 'b' of classes has no sample; there are: 'a'"),
    ):
        with pytest.raises(ValueError, match=says):
            classes(*names, told=told)
    with pytest.raises(ValueError, match="two samples are named 'x'; give each process a name of its own"):
        ordered_classes((sample(name="x"), sample(name="x")), ())


def test_a_sample_is_built_from_yaml_and_described_back():
    values = {
        "name": "a",
        "class": "signal",
        "files": ["a.root"],
        "cross_section_pb": 1,
        "weight": 2,
        "sum_of_weights": {"branch": "genEventSumw", "tree": "Runs"},
    }
    made = build(Sample, values, "data.samples[0]")
    assert (made.class_, made.files, made.weight) == ("signal", ("a.root",), 2.0)
    assert made.sum_of_weights == SumOfWeights(branch="genEventSumw", tree="Runs")
    assert build(Sample, describe(made), "x") == made
    with pytest.raises(
        ValueError, match=r"data\.samples\[0\]\.sum_of_weights\.brunch is not a setting of SumOfWeights"
    ):
        build(Sample, values | {"sum_of_weights": {"brunch": "x"}}, "data.samples[0]")


@pytest.mark.parametrize(
    ("files", "root", "found"),
    [
        ("a/*.root", None, "a/*.root"),
        ("a/*.root:t", "/data", "/data/a/*.root:t"),
        (("a.root", "/b.root"), "/data/", ("/data/a.root", "/b.root")),
        ("~/a.root", "/data", "~/a.root"),
        ("a.root", "~/data", "/me/data/a.root"),
        ("a.root", "root://eos//store/", "root://eos//store/a.root"),
        ("root://eos//a.root", "/data", "root://eos//a.root"),
    ],
)
def test_relative_names_start_from_the_folder_that_is_said(files, root, found, monkeypatch):
    monkeypatch.setenv("HOME", "/me")
    assert rooted(files, root) == found

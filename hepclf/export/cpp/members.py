"""A tagger of any kind in C++: a function from raw features to probabilities, members in namespaces of their own."""

from __future__ import annotations

from typing import NamedTuple

from hepclf.export.cpp import fisher, layers, trees
from hepclf.export.cpp.calibration import calibration_code
from hepclf.export.cpp.header import Header
from hepclf.export.formats import uncalibrated
from hepclf.models.fisher import FisherTagger
from hepclf.models.members import MembersTagger
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger
from hepclf.statistics.mean_logit import SMALLEST

LOGISTIC = "logistic(z);"
FINITE = """\
for (int k = 0; k < outputs; ++k)
    if (!std::isfinite(z[k])) z[k] = std::numeric_limits<double>::quiet_NaN();"""
COMPUTE = """
inline void compute(const float* {x}, {event}double* z) {{
{lines}}}
"""
SELECTED = "members[event % {count}](x, event, z);"
AVERAGED = """\
for (int k = 0; k < outputs; ++k) z[k] = 0;
  for (int member = 0; member < {count}; ++member) {{
    double p[outputs];
    members[member](x, {event}p);
    for (int k = 0; k < outputs; ++k) z[k] += {weights}[member] * {term};
  }}"""
LOG_ODDS = f"""
inline double log_odds(double p) {{
  return std::log(std::max(p, {SMALLEST!r})) - std::log(std::max(1 - p, {SMALLEST!r}));
}}
"""
LOG = f"std::log(std::max(p[k], {SMALLEST!r}))"


class Place(NamedTuple):
    """The surroundings of a tagger in the header: the names of the features that it receives, and the folds' key.

    key  the parameter with the event number, `std::uint64_t event, `; empty for a tagger without folds
    """

    names: tuple[str, ...]
    key: str = ""


def compute_code(header: Header, tagger: Tagger, place: Place) -> str:
    """The function `compute`, with its tables; code that other taggers need too is added to the header."""
    if isinstance(tagger, MembersTagger):
        return _members(header, tagger, place)
    own = Header(header.shared)
    (inner, calibration), classes = uncalibrated(tagger), len(tagger.classes)
    links = [LOGISTIC] if _plain(own, inner) == "logistic" else []
    if calibration is not None:
        links += [calibration_code(own, calibration, classes), LOGISTIC]
    return _function(own, [*own.lines, FINITE, *links], tagger.inputs, place, "std::uint64_t, " if place.key else "")


def _plain(header: Header, tagger: Tagger) -> str:
    """Write the logits of a tagger without calibration; return the link to probabilities."""
    if isinstance(tagger, NetworkTagger):
        header.share(layers.CODE)
        return layers.write_network(header, tagger)
    if isinstance(tagger, TreesTagger):
        header.share(trees.CODE)
        return trees.write_trees(header, tagger)
    if isinstance(tagger, FisherTagger):
        return fisher.write_fisher(header, tagger)
    raise NotImplementedError


def _members(header: Header, tagger: MembersTagger, place: Place) -> str:
    """The functions of the members in namespaces of their own, and one that selects or averages them."""
    own, count = Header(header.shared), len(tagger.members)
    header.share(f"using Member = void (*)(const float*, {'std::uint64_t, ' if place.key else ''}double*);")
    for number, member in enumerate(tagger.members):
        code = compute_code(own, member, place._replace(names=tagger.inputs))
        own.tables.append(f"namespace member{number} {{\n{code}\n}}  // namespace member{number}\n")
    own.rows("Member members[]", [f"member{number}::compute" for number in range(count)])
    if tagger.keyed is not None:
        return _function(own, [SELECTED.format(count=count)], tagger.inputs, place, place.key)
    term, links = _term(own, tagger)
    weights, event = own.table(tagger.weights), "event, " if place.key else ""
    lines = [AVERAGED.format(count=count, event=event, weights=weights, term=term), *links]
    return _function(own, lines, tagger.inputs, place, place.key)


def _term(header: Header, tagger: MembersTagger) -> tuple[str, list[str]]:
    """What a member adds to the mean, and the link from the mean to probabilities."""
    if tagger.average == "probability":
        return "p[k]", []
    if len(tagger.classes) > 2:
        return LOG, [LOGISTIC]
    header.share(LOG_ODDS)
    return "log_odds(p[k])", [LOGISTIC]


def _function(header: Header, lines: list[str], inputs: tuple[str, ...], place: Place, event: str) -> str:
    x = "x"
    if inputs != place.names:
        x, columns = "all", (place.names.index(name) for name in inputs)
        lines = [f"const float x[] = {{{', '.join(f'all[{column}]' for column in columns)}}};", *lines]
    text = COMPUTE.format(x=x, event=event, lines="".join(f"  {line}\n" for line in lines))
    return "\n".join([*header.tables, text])

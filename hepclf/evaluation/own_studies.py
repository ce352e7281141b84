"""Checks of a user's own studies: their names, their methods and their findings."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from hepclf.evaluation.page_sections import LAST, PAGE_SECTIONS

FINDING = ("sentences", "tables", "to_dict")


def check_own_studies(studies: Mapping[str, Any], taken: Collection[str]) -> None:
    """Refuse objects that are not studies, and names that are taken."""
    for name, study in studies.items():
        path = f"evaluation.studies.{name}"
        if not name.isidentifier():
            raise ValueError(f"{path} must have a name of letters, digits and underscores; rename it")
        if name in taken:
            raise ValueError(f"{path} must have a name of its own, not that of a setting of evaluation; rename it")
        if isinstance(study, type) or not callable(getattr(study, "study", None)):
            raise ValueError(f"{path} must be a recipe with study(case), not {study!r}; name one in {path}._target_")
        question = getattr(study, "question", None)
        if not isinstance(question, str) or not question:
            raise ValueError(f"{path} must have a question, not {question!r}; say question: ClassVar[str] = '...?'")
        section = getattr(study, "page_section", LAST)
        if section not in PAGE_SECTIONS:
            raise ValueError(f"{path}.page_section must be one of {', '.join(PAGE_SECTIONS)}, not {section!r}")


def check_own_finding(name: str, finding: Any) -> None:
    """Refuse a finding that cannot be shown or written."""
    path = f"evaluation.studies.{name}: study(case)"
    if missing := [attribute for attribute in FINDING if not hasattr(finding, attribute)]:
        raise TypeError(f"{path} must return None or a finding with {', '.join(FINDING)}, not one without {missing[0]}")
    if callable(finding.sentences) or callable(finding.tables):
        raise TypeError(f"{path} must return a finding whose sentences and tables are values; make them a @property")
    try:
        json.dumps(finding.to_dict())
    except (TypeError, ValueError) as error:
        raise TypeError(f"{path}.to_dict() must be of plain numbers, text, lists and dictionaries: {error}") from error

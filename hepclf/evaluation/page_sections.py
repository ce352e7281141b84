"""The sections of the page, each with a question as its heading."""

from __future__ import annotations

from collections.abc import Mapping

# The keys are the values of a study's `page_section`, in the order of the page.
PAGE_SECTIONS: Mapping[str, str] = {
    "separate": "Does it separate?",
    "cut": "Where do I cut?",
    "believe": "Do I believe it?",
    "learn": "What did it learn?",
    "else": "What else was studied?",
}
LAST = "else"

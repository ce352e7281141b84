"""The sections of the page, each headed by a question of its reader."""

from __future__ import annotations

from collections.abc import Mapping

# By the names with which a study says where it stands, in the order of the page.
PAGE_SECTIONS: Mapping[str, str] = {
    "separate": "Does it separate?",
    "cut": "Where do I cut?",
    "believe": "Do I believe it?",
    "learn": "What did it learn?",
    "else": "What else was studied?",
}
LAST = "else"

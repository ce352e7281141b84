#!/usr/bin/env python3
"""`hepclf evaluate` for those who run from a checkout."""

import sys

from hepclf.cli.main import main

sys.exit(main(["evaluate", *sys.argv[1:]]))

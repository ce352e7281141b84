#!/usr/bin/env python3
"""`hepclf train` for those who run from a checkout."""

import sys

from hepclf.cli.main import main

sys.exit(main(["train", *sys.argv[1:]]))

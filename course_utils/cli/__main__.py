"""`python -m course_utils.cli` is `course`, where the package is on the path but not installed."""

import sys

from course_utils.cli import main

sys.exit(main())

"""The one exception the command line shows to its user without a traceback."""


class CourseError(Exception):
    """Something the user can put right: the message says what was found, what was expected and what to do."""

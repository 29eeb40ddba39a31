"""A pytest plugin: where the time went, file by file, above the closing line. `course test` loads it for each part."""

from collections import defaultdict

SHOWN = 12  # the slowest files


class Seconds:
    """Adds up the seconds of each file's tests, those of setting up and taking down included."""

    def __init__(self):
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid.split("::")[0]] += report.duration

    def pytest_terminal_summary(self, terminalreporter):
        slowest = sorted(self.seconds.items(), key=lambda item: -item[1])[:SHOWN]
        if not slowest:
            return
        terminalreporter.section(f"seconds of the {len(slowest)} slowest of {len(self.seconds)} files")
        for path, seconds in [*slowest, ("all files", sum(self.seconds.values()))]:
            terminalreporter.write_line(f"{seconds:8.1f} s  {path}")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the workers report to the process that started them
        config.pluginmanager.register(Seconds())

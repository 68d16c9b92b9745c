"""What must be reached: a figure beside another contestant's of the same run, or beside a fixed limit. Used by `run`."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """Ottla's `figure` is at least (or at most) `factor` times that of `against`; a bare limit if `against` is empty."""

    figure: str
    sense: str
    factor: float
    against: str = ""

    def judge(self, medians):
        """One line for the list of marks: (met or not or None if unknown, text)."""
        own = medians.get("ottla", {}).get(self.figure)
        other = medians.get(self.against, {}).get(self.figure) if self.against else 1.0
        unit = FIGURES[self.figure]
        if own is None or not other:
            return None, f"{unit.name}: not measured"
        ratio = own / other
        met = ratio >= self.factor if self.sense == "at least" else ratio <= self.factor
        if self.against:
            wanted = f"{self.sense} {self.factor:.3g} of {self.against} ({unit.show(other)})"
            return met, f"{unit.name} {unit.show(own)}, {ratio:.2f} of {self.against}: {wanted}"
        return met, f"{unit.name} {unit.show(own)}: {self.sense} {unit.show(self.factor)}"


@dataclass(frozen=True)
class Figure:
    name: str
    digits: int

    def show(self, value):
        return f"{value:,.{self.digits}f}".replace(",", " ")


FIGURES = {
    "mb_per_s": Figure("MB/s", 0),
    "records_per_s": Figure("records/s", 0),
    "requests_per_s": Figure("requests/s", 0),
    "cpu_s_per_gb": Figure("CPU s/GB", 2),
    "cpu_us_per_request": Figure("CPU us/request", 1),
    "cpu_s_per_million": Figure("CPU s/million records", 2),
    "p50_ms": Figure("p50 ms", 2),
    "p99_ms": Figure("p99 ms", 2),
    "max_ms": Figure("max ms", 1),
    "average_ms": Figure("average ms", 2),
    "rss_peak_mb": Figure("peak RSS MB", 0),
    "ready_ms": Figure("ready ms", 0),
    "idle_rss_mb": Figure("idle RSS MB", 1),
    "binary_mb": Figure("binary MB", 1),
    "restart_ms": Figure("ready after kill -9, ms", 0),
    "leaders_ms": Figure("all leaders known after kill -9, ms", 0),
    "build_s": Figure("build s", 0),
    "test_s": Figure("test s", 0),
}


def at_least(figure, factor, against):
    return Mark(figure, "at least", factor, against)


def at_most(figure, factor, against=""):
    return Mark(figure, "at most", factor, against)


def medians(rounds):
    """`rounds`: contestant -> list of {figure: value}. Returns contestant -> {figure: median}."""
    result = {}
    for contestant, runs in rounds.items():
        figures = {figure for run in runs for figure in run}
        result[contestant] = {
            figure: statistics.median(run[figure] for run in runs if figure in run) for figure in figures
        }
    return result


def markdown(title, figures, rounds, marks, failures):
    """A section: the table of medians, then the marks."""
    table = medians(rounds)
    lines = [f"### {title}", "", "| | " + " | ".join(FIGURES[figure].name for figure in figures) + " |"]
    lines.append("|---" * (len(figures) + 1) + "|")
    for contestant, values in table.items():
        cells = [FIGURES[figure].show(values[figure]) if figure in values else "" for figure in figures]
        lines.append(f"| {contestant} | " + " | ".join(cells) + " |")
    lines.append("")
    judged = [mark.judge(table) for mark in marks]
    lines += [f"- {VERDICTS[met]}: {text}" for met, text in judged]
    lines += [f"- FAILED: {failure}" for failure in failures]
    return "\n".join(lines) + "\n", [met for met, _ in judged]


VERDICTS = {True: "met", False: "MISSED", None: "open"}

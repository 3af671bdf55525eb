"""The languages of the reference's examples: how a program is run here."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 120


@dataclass(frozen=True)
class Language:
    """One language. `tools` are the commands it needs, `packages` Debian's names for them."""

    label: str
    file: str
    tools: tuple[str, ...]
    packages: str
    version: tuple[str, ...]
    steps: Callable[[str], Sequence[Sequence[str]]]

    @property
    def missing(self) -> list[str]:
        """The commands that are not there."""
        return [tool for tool in self.tools if shutil.which(tool) is None]

    def run(self, source: str, folder: Path) -> str:
        """Run a program as it stands, in a folder of its own; what it printed. A failure is an AssertionError."""
        path = folder / self.file
        path.write_text(source, "utf-8")
        printed = ""
        for step in self.steps(str(path)):
            done = subprocess.run(
                step, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT, check=False
            )
            assert done.returncode == 0, f"{' '.join(step)}: {done.returncode}: {done.stderr}{done.stdout}\n{source}"
            printed = done.stdout
        return printed


LANGUAGES = (
    Language("curl", "example.sh", ("sh", "curl"), "curl", ("curl", "--version"), lambda file: [["sh", file]]),
    Language(
        "Python", "example.py", ("python3",), "python3", ("python3", "--version"), lambda file: [["python3", file]]
    ),
    Language("PHP", "example.php", ("php",), "php-cli php-curl", ("php", "--version"), lambda file: [["php", file]]),
    Language("JavaScript", "example.mjs", ("node",), "nodejs", ("node", "--version"), lambda file: [["node", file]]),
    Language(
        "Java",
        "Example.java",
        ("java", "javac"),
        "default-jdk-headless",
        ("java", "--version"),
        lambda file: [["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", file]],
    ),
    # Debian has no .NET SDK: Mono's compiler and runtime take the same program.
    Language(
        "C#",
        "Example.cs",
        ("mcs", "mono"),
        "mono-mcs mono-runtime libmono-system-net-http4.0-cil",
        ("mono", "--version"),
        lambda file: [["mcs", "-r:System.Net.Http.dll", "-out:Example.exe", file], ["mono", "Example.exe"]],
    ),
)

"""Find a Chromium for the browser tests, or install one; says clearly when neither works.

Order: CHROMIUM_PATH, an installed chromium, Playwright's own download, Debian's package when root.
Run by `make test`; the tests themselves call find().
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Path of a Chromium that starts, or None."""
    candidates = [os.environ.get("CHROMIUM_PATH", ""), *(shutil.which(name) or "" for name in NAMES)]
    for cache in (Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright"):
        candidates += [
            str(path)
            for path in sorted(cache.glob("chromium-*/chrome-*/*"))
            if path.name in ("chrome", "Chromium.app")
        ]
    return next((path for path in candidates if path and _starts(path)), None)


def _starts(path: str) -> bool:
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def get() -> str | None:
    """find(), after trying to install one."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        attempts = [
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
            *attempts,
        ]
    for command in attempts:
        if path := find():
            return path
        print("No Chromium found; trying:", " ".join(command), flush=True)
        try:
            subprocess.run(command, timeout=900, check=False, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"  did not work: {type(error).__name__}")
    return find()


def main() -> int:
    path = find() or get()
    if path:
        return 0
    print(
        "No Chromium is installed and none could be installed, so the BROWSER TESTS CANNOT RUN.\n"
        "Install one (Debian: apt install chromium) or set CHROMIUM_PATH, then run `make browser`.",
        file=sys.stderr,
    )
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    raise SystemExit(main())

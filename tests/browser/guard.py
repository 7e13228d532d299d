"""What must not happen while a page is open: foreign requests, errors of scripts, the console, the server."""

from pathlib import Path


class Guard:
    """`faults` collects one line a complaint, of every page of the watched contexts."""

    def __init__(self, allowed: tuple[str, ...]):
        self.allowed = allowed
        self.faults: list[str] = []
        self.contexts = []
        self._refusals: set[str] = set()

    def watch(self, context) -> None:
        self.contexts.append(context)
        context.route(self._is_foreign, self._refuse)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("console", self._console)
        context.on("response", self._response)

    def _is_foreign(self, url: str) -> bool:
        return not url.startswith((*self.allowed, "data:", "blob:", "about:"))

    def _refuse(self, route) -> None:
        self.faults.append(f"foreign request: {route.request.url}")
        route.abort()

    def _response(self, response) -> None:
        if response.status >= 500:
            self.faults.append(f"HTTP {response.status}: {response.url}")
        elif response.status >= 400 and response.request.is_navigation_request():
            # A form that comes back with errors is a 422; Chromium notes that in the console, too.
            self._refusals.add(response.url.partition("#")[0])

    def _console(self, message) -> None:
        if message.type not in ("error", "warning"):
            return
        url = (message.location or {}).get("url", "").partition("#")[0]
        if message.text.startswith("Failed to load resource") and url in self._refusals:
            return
        self.faults.append(f"console {message.type}: {message.text} ({url})")

    def photograph(self, folder: Path) -> None:
        for number, page in enumerate(page for context in self.contexts for page in context.pages):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                page.screenshot(path=folder / f"{number}.png", full_page=True)
                (folder / f"{number}.html").write_text(page.content())
            except Exception as error:  # a page that is gone must not hide why the test failed
                print(f"no picture of page {number}: {type(error).__name__}")

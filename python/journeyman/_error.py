"""The error every bad definition and every bad input raises."""


class Error(ValueError):
    """A stable `code`, the `place` ("line:column", a file, a path in a definition), and a `message` with the remedy."""

    def __init__(self, code: str, place: str, message: str) -> None:
        super().__init__(f"{place + ': ' if place else ''}{message} [{code}]")
        self.code = code
        self.place = place
        self.message = message

"""The one error whose message is meant for a person at the console."""


class UserError(Exception):
    """Something the user can mend: bad input, a wrong folder, a conflict. The message names what and where, without a patient's values."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code

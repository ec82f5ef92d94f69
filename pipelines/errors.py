"""The error whose message is shown to the user."""


class UserError(Exception):
    """Something the user can fix: bad input, a wrong folder, a conflict.

    The message names what is wrong and where, and never holds a patient's values.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code

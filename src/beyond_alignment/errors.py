"""The error that a user can act on."""


class InputError(ValueError):
    """Bad input or data that cannot be had: one sentence with what was found, what was expected and what to do."""

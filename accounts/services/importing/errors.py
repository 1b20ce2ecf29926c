"""Why an import cannot be done."""


class ImportRefused(Exception):
    """An import that has written nothing; the message says why, in one sentence."""


class UnreadableSource(ImportRefused):
    """A source that cannot be opened or read as what it is said to be."""

"""Import time, beside NumPy's own."""


class Import:
    """In a fresh interpreter each."""

    def timeraw_numpy(self):
        return "import numpy"

    def timeraw_pyrelu(self):
        return "import pyrelu"

    def timeraw_estimators(self):
        return "import pyrelu; pyrelu.MLPClassifier"

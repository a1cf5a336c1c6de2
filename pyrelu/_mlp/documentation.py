"""Where the estimators' documentation is, for the link in their HTML representation."""

from importlib import metadata


class Documented:
    """A mixin for estimators: the link that scikit-learn's HTML representation of an estimator has."""

    _doc_link_module = "pyrelu"
    _doc_page = "_generated/{estimator_name}.html"

    @property
    def _doc_link_template(self) -> str:
        """The address of an estimator's page, "" where the package's metadata has no address of a documentation."""
        try:
            addresses = metadata.metadata("pyrelu").get_all("Project-URL") or []
        except metadata.PackageNotFoundError:
            addresses = []
        named = dict(address.split(", ", 1) for address in addresses)
        return f"{named['Documentation'].rstrip('/')}/{self._doc_page}" if "Documentation" in named else ""

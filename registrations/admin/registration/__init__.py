"""One registration's pages: the list, the form, the detail page and its actions."""

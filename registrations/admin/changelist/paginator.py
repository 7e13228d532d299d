"""Pages of long lists at a cost that does not depend on how wide the rows are or how far the page is."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property


class KeyPaginator(Paginator):
    """Reads the keys of the page first, from an index, and then its rows.

    The second half of a list is read from its end: the last page costs as much as the first.
    `rows`: the rows with everything the list shows, without its filters. `known_count`: the number of rows, if it
    need not be counted.
    """

    def __init__(self, *args: Any, rows: Any = None, known_count: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rows: Any = rows if rows is not None else self.object_list
        self._known_count = known_count

    @cached_property
    def count(self) -> int:
        return super().count if self._known_count is None else self._known_count

    def page(self, number: Any) -> Page:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        end = start + self.per_page
        if end + self.orphans >= self.count:
            end = self.count
        return Page(self._read(start, end), number, self)

    def _read(self, start: int, end: int) -> list[Any]:
        matches: Any = self.object_list
        keys = matches.values_list("pk", flat=True)
        if start > self.count // 2:
            pks = list(keys.reverse()[self.count - end : self.count - start])[::-1]
        else:
            pks = list(keys[start:end])
        found = {row.pk: row for row in self._rows.filter(pk__in=pks)}
        # A row that has left the list between the two reads is left out.
        return [found[pk] for pk in pks if pk in found]

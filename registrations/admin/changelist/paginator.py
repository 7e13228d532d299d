"""Pages of long lists at a cost that does not depend on how wide the rows are or how far the page is."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property


class QuickPaginator(Paginator):
    """First the keys of the page, which an index holds, then its rows.

    The second half of a list is read from its end: the last page costs what the first one does.
    `whole`: the rows with all that the list shows, without its conditions, which are settled by then.
    `known`: the number of rows when it need not be counted.
    """

    def __init__(self, *args: Any, whole: Any = None, known: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._whole: Any = whole if whole is not None else self.object_list
        self._known = known

    @cached_property
    def count(self) -> int:
        return super().count if self._known is None else self._known

    def page(self, number: Any) -> Page:
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        top = bottom + self.per_page
        if top + self.orphans >= self.count:
            top = self.count
        return Page(self._rows(bottom, top), number, self)

    def _rows(self, bottom: int, top: int) -> list[Any]:
        rows: Any = self.object_list
        keys = rows.values_list("pk", flat=True)
        if bottom > self.count // 2:
            chosen = list(keys.reverse()[self.count - top : self.count - bottom])[::-1]
        else:
            chosen = list(keys[bottom:top])
        found = {row.pk: row for row in self._whole.filter(pk__in=chosen)}
        # A row that has left the list between the two reads is left out.
        return [found[pk] for pk in chosen if pk in found]

"""Imports: the list of uploads, the upload form, and the page of one: check, mend in place, confirm, progress."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registrations.admin.changelist import display, downloads
from registrations.admin.changelist.base import ReadOnlyAdmin, attempt, require_view
from registrations.admin.changelist.live_regions import live, regions, within_page
from registrations.intake.form import CSV_COLUMNS
from registrations.models import Import, ImportRow
from registrations.models.choices import ItemState, JobState
from registrations.operations.bulk import background_job
from registrations.operations.bulk.background_job import Refused
from registrations.operations.imports import FileProblem, importer, reader, template
from registrations.operations.imports.validation import Outcome

from . import import_detail
from .import_detail import ADD, stand_chip

PAGE = "admin:registrations_import_page"
# What can be downloaded: name of the file -> the rows in it.
FILES = {"to-mend": Outcome.ERROR, "duplicates": Outcome.DUPLICATE}
_MARK = "cell-"  # before a column's name, in the forms of rows


class Upload(forms.Form):
    """The table, and whether its registrations are submitted as well."""

    use_required_attribute = False
    file = forms.FileField(
        label="Table",
        help_text=f"CSV or XLSX, up to {importer.MAX_ROWS:,} rows and {reader.MAX_BYTES >> 20} MB. "
        "The first row names the columns.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    submit = forms.BooleanField(
        required=False,
        label="Submit the imported registrations too",
        help_text="You see the price of all before anything is sent. Without it they are saved as drafts.",
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > reader.MAX_BYTES:
            raise forms.ValidationError(
                f"The file has {file.size >> 20} MB; at most {reader.MAX_BYTES >> 20} MB are taken. "
                "Cut it into several."
            )
        return file


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    title = "Imports"
    seen_with = ADD
    list_display = ("table", "state_", "total_", "actor", "created")
    list_display_links = None
    list_filter = ("state",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = ImportRow.objects.filter(upload=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .defer("header", "error")
            .annotate(
                good=Exists(rows.filter(state=ItemState.WILL)), bad=Exists(rows.filter(outcome=Outcome.ERROR))
            )
        )

    @admin.display(description="Table", ordering="name")
    def table(self, upload: Import) -> SafeString:
        return format_html(
            '<a class="cell-main" href="{}">{}</a>', reverse(PAGE, args=[upload.pk]), upload.name
        )

    @admin.display(description="State", ordering="state")
    def state_(self, upload: Import) -> SafeString:
        return stand_chip(upload, getattr(upload, "good", True), getattr(upload, "bad", False))

    @admin.display(description="Rows", ordering="total")
    def total_(self, upload: Import) -> int | SafeString:
        return upload.total or display.NOTHING  # not known before the file is read

    @admin.display(description="Uploaded", ordering="created_at")
    def created(self, upload: Import) -> SafeString:
        return display.when(upload.created_at)

    def _upload(self, request: HttpRequest, pk: int) -> Import:
        upload: Import = self.found(request, pk, Import.objects.select_related("user"))
        return upload

    # --- routes ---------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        acts: tuple[tuple[str, Callable[..., HttpResponse]], ...] = (
            ("confirm", self.confirm),
            ("cancel", self.cancel),
            ("restart", self.restart),
            ("delete", self.delete),
        )
        form = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("add/", view(form(self.add)), name="registrations_import_add"),
            path(
                "template.<slug:kind>",
                view(require_safe(self.template)),
                name="registrations_import_template",
            ),
            path("<int:pk>/", view(require_safe(self.page)), name="registrations_import_page"),
            path("<int:pk>/refresh/", view(require_safe(self.live)), name="registrations_import_refresh"),
            path("<int:pk>/rows/<int:number>/", view(form(self.row)), name="registrations_import_row"),
            path(
                "<int:pk>/<slug:which>.<slug:kind>",
                view(require_safe(self.file)),
                name="registrations_import_file",
            ),
            *(
                path(f"<int:pk>/{name}/", view(require_POST(act)), name=f"registrations_import_{name}")
                for name, act in acts
            ),
            *super().get_urls(),
        ]

    def show(self, request: HttpRequest, row: Import) -> HttpResponse:
        return redirect(PAGE, row.pk)

    # --- upload ---------------------------------------------------------------------------------------------
    def add(self, request: HttpRequest) -> HttpResponse:
        require_view(self, request)
        form = Upload(request.POST, request.FILES) if request.method == "POST" else Upload()
        may_submit = import_detail.may_submit(request)
        if form.is_bound and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                upload = importer.store(
                    file.file,
                    file.name,
                    user=request.user,
                    submit=may_submit and form.cleaned_data["submit"],
                )
            except FileProblem as problem:
                form.add_error("file", str(problem))
            else:
                return redirect(PAGE, upload.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import a table",
            "form": form,
            "may_submit": may_submit,
            "columns": template.columns(),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "registrations/imports/upload.html", context, status=status)

    def template(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        require_view(self, request)
        if kind == "csv":
            return downloads.download(template.header_lines(), "customers", kind, "Customers")
        if kind != "xlsx":
            raise Http404("There is no such template.")
        return FileResponse(template.workbook(), as_attachment=True, filename="customers.xlsx")

    # --- the page -------------------------------------------------------------------------------------------
    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        values = import_detail.head(request, upload)
        return TemplateResponse(
            request,
            "registrations/imports/page.html",
            {
                **self.admin_site.each_context(request),
                **values,
                **import_detail.page_of(request, upload, values),
                "title": upload.name,
                **within_page(regions(import_detail.REGIONS, values)),
                "live_url": _live_url(upload),
            },
        )

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The parts that changed since the versions in the query; in another state the whole page is another."""
        upload = self._upload(request, pk)
        if request.GET.get("state") != upload.state:
            return HttpResponse(headers={"HX-Refresh": "true"})
        values = import_detail.head(request, upload)
        return live(
            request, regions(import_detail.REGIONS, values), _live_url(upload), values["poll_seconds"]
        )

    def file(self, request: HttpRequest, pk: int, which: str, kind: str) -> HttpResponseBase:
        """The rows that were not imported, with an "errors" column; mended, it can be uploaded again."""
        upload = self._upload(request, pk)
        if which not in FILES:
            raise Http404("There is no such file.")
        header, lines = importer.table_of(upload, FILES[which])
        rows = (line for part in ([header], lines) for line in part)
        return downloads.download(rows, f"import-{upload.pk}-{which}", kind, "Customers")

    # --- one row --------------------------------------------------------------------------------------------
    def row(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """GET: every cell of the row. POST: put in what was typed, leave the row out, or take it back."""
        upload = self._upload(request, pk)
        row = upload.rows.select_related("registration").filter(number=number).first()
        if row is None:
            raise Http404("There is no such row.")
        if request.method != "POST":
            return self._row_page(request, upload, row)
        try:
            row = self._change_row(request, upload, number)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(PAGE, pk)
        if "HX-Request" in request.headers:
            return self._row_part(request, upload, row)
        if "whole" in request.POST and row.errors and request.POST.get("act") == "mend":
            return self._row_page(request, upload, row, status=422)
        return redirect(f"{reverse(PAGE, args=[pk])}?{urlencode(_place(request))}#row-{number}")

    def _change_row(self, request: HttpRequest, upload: Import, number: int) -> ImportRow:
        act = request.POST.get("act", "mend")
        if act == "leave":
            return importer.exclude_row(upload, number)
        if act == "take":
            return importer.include_row(upload, number)
        typed = {name: request.POST[_MARK + name] for name in CSV_COLUMNS if _MARK + name in request.POST}
        return importer.fix_row(upload, number, typed)

    def _row_page(
        self, request: HttpRequest, upload: Import, row: ImportRow, status: int = 200
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            "registrations/imports/row.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Row {row.number}",
                "upload": upload,
                "line": import_detail.line(row, upload),
                "cells": import_detail.all_cells(row),
                "place": urlencode(_place(request)),
                "place_pairs": _place(request).items(),
            },
            status=status,
        )

    def _row_part(self, request: HttpRequest, upload: Import, row: ImportRow) -> HttpResponse:
        """The row alone, and the head with its new counts."""
        values = import_detail.head(request, upload)
        place = _place(request)
        context = {
            **values,
            "line": import_detail.line(row, upload),
            "place": urlencode(place),
            "shown": place.get("show", ""),
            "page": {"number": place.get("p", "")},
        }
        text = render_to_string("registrations/imports/_row.html", context, request)
        (head,) = regions({"head": import_detail.REGIONS["head"]}, values)
        return HttpResponse(
            text + format_html('<div id="live-head" hx-swap-oob="innerHTML">{}</div>', head.safe)
        )

    # --- acts -----------------------------------------------------------------------------------------------
    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        if upload.submit and not import_detail.may_submit(request):
            raise PermissionDenied
        if upload.state == JobState.READY:
            values = import_detail.head(request, upload)
            agreed = (request.POST.get("good"), request.POST.get("fee"))
            if not values["good"]:
                messages.error(request, "No row can be imported yet.")
                return redirect(PAGE, pk)
            if agreed != (str(values["good"]), f"{values['fee']:.2f}"):
                messages.error(request, "The rows have changed since you looked at them. Please look again.")
                return redirect(PAGE, pk)
        return self._try(request, upload, lambda: importer.confirm(upload, user=request.user))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        actor = request.user.get_username()
        return self._try(request, upload, lambda: background_job.cancel(upload, actor=actor))

    def restart(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        if upload.submit and not import_detail.may_submit(request):
            raise PermissionDenied
        return self._try(request, upload, lambda: background_job.restart(upload))

    def delete(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        if not import_detail.may_delete(request, upload):
            raise PermissionDenied
        try:
            importer.delete(upload)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(PAGE, pk)
        messages.success(request, "The table is deleted. Registrations that came from it stay.")
        return redirect("admin:registrations_import_changelist")

    def _try(self, request: HttpRequest, upload: Import, do: Callable[[], object]) -> HttpResponse:
        attempt(request, do)
        return redirect(PAGE, upload.pk)


def _live_url(upload: Import) -> str:
    return f"{reverse('admin:registrations_import_refresh', args=[upload.pk])}?state={upload.state}"


def _place(request: HttpRequest) -> dict[str, str]:
    """Where on the page the row stood: the list and its page, from the form or the address."""
    given = request.POST if request.method == "POST" else request.GET
    return {name: value for name in ("show", "p") if (value := given.get(name, "")).isalnum()}

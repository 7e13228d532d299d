"""Imports: the list of uploads, the upload form, and the page of one: check, fix in place, confirm, progress."""

from collections.abc import Callable
from itertools import chain
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

from registrations.admin.changelist import display, exports
from registrations.admin.changelist.base import ReadOnlyAdmin, require_view, run_or_explain
from registrations.admin.changelist.live_regions import live, regions, within_page
from registrations.intake.form import CSV_COLUMNS
from registrations.models import Import, ImportRow
from registrations.models.choices import ItemState, JobState
from registrations.operations.bulk import background_job
from registrations.operations.bulk.background_job import Refused
from registrations.operations.imports import FileProblem, importer, reader, template
from registrations.operations.imports.validation import Outcome

from . import import_detail
from .import_detail import ADD, RowView, upload_chip

PAGE = "admin:registrations_import_page"
# Downloads of rows: {name of the file: outcome}.
FILES = {"needs-fixing": Outcome.ERROR, "duplicates": Outcome.DUPLICATE}
_PREFIX = "cell-"  # of the columns' names in the forms of rows


class UploadForm(forms.Form):
    """The file, and whether its registrations are also submitted."""

    use_required_attribute = False
    file = forms.FileField(
        label="File",
        help_text=f"CSV or XLSX, up to {importer.MAX_ROWS:,} rows and {reader.MAX_BYTES >> 20} MB. "
        "The first row has the column names.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    submit = forms.BooleanField(
        required=False,
        label="Also submit the registrations",
        help_text="You'll see the total cost before anything is sent. Otherwise they are saved as drafts.",
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > reader.MAX_BYTES:
            raise forms.ValidationError(
                f"The file has {file.size >> 20} MB. The limit is {reader.MAX_BYTES >> 20} MB. "
                "Split it into several files."
            )
        return file


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    title = "Imports"
    view_permission = ADD
    list_display = ("file_name", "state_", "total_", "actor", "created")
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

    @admin.display(description="File", ordering="name")
    def file_name(self, upload: Import) -> SafeString:
        return format_html(
            '<a class="cell-main" href="{}">{}</a>', reverse(PAGE, args=[upload.pk]), upload.name
        )

    @admin.display(description="State", ordering="state")
    def state_(self, upload: Import) -> SafeString:
        return upload_chip(upload, getattr(upload, "good", True), getattr(upload, "bad", False))

    @admin.display(description="Rows", ordering="total")
    def total_(self, upload: Import) -> int | SafeString:
        return upload.total or display.NOTHING  # not known before the file is read

    @admin.display(description="Uploaded", ordering="created_at")
    def created(self, upload: Import) -> SafeString:
        return display.when(upload.created_at)

    def _upload(self, request: HttpRequest, pk: int) -> Import:
        upload: Import = self.get_or_404(request, pk, Import.objects.select_related("user"))
        return upload

    # --- routes ---------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        actions: tuple[tuple[str, Callable[..., HttpResponse]], ...] = (
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
                path(f"<int:pk>/{name}/", view(require_POST(action)), name=f"registrations_import_{name}")
                for name, action in actions
            ),
            *super().get_urls(),
        ]

    def detail(self, request: HttpRequest, row: Import) -> HttpResponse:
        return redirect(PAGE, row.pk)

    # --- upload ---------------------------------------------------------------------------------------------
    def add(self, request: HttpRequest) -> HttpResponse:
        require_view(self, request)
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
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
            "title": "Import customers",
            "form": form,
            "may_submit": may_submit,
            "columns": template.columns(),
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "registrations/imports/upload.html", context, status=status)

    def template(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        require_view(self, request)
        if kind == "csv":
            return exports.download(template.header_lines(), "customers", kind, "Customers")
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
                **import_detail.rows_context(request, upload, values),
                "title": upload.name,
                **within_page(regions(import_detail.REGIONS, values)),
                "live_url": _live_url(upload),
            },
        )

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The parts that have changed since the versions in the query; a full reload if the state has changed."""
        upload = self._upload(request, pk)
        if request.GET.get("state") != upload.state:
            return HttpResponse(headers={"HX-Refresh": "true"})
        values = import_detail.head(request, upload)
        return live(
            request, regions(import_detail.REGIONS, values), _live_url(upload), values["poll_seconds"]
        )

    def file(self, request: HttpRequest, pk: int, which: str, kind: str) -> HttpResponseBase:
        """The rows that were not imported, with an "errors" column; the fixed file can be uploaded again."""
        upload = self._upload(request, pk)
        if which not in FILES:
            raise Http404("There is no such file.")
        header, rows = importer.table_of(upload, FILES[which])
        return exports.download(chain([header], rows), f"import-{upload.pk}-{which}", kind, "Customers")

    # --- one row --------------------------------------------------------------------------------------------
    def row(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """GET: every cell of the row. POST: save the typed cells, leave the row out, or include it again."""
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
        if "whole" in request.POST and row.errors and request.POST.get("action") == "fix":
            return self._row_page(request, upload, row, status=422)
        return redirect(f"{reverse(PAGE, args=[pk])}?{urlencode(_place(request))}#row-{number}")

    def _change_row(self, request: HttpRequest, upload: Import, number: int) -> ImportRow:
        action = request.POST.get("action", "fix")
        if action == "exclude":
            return importer.exclude_row(upload, number)
        if action == "include":
            return importer.include_row(upload, number)
        typed = {name: request.POST[_PREFIX + name] for name in CSV_COLUMNS if _PREFIX + name in request.POST}
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
                "row": RowView(row, upload),
                "place": urlencode(_place(request)),
                "place_pairs": _place(request).items(),
            },
            status=status,
        )

    def _row_part(self, request: HttpRequest, upload: Import, row: ImportRow) -> HttpResponse:
        """The row by itself, and the head with its new counts."""
        values = import_detail.head(request, upload)
        place = _place(request)
        context = {
            **values,
            "row": RowView(row, upload),
            "place": urlencode(place),
            "selected_list": place.get("show", ""),
            "page": {"number": place.get("p", "")},
        }
        text = render_to_string("registrations/imports/_row.html", context, request)
        (head,) = regions({"head": import_detail.REGIONS["head"]}, values)
        return HttpResponse(
            text + format_html('<div id="live-head" hx-swap-oob="innerHTML">{}</div>', head.safe)
        )

    # --- actions --------------------------------------------------------------------------------------------
    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        if upload.submit and not import_detail.may_submit(request):
            raise PermissionDenied
        if upload.state == JobState.READY:
            values = import_detail.head(request, upload)
            confirmed = (request.POST.get("good"), request.POST.get("fee"))
            if not values["good"]:
                messages.error(request, "No row can be imported yet.")
                return redirect(PAGE, pk)
            if confirmed != (str(values["good"]), f"{values['fee']:.2f}"):
                messages.error(
                    request,
                    "The rows have changed since you opened this page. Review them and confirm again.",
                )
                return redirect(PAGE, pk)
        return self._run(request, upload, lambda: importer.confirm(upload, user=request.user))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        actor = request.user.get_username()
        return self._run(request, upload, lambda: background_job.cancel(upload, actor=actor))

    def restart(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        if upload.submit and not import_detail.may_submit(request):
            raise PermissionDenied
        return self._run(request, upload, lambda: background_job.restart(upload))

    def delete(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._upload(request, pk)
        if not import_detail.may_delete(request, upload):
            raise PermissionDenied
        try:
            importer.delete(upload)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(PAGE, pk)
        messages.success(request, "Import deleted. Its registrations were kept.")
        return redirect("admin:registrations_import_changelist")

    def _run(self, request: HttpRequest, upload: Import, function: Callable[[], object]) -> HttpResponse:
        run_or_explain(request, function)
        return redirect(PAGE, upload.pk)


def _live_url(upload: Import) -> str:
    return f"{reverse('admin:registrations_import_refresh', args=[upload.pk])}?state={upload.state}"


def _place(request: HttpRequest) -> dict[str, str]:
    """The row's list and page, from the form or the address."""
    values = request.POST if request.method == "POST" else request.GET
    return {name: value for name in ("show", "p") if (value := values.get(name, "")).isalnum()}

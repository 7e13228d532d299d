"""The desk's AdminSite: its titles and its home page."""

from django.contrib import admin


class DeskAdminSite(admin.AdminSite):
    site_header = "A2P registration desk"
    site_title = "A2P desk"
    index_title = "Registrations"

"""The pages, in Django's admin: a folder for each area. `site` is the admin site; `registry` loads the pages.

Pages show and ask; what they change goes through `operations`. Nothing is imported here: the site must exist
before the pages register with it.
"""

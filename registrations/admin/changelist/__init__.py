"""What every list shares: base classes, filters, paging, search, saved views, exports, bulk buttons, live regions."""

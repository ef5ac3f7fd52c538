"""The core: looks, gaps, fixes, reports.  It knows no mail."""

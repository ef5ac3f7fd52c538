"""DMARC: what a domain asks for, where reports come to, and what they say.

Pure; `tasks.authentication` fetches the reports.
"""

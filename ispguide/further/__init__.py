"""Further names the server answers to: mta-sts.DOMAIN and mail.DOMAIN of each mail
domain, each with a certificate of its own.

Which there are is known only when the server has been asked, so its files are put
together from what was seen.  Pure.
"""

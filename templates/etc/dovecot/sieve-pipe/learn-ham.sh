#!/bin/sh
# Written by ispguide, chapter 13: hands a mail to rspamd, to be learned as ham.
# Dovecot starts it as vmail, the one user who may open this socket.
exec /usr/bin/rspamc -h {{ socket }} learn_ham

#!/bin/sh
# Written by ispguide, chapter 16: tells the postmaster that somebody reached his limit.
# fail2ban gives the mail address of the sender.
/usr/sbin/sendmail -f postmaster@{{ s.domain }} {{ s.postmaster }} <<END
From: postmaster@{{ s.domain }}
To: {{ s.postmaster }}
Subject: $1 sends unusually many letters

$1 has written to more people than one may, in an hour or in a day: see
chapter 16. More letters are answered with "not now"; the mail program keeps them.

Is it really he? Then raise the limit in the settings and run the step "limits".
If not, somebody else has the password. Give the mailbox a new one at once:

    ./guide people password $1

This letter comes once a day for each sender.
END

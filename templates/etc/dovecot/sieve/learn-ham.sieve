# Written by ispguide, chapter 13: somebody moved a mail out of Junk.
# After a change: sievec /etc/dovecot/sieve/learn-ham.sieve
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment"];

# From Junk into Trash is tidying up, and says nothing good about the mail.
if environment :is "imap.mailbox" "Trash" {
  stop;
}

pipe :copy "learn-ham.sh";

# Written by ispguide, chapter 13: somebody moved a mail into Junk.
# After a change: sievec /etc/dovecot/sieve/learn-spam.sieve
require ["vnd.dovecot.pipe", "copy", "imapsieve"];

pipe :copy "learn-spam.sh";

# Written by ispguide, chapter 13: what rspamd marked goes to Junk.
# After a change: sievec /etc/dovecot/sieve-after/spam-to-junk.sieve
require ["fileinto"];

if header :contains "X-Spam" "Yes" {
  fileinto "Junk";
  stop;
}

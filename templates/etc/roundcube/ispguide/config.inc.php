<?php // Written by ispguide, chapter 11: Roundcube, as far as it differs from its defaults.
// It holds passwords: root and the group www-data may read it, nobody else.
// Roundcube finds this folder by ROUNDCUBE_CONFIG_DIR, set for its pool and its timers.
// By hand: ROUNDCUBE_CONFIG_DIR={{ folder }} /usr/share/roundcube/bin/…
// All settings with their meaning: /etc/roundcube/defaults.inc.php

$config = [];

// Its own book: address books, preferences, sessions. No mail lies in it.
$config['db_dsnw'] = 'mysql://roundcube:{{ secret("roundcube") }}@localhost/roundcube';

// Reading and sending go through the same doors as any mail program's, with the reader's
// own name and password. Both doors are on this machine, so what is said there never
// leaves it; 587 wants encryption all the same, and then shows a name that is not localhost.
$config['imap_host'] = 'localhost:143';
$config['smtp_host'] = 'tls://localhost:587';
$config['smtp_conn_options'] = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]];
$config['smtp_user'] = '%u';
$config['smtp_pass'] = '%p';

// Who types only the part before the @ belongs to the first domain.
$config['username_domain'] = '{{ s.domain }}';

// It answers by its own name and by no other that somebody puts into a link.
$config['trusted_host_patterns'] = ['^{{ s.hostname | replace(".", "\\.") }}$'];

// The password of who is logged in waits in the session, locked with this key.
$config['des_key'] = '{{ secret("roundcube-session") }}';
$config['cipher_method'] = 'AES-256-CBC';

// A session ends after an hour without a sign of life. Its cookie is not sent along when
// another page calls ours, and no script can read it. An address may change on the way:
// a phone leaves the house.
$config['session_lifetime'] = 60;
$config['session_samesite'] = 'Lax';
$config['ip_check'] = false;

// Five guesses a minute for one name; chapter 16 shuts the door for longer.
$config['login_rate_limit'] = 5;

// What happens is told to the journal: journalctl -t roundcube
$config['log_driver'] = 'syslog';
$config['syslog_id'] = 'roundcube';
$config['log_logins'] = true;

// A letter with its attachments: as large as Postfix takes it (chapter 6).
$config['max_message_size'] = '{{ s.message_size_mb }}M';

// No letter is sent to somebody else's spelling service, no picture of a stranger is
// fetched unasked (he would see when you read), and letters do not tell which version wrote them.
$config['enable_spellcheck'] = false;
$config['show_images'] = 0;
$config['useragent'] = 'Roundcube';
$config['product_name'] = 'Mail at {{ s.domain }}';
$config['support_url'] = '';
$config['quota_zero_as_unlimited'] = true;
$config['enable_installer'] = false;

// Dovecot is told from where somebody comes, by a small plugin of ours.
// The four folders of chapter 7. "Junk" on the toolbar moves a letter there, and so
// teaches the filter of chapter 13.
$config['drafts_mbox'] = 'Drafts';
$config['junk_mbox'] = 'Junk';
$config['sent_mbox'] = 'Sent';
$config['trash_mbox'] = 'Trash';
$config['plugins'] = ['markasjunk', 'ispguide_address'];

// What later steps add lies in a folder of its own, a file each.
foreach (glob(__DIR__ . '/parts/*.php') as $part) {
    include $part;
}

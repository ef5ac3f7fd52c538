<?php // Written by ispguide, chapter 11: people change their own password.
// It holds a password: root and the group www-data may read it, nobody else.
// All settings with their meaning: /usr/share/roundcube/plugins/password/config.inc.php.dist

$config['plugins'][] = 'password';

// Through a hand that can read addresses and write passwords, and nothing else.
$config['password_driver'] = 'sql';
$config['password_db_dsn'] = 'mysql://webmail-password:{{ secret("webmail-password") }}@localhost/mailserver';
$config['password_query'] = 'UPDATE virtual_users SET password=%P WHERE email=%u';

// The same kind of hash as in chapter 5, with the scheme's name before it for Dovecot.
$config['password_algorithm'] = 'hash-bcrypt';
$config['password_algorithm_options'] = ['cost' => 12];
$config['password_algorithm_prefix'] = '{BLF-CRYPT}';

// The old one is asked for: a desk that was left for a minute is not enough.
$config['password_confirm_current'] = true;
$config['password_minimum_length'] = {{ least }};

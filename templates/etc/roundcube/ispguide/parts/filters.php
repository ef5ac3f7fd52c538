<?php // Written by ispguide, chapter 11: people write their filter rules and their absence.
// All settings with their meaning: /usr/share/roundcube/plugins/managesieve/config.inc.php.dist

$config['plugins'][] = 'managesieve';

// Dovecot's door for filter rules, which is open to this machine alone (chapter 7).
$config['managesieve_host'] = 'localhost:4190';

// "Out of Office" is a page of its own, for those who never look at the filters. Whoever
// writes gets the answer once in so many days, and not to every letter.
$config['managesieve_vacation'] = 1;
$config['managesieve_vacation_interval'] = 7;
$config['managesieve_vacation_addresses_init'] = true;

// Nothing is there to begin with; what was written by another program stays as it is.
$config['managesieve_default'] = '';
$config['managesieve_script_name'] = 'roundcube';

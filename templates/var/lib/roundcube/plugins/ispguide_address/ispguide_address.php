<?php // Written by ispguide, chapter 11: Dovecot hears from where a reader of webmail comes.
// To Dovecot, everybody who comes through Roundcube comes from this machine. It answers an
// address more slowly after each wrong password, so one who guesses here would lock out
// all the others. Told the reader's own address, it slows down that one, and logs it.

class ispguide_address extends rcube_plugin
{
    public function init()
    {
        $this->add_hook('storage_connect', [$this, 'tell']);
    }

    public function tell($args)
    {
        $args['preauth_ident'] = ['x-originating-ip' => $_SERVER['REMOTE_ADDR'] ?? '127.0.0.1'];
        return $args;
    }
}

<?php // Written by ispguide, chapter 17: tells mail programs where this server's doors are.
// It knows the doors, which are the same for all domains, and takes the address from the
// question. It asks no database and reads no file, so it needs no password, and it tells
// the same about an address that does not exist: nobody learns here who lives in the house.
// Test: curl 'https://{{ s.hostname }}/mail/config-v1.1.xml?emailaddress=anna@{{ s.domain }}'

const HOST = '{{ s.hostname }}';

// kind, port, encryption: the door to recommend first.
const DOORS = [
{% for kind, port, tls in endpoints %}
    ['{{ kind }}', {{ port }}, '{{ tls }}'],
{% endfor %}
];

/** A mail address, or "" when it is none: only signs that mean nothing in XML or HTML. */
function address(string $said): string
{
    $said = strtolower(trim($said));
    return preg_match('/^[a-z0-9._+%~\-]{1,64}@[a-z0-9.\-]{1,253}$/', $said) ? $said : '';
}

/** The domain in a question: behind the @, or in autoconfig.DOMAIN. */
function domain(string $address): string
{
    $host = strtolower(preg_replace('/:\d+$/', '', $_SERVER['HTTP_HOST'] ?? ''));
    if ($address !== '') {
        return substr(strrchr($address, '@'), 1);
    }
    if (preg_match('/^auto(?:config|discover)\.([a-z0-9.\-]+)$/', $host, $found)) {
        return $found[1];
    }
    return preg_match('/^[a-z0-9.\-]+$/', $_GET['domain'] ?? '') ? $_GET['domain'] : '{{ s.domain }}';
}

function answer(string $kind, string $text): never
{
    header("Content-Type: $kind");
    header('Cache-Control: no-store');
    exit($text);
}

/** Thunderbird, Evolution, KMail, K-9 and FairEmail ask this way. */
function thunderbird(): never
{
    $address = address($_GET['emailaddress'] ?? '');
    $domain = domain($address);
    $servers = '';
    foreach (DOORS as [$kind, $port, $tls]) {
        $tag = $kind === 'smtp' ? 'outgoingServer' : 'incomingServer';
        $servers .= "    <$tag type=\"$kind\">\n      <hostname>" . HOST . "</hostname>\n"
            . "      <port>$port</port>\n      <socketType>$tls</socketType>\n"
            . "      <username>%EMAILADDRESS%</username>\n"
            . "      <authentication>password-cleartext</authentication>\n    </$tag>\n";
    }
    answer('application/xml; charset=utf-8', <<<XML
<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="$domain">
    <domain>$domain</domain>
    <displayName>Mail at $domain</displayName>
    <displayShortName>$domain</displayShortName>
$servers  </emailProvider>
</clientConfig>

XML);
}

/** Outlook sends a form of XML and wants its answer in the same language. */
function outlook(): never
{
    $asked = file_get_contents('php://input', length: 10000) ?: '';
    preg_match('#<EMailAddress>\s*([^<]+?)\s*</EMailAddress>#i', $asked, $found);
    $address = address($found[1] ?? $_GET['email'] ?? '');
    $protocols = '';
    foreach (DOORS as [$kind, $port, $tls]) {
        $encryption = $tls === 'SSL' ? 'SSL' : 'TLS';
        $protocols .= '      <Protocol><Type>' . strtoupper($kind) . '</Type><Server>' . HOST
            . "</Server><Port>$port</Port><LoginName>$address</LoginName><DomainRequired>off"
            . "</DomainRequired><SPA>off</SPA><SSL>on</SSL><Encryption>$encryption</Encryption>"
            . "<AuthRequired>on</AuthRequired></Protocol>\n";
    }
    answer('application/xml; charset=utf-8', <<<XML
<?xml version="1.0" encoding="UTF-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
$protocols    </Account>
  </Response>
</Autodiscover>

XML);
}

/** The same address gets the same name each time, so a profile replaces the older one. */
function uuid(string $of): string
{
    return strtoupper(vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(md5("ispguide $of"), 4)));
}

/** The door of this kind that is encrypted from the first byte. */
function port(string $kind): int
{
    foreach (DOORS as [$name, $port, $tls]) {
        if ($name === $kind && $tls === 'SSL') {
            return $port;
        }
    }
}

/** iPhone, iPad and Mac take a profile. No password is in it: the device asks. */
function apple(string $address): never
{
    $values = [
        'PayloadType' => 'com.apple.mail.managed', 'PayloadVersion' => 1,
        'PayloadIdentifier' => HOST . ".mail.$address", 'PayloadUUID' => uuid("mail $address"),
        'PayloadDisplayName' => $address, 'EmailAccountDescription' => $address,
        'EmailAccountType' => 'EmailTypeIMAP', 'EmailAddress' => $address,
        'IncomingMailServerAuthentication' => 'EmailAuthPassword',
        'IncomingMailServerHostName' => HOST, 'IncomingMailServerPortNumber' => port('imap'),
        'IncomingMailServerUseSSL' => true, 'IncomingMailServerUsername' => $address,
        'OutgoingMailServerAuthentication' => 'EmailAuthPassword',
        'OutgoingMailServerHostName' => HOST, 'OutgoingMailServerPortNumber' => port('smtp'),
        'OutgoingMailServerUseSSL' => true, 'OutgoingMailServerUsername' => $address,
        'OutgoingPasswordSameAsIncomingPassword' => true,
    ];
    $lines = '';
    foreach ($values as $name => $value) {
        $lines .= "    <key>$name</key>" . match (true) {
            is_int($value) => "<integer>$value</integer>",
            is_bool($value) => '<true/>',
            default => "<string>$value</string>",
        } . "\n";
    }
    [$outer, $host] = [uuid("profile $address"), HOST];
    header('Content-Disposition: attachment; filename="mail.mobileconfig"');
    answer('application/x-apple-aspen-config; charset=utf-8', <<<XML
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadVersion</key><integer>1</integer>
  <key>PayloadIdentifier</key><string>$host.$address</string>
  <key>PayloadUUID</key><string>$outer</string>
  <key>PayloadDisplayName</key><string>Mail of $address</string>
  <key>PayloadContent</key>
  <array><dict>
$lines  </dict></array>
</dict>
</plist>

XML);
}

/** Somebody with a browser: the doors as a table, and a form for Apple's devices. */
function page(): never
{
    $rows = '';
    foreach (DOORS as [$kind, $port, $tls]) {
        $rows .= '<tr><td>' . strtoupper($kind) . '</td><td>' . HOST . "</td><td>$port</td>"
            . '<td>' . ($tls === 'SSL' ? 'SSL/TLS' : 'STARTTLS') . '</td></tr>';
    }
    answer('text/html; charset=utf-8', <<<HTML
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Set up your mail program</title>
<h1>Set up your mail program</h1>
<p>Thunderbird and Outlook find all this by themselves, from your address.</p>
<form action="/apple.mobileconfig"><p><label>iPhone, iPad, Mac: your mail address
<input type="email" name="email" required></label> <button>Get the profile</button></p></form>
<table border="1"><tr><th>kind</th><th>server</th><th>port</th><th>encryption</th></tr>$rows</table>
<p>Your name for the login is your whole mail address.</p></html>

HTML);
}

$path = strtolower(strtok($_SERVER['REQUEST_URI'] ?? '/', '?'));
if (str_ends_with($path, '/config-v1.1.xml')) {
    thunderbird();
}
if (str_ends_with($path, '/autodiscover.xml')) {
    outlook();
}
if ($path === '/apple.mobileconfig' && ($address = address($_GET['email'] ?? '')) !== '') {
    apple($address);
}
page();

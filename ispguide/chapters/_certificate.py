"""How a certificate is looked at, and how it is got.

From Let's Encrypt, from another authority that speaks ACME, or signed by ourselves: it
lies at the same place, so nobody else needs to know.
Manuals: https://eff-certbot.readthedocs.io/, openssl-x509(1), openssl-req(1)
"""

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
HOOK = "/etc/letsencrypt/renewal-hooks/deploy/ispguide.sh"


def authority(s) -> str:
    """The directory of the authority that is asked."""
    return s.acme_url if s.tls == "acme-url" else LETS_ENCRYPT


def good(s) -> str:
    """Succeeds when the certificate is ours, valid for a week, and from the right hand."""
    same = "=" if s.tls == "self-signed" else "!="
    from_ = f"server = {authority(s)}"
    kept = f"/etc/letsencrypt/renewal/{s.hostname}.conf"
    asked = "true" if s.tls == "self-signed" else f"grep -F '{from_}' {kept}"
    return (
        f"cd {s.cert_dir} && c='openssl x509 -noout -in fullchain.pem' && "
        f"$c -checkend 604800 && $c -checkhost {s.hostname} | grep 'does match' && "
        f'[ "$($c -subject_hash)" {same} "$($c -issuer_hash)" ] && '
        '[ "$($c -pubkey)" = "$(openssl pkey -in privkey.pem -pubout)" ] && ' + asked
    )


#: What lay there is put aside, so that half a certificate cannot stand in the way, and
#: comes back when asking fails.  The programs keep the one they have in memory.
ASK = """cd /etc/letsencrypt
all="live/{name} archive/{name} renewal/{name}.conf"
[ ! -d before ] || rm -rf before
for it in $all; do
  [ ! -e $it ] || {{ install -d -m 0700 before/${{it%/*}}; mv $it before/$it; }}
done
if ! {{ {get}; }}; then
  for it in $all; do
    [ ! -e before/$it ] || {{ rm -rf $it; mv before/$it $it; }}
  done
  exit 1
fi
rm -rf before
[ ! -x {hook} ] || {hook}"""


def ask(s) -> str:
    """Gets a certificate from whom the reader chose."""
    get = _sign_ourselves(s) if s.tls == "self-signed" else _ask_authority(s)
    return ASK.format(name=s.hostname, get=get, hook=HOOK)


def _ask_authority(s) -> str:
    trust = f"REQUESTS_CA_BUNDLE={s.acme_ca} " if s.acme_ca else ""
    return (
        f"{trust}certbot certonly --non-interactive --agree-tos --email '{s.postmaster}' "
        f"--server {authority(s)} --webroot --webroot-path /var/www/{s.hostname} "
        f"--cert-name {s.hostname} -d {s.hostname}"
    )


def _sign_ourselves(s) -> str:
    return (
        f"install -d -m 0700 /etc/letsencrypt/live {s.cert_dir} && umask 077 && "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc "
        f"-days 3650 -subj /CN={s.hostname} -addext subjectAltName=DNS:{s.hostname} "
        f"-keyout {s.cert_dir}/privkey.pem -out {s.cert_dir}/fullchain.pem"
    )

"""A telephone that registers by RFC 7616 and RFC 8760 and none of our code.

digest.py TRANSPORT HOST PORT ROOTS USER SECRET prints what the registrar makes
of each way to ask, one line each."""

import hashlib
import re
import secrets
import socket
import ssl
import sys

transport, host, port, roots, user, secret = sys.argv[1:7]
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
URI = "sip:" + host


def connect():
    if transport == "udp":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((host, int(port)))
    else:
        s = socket.create_connection((host, int(port)))
    if transport == "tls":
        s = ssl.create_default_context(cafile=roots).wrap_socket(s, server_hostname=host)
    s.settimeout(1 if transport == "udp" else 30)
    return s


wire, buffer, cseq = connect(), b"", 0


def receive():
    """One whole response: its code and its headers, in their order."""
    global buffer
    while b"\r\n\r\n" not in buffer:
        more = wire.recv(65535)
        if not more:
            raise EOFError("the registrar has closed the connection")
        buffer += more
    head, _, buffer = buffer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = [tuple(p.strip() for p in line.split(":", 1)) for line in lines[1:]]
    return int(lines[0].split()[1]), headers


def register(authorization=None, who=user, uri=URI):
    global cseq
    cseq += 1
    ours, their = wire.getsockname()[:2], "%d REGISTER" % cseq
    lines = [
        "REGISTER %s SIP/2.0" % uri,
        "Via: SIP/2.0/%s %s:%d;branch=z9hG4bK%s;rport" % (transport.upper(), *ours, secrets.token_hex(8)),
        "Max-Forwards: 70",
        "From: <sip:%s@%s>;tag=%s" % (who, host, secrets.token_hex(4)),
        "To: <sip:%s@%s>" % (who, host),
        "Call-ID: digest-%s" % who,
        "CSeq: " + their,
        "Contact: <sip:%s@%s:%d;transport=%s>;expires=120" % (who, *ours, transport),
    ]
    if authorization:
        lines.append("Authorization: " + authorization)
    data = ("\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n").encode()
    for again in range(30):
        wire.sendall(data)
        try:
            code, headers = receive()
            while ("CSeq", their) not in headers:
                code, headers = receive()
            return code, headers
        except socket.timeout:
            if transport != "udp":
                raise
    raise TimeoutError("no answer")


def challenges(headers):
    return [dict((k, q or v) for k, q, v in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', value))
            for name, value in headers if name.lower() == "www-authenticate"]


def answer(c, algorithm, password=secret, who=user, nc=1, qop="auth", uri=URI, method="REGISTER", says=None, **changes):
    def h(*parts):
        return hashlib.new(HASHES[algorithm], ":".join(parts).encode()).hexdigest()
    cnonce, count = secrets.token_hex(8), "%08x" % nc
    a1, a2 = h(who, c["realm"], password), h(method, uri)
    p = dict(username=who, realm=c["realm"], nonce=c["nonce"], uri=uri)
    if qop:
        p.update(cnonce=cnonce, response=h(a1, c["nonce"], count, cnonce, qop, a2))
    else:
        p.update(response=h(a1, c["nonce"], a2))
    p.update(changes)
    text = "Digest " + ", ".join('%s="%s"' % kv for kv in p.items()) + ", algorithm=" + (says or algorithm)
    return text + (", qop=%s, nc=%s" % (qop, count) if qop else "")


def fresh(who=user):
    code, headers = register(who=who)
    if code != 401:
        raise ValueError("not challenged: %d" % code)
    return challenges(headers)[0]


def tell(what, result):
    code, headers = result
    stale = any(c.get("stale") == "true" for c in challenges(headers))
    print(what + ":", code, "stale" if stale else "", flush=True)


code, headers = register()
offered = challenges(headers)
print("challenge:", code, " ".join(c["algorithm"] + "/" + c["qop"] for c in offered))
best = offered[0]["algorithm"]
held = answer(offered[0], best)
tell(best, register(held))
tell("the same again", register(held))
tell("its nonce, counted on", register(answer(offered[0], best, nc=2)))
tell("counted back", register(answer(offered[0], best, nc=1)))
for algorithm in HASHES:
    tell("by " + algorithm, register(answer(fresh(), algorithm)))
tell("a nonce of nobody's", register(answer(dict(fresh(), nonce=secrets.token_urlsafe(32)), best)))
tell("a session's digest", register(answer(fresh(), best, says=best + "-sess")))
tell("without qop", register(answer(fresh(), best, qop=None)))
tell("qop auth-int", register(answer(fresh(), best, qop="auth-int")))
tell("for another method", register(answer(fresh(), best, method="INVITE")))
tell("for another server", register(answer(fresh(), best, uri="sip:other.example")))
tell("another realm", register(answer(dict(fresh(), realm="other.example"), best)))
wrong = register(answer(fresh(), best, password="guess"))
nobody = register(answer(fresh("nobody"), best, who="nobody"), who="nobody")
tell("a wrong secret", wrong)
tell("nobody", nobody)
names = [[name for name, _ in headers] for _, headers in (wrong, nobody)]
print("the two look", "alike" if names[0] == names[1] else "different: %s" % names)

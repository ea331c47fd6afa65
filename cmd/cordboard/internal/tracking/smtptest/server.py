# A mail server for tests: aiosmtpd with STARTTLS, one user, and a maildir.
import asyncio, os, ssl, sys
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult

folder, user, password = sys.argv[1:4]
listen = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
listen.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))


def let_in(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login.decode(), data.password.decode()) == (user, password))


class Keep(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 <" + address + "> is not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"


async def serve():
    handler = Keep(os.path.join(folder, "mail"))
    made = lambda: SMTP(handler, hostname="mail.example.com", tls_context=listen, require_starttls=True, auth_required=True, authenticator=let_in)
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", int(sys.argv[4]))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())

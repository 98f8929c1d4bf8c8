"""Punjab in front of one server."""

import sys

from punjab.httpb import Httpb, HttpbService
from punjab.session import make_session
from twisted.internet import reactor
from twisted.python import log
from twisted.web import resource, server


def near(service, attributes):
    """Every session is with our server, which no DNS knows."""
    attributes["route"] = "xmpp:127.0.0.1:@TCP_PORT@"
    return make_session(service, attributes)


log.startLogging(sys.stderr)
service = HttpbService(session_creator=near)
# Newer versions of Twisted look for it there.
service.reactor = reactor
root = resource.Resource()
root.putChild(b"http-bind", Httpb(service))
reactor.listenTCP(@HTTP_PORT@, server.Site(root), interface="127.0.0.1")
reactor.run()

// node-xmpp-bosh with its example configuration, in front of one server.
const { EventEmitter } = require("events");
const { config } = require("@INSTALLED@/node_modules/node-xmpp-bosh/bosh.conf.example.js");

// By itself it always connects to port 5222 of the domain, but the server listens elsewhere.
class Lookup extends EventEmitter {
  connect(socket) {
    socket.once("connect", () => this.emit("connect"));
    socket.once("error", () => this.emit("error", "remote-connection-failed"));
    socket.connect(@TCP_PORT@, "127.0.0.1");
  }
}

exports.config = { ...config, host: "127.0.0.1", port: @HTTP_PORT@, lookup_service: Lookup };

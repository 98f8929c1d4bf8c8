import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.vysper.storage.StorageProviderRegistry;
import org.apache.vysper.storage.inmemory.MemoryStorageProviderRegistry;
import org.apache.vysper.xmpp.addressing.Entity;
import org.apache.vysper.xmpp.addressing.EntityImpl;
import org.apache.vysper.xmpp.authorization.AccountManagement;
import org.apache.vysper.xmpp.authorization.Anonymous;
import org.apache.vysper.xmpp.extension.xep0124.BoshEndpoint;
import org.apache.vysper.xmpp.protocol.SessionStateHolder;
import org.apache.vysper.xmpp.server.SessionContext;
import org.apache.vysper.xmpp.server.XMPPServer;
import org.apache.vysper.xmpp.stanza.Stanza;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.AbstractHandler;
import org.eclipse.jetty.server.handler.HandlerList;
import org.eclipse.jetty.server.nio.SelectChannelConnector;
import org.eclipse.jetty.server.ssl.SslSelectChannelConnector;

/**
 * Runs Apache Vysper with one domain, over http and https, until it is killed. It is configured by its
 * environment, which only its own user can read.
 */
final class Vysper {
    private static final String ADDRESS = "127.0.0.1";

    private Vysper() {}

    public static void main(String[] arguments) throws Exception {
        String domain = System.getenv("DOMAIN");
        StorageProviderRegistry storage = new MemoryStorageProviderRegistry();
        AccountManagement accounts = (AccountManagement) storage.retrieve(AccountManagement.class);
        Queue<Entity> users = new ConcurrentLinkedQueue<>();
        for (String account : System.getenv("ACCOUNTS").split(" ")) {
            String[] parts = account.split(":");
            Entity user = EntityImpl.parse(parts[0] + "@" + domain);
            accounts.addUser(user, parts[1]);
            users.add(user);
        }

        XMPPServer server = new XMPPServer(domain);
        server.setStorageProviderRegistry(storage);
        // Vysper offers PLAIN by itself.
        server.setSASLMechanisms(List.of(new RememberedAnonymous(users)));
        // STARTTLS, which BOSH does not have, gets a certificate store that is empty.
        server.setTLSCertificateInfo((InputStream) null, "");
        server.addEndpoint(new Endpoint(users));
        server.start();
    }

    /** Remembers the users that it makes up. */
    private static final class RememberedAnonymous extends Anonymous {
        private final Queue<Entity> users;

        private RememberedAnonymous(Queue<Entity> users) {
            this.users = users;
        }

        @Override
        public Stanza started(SessionContext session, SessionStateHolder state, Stanza request) {
            Stanza answer = super.started(session, state, request);
            users.add(session.getInitiatingEntity());
            return answer;
        }
    }

    /** One web server for both schemes, so that a session can go on over the other one. */
    private static final class Endpoint extends BoshEndpoint {
        private final Queue<Entity> users;

        private Endpoint(Queue<Entity> users) {
            this.users = users;
            setContextPath("/bosh");
        }

        @Override
        protected Server createJettyServer() {
            SslSelectChannelConnector https = new SslSelectChannelConnector();
            https.setSslContext(tls(Path.of(System.getenv("DIRECTORY"))));
            Server server = new Server();
            server.addConnector(at("HTTP_PORT", new SelectChannelConnector()));
            server.addConnector(at("HTTPS_PORT", https));
            return server;
        }

        @Override
        protected Handler createHandler() {
            HandlerList handlers = new HandlerList();
            handlers.setHandlers(new Handler[] {new Sessions(), super.createHandler()});
            return handlers;
        }

        /**
         * Answers who is connected, at a path that is a secret. Vysper's own count of sessions never goes down, and
         * nothing tells of streams that have not logged in.
         */
        private final class Sessions extends AbstractHandler {
            private final String path = "/" + System.getenv("SECRET") + "/sessions";

            @Override
            public void handle(
                    String target, Request base, HttpServletRequest request, HttpServletResponse response)
                    throws IOException {
                if (target.equals(path)) {
                    List<String> jids = users.stream().flatMap(this::jids).toList();
                    String list = jids.stream().map(jid -> '"' + jid + '"').collect(Collectors.joining(", "));
                    response.setContentType("application/json");
                    response.getWriter().print("{\"jids\": [" + list + "], \"streams\": " + jids.size() + "}");
                    base.setHandled(true);
                }
            }

            private Stream<String> jids(Entity user) {
                // A copy, since sessions come and go.
                Object[] resources =
                        serverRuntimeContext.getResourceRegistry().getBoundResources(user, true).toArray();
                return Stream.of(resources).map(resource -> user.getFullQualifiedName() + "/" + resource);
            }
        }
    }

    private static Connector at(String port, Connector connector) {
        connector.setHost(ADDRESS);
        connector.setPort(Integer.parseInt(System.getenv(port)));
        return connector;
    }

    private static SSLContext tls(Path directory) {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            char[] password = {};
            byte[] pem = Files.readAllBytes(directory.resolve("server.pem"));
            Certificate certificate =
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem));
            PrivateKey key = key(Files.readString(directory.resolve("server.key")));
            store.setKeyEntry("server", key, password, new Certificate[] {certificate});
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, password);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            return context;
        } catch (GeneralSecurityException | IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static PrivateKey key(String pem) throws GeneralSecurityException {
        String text = pem.replaceAll("-----[A-Z ]+-----", "");
        byte[] encoded = Base64.getMimeDecoder().decode(text);
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(encoded));
    }
}

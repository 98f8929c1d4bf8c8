package prebind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The whole of it as Java sees it. */
class JavaTest {
    private final JsonNode prosody = JsonMapper.shared().readTree(System.getenv("PREBIND_SERVERS")).get("prosody");

    @Test
    void oneCall() throws InterruptedException {
        String url = prosody.get("http_url").asString();
        Session session = Prebind.prebind(url, "alice@localhost", "wonder-1");
        assertTrue(session.getJid().startsWith("alice@localhost/"));
        assertEquals(session.getRid() - 1, session.getLastRid());
        assertEquals(Set.of("jid", "sid", "rid"), session.toMap().keySet());
        try (Client client = new Client(url)) {
            client.terminate(session.getSid(), session.getRid());
        }
    }

    @Test
    void aClientWithOptions() throws InterruptedException, IOException {
        Options options = new Options();
        options.setCa(Files.readString(Path.of(prosody.get("ca_pem").asString())));
        options.setDeadline(Duration.ofSeconds(10));
        options.setWeakestMechanism(PasswordMechanism.SCRAM_SHA_1);
        options.setHeaders(Map.of("X-Site", "shop"));
        try (Client client = new Client(prosody.get("https_url").asString(), options)) {
            Session session = client.prebind("alice@localhost", Credentials.password("wonder-1").authcid("alice"));
            assertEquals("SCRAM-SHA-1", session.getMechanism());
            assertEquals(Duration.ofSeconds(60), session.getInactivity());
            client.terminate(session);
        }
    }

    @Test
    void errors() {
        PrebindException wrong = assertThrows(PrebindException.class, this::wrongPassword);
        assertInstanceOf(AuthException.class, wrong);
        assertEquals("Auth authenticate not-authorized no",
            String.join(" ", wrong.getKind(), wrong.getStage(), wrong.getCondition(), wrong.getRetry().toString()));
        ConfigException config = assertThrows(ConfigException.class, () -> new Client("nowhere"));
        assertEquals("url", config.getField());
        assertEquals(Retry.NO, new AuthException(new PrebindException.Details("no")).getRetry());
    }

    private void wrongPassword() throws InterruptedException {
        try (Client client = new Client(prosody.get("http_url").asString())) {
            client.prebind("alice@localhost", "wrong");
        }
    }

    @Test
    void jids() {
        assertEquals("a\\20b@example.org", Prebind.jidFromUser("a b", "example.org"));
    }
}

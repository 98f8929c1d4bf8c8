import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import prebind.Client;
import prebind.Credentials;
import prebind.Options;
import prebind.PrebindException;
import prebind.Session;

/** Answers each line on stdin with a call of the package for Kotlin and Java. */
public class Jvm {
    public static void main(String[] arguments) throws Exception {
        Options options = new Options();
        options.setCa(Files.readString(Path.of(System.getenv("PREBIND_CA"))));
        options.setDeadline(Duration.ofSeconds(30));
        options.setRequestTimeout(Duration.ofSeconds(30));
        options.setFailFastAfter(0);
        Client client = new Client(System.getenv("PREBIND_URL"), options);
        String jid = System.getenv("PREBIND_JID");
        String password = System.getenv("PREBIND_PASSWORD");
        boolean isPlain = System.getenv("PREBIND_MECHANISM").equals("PLAIN");
        Credentials proof = isPlain ? Credentials.token(password) : Credentials.password(password);

        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        while (lines.readLine() != null) {
            long start = System.nanoTime();
            try {
                Session session = client.prebind(jid, proof);
                double seconds = (System.nanoTime() - start) / 1e9;
                System.out.printf(Locale.ROOT, "{\"seconds\":%.9f,\"round_trips\":%d,\"sessions\":[[\"%s\",%d]]}%n",
                    seconds, session.getRoundTrips(), session.getSid(), session.getRid());
            } catch (PrebindException error) {
                System.out.printf("{\"errors\":[\"%s\"]}%n", error.getMessage().replace("\"", "'"));
            }
            System.out.flush();
        }
    }
}

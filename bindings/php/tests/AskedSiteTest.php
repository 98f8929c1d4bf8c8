<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** Real chat servers that ask the example's site whether a token is good. */
final class AskedSiteTest extends TestCase
{
    private const SECRET = 'from-the-chat-server-to-the-site';
    private const ALICE = 'alice@extauth.local';
    private const BOB = 'bob@extauth.local';
    private const KEY = '{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}';

    private static string $folder;
    private static string $url;
    private static string $bosh;

    /** @var array<resource> */
    private static array $processes = [];

    /** @var array<resource> */
    private static array $inputs = [];

    public static function setUpBeforeClass(): void
    {
        self::$folder = sys_get_temp_dir() . '/asked-' . bin2hex(random_bytes(8));
        mkdir(self::$folder);
        $listening = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($listening, false);
        fclose($listening);
        self::$url = "http://$address/chat-login";
        $people = ['alice' => ['password' => 'site-of-alice'], 'bob' => ['password' => 'site-of-bob']];
        $settings = ['SITE_KEY' => self::KEY, 'SITE_SECRET' => self::SECRET, 'SITE_USERS' => json_encode($people)];
        $command = [PHP_BINARY, '-d', 'extension=' . getenv('PREBIND_EXTENSION'), '-S', $address, ROOT . '/examples/php/site/index.php'];
        self::$processes[] = proc_open($command, [1 => STDERR, 2 => ['file', self::$folder . '/log', 'w']], $pipes, null, $settings + getenv());
        for ($deadline = hrtime(true) / 1e9 + 60; !($listens = @stream_socket_client("tcp://$address")); usleep(20_000)) {
            self::assertLessThan($deadline, hrtime(true) / 1e9, 'the site does not start');
        }
        fclose($listens);
    }

    public static function tearDownAfterClass(): void
    {
        foreach (self::$processes as $process) {
            proc_terminate($process);
            proc_close($process);
        }
        self::$processes = [];
        array_map(unlink(...), glob(self::$folder . '/*'));
        rmdir(self::$folder);
    }

    /** @return iterable<string, array{string, string}> the kind of a server, and how it refuses if the site does not answer */
    public static function servers(): iterable
    {
        yield 'Prosody' => ['prosody', 'temporary-auth-failure'];
        yield 'ejabberd' => ['ejabberd', 'not-authorized'];
    }

    /** @dataProvider servers */
    public function testATokenIsGoodOnce(string $kind): void
    {
        $client = self::server($kind, self::SECRET);
        $jwt = new Prebind\Jwt(self::KEY, once: true);
        $token = $jwt->issue(self::ALICE);
        $session = $client->prebind(self::ALICE, token: $token);
        self::assertSame(self::ALICE, strtok($session->jid, '/'));
        $client->terminate($session);
        self::assertRefused($client, $token, 'not-authorized');
        self::assertStringContainsString(self::ALICE . ' is refused: the token was used before', self::log());

        // A fresh one for each call.
        for ($calls = 0; $calls < 2; $calls++) {
            $client->terminate($client->prebind(self::ALICE, jwt: $jwt));
        }
        self::assertRefused($client, $jwt->issue('bob@extauth.local'), 'not-authorized');
        self::assertStringNotContainsString($token, self::log());
    }

    /** @dataProvider servers */
    public function testAMessageToAUserWhoIsOfflineArrives(string $kind): void
    {
        $client = self::server($kind, self::SECRET);
        $jwt = new Prebind\Jwt(self::KEY, once: true);
        // Prosody makes an account at the first login.
        $client->terminate($client->prebind(self::BOB, jwt: $jwt));

        $alice = new Attached($client, $client->prebind(self::ALICE, jwt: $jwt), self::$bosh);
        $alice->send('<presence/>');
        foreach ([self::BOB, 'nobody@extauth.local'] as $jid) {
            $alice->send("<message to='$jid' type='chat'><body>until later</body></message>");
        }
        // The server has looked at both by then.
        $alice->hear('/<message[^>]* from=.nobody@extauth\.local./');
        $alice->leave();
        self::assertStringNotContainsString('bob@', $alice->heard);

        $bob = new Attached($client, $client->prebind(self::BOB, jwt: $jwt), self::$bosh);
        $bob->send('<presence/>');
        $bob->hear('/until later/');
        $bob->leave();
    }

    /** @dataProvider servers */
    public function testAServerWithAnotherSecretGetsNoAnswer(string $kind, string $condition): void
    {
        $client = self::server($kind, 'another-secret-of-another-server');
        self::assertRefused($client, (new Prebind\Jwt(self::KEY, once: true))->issue(self::ALICE), $condition);
        self::assertStringContainsString('its secret is missing or wrong', self::log());
    }

    private static function assertRefused(Prebind\Client $client, string $token, string $condition): void
    {
        try {
            $client->terminate($client->prebind(self::ALICE, token: $token));
            self::fail('the token is good');
        } catch (Prebind\AuthException $error) {
            self::assertSame($condition, $error->condition);
        }
    }

    private static function log(): string
    {
        return (string) file_get_contents(self::$folder . '/log');
    }

    /** A client of a server that asks the site with this secret, and ends with the tests. */
    private static function server(string $kind, string $secret): Prebind\Client
    {
        $command = ['servers', $kind, '--json', '--site', self::$url];
        $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], STDERR], $pipes, null, ['PREBIND_SITE_SECRET' => $secret] + getenv());
        self::$processes[] = $process;
        // It ends with its input.
        self::$inputs[] = $pipes[0];
        $described = json_decode((string) fgets($pipes[1]), true, flags: JSON_THROW_ON_ERROR)[$kind];
        self::$bosh = $described['http_url'];
        // The server holds no request for long.
        return new Prebind\Client($described['https_url'], ca: file_get_contents($described['ca_pem']), deadline: 60, wait: 1);
    }
}

/** As much of a chat client as it takes to use a session. */
final class Attached
{
    public string $heard = '';
    private int $rid;

    public function __construct(private readonly Prebind\Client $client, private readonly Prebind\Session $session, private readonly string $url)
    {
        $this->rid = $session->rid;
    }

    public function send(string $stanzas): void
    {
        $rid = $this->rid++;
        $body = "<body xmlns='http://jabber.org/protocol/httpbind' sid='{$this->session->sid}' rid='$rid'>$stanzas</body>";
        $request = ['method' => 'POST', 'header' => 'Content-Type: text/xml; charset=utf-8', 'content' => $body];
        $this->heard .= file_get_contents($this->url, false, stream_context_create(['http' => $request]));
    }

    /** Listens until the server has said something that matches. */
    public function hear(string $pattern): void
    {
        for ($looks = 60; preg_match($pattern, $this->heard) !== 1; $looks--) {
            TestCase::assertGreaterThan(0, $looks, "$pattern is not in $this->heard");
            $this->send('');
        }
    }

    public function leave(): void
    {
        $this->client->terminate(sid: $this->session->sid, rid: $this->rid);
    }
}

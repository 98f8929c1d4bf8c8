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

    private static AskedSite $site;
    private static string $bosh;

    public static function setUpBeforeClass(): void
    {
        self::$site = new AskedSite(self::KEY, self::SECRET, ['alice', 'bob']);
    }

    public static function tearDownAfterClass(): void
    {
        self::$site->end();
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
        self::assertStringContainsString(self::ALICE . ' is refused: the token was used before', self::$site->log());

        // A fresh one for each call.
        for ($calls = 0; $calls < 2; $calls++) {
            $client->terminate($client->prebind(self::ALICE, jwt: $jwt));
        }
        self::assertRefused($client, $jwt->issue('bob@extauth.local'), 'not-authorized');
        self::assertStringNotContainsString($token, self::$site->log());
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
        self::assertStringContainsString('its secret is missing or wrong', self::$site->log());
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

    /** A client of a server that asks the site with this secret, and ends with the tests. */
    private static function server(string $kind, string $secret): Prebind\Client
    {
        $described = self::$site->servers($secret, $kind)[$kind];
        self::$bosh = $described['http_url'];
        // The server holds no request for long.
        return new Prebind\Client($described['https_url'], ca: file_get_contents($described['ca_pem']), deadline: 60, wait: 1);
    }
}

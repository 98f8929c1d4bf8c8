<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** The ways by which a site's users log in without a chat password: tests/vectors/ways.json. */
final class WaysTest extends TestCase
{
    private const SECRET = 'from-the-chat-server-to-the-site';

    private static AskedSite $site;

    /** @var array<string, array<string, mixed>> */
    private static array $servers;

    /** @var array<string, mixed> */
    private array $way;

    /** @var array<string, mixed> */
    private array $server;

    private Prebind\Client $client;

    public static function setUpBeforeClass(): void
    {
        self::$site = new AskedSite(self::file()['jwts']['once']['keys'], self::SECRET, ['alice', 'bob', 'carol']);
        self::$servers = self::$site->servers(self::SECRET, 'ways', '--no-limits');
    }

    public static function tearDownAfterClass(): void
    {
        self::$site->end();
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function ways(): iterable
    {
        foreach (self::file()['ways'] as $way) {
            yield $way['name'] => [$way];
        }
    }

    /**
     * @param array<string, mixed> $way
     *
     * @dataProvider ways
     */
    public function testUsersLogInAndReachEachOther(array $way): void
    {
        $this->way = $way;
        $this->server = self::$servers[$way['server']];
        $options = array_map($this->withApi(...), $way['options'] ?? []);
        $this->client = new Prebind\Client($this->server['http_url'], ...$options, wait: 1, deadline: 60, request_timeout: 60);

        $sessions = [$this->login('alice'), $this->login('alice')];
        array_map($this->client->terminate(...), $sessions);
        // Most servers make the account at the first login.
        $this->client->terminate($this->login('carol'));

        [$bob] = $this->page('bob');
        $bob->ask(self::message($this->jid('carol'), 'good morning'));
        self::assertStringNotContainsString('service-unavailable', $bob->heard);
        $tabs = [$this->page('carol')];
        $tabs[0][0]->hear('/good morning/');

        $tabs[] = $this->page('carol');
        $request = "<presence xmlns='jabber:client' to='{$this->jid('carol')}' type='subscribe'/>";
        // A server delivers in order: if the request has not come before the message, it never comes.
        $bob->ask($request . self::message($tabs[0][1], 'after it') . self::message($tabs[1][1], 'after it'));
        foreach ($tabs as [$tab]) {
            $tab->hear('/after it/');
            self::assertMatchesRegularExpression('/type=.subscribe./', $tab->heard);
            $tab->leave();
        }
        $bob->leave();
    }

    private function login(string $user): Prebind\Session
    {
        $session = $this->client->prebind($this->jid($user), ...$this->proof($user));
        self::assertStringStartsWith($this->jid($user) . '/', $session->jid);
        self::assertSame($this->way['mechanism'], $session->mechanism);
        return $session;
    }

    /** @return array<string, mixed> a fresh one for each login */
    private function proof(string $user): array
    {
        $kind = array_key_first($this->way['credentials']);
        $given = $this->way['credentials'][$kind];
        if ($kind === 'x_oauth2_issuer') {
            return [$kind => $this->withApi($given)];
        }
        $jwt = new Prebind\Jwt(...self::file()['jwts'][$given]);
        return [$kind => $kind === 'jwt' ? $jwt : $jwt->issue($this->jid($user))];
    }

    /** @return array{Attached, string} a page of the user, and its JID */
    private function page(string $user): array
    {
        $session = $this->login($user);
        $page = new Attached($this->client, $session, $this->server['http_url']);
        $page->ask("<presence xmlns='jabber:client'/>");
        return [$page, $session->jid];
    }

    private function jid(string $user): string
    {
        return "$user@{$this->way['host']}";
    }

    private static function message(string $to, string $text): string
    {
        return "<message xmlns='jabber:client' to='$to' type='chat'><body>$text</body></message>";
    }

    /**
     * @param array<string, string> $given
     *
     * @return array<string, string>
     */
    private function withApi(array $given): array
    {
        return str_replace('@API@', $this->server['api_url'], $given);
    }

    /** @return array<string, mixed> */
    private static function file(): array
    {
        return json_decode((string) file_get_contents(ROOT . '/tests/vectors/ways.json'), true, flags: JSON_THROW_ON_ERROR);
    }
}

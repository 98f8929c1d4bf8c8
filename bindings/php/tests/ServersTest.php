<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** Prosody and ejabberd. */
final class ServersTest extends TestCase
{
    /** @return iterable<string, array{Real}> */
    public static function servers(): iterable
    {
        yield 'prosody' => [Real::of('prosody')];
        yield 'ejabberd' => [Real::of('ejabberd')];
    }

    /** @dataProvider servers */
    public function testASessionIsOpenedAndEnded(Real $server): void
    {
        $before = $server->bound();
        $client = $server->client();
        $session = $client->prebind('alice@localhost', $server->password('alice'));
        self::assertContains($session->jid, $server->bound());
        self::assertStringStartsWith('SCRAM-', (string) $session->mechanism);
        $client->terminate($session);
        self::assertSame([], $server->left($before));

        $session = $client->prebind('alice@localhost/here', token: $server->password('alice'));
        self::assertSame('alice@localhost/here', $session->jid);
        $client->terminate(sid: $session->sid, rid: $session->rid);
        $this->expectException(Prebind\TerminatedException::class);
        $client->terminate($session);
    }

    public function testTheSiteSignsATokenForEachCall(): void
    {
        $client = Real::of('ejabberd')->client();
        // ejabberd knows the second one; see tests/servers/src/tokens.rs.
        $keys = [str_repeat('x', 32), 'a key for tests, and only for tests'];
        $session = $client->prebind('alice@jwt.local', jwt: new Prebind\Jwt($keys, 'HS256'));
        self::assertStringStartsWith('alice@jwt.local/', $session->jid);
        $client->terminate($session);

        $this->expectException(Prebind\ConfigException::class);
        $client->prebind('alice@jwt.local', jwt: new Prebind\Jwt($keys));
    }

    /** @dataProvider servers */
    public function testTheFunctionDoesAllInOneCall(Real $server): void
    {
        $options = ['ca' => $server->ca()];
        $session = prebind($server->described['https_url'], 'bob@localhost', $server->password('bob'), $options);
        self::assertStringStartsWith('bob@localhost/', $session->jid);
        $server->client()->terminate($session);
    }

    /** @dataProvider servers */
    public function testAWrongPasswordIsRefused(Real $server): void
    {
        try {
            $server->client()->prebind('alice@localhost', 'wrong');
            self::fail('it succeeded');
        } catch (Prebind\AuthException $error) {
            self::assertSame(['not-authorized', 'authenticate', 'no'], [$error->condition, $error->stage, $error->retry]);
        }
    }

    /** @dataProvider servers */
    public function testTheOldLibrarysUsageWorksUnchanged(Real $server): void
    {
        [$username, $password, $boshUri] = ['alice', $server->password('alice'), $server->described['http_url']];

        $xmppPrebind = new XmppPrebind('localhost', $boshUri, 'Your XMPP Clients resource name', false, false);
        $xmppPrebind->connect($username, $password);
        $xmppPrebind->auth();
        $sessionInfo = $xmppPrebind->getSessionInfo(); // array containing sid, rid and jid

        self::assertSame(['jid', 'sid', 'rid'], array_keys($sessionInfo));
        self::assertSame('alice@localhost/Your XMPP Clients resource name', $sessionInfo['jid']);
        self::assertContains($sessionInfo['jid'], $server->bound());
        (new Prebind\Client($boshUri))->terminate(sid: $sessionInfo['sid'], rid: $sessionInfo['rid']);

        // Its README leaves out `auth`.
        $xmppPrebind->connect($username, $password);
        self::assertNotSame($sessionInfo['sid'], $xmppPrebind->getSessionInfo()['sid']);

        self::assertStringNotContainsString($password, print_r($xmppPrebind, true));
        $xmppPrebind->connect($username, 'wrong');
        $this->expectException(XmppPrebindException::class);
        $xmppPrebind->auth();
    }

    /**
     * Here the user has the password of another host's user.
     *
     * @dataProvider servers
     */
    public function testAUserNameChoosesNoHostInTheOldLibrarysUsage(Real $server): void
    {
        $xmppPrebind = new XmppPrebind('localhost', $server->described['http_url'], 'page');
        $xmppPrebind->connect('alice@plain.local/x', $server->password('alice'));
        $this->expectException(XmppPrebindException::class);
        $this->expectExceptionMessage('Invalid login');
        $xmppPrebind->auth();
    }

    public function testWhatWasLearnedIsKeptInTheSitesCache(): void
    {
        $server = Real::of('prosody');
        // With another option there is another client, which knows nothing yet.
        $roundTrips = static function (array $cache) use ($server): int {
            static $time = 601;
            $client = $server->client(cache: $cache, relearn_after: $time++);
            $session = $client->prebind('alice@localhost', $server->password('alice'));
            $client->terminate($session);
            return $session->roundTrips;
        };
        $kept = [];
        $cache = [
            static function (string $key) use (&$kept): mixed { return $kept[$key] ?? null; },
            static function (string $key, string $text) use (&$kept): void { $kept[$key] = $text; },
        ];
        $classic = $roundTrips($cache);
        self::assertCount(1, $kept);
        self::assertMatchesRegularExpression('/^[A-Za-z0-9_.]{1,64}$/', (string) array_key_first($kept), 'PSR-16');
        self::assertLessThan($classic, $roundTrips($cache));

        $asked = 0;
        $fails = static function () use (&$asked): never {
            $asked++;
            throw new TypeError('hunter2');
        };
        $file = (string) tempnam(sys_get_temp_dir(), 'log');
        $before = (string) ini_set('error_log', $file);
        $start = hrtime(true);
        self::assertSame($classic, $roundTrips([$fails, $fails]));
        // A login asks twice.
        self::assertTrue($asked === 1 || hrtime(true) - $start > 10e9, "asked $asked times");
        forget_cache();
        $slow = static fn () => usleep(600_000);
        self::assertSame($classic, $roundTrips([$slow, $slow]));
        forget_cache();
        ini_set('error_log', $before);
        $log = (string) file_get_contents($file);
        unlink($file);
        $question = 'what was learned of the chat server): it is not asked again for 10 s';
        self::assertStringContainsString("prebind: the cache failed ($question: TypeError in " . __FILE__, $log);
        self::assertMatchesRegularExpression('/prebind: the cache took 0\.\d s \(' . preg_quote($question, '/') . '/', $log);
        self::assertStringNotContainsString('hunter2', $log);
    }

    public function testAForkedProcessHasConnectionsOfItsOwn(): void
    {
        $server = Real::of('prosody');
        $client = $server->client();
        $client->terminate($client->prebind('alice@localhost', $server->password('alice')));
        $children = [];
        for ($i = 0; $i < 4; $i++) {
            $child = pcntl_fork();
            if ($child === 0) {
                try {
                    for ($j = 0; $j < 5; $j++) {
                        $client->terminate($client->prebind('alice@localhost', $server->password('alice')));
                    }
                    posix_kill(posix_getpid(), SIGTERM);
                } finally {
                    posix_kill(posix_getpid(), SIGKILL);
                }
            }
            $children[] = $child;
        }
        foreach ($children as $child) {
            pcntl_waitpid($child, $status);
            self::assertSame(SIGTERM, pcntl_wtermsig($status));
        }
    }
}

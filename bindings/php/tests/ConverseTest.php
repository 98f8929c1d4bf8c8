<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;
use Prebind\Converse;

/** The page, and what its browser is answered. */
final class ConverseTest extends TestCase
{
    private const ASKED = ['REQUEST_METHOD' => 'GET', 'HTTP_HOST' => 'shop.example', 'HTTP_SEC_FETCH_SITE' => 'same-origin'];

    public function testThePageOfAUser(): void
    {
        $html = Converse::html('al</script>ice@example.org', '"nonce"', '/chat/session', '/http-bind', '/assets/', ['view_mode' => 'embedded']);
        $document = new DOMDocument();
        self::assertTrue($document->loadHTML("<body>$html</body>", LIBXML_NOERROR));
        $scripts = $document->getElementsByTagName('script');
        self::assertCount(3, $scripts);
        foreach ($scripts as $script) {
            self::assertSame($script->getAttribute('type') === 'module', $script->getAttribute('nonce') === '"nonce"');
            self::assertSame($script->getAttribute('type') === 'module', $script->textContent === '');
        }
        $settings = json_decode($scripts->item(1)->textContent, true);
        self::assertSame('al</script>ice@example.org', $settings['jid']);
        self::assertSame(['embedded', '/http-bind', '/chat/session'], [$settings['view_mode'], $settings['bosh_service_url'], $settings['prebind_url']]);
        self::assertArrayNotHasKey('websocket_url', $settings);
        self::assertStringNotContainsString('<script', $settings['assets_path']);
    }

    public function testThePageOfNobodyHasNoChat(): void
    {
        $html = Converse::html(null);
        self::assertStringNotContainsString('converse.min', $html);
        self::assertStringContainsString('>null</script>', $html);
        // Nor has a user without chat.
        self::assertSame($html, Converse::html(''));
        self::assertSame($html, Converse::html(fn () => ''));
    }

    /** @return iterable<array{string|Closure, string}> */
    public static function withoutJid(): iterable
    {
        yield [fn () => Prebind\jid_from_user('', 'example.org'), 'Config: '];
        yield [fn () => Prebind\jid_from_user("\u{1f600}", 'example.org'), 'Config: '];
        yield [fn () => throw new RuntimeException('the password is hunter2'), 'RuntimeException in ' . __FILE__];
    }

    /** @dataProvider withoutJid */
    public function testAUserWhoHasNoJidHasNoChatAndAllElse(Closure $jid, string $why): void
    {
        $html = $this->quietly(fn () => Converse::html($jid, bosh_url: '/http-bind'), $log);
        self::assertSame(Converse::html(null), $html);
        self::assertStringContainsString("prebind: no chat: $why", $log);
        self::assertStringNotContainsString('hunter2', $log);

        $answer = $this->quietly(fn () => Converse::answer($jid, fn () => [], server: self::ASKED, query: []), $log);
        self::assertSame([503, 'application/json'], [$answer->status, $answer->headers['Content-Type']]);
        self::assertStringContainsString("prebind: no chat: $why", $log);
    }

    public function testAJidThatIsNotUtf8HasNoChatAndAllElse(): void
    {
        self::assertSame(Converse::html(null), $this->quietly(fn () => Converse::html("\xff@b", bosh_url: '/http-bind'), $log));
        self::assertStringContainsString('JsonException in ', $log);
        $client = new Prebind\Client('http://127.0.0.1:9/');
        $answer = $this->quietly(fn () => Converse::answer("\xff@b", fn () => ['password' => 'x'], $client, null, self::ASKED, []));
        self::assertSame([503, '{"kind":"Config","retry":"after-config-change"}'], [$answer->status, $answer->body]);
    }

    public function testJidAndClientMayBeMadeWhenTheyAreNeeded(): void
    {
        self::assertSame(Converse::html('alice@b', bosh_url: '/b'), Converse::html(fn () => 'alice@b', bosh_url: '/b'));
        self::assertSame(Converse::html(null), Converse::html(fn () => null));
        $never = fn () => self::fail('it was made');
        self::assertSame(401, Converse::answer(fn () => null, $never, $never, null, self::ASKED, [])->status);
        $client = fn () => new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0);
        $answer = $this->quietly(fn () => Converse::answer('alice@b', fn () => ['password' => 'x'], $client, null, self::ASKED, []));
        self::assertSame([503, '{"kind":"Connect","retry":"fresh-session"}'], [$answer->status, $answer->body]);
        $wrong = fn () => new Prebind\Client('nonsense');
        $answer = $this->quietly(fn () => Converse::answer('alice@b', fn () => ['password' => 'x'], $wrong, null, self::ASKED, []));
        self::assertSame(503, $answer->status);
    }

    public function testWhereBrowsersFindTheEndpointIsASettingOfItsOwn(): void
    {
        self::assertSame(Converse::html(null), $this->quietly(fn () => Converse::html('alice@b'), $log));
        self::assertStringContainsString('prebind.browser_url', $log);
        $told = function (): string {
            $html = Converse::html('alice@b');
            return preg_match('/"bosh_service_url":"([^"]*)"/', $html, $match) ? $match[1] : '';
        };
        try {
            ini_set('prebind.url', 'http://127.0.0.1:5280/http-bind');
            self::assertSame('http://127.0.0.1:5280/http-bind', $told());
            ini_set('prebind.browser_url', 'https://chat.example.org/http-bind');
            self::assertSame('https://chat.example.org/http-bind', $told());
        } finally {
            ini_restore('prebind.url');
            ini_restore('prebind.browser_url');
        }
    }

    public function testWhatThePageDecidesCannotBeSet(): void
    {
        $this->expectExceptionMessage('password');
        Converse::html('alice@example.org', settings: ['password' => 'x']);
    }

    public function testTheScript(): void
    {
        $answer = Converse::answer(null, fn () => [], server: ['REQUEST_METHOD' => 'GET'], query: ['script' => '']);
        self::assertSame(file_get_contents(__DIR__ . '/../lib/chat.js'), $answer->body . "\n");
        self::assertStringStartsWith('text/javascript', $answer->headers['Content-Type']);
    }

    /** @return iterable<array{int, string, ?string, array<string, string>, array<string, mixed>}> */
    public static function refused(): iterable
    {
        $alice = 'alice@localhost';
        yield [405, 'Method', $alice, ['REQUEST_METHOD' => 'POST'] + self::ASKED, []];
        yield [401, 'NotLoggedIn', null, self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => 'same-site'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, array_diff_key(self::ASKED, ['HTTP_SEC_FETCH_SITE' => 1]), []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => 'http://evil.example/'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'https://shop.example'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://shop.example:81', 'SERVER_PORT' => '80'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => '//shop.example/'] + self::ASKED, []];
        yield [403, 'CrossOrigin', '', ['HTTP_SEC_FETCH_SITE' => 'same-site'] + self::ASKED, []];
        yield [403, 'NoChat', '', self::ASKED, []];
        yield [400, 'Page', $alice, self::ASKED, ['page' => 'a b']];
        yield [400, 'Page', $alice, self::ASKED, ['page' => ['a']]];
        yield [503, 'Connect', $alice, self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => 'http://shop.example/page'] + self::ASKED, ['page' => 'a-1']];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://Shop.Example'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => 'http://shop.example/', 'HTTP_HOST' => 'SHOP.example'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://shop.example:81', 'SERVER_PORT' => '81'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://shop.example:81', 'HTTP_HOST' => 'shop.example:81'] + self::ASKED, []];
    }

    /**
     * @dataProvider refused
     *
     * @param array<string, string> $server
     * @param array<string, mixed> $query
     */
    public function testWhoGetsNoSession(int $status, string $kind, ?string $jid, array $server, array $query): void
    {
        $client = new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0);
        $answer = $this->quietly(fn () => Converse::answer($jid, fn () => ['password' => 'hunter2'], $client, null, $server, $query));
        self::assertSame($status, $answer->status);
        self::assertSame(['kind', 'retry'], array_keys(json_decode($answer->body, true)));
        self::assertSame($kind, json_decode($answer->body, true)['kind']);
        self::assertSame(['application/json', 'no-store, private', 'nosniff', 'Cookie'], [
            $answer->headers['Content-Type'], $answer->headers['Cache-Control'],
            $answer->headers['X-Content-Type-Options'], $answer->headers['Vary'],
        ]);
        self::assertSame($status === 405, isset($answer->headers['Allow']));
    }

    public function testWhatTheSitesOwnCodeThrowsIsNoSecretOfTheBrowsers(): void
    {
        $throw = fn () => throw new RuntimeException('the password is hunter2');
        $answer = $this->quietly(fn () => Converse::answer('alice@localhost', $throw, null, null, self::ASKED, []), $log);
        self::assertSame([503, '{"kind":"Internal","retry":"no"}'], [$answer->status, $answer->body]);
        self::assertStringContainsString('RuntimeException in ' . __FILE__, $log);
        self::assertStringNotContainsString('hunter2', $log);
    }

    public function testAUserMayNotAskTooOften(): void
    {
        if (!function_exists('apcu_enabled') || !apcu_enabled()) {
            self::fail('run PHP with APCu, and apc.enable_cli=1');
        }
        $client = new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0);
        $ask = fn (string $jid) => $this->quietly(fn () => Converse::answer($jid, fn () => ['password' => 'x'], $client, [2, 3600], self::ASKED, []));
        self::assertSame([503, 503, 429], [$ask('carol@localhost')->status, $ask('carol@localhost')->status, ($last = $ask('carol@localhost'))->status]);
        self::assertGreaterThan(0, (int) $last->headers['Retry-After']);
        self::assertSame(503, $ask('dave@localhost')->status);
    }

    private function quietly(callable $call, ?string &$log = null): mixed
    {
        $file = (string) tempnam(sys_get_temp_dir(), 'log');
        $before = (string) ini_set('error_log', $file);
        try {
            return $call();
        } finally {
            ini_set('error_log', $before);
            $log = (string) file_get_contents($file);
            unlink($file);
        }
    }
}

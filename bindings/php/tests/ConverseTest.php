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
            $isData = $script->getAttribute('type') === 'application/json';
            self::assertSame($isData ? '' : '"nonce"', $script->getAttribute('nonce'));
            self::assertSame($isData, $script->textContent !== '');
        }
        parse_str($scripts->item(1)->getAttribute('data-prebind'), $served);
        self::assertSame([
            'prebind_url' => '/chat/session',
            'jid' => 'al</script>ice@example.org',
            'bosh_service_url' => '/http-bind',
            'assets_path' => '/assets/',
            'converse' => '/assets/converse.min.js',
        ], $served);
        $settings = json_decode($scripts->item(0)->textContent, true);
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
        yield [fn () => throw new Error('the password is hunter2'), 'Error in ' . __FILE__];
        yield [fn () => strlen(['hunter2']), 'TypeError in ' . __FILE__];
    }

    /** @dataProvider withoutJid */
    public function testAUserWhoHasNoJidHasNoChatAndAllElse(Closure $jid, string $why): void
    {
        $html = $this->quietly(fn () => Converse::html($jid, browser_url: '/http-bind'), $log);
        self::assertSame(Converse::html(null), $html);
        self::assertStringContainsString("prebind: no chat: $why", $log);
        self::assertStringNotContainsString('hunter2', $log);

        $answer = $this->quietly(fn () => Converse::answer($jid, fn () => [], server: self::ASKED, query: []), $log);
        self::assertSame([503, 'application/json'], [$answer->status, $answer->headers['Content-Type']]);
        self::assertStringContainsString("prebind: no chat: $why", $log);
    }

    public function testAUserWhoseSignInHasExpiredIsAskedToSignIn(): void
    {
        $client = new Prebind\Client('http://127.0.0.1:9/');
        $expired = fn () => throw new Prebind\SignInAgain('the token was hunter2');
        $log = '';
        $answer = $this->quietly(fn () => Converse::answer('alice@b', $expired, $client, null, self::ASKED, []), $log);
        self::assertSame([401, '{"kind":"SignInAgain","retry":"no"}'], [$answer->status, $answer->body]);
        self::assertSame('', $log);
    }

    public function testAJidThatIsNotUtf8HasNoChatAndAllElse(): void
    {
        self::assertSame(Converse::html(null), $this->quietly(fn () => Converse::html("\xff@b", browser_url: '/http-bind'), $log));
        self::assertStringContainsString('no chat: Config: jid: must be UTF-8', $log);
        $client = new Prebind\Client('http://127.0.0.1:9/');
        $this->quietly(fn () => Converse::answer('alice@b', fn () => ["\xff" => 'x'], $client, null, self::ASKED, []), $log);
        self::assertStringContainsString('no chat for alice@b: Config: credentials: must be UTF-8', $log);
        $answer = $this->quietly(fn () => Converse::answer("\xff@b", fn () => ['password' => 'x'], $client, null, self::ASKED, []));
        self::assertSame([503, '{"kind":"Config","retry":"after-config-change"}'], [$answer->status, $answer->body]);
    }

    /** @return iterable<array{string, array<string, mixed>}> what is said, and what is given */
    public static function useless(): iterable
    {
        $form = "it has to be like ['password' => …]";
        yield ["\$credentials: returned a string; $form", ['credentials' => fn () => 'hunter2']];
        yield ["\$credentials: returned an array; $form", ['credentials' => fn () => ['hunter2']]];
        yield ["\$credentials: returned null; $form", ['credentials' => fn () => null]];
        yield ["\$credentials: returned a Closure; $form", ['credentials' => fn () => fn () => 'hunter2']];
        yield ["\$credentials: no argument 'pasword'; did you mean password?", ['credentials' => fn () => ['pasword' => 'hunter2']]];
        yield ['$credentials: password is an array; it has to be text', ['credentials' => fn () => ['password' => ['hunter2']]]];
        yield ['$credentials: password is a float; it has to be text', ['credentials' => fn () => ['password' => 12.345]]];
        yield ['$credentials: scram_keys is a string; it has to be named', ['credentials' => fn () => ['scram_keys' => 'hunter2']]];
        yield ['$jid: returned an int; it has to be like \'alice@example.org\', or null', ['jid' => fn () => 12345]];
        yield ['$jid: returned a bool; it has to be', ['jid' => fn () => false]];
        yield ['$client: returned a string; it has to be a Prebind\Client', ['client' => fn () => 'hunter2']];
        yield ['$rate_limit: is an array; it has to be two numbers of 1 or more, like [30, 60], or null', ['rate_limit' => [30]]];
    }

    /**
     * @dataProvider useless
     *
     * @param array<string, mixed> $given
     */
    public function testWhatTheSitesOwnCodeGivesIsToldByClassAndName(string $said, array $given): void
    {
        $fine = ['jid' => 'alice@localhost', 'credentials' => fn () => ['password' => 'hunter2'],
            'client' => fn () => new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0), 'rate_limit' => null];
        $given += $fine;
        $answer = $this->quietly(fn () => Converse::answer(...$given, server: self::ASKED, query: []), $log);
        self::assertSame([503, '{"kind":"Internal","retry":"no"}'], [$answer->status, $answer->body]);
        self::assertStringContainsString(": $said", $log);
        ob_start();
        Prebind\doctor(...$given, browser_url: '/http-bind');
        $checked = (string) ob_get_clean();
        self::assertStringContainsString("error: $said", $checked);
        foreach (['hunter2', '12345', '12.345'] as $value) {
            self::assertStringNotContainsString($value, $log . $checked);
        }
    }

    public function testArgumentsWithoutAValueCountAsAbsent(): void
    {
        $client = fn () => new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0);
        $credentials = fn () => ['password' => 'x', 'external' => null, 'anonymous' => null];
        $answer = $this->quietly(fn () => Converse::answer('alice@b', $credentials, $client, null, self::ASKED, []));
        self::assertSame('{"kind":"Connect","retry":"later"}', $answer->body);
    }

    public function testJidAndClientMayBeMadeWhenTheyAreNeeded(): void
    {
        self::assertSame(Converse::html('alice@b', browser_url: '/b'), Converse::html(fn () => 'alice@b', browser_url: '/b'));
        self::assertSame(Converse::html(null), Converse::html(fn () => null));
        $never = fn () => self::fail('it was made');
        self::assertSame(401, Converse::answer(fn () => null, $never, $never, null, self::ASKED, [])->status);
        $client = fn () => new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0);
        $answer = $this->quietly(fn () => Converse::answer('alice@b', fn () => ['password' => 'x'], $client, null, self::ASKED, []));
        self::assertSame([503, '{"kind":"Connect","retry":"later"}'], [$answer->status, $answer->body]);
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

    public function testConverseMustNotBeInAWorker(): void
    {
        $this->expectExceptionMessage('connection_options.worker');
        Converse::html('alice@example.org', settings: ['connection_options' => ['worker' => '/worker.js']]);
    }

    public function testNothingIsOpenedForAnAnswerThatThereIsNot(): void
    {
        $never = fn () => self::fail('it was made');
        $this->expectExceptionMessage("\$extras: no value 'cookies'; there are only last_rid, wait, inactivity");
        Converse::answer('alice@b', $never, $never, null, self::ASKED, [], extras: ['cookies']);
    }

    public function testTheScript(): void
    {
        $answer = Converse::answer(null, fn () => [], server: ['REQUEST_METHOD' => 'GET'], query: ['script' => '']);
        self::assertSame(file_get_contents(__DIR__ . '/../lib/chat.js'), $answer->body . "\n");
        self::assertStringStartsWith('text/javascript', $answer->headers['Content-Type']);
        self::assertSame('no-cache', $answer->headers['Cache-Control']);
    }

    public function testTheScriptIsKeptUnderItsOwnVersionOnly(): void
    {
        preg_match('/\?script=(\w+)"/', Converse::html(null), $match);
        $answer = Converse::answer(null, fn () => [], server: ['REQUEST_METHOD' => 'GET'], query: ['script' => $match[1]]);
        self::assertStringContainsString('immutable', $answer->headers['Cache-Control']);
    }

    public function testTheLogSaysThatBrowsersDoNotReachTheChatServer(): void
    {
        foreach (['404' => 1, '4040' => 0, "4\n4" => 0] as $status => $times) {
            $log = (string) tempnam('', 'prebind');
            $before = ini_set('error_log', $log);
            Converse::answer('alice@localhost', fn () => [], fn () => new Prebind\Client('http://127.0.0.1:1/'), null, self::ASKED, ['unreached' => (string) $status]);
            ini_set('error_log', (string) $before);
            self::assertSame($times, substr_count((string) file_get_contents($log), "(HTTP status $status)"));
            unlink($log);
        }
    }

    /** @return iterable<array{int, string, ?string, array<string, string>, array<string, mixed>}> */
    public static function refused(): iterable
    {
        $alice = 'alice@localhost';
        yield [405, 'Method', $alice, ['REQUEST_METHOD' => 'PUT'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['REQUEST_METHOD' => 'POST'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['REQUEST_METHOD' => 'POST', 'HTTP_SEC_FETCH_SITE' => 'cross-site'] + self::ASKED, []];
        yield [401, 'NotLoggedIn', null, self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => 'same-site'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, array_diff_key(self::ASKED, ['HTTP_SEC_FETCH_SITE' => 1]), []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => 'http://evil.example/'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'https://shop.example'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://shop.example:81', 'SERVER_PORT' => '80'] + self::ASKED, []];
        yield [403, 'CrossOrigin', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => '//shop.example/'] + self::ASKED, []];
        yield [403, 'CrossOrigin', '', ['HTTP_SEC_FETCH_SITE' => 'same-site'] + self::ASKED, []];
        yield [403, 'NoChat', '', self::ASKED, []];
        yield [403, 'NoChat', '', self::ASKED, ['jid' => '']];
        yield [401, 'NotLoggedIn', null, self::ASKED, ['jid' => '']];
        foreach (['bob@localhost', 'Alice@localhost', '', ['a']] as $other) {
            yield [403, 'OtherUser', $alice, self::ASKED, ['jid' => $other]];
        }
        yield [503, 'Connect', $alice, self::ASKED, ['jid' => $alice]];
        foreach (['DEST' => 'image', 'MODE' => 'navigate'] as $name => $value) {
            yield [403, 'Destination', $alice, ["HTTP_SEC_FETCH_$name" => $value] + self::ASKED, []];
        }
        yield [403, 'Destination', $alice, ['HTTP_SEC_PURPOSE' => 'prefetch'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_DEST' => 'empty', 'HTTP_SEC_FETCH_MODE' => 'cors'] + self::ASKED, []];
        foreach (['image/webp,*/*;q=0.8' => 403, 'text/html' => 403, 'application/json, text/javascript' => 503, '*/*' => 503] as $types => $status) {
            $asked = ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => 'http://shop.example/', 'HTTP_ACCEPT' => $types] + self::ASKED;
            yield [$status, $status === 403 ? 'Destination' : 'Connect', $alice, $asked, []];
        }
        yield [400, 'Page', $alice, self::ASKED, ['page' => 'a b']];
        yield [400, 'Page', $alice, self::ASKED, ['page' => ['a']]];
        yield [503, 'Connect', $alice, self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => 'http://shop.example/page'] + self::ASKED, ['page' => 'a-1']];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://Shop.Example'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_REFERER' => 'http://shop.example/', 'HTTP_HOST' => 'SHOP.example'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://shop.example:81', 'SERVER_PORT' => '81'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'http://shop.example:81', 'HTTP_HOST' => 'shop.example:81'] + self::ASKED, []];
        yield [503, 'Connect', $alice, ['HTTP_SEC_FETCH_SITE' => null, 'HTTP_ORIGIN' => 'https://shop.example', 'HTTPS' => 'on', 'SERVER_PORT' => '443'] + self::ASKED, []];
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
        self::assertSame($status === 405 ? 'GET, POST' : null, $answer->headers['Allow'] ?? null);
    }

    public function testWhatTheSitesOwnCodeThrowsIsNoSecretOfTheBrowsers(): void
    {
        foreach ([new RuntimeException('hunter2'), new Error('hunter2'), new TypeError('hunter2')] as $thrown) {
            $throw = fn () => throw $thrown;
            foreach ([[$throw, fn () => [], null], ['a@b', $throw, null], ['a@b', fn () => [], $throw]] as [$jid, $credentials, $client]) {
                $answer = $this->quietly(fn () => Converse::answer($jid, $credentials, $client, null, self::ASKED, []), $log);
                self::assertSame([503, '{"kind":"Internal","retry":"no"}'], [$answer->status, $answer->body]);
                self::assertStringContainsString($thrown::class . ' in ' . __FILE__, $log);
                self::assertStringNotContainsString('hunter2', $log);
            }
        }
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

    public function testAnApcuThatDoesNotCountRefusesNobody(): void
    {
        $client = new Prebind\Client('http://127.0.0.1:9/', fail_fast_after: 0);
        $seconds = 10 ** 10;
        apcu_store('prebind:erin@localhost:' . intdiv(time(), $seconds), 'no number');
        $answer = $this->quietly(fn () => Converse::answer('erin@localhost', fn () => ['password' => 'x'], $client, [1, $seconds], self::ASKED, []), $log);
        self::assertSame(503, $answer->status);
        self::assertStringContainsString('prebind: APCu does not count sessions', $log);
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

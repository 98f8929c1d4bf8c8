<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;
use Prebind\Converse;

/** What a site decides by the request: the chat server, what proves who the user is, and what leads a browser there. */
final class TenantsTest extends TestCase
{
    private const ASKED = ['REQUEST_METHOD' => 'GET', 'HTTP_SEC_FETCH_SITE' => 'same-origin'];

    public function testTenantsHaveAChatServerEach(): void
    {
        foreach (['prosody' => 'localhost', 'ejabberd' => 'plain.local'] as $kind => $domain) {
            $server = Real::of($kind);
            $tenant = new Prebind\Client($server->described['http_url']);
            $answer = Converse::answer(
                "alice@$domain",
                fn () => ['password' => $server->password('alice')],
                client: fn () => $tenant,
                server: ['HTTP_HOST' => "$kind.example"] + self::ASKED,
                query: [],
                browser_url: "https://chat.$kind.example/http-bind",
            );
            self::assertSame(200, $answer->status);
            $session = json_decode($answer->body, true);
            self::assertStringStartsWith("alice@$domain/", $session['jid']);
            $tenant->terminate(sid: $session['sid'], rid: $session['rid']);
        }
    }

    public function testTheLogHasTheAddressOfTheTenantsBrowsers(): void
    {
        $log = (string) tempnam('', 'prebind');
        $before = ini_set('error_log', $log);
        $client = fn () => new Prebind\Client('http://127.0.0.1:1/');
        $server = ['HTTP_HOST' => 'one.example'] + self::ASKED;
        Converse::answer('alice@b', fn () => [], $client, null, $server, ['unreached' => '404'], browser_url: 'https://chat.one.example/');
        ini_set('error_log', (string) $before);
        self::assertStringContainsString('at https://chat.one.example/ (HTTP status 404)', (string) file_get_contents($log));
        unlink($log);
    }

    public function testATokenInTheSession(): void
    {
        $prosody = Real::of('prosody');
        $_SESSION = ['chat_token' => $prosody->described['tokens']['alice@bearer.local']];
        try {
            $client = new Prebind\Client($prosody->described['http_url']);
            $server = ['HTTP_HOST' => 'shop.example'] + self::ASKED;
            $answer = Converse::answer('alice@bearer.local', fn () => ['oauthbearer' => $_SESSION['chat_token']], $client, null, $server, []);
            $session = json_decode($answer->body, true);
            self::assertStringStartsWith('alice@bearer.local/', $session['jid']);
            $client->terminate(sid: $session['sid'], rid: $session['rid']);
        } finally {
            $_SESSION = [];
        }
    }

    public function testTheCookieOfABalancerLeadsTheBrowserToTheNodeOfItsSession(): void
    {
        // Two Prosody, which share no sessions, behind a balancer that goes by a cookie.
        $sticky = proc_open(['servers', 'sticky', '--no-limits', '--json'], [['pipe', 'r'], ['pipe', 'w']], $pipes);
        $described = json_decode((string) fgets($pipes[1]), true)['prosody'];
        $code = static fn (string $browser_url): string => sprintf(<<<'PHP'
            [$url, $password, $browser_url] = %s;
            setcookie('site', '1');
            ob_start();
            Prebind\Converse::answer(
                'alice@localhost',
                fn () => ['password' => $password],
                client: fn () => new Prebind\Client($url),
                server: ['HTTP_HOST' => 'shop.example', 'HTTPS' => 'on', 'REQUEST_METHOD' => 'GET', 'HTTP_SEC_FETCH_SITE' => 'same-origin'],
                query: [],
                browser_url: $browser_url,
            )->send();
            echo json_encode([json_decode(ob_get_clean(), true), preg_grep('/^Set-Cookie/', headers_list())]);
            PHP, var_export([$described['http_url'], $described['accounts']['alice'], $browser_url], true));
        $fpm = new Fpm(1, '-d', 'prebind.max_host_calls=100');
        $nodes = [];
        foreach (range(1, 4) as $_) {
            [[$session, $cookies]] = $fpm->answers($code('/http-bind'));
            // Another cookie does not take its place.
            [$site, $ours] = array_values($cookies);
            self::assertSame('Set-Cookie: site=1', $site);
            self::assertSame(1, preg_match('/^Set-Cookie: (SRV=s[01]); Path=\/; HttpOnly; SameSite=Strict; Secure$/D', $ours, $match), $ours);
            $nodes[] = $match[1];
            self::assertStringNotContainsString('condition', $this->left($described['http_url'], $session, $match[1]));
        }
        [[$session, $cookies]] = $fpm->answers($code('https://chat.example.org/http-bind'));
        $fpm->end();
        fclose($pipes[0]);
        proc_close($sticky);
        self::assertNotNull($session['sid']);
        self::assertSame(['Set-Cookie: site=1'], array_values($cookies));
        self::assertCount(2, array_unique($nodes));
    }

    /**
     * What the chat server answers a browser that ends its session.
     *
     * @param array{sid: string, rid: int} $session
     */
    private function left(string $url, array $session, string $cookie): string
    {
        $body = "<body xmlns='http://jabber.org/protocol/httpbind' sid='{$session['sid']}' rid='{$session['rid']}' type='terminate'/>";
        $options = ['method' => 'POST', 'header' => "Content-Type: text/xml\r\nCookie: $cookie", 'content' => $body];
        return (string) file_get_contents($url, false, stream_context_create(['http' => $options]));
    }
}

<?php

namespace Prebind;

/**
 * The chat in a web page, by Converse.js: what the page needs, and what the page's browser asks.
 */
final class Converse
{
    /** What {@see html()} decides itself; a password has no business in a page at all. */
    private const RESERVED = [
        'assets_path', 'authentication', 'auto_login', 'bosh_service_url', 'credentials_url', 'jid',
        'keepalive', 'password', 'prebind_url', 'rid', 'sid', 'websocket_url',
    ];

    /**
     * The elements for the end of a page's body, of every page of the site, for everybody: the chat
     * of the user who is signed in; for anybody else what clears away the chat of the one before.
     *
     * There is no inline script in them.
     *
     * @param ?string $jid the user's bare JID; null if nobody is signed in, or has no chat
     * @param string $nonce of the page's Content-Security-Policy, for `script-src`
     * @param string $endpoint where the site answers with {@see answer()}
     * @param ?string $bosh_url the BOSH endpoint as the browser reaches it: an address, or a path of
     *     the site; default `prebind.url` in `php.ini`
     * @param string $assets where Converse.js's `dist` is, ending in `/`
     * @param array<string, mixed> $settings further settings of Converse.js
     */
    public static function html(
        ?string $jid,
        string $nonce = '',
        string $endpoint = '/prebind',
        ?string $bosh_url = null,
        string $assets = '/converse/',
        array $settings = [],
    ): string {
        if ($reserved = \array_intersect(self::RESERVED, \array_keys($settings))) {
            throw new \ValueError(__METHOD__ . '(): $settings must not have ' . \implode(', ', $reserved));
        }
        $told = $jid === null ? null : $settings + [
            'view_mode' => 'overlayed',
            // No `websocket_url`: Converse would prefer it, and there is nothing to attach to there.
            'authentication' => 'prebind',
            'prebind_url' => $endpoint,
            'bosh_service_url' => $bosh_url ?? (string) \ini_get('prebind.url'),
            // The user's own: otherwise Converse takes up the session of whoever was here before.
            'jid' => $jid,
            'auto_login' => true,
            'keepalive' => true,
            'assets_path' => $assets,
        ];
        $nonce = $nonce === '' ? '' : ' nonce="' . self::escaped($nonce) . '"';
        $assets = self::escaped($assets);
        // Converse looks for its own element to find its files.
        $converse = $jid === null ? '' : <<<HTML
            <link rel="stylesheet" href="{$assets}converse.min.css"$nonce>
            <script type="module" src="{$assets}converse.min.js"$nonce></script>

            HTML;
        $data = \json_encode($told, \JSON_HEX_TAG | \JSON_HEX_AMP | \JSON_UNESCAPED_SLASHES | \JSON_THROW_ON_ERROR);
        $script = self::escaped($endpoint . '?script=' . \phpversion('prebind'));
        return $converse . <<<HTML
            <script id="prebind-converse" type="application/json">$data</script>
            <script type="module" src="$script"$nonce></script>
            HTML;
    }

    /**
     * The answer to what a page asks at its `$endpoint`: a fresh session for the user who is signed
     * in, each time, and for nobody else; or the page's script.
     *
     * | status | kind | |
     * |---|---|---|
     * | 200 | | `{"jid", "sid", "rid"}` |
     * | 400 | `Page` | `?page=` is not up to 64 letters, digits and hyphens |
     * | 401 | `NotLoggedIn` | |
     * | 403 | `CrossOrigin` | no page of the site asks |
     * | 405 | `Method` | |
     * | 429 | `RateLimit` | with `Retry-After`; only where APCu is loaded |
     * | 503 | an exception's | no chat at the moment; why is in PHP's error log |
     *
     * @param ?string $jid the user's bare JID; null if nobody is signed in, or has no chat
     * @param callable(): array<string, mixed> $credentials what proves it to the chat server: named
     *     arguments of {@see Client::prebind()}
     * @param ?Client $client default that of `php.ini`
     * @param ?array{int, int} $rate_limit how many sessions a user may open in how many seconds;
     *     null for any number
     * @param ?array<string, mixed> $server what `$_SERVER` has, for those who have it elsewhere
     * @param ?array<string, mixed> $query what `$_GET` has
     */
    public static function answer(
        ?string $jid,
        callable $credentials,
        ?Client $client = null,
        ?array $rate_limit = [30, 60],
        ?array $server = null,
        ?array $query = null,
    ): Answer {
        $server ??= $_SERVER;
        $query ??= $_GET;
        if (isset($query['script'])) {
            return Answer::script();
        }
        return self::refusal($jid, $server, $query) ?? self::tooOften((string) $jid, $rate_limit)
            ?? self::session((string) $jid, $query['page'] ?? '', $credentials, $client);
    }

    /**
     * @param array<string, mixed> $server
     * @param array<string, mixed> $query
     */
    private static function refusal(?string $jid, array $server, array $query): ?Answer
    {
        $page = $query['page'] ?? '';
        return match (true) {
            ($server['REQUEST_METHOD'] ?? '') !== 'GET' => Answer::refused(405, 'Method', headers: ['Allow' => 'GET']),
            $jid === null => Answer::refused(401, 'NotLoggedIn'),
            !self::isSameOrigin($server) => Answer::refused(403, 'CrossOrigin'),
            !\is_string($page) || !\preg_match('/^[A-Za-z0-9-]{0,64}$/D', $page) => Answer::refused(400, 'Page'),
            default => null,
        };
    }

    /**
     * Whether a page of this site asks.
     *
     * Browsers say so in `Sec-Fetch-Site`; over plain http, and older ones, in `Origin` or `Referer`.
     * Whoever says nothing is refused, for a foreign page can choose to.
     *
     * @param array<string, mixed> $server
     */
    private static function isSameOrigin(array $server): bool
    {
        if (isset($server['HTTP_SEC_FETCH_SITE'])) {
            return $server['HTTP_SEC_FETCH_SITE'] === 'same-origin';
        }
        $source = \parse_url($server['HTTP_ORIGIN'] ?? $server['HTTP_REFERER'] ?? '');
        $host = ($source['host'] ?? '') . (isset($source['port']) ? ":{$source['port']}" : '');
        $scheme = \in_array(\strtolower($server['HTTPS'] ?? ''), ['', 'off'], true) ? 'http' : 'https';
        // Debian's nginx tells the host without its port.
        $ours = $server['HTTP_HOST'] ?? '';
        $hosts = [$ours, $ours . ':' . ($server['SERVER_PORT'] ?? '')];
        return $ours !== '' && \in_array($host, $hosts, true) && $source['scheme'] === $scheme;
    }

    /** @param ?array{int, int} $limit */
    private static function tooOften(string $jid, ?array $limit): ?Answer
    {
        if ($limit === null || !\function_exists('apcu_enabled') || !\apcu_enabled()) {
            return null;
        }
        [$count, $seconds] = $limit;
        $window = \intdiv(\time(), $seconds);
        if (\apcu_inc("prebind:$jid:$window", 1, $isThere, $seconds) <= $count) {
            return null;
        }
        $wait = (string) ($seconds - \time() % $seconds);
        return Answer::refused(429, 'RateLimit', 'later', ['Retry-After' => $wait]);
    }

    private static function session(string $jid, string $page, callable $credentials, ?Client $client): Answer
    {
        try {
            // A page whose session was lost gets its JID again: Converse goes on with it in what it
            // had yet to send, and some servers end a session for another's JID.
            $full = $page === '' ? $jid : "$jid/$page";
            $proof = $credentials();
            return Answer::granted(($client ?? new Client())->prebind($full, ...$proof));
        } catch (Exception $error) {
            // A failure is the chat's alone: it is logged, and the site goes on.
            \error_log("prebind: no chat for $jid: {$error->kind}: {$error->getMessage()}");
            return Answer::refused(503, $error->kind, $error->retry);
        } catch (\Throwable $error) {
            // Only where: what the site's own code says might repeat a secret.
            $place = $error::class . " in {$error->getFile()}:{$error->getLine()}";
            \error_log("prebind: no chat for $jid: $place");
            return Answer::refused(503, 'Internal');
        }
    }

    private static function escaped(string $text): string
    {
        return \htmlspecialchars($text, \ENT_QUOTES | \ENT_SUBSTITUTE);
    }
}

/**
 * What the browser is answered: {@see send()} it, or give its parts to your framework.
 */
final class Answer
{
    /** @param array<string, string> $headers */
    private function __construct(
        public readonly int $status,
        public readonly array $headers,
        public readonly string $body,
    ) {
    }

    /** @internal */
    public static function granted(Session $session): self
    {
        return self::json(200, $session);
    }

    /**
     * @internal
     *
     * @param array<string, string> $headers
     */
    public static function refused(int $status, string $kind, string $retry = 'no', array $headers = []): self
    {
        return self::json($status, ['kind' => $kind, 'retry' => $retry], $headers);
    }

    /** @internal */
    public static function script(): self
    {
        $headers = [
            'Content-Type' => 'text/javascript; charset=utf-8',
            'Cache-Control' => 'private, max-age=31536000, immutable',
            'X-Content-Type-Options' => 'nosniff',
        ];
        return new self(200, $headers, SCRIPT);
    }

    /** @param array<string, string> $headers */
    private static function json(int $status, mixed $content, array $headers = []): self
    {
        $headers += [
            'Content-Type' => 'application/json',
            'Cache-Control' => 'no-store, private',
            'X-Content-Type-Options' => 'nosniff',
            'Vary' => 'Cookie',
        ];
        return new self($status, $headers, \json_encode($content, \JSON_THROW_ON_ERROR));
    }

    /** Sends status, headers and body, in place of what PHP's session module may have set. */
    public function send(): void
    {
        \http_response_code($this->status);
        foreach ($this->headers as $name => $value) {
            \header("$name: $value");
        }
        foreach (['Expires', 'Pragma'] as $name) {
            \header_remove($name);
        }
        echo $this->body;
    }
}

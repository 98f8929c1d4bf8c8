<?php

namespace Prebind;

/**
 * The chat in a web page, by Converse.js: what the page needs, and what the page's browser asks.
 *
 * @phpstan-type Proof array{
 *     password?: ?string, token?: ?string, oauthbearer?: ?string, x_oauth2?: ?string, anonymous?: bool,
 *     external?: bool, mechanism?: ?string, initial_response?: ?string,
 *     scram_keys?: ?array{hash: string, salt: string, iterations: int, client_key: string, server_key: string},
 *     scram_salted_password?: ?array{hash: string, salt: string, iterations: int, salted_password: string},
 *     fast_token?: ?string, authcid?: ?string, authzid?: ?string,
 * }
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
     * There is no inline script in them. A user whose chat cannot be described has none: why is in
     * PHP's error log, and the page is as it is.
     *
     * @param string|\Closure(): ?string|null $jid the user's bare JID, or a function that gives it,
     *     which may throw; null if nobody is signed in, an empty text if who is has no chat
     * @param string $nonce of the page's Content-Security-Policy, for `script-src`
     * @param string $endpoint where the site answers with {@see answer()}
     * @param ?string $bosh_url the BOSH endpoint as the browser reaches it: an address, or a path of
     *     the site; default `prebind.browser_url` in `php.ini`, or else `prebind.url`
     * @param string $assets where Converse.js's `dist` is, ending in `/`
     * @param array<string, mixed> $settings further settings of Converse.js
     */
    public static function html(
        string|\Closure|null $jid,
        string $nonce = '',
        string $endpoint = '/prebind',
        ?string $bosh_url = null,
        string $assets = '/converse/',
        array $settings = [],
    ): string {
        if ($reserved = \array_intersect(self::RESERVED, \array_keys($settings))) {
            throw new \ValueError(__METHOD__ . '(): $settings must not have ' . \implode(', ', $reserved));
        }
        $data = 'null';
        try {
            $known = ($jid instanceof \Closure ? $jid() : $jid) ?? '';
            $settings += ['view_mode' => 'overlayed'];
            $told = $known === '' ? null : self::told($known, $endpoint, $bosh_url, $assets) + $settings;
            $data = \json_encode($told, \JSON_HEX_TAG | \JSON_HEX_AMP | \JSON_UNESCAPED_SLASHES | \JSON_THROW_ON_ERROR);
        } catch (\Throwable $error) {
            self::log($error);
        }
        $nonce = $nonce === '' ? '' : ' nonce="' . self::escaped($nonce) . '"';
        $assets = self::escaped($assets);
        // Converse looks for its own element to find its files.
        $converse = $data === 'null' ? '' : <<<HTML
            <link rel="stylesheet" href="{$assets}converse.min.css"$nonce>
            <script type="module" src="{$assets}converse.min.js"$nonce></script>

            HTML;
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
     * | 403 | `NoChat` | the user's JID is empty |
     * | 405 | `Method` | |
     * | 429 | `RateLimit` | with `Retry-After`; only where APCu is loaded |
     * | 503 | an exception's | no chat at the moment; why is in PHP's error log |
     *
     * @param string|\Closure(): ?string|null $jid the user's bare JID, or a function that gives it,
     *     which may throw; null if nobody is signed in, an empty text if who is has no chat
     * @param callable(): Proof $credentials what proves it to the chat server: named
     *     arguments of {@see Client::prebind()}
     * @param Client|\Closure(): Client|null $client or a function that makes it; default that of
     *     `php.ini`
     * @param ?array{int, int} $rate_limit how many sessions a user may open in how many seconds;
     *     null for any number
     * @param ?array<string, mixed> $server what `$_SERVER` has, for those who have it elsewhere
     * @param ?array<string, mixed> $query what `$_GET` has
     */
    public static function answer(
        string|\Closure|null $jid,
        callable $credentials,
        Client|\Closure|null $client = null,
        ?array $rate_limit = [30, 60],
        ?array $server = null,
        ?array $query = null,
    ): Answer {
        $server ??= $_SERVER;
        $query ??= $_GET;
        if (isset($query['script'])) {
            return Answer::script();
        }
        $known = null;
        try {
            $known = $jid instanceof \Closure ? $jid() : $jid;
            return self::refusal($known, $server, $query) ?? self::tooOften((string) $known, $rate_limit)
                ?? self::session((string) $known, self::said($query, 'page'), $credentials, $client);
        } catch (\Throwable $error) {
            self::log($error, $known);
            return $error instanceof Exception
                ? Answer::refused(503, $error->kind, $error->retry)
                : Answer::refused(503, 'Internal');
        }
    }

    /**
     * Logs a user in as the site would, and ends the session again. Prints, line by line, what is right,
     * what may be meant so (`warning: …`) and what is wrong (`error: …`), with the remedy and without a
     * secret.
     *
     * For the command line, with the settings of the pages; or for a page that only its operator may open.
     *
     * @param string|\Closure(): ?string|null $jid the user's bare JID, or a function that gives it
     * @param callable(): Proof $credentials as {@see answer()} takes them, and the next two
     * @param Client|\Closure(): Client|null $client
     * @param ?array{int, int} $rate_limit
     * @param ?string $bosh_url as {@see html()} takes it
     * @param ?string $dist the folder that has Converse.js's `dist`, to see whether it does; null if it
     *     is not on this machine
     *
     * @return int how many things are wrong, for `exit()`: 0 if the user gets in; warnings do not count
     */
    public static function check(
        string|\Closure|null $jid,
        callable $credentials,
        Client|\Closure|null $client = null,
        ?array $rate_limit = [30, 60],
        ?string $bosh_url = null,
        ?string $dist = null,
    ): int {
        if (!\headers_sent()) {
            \header('Content-Type: text/plain; charset=utf-8');
        }
        $check = new Check();
        $check->php();
        $account = $check->account($jid, $credentials);
        if ($dist !== null) {
            $check->page($dist);
        }
        $check->browserUrl(self::browserUrl($bosh_url));
        $check->rateLimit($rate_limit);
        $made = $check->client($client);
        if ($made !== null && $account !== null) {
            $check->login($made, $account);
            $check->cache($made);
        }
        return $check->errors();
    }

    private static function browserUrl(?string $given): string
    {
        return $given ?? ((string) \ini_get('prebind.browser_url') ?: (string) \ini_get('prebind.url'));
    }

    /**
     * What Converse is told of the user.
     *
     * @return array<string, string|bool>
     */
    private static function told(string $jid, string $endpoint, ?string $bosh_url, string $assets): array
    {
        $bosh_url = self::browserUrl($bosh_url);
        if ($bosh_url === '') {
            throw Native\Call::refused('bosh_url', 'give it, or set `prebind.browser_url` in php.ini');
        }
        return [
            // No `websocket_url`: Converse would prefer it, and there is nothing to attach to there.
            'authentication' => 'prebind',
            'prebind_url' => $endpoint,
            'bosh_service_url' => $bosh_url,
            // The user's own: otherwise Converse takes up the session of whoever was here before.
            'jid' => $jid,
            'auto_login' => true,
            'keepalive' => true,
            'assets_path' => $assets,
        ];
    }

    /**
     * @param array<mixed> $server
     * @param array<mixed> $query
     */
    private static function refusal(?string $jid, array $server, array $query): ?Answer
    {
        $page = $query['page'] ?? '';
        return match (true) {
            ($server['REQUEST_METHOD'] ?? '') !== 'GET' => Answer::refused(405, 'Method', headers: ['Allow' => 'GET']),
            $jid === null => Answer::refused(401, 'NotLoggedIn'),
            !self::isSameOrigin($server) => Answer::refused(403, 'CrossOrigin'),
            !\is_string($page) || !\preg_match('/^[A-Za-z0-9-]{0,64}$/D', $page) => Answer::refused(400, 'Page'),
            $jid === '' => Answer::refused(403, 'NoChat'),
            default => null,
        };
    }

    /**
     * Whether a page of this site asks.
     *
     * Browsers say so in `Sec-Fetch-Site`; over plain http, and older ones, in `Origin` or `Referer`.
     * Whoever says nothing is refused, for a foreign page can choose to.
     *
     * @param array<mixed> $server
     */
    private static function isSameOrigin(array $server): bool
    {
        if (isset($server['HTTP_SEC_FETCH_SITE'])) {
            return $server['HTTP_SEC_FETCH_SITE'] === 'same-origin';
        }
        $from = isset($server['HTTP_ORIGIN']) ? 'HTTP_ORIGIN' : 'HTTP_REFERER';
        // Browsers write hosts in small letters, who sets up a proxy may not.
        $source = \parse_url(\strtolower(self::said($server, $from)));
        $host = ($source['host'] ?? '') . (isset($source['port']) ? ":{$source['port']}" : '');
        $scheme = \in_array(\strtolower(self::said($server, 'HTTPS')), ['', 'off'], true) ? 'http' : 'https';
        // Debian's nginx tells the host without its port.
        $ours = \strtolower(self::said($server, 'HTTP_HOST'));
        $hosts = [$ours, $ours . ':' . self::said($server, 'SERVER_PORT')];
        return $ours !== '' && \in_array($host, $hosts, true) && ($source['scheme'] ?? '') === $scheme;
    }

    /** @param array<mixed> $server */
    private static function said(array $server, string $name): string
    {
        $said = $server[$name] ?? '';
        return \is_scalar($said) ? (string) $said : '';
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

    /**
     * @param callable(): Proof $credentials
     * @param Client|\Closure(): Client|null $client
     */
    private static function session(
        string $jid,
        string $page,
        callable $credentials,
        Client|\Closure|null $client,
    ): Answer {
        // A page whose session was lost gets its JID again: Converse goes on with it in what it
        // had yet to send, and some servers end a session for another's JID.
        $full = $page === '' ? $jid : "$jid/$page";
        $client = $client instanceof \Closure ? $client() : $client ?? new Client();
        $proof = $credentials();
        return Answer::granted($client->prebind($full, ...$proof));
    }

    /** A failure is the chat's alone: it is logged, and the site goes on. */
    private static function log(\Throwable $error, ?string $jid = null): void
    {
        // Of others only where: what the site's own code says might repeat a secret.
        $why = $error instanceof Exception
            ? "{$error->kind}: {$error->getMessage()}"
            : $error::class . " in {$error->getFile()}:{$error->getLine()}";
        \error_log('prebind: no chat' . ($jid === null ? '' : " for $jid") . ": $why");
    }

    private static function escaped(string $text): string
    {
        return \htmlspecialchars($text, \ENT_QUOTES | \ENT_SUBSTITUTE);
    }
}

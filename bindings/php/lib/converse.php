<?php

namespace Prebind;

/**
 * The chat in a web page, by Converse.js: what the page needs, and what the page's browser asks.
 *
 * @phpstan-type Proof array{
 *     password?: ?string, token?: ?string, jwt?: ?Jwt, oauthbearer?: ?string, x_oauth2?: ?string,
 *     x_oauth2_issuer?: ?array{url: string, jid: string, password: string, lifetime?: int|float|null},
 *     anonymous?: bool, external?: bool, mechanism?: ?string, initial_response?: ?string,
 *     scram_keys?: ?array{hash: string, salt: string, iterations: int, client_key: string, server_key: string},
 *     scram_salted_password?: ?array{hash: string, salt: string, iterations: int, salted_password: string},
 *     fast_token?: ?string, authcid?: ?string, authzid?: ?string, nickname?: ?string,
 * }
 */
final class Converse
{
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
     * @param ?string $browser_url the BOSH endpoint as the browser reaches it: an address, or a path of
     *     the site; default `prebind.browser_url` in `php.ini`, or else `prebind.url`
     * @param string $assets where Converse.js's `dist` is, ending in `/`; empty if the pages load
     *     Converse.js, or another client, themselves
     * @param array<string, mixed> $settings further settings of Converse.js
     */
    public static function html(
        string|\Closure|null $jid,
        string $nonce = '',
        string $endpoint = '/prebind',
        ?string $browser_url = null,
        string $assets = '/converse/',
        array $settings = [],
    ): string {
        $names = (string) \json_encode((object) $settings, \JSON_PARTIAL_OUTPUT_ON_ERROR);
        if ($reserved = Native\Call::answer(static fn () => \prebind_native_web_reserved($names, $assets))) {
            throw new \ValueError(__METHOD__ . '(): $settings must not have ' . \implode(', ', $reserved));
        }
        $script = $endpoint . '?script=' . Answer::scriptVersion();
        // Of nobody, which clears away the chat of the user before.
        $page = ['jid' => '', 'bosh_url' => '', 'settings' => ''] + \compact('endpoint', 'script', 'assets', 'nonce');
        $html = static fn (array $page) => Native\Call::answer(static fn () => \prebind_native_web_page($page));
        try {
            $known = Native\Call::text('jid', Native\Call::jid($jid) ?? '');
            $browser_url = Native\Call::browserUrl($browser_url);
            if ($known !== '' && $browser_url === '') {
                throw Native\Call::refused('browser_url', 'give it, or set `prebind.browser_url` in php.ini');
            }
            $settings = \json_encode((object) $settings, \JSON_THROW_ON_ERROR);
            return $html(['jid' => $known, 'bosh_url' => $browser_url, 'settings' => $settings] + $page);
        } catch (\Throwable $error) {
            self::log($error);
            return $html($page);
        }
    }

    /**
     * The answer to what a page asks at its `$endpoint`: a fresh session for the user who is signed
     * in, each time, and for nobody else; or the page's script.
     *
     * Which request gets a session, and what each outcome is answered with, the core decides:
     * `bindings/web/README.md` has the table. Sessions are counted only where APCu is loaded; why there is no
     * chat is in PHP's error log. The user's session of PHP is written and closed before the chat server is
     * asked.
     *
     * @param string|\Closure(): ?string|null $jid the user's bare JID, or a function that gives it,
     *     which may throw; null if nobody is signed in, an empty text if who is has no chat
     * @param callable(): Proof $credentials what proves it to the chat server: named
     *     arguments of {@see Client::prebind()}; it may throw {@see SignInAgain}
     * @param Client|\Closure(): Client|null $client or a function that makes it; default that of
     *     `php.ini`
     * @param ?array{int, int} $rate_limit how many sessions a user may open in how many seconds;
     *     null for any number
     * @param ?array<string, mixed> $server what `$_SERVER` has, for those who have it elsewhere
     * @param ?array<string, mixed> $query what `$_GET` has
     * @param list<'last_rid'|'wait'|'inactivity'> $extras what is answered besides, for clients that want
     *     more
     * @param ?string $browser_url as {@see html()} takes it: if it is on the site's own host, the answer has the
     *     cookies that lead the browser to the server behind a load balancer that has the session
     */
    public static function answer(
        string|\Closure|null $jid,
        callable $credentials,
        Client|\Closure|null $client = null,
        ?array $rate_limit = [30, 60],
        ?array $server = null,
        ?array $query = null,
        array $extras = [],
        ?string $browser_url = null,
    ): Answer {
        // Not when the session is open already, which nobody would take over.
        Session::checkExtras($extras);
        $server ??= $_SERVER;
        $query ??= $_GET;
        if (isset($query['script'])) {
            return Answer::script(Native\Call::said($query, 'script'));
        }
        $known = null;
        try {
            $asked = self::asked($server, $query);
            $known = Native\Call::jid($jid);
            $refusal = \prebind_native_web_refusal($asked, $known !== null)
                ?? \prebind_native_web_refusal_of($asked, $known)
                ?? self::tooOften((string) $known, Native\Call::checked('rate_limit', '$rate_limit', $rate_limit));
            if ($refusal !== null) {
                return Answer::told($refusal);
            }
            $browser_url = Native\Call::browserUrl($browser_url);
            $complaint = \prebind_native_web_complaint($asked, $browser_url, 'prebind.browser_url');
            if ($complaint !== null) {
                \error_log("prebind: $known: $complaint");
            }
            // A page whose session was lost gets its JID again.
            $full = \prebind_native_web_jid($asked, Native\Call::text('jid', (string) $known));
            $client = Native\Call::client($client);
            $proof = Native\Call::proof($credentials);
            // The last of the site's own code: other requests of the same visitor wait for an open session.
            if (\session_status() === \PHP_SESSION_ACTIVE) {
                \session_write_close();
            }
            $session = $client->prebind($full, ...$proof);
            $json = \json_encode($session->toArray(...$extras), \JSON_THROW_ON_ERROR);
            return Answer::told(
                \prebind_native_web_granted(new Native\Hidden(['session' => $json])),
                \prebind_native_web_cookies($asked, $browser_url, $session->cookies),
            );
        } catch (SignInAgain) {
            return Answer::told(\prebind_native_web_sign_in_again());
        } catch (Exception $error) {
            self::log($error, $known);
            return Answer::told(\prebind_native_web_failed($error->kind, $error->retry, $error->retryAfter));
        } catch (\Throwable $error) {
            self::log($error, $known);
            return Answer::told(\prebind_native_web_broken());
        }
    }

    /**
     * The request as the core takes it.
     *
     * @param array<mixed> $server
     * @param array<mixed> $query
     */
    private static function asked(array $server, array $query): Native\WebRequest
    {
        $headers = [];
        foreach (\array_keys($server) as $name) {
            if (isset($server[$name]) && \str_starts_with((string) $name, 'HTTP_')) {
                $headers[\strtr(\substr((string) $name, 5), '_', '-')] = Native\Call::said($server, (string) $name);
            }
        }
        // An array is neither a page's name nor a JID.
        $texts = \array_map(static fn (mixed $value) => \is_scalar($value) ? (string) $value : "\0", $query);
        $port = Native\Call::said($server, 'SERVER_PORT');
        return \prebind_native_web_request([
            'method' => Native\Call::said($server, 'REQUEST_METHOD'),
            'scheme' => \in_array(\strtolower(Native\Call::said($server, 'HTTPS')), ['', 'off'], true) ? 'http' : 'https',
            'host' => Native\Call::said($server, 'HTTP_HOST'),
            'port' => $port === '' ? null : (int) $port,
            'headers' => $headers,
            'query' => \http_build_query($texts, '', '&'),
        ]);
    }

    /**
     * @param ?array{int, int} $limit
     *
     * @return ?array{status: int, headers: array<string, string>, body: string}
     */
    private static function tooOften(string $jid, ?array $limit): ?array
    {
        if ($limit === null || !\function_exists('apcu_enabled') || !\apcu_enabled()) {
            return null;
        }
        [$count, $seconds] = $limit;
        $now = \time();
        $opened = \apcu_inc('prebind:' . $jid . ':' . \intdiv($now, $seconds), 1, $isThere, $seconds);
        if ($opened === false) {
            \error_log('prebind: APCu does not count sessions: raise apc.shm_size in php.ini');
            return null;
        }
        return $opened <= $count ? null : \prebind_native_web_rate_limited($seconds - $now % $seconds);
    }

    /** A failure is the chat's alone: it is logged, and the site goes on. */
    private static function log(\Throwable $error, ?string $jid = null): void
    {
        $why = match (true) {
            $error instanceof Exception => "{$error->kind}: {$error->getMessage()}",
            $error instanceof Native\WrongValue => $error->getMessage(),
            // Only where: what the site's own code says might repeat a secret.
            default => Native\Call::place($error),
        };
        \error_log('prebind: no chat' . ($jid === null ? '' : " for $jid") . ": $why");
    }
}

<?php

// Runs as each request starts; the classes are read when one of them is needed.
// The options of `prebind()` are generated from the core's, as in client.php.

// Before the other namespace, as older versions of PHPStan overlook the types of what comes after it.
namespace {
    /**
     * Opens a session with a password, on connections that the process keeps.
     *
     * @param ?string $url the BOSH endpoint; null for the one in `php.ini`, `prebind.url`
     * @param string $jid the user's JID
     * @param array{
     *     lang?: ?string, wait?: ?int, hold?: ?int, route?: ?string, resource?: ?string, weakest_mechanism?: ?string,
     *     digest_md5?: ?bool, allow_cleartext?: ?bool, fast_tokens?: ?bool, iterations?: ?array{int, int},
     *     scram_cache?: ?int, accounts?: ?array{jid: string, password: string, url?: ?string, group?: ?string},
     *     headers?: ?array<string, string>, ca?: ?string, client_certificate?: ?array{string, string}, proxy?: ?string,
     *     ip_family?: ?string, deadline?: int|float|null, resolve_timeout?: int|float|null,
     *     connect_timeout?: int|float|null, request_timeout?: int|float|null, max_calls?: ?int, workers?: ?int,
     *     max_host_calls?: ?int, fail_fast_after?: ?int, fail_fast_for?: int|float|null, max_reply?: ?int,
     *     learn?: ?bool, relearn_after?: int|float|null, profile?: ?string,
     *     cache?: ?array{callable(string): mixed, callable(string, string): mixed},
     * } $options further arguments of `Prebind\Client`, by their names
     *
     * @throws Prebind\Exception
     */
    function prebind(
        ?string $url,
        string $jid,
        #[\SensitiveParameter] string $password,
        #[\SensitiveParameter] array $options = [],
    ): Prebind\Session {
        return (new Prebind\Client($url, ...$options))->prebind($jid, $password);
    }
}

namespace Prebind {
    // Who has forbidden it gets all at once.
    if (\function_exists('spl_autoload_register')) {
        \spl_autoload_register(static function (string $class): void {
            static $isLoaded = false;
            if (!$isLoaded && \stripos($class, 'Prebind\\') === 0) {
                $isLoaded = true;
                \prebind_native_load();
            }
        });
    } else {
        \prebind_native_load();
    }

    /**
     * The JID of a web site's user, whose name may hold characters that a JID must not have: they
     * are escaped (XEP-0106). JIDs ignore case: `Alice` and `alice` share one account. If your user names do
     * not, give an immutable id in place of the name.
     *
     * @throws ConfigException if the escaped name or the domain is not allowed, or if the name has full-width
     *     or decomposed characters, because it looks like another one
     */
    function jid_from_user(string $name, string $domain): string
    {
        [$name, $domain] = [Native\Call::text('jid', $name), Native\Call::text('jid', $domain)];
        return Native\Call::answer(static fn () => \prebind_native_jid($name, $domain));
    }

    /**
     * The SCRAM keys of a password, to keep in its place: what the argument `scram_keys` of {@see Client::prebind()}
     * takes, and the stored key, which the server keeps instead of them. The client key logs in: keep it like a password.
     *
     * @param string $hash `SHA-1`, `SHA-256` or `SHA-512`
     * @param int $iterations the count that the server has for the account
     * @param ?string $salt the server's salt; without one a new salt is drawn, for an account whose keys you write into
     *     the server's store. It is text
     *
     * @return array{array{hash: string, salt: string, iterations: int, client_key: string, server_key: string}, string}
     *
     * @throws ConfigException if a value cannot be used
     */
    function scram_keys(
        #[\SensitiveParameter] string $password,
        string $hash,
        int $iterations,
        #[\SensitiveParameter] ?string $salt = null,
    ): array {
        $given = new Native\Hidden(\array_filter(\get_defined_vars(), static fn ($value) => $value !== null));
        /** @var array{hash: string, salt: string, iterations: int, client_key: string, server_key: string, stored_key: string} $keys */
        $keys = Native\Call::answer(static fn () => \prebind_native_scram_keys($given));
        $stored_key = $keys['stored_key'];
        unset($keys['stored_key']);
        return [$keys, $stored_key];
    }

    /**
     * The doctor: logs a user in as the site would, and ends the session again. Prints a line for each check: what is
     * right, what may be intentional (`warning: …`) and what is wrong (`error: …`), with the remedy and without a secret.
     *
     * For the command line, with the settings of the pages; or for a page that only its operator may open.
     *
     * @param string|\Closure(): ?string|null $jid the user's bare JID, or a function that gives it
     * @param callable(): array<string, mixed> $credentials as {@see Converse::answer()} takes them, and the next two
     * @param Client|\Closure(): Client|null $client
     * @param ?array<mixed> $rate_limit
     * @param ?string $browser_url as {@see Converse::html()} takes it
     * @param ?string $dist the folder that has Converse.js's `dist`, to see whether it does; null if it is not on this
     *     machine
     * @param ?iterable<string|int, ?string> $users the JIDs of users by their names, to see whether two share one
     *
     * @return int 0 if nothing is wrong, else 1, for `exit()`; warnings do not count
     */
    function doctor(
        string|\Closure|null $jid,
        callable $credentials,
        Client|\Closure|null $client = null,
        ?array $rate_limit = [30, 60],
        ?string $browser_url = null,
        ?string $dist = null,
        ?iterable $users = null,
    ): int {
        if (!\headers_sent()) {
            \header('Content-Type: text/plain; charset=utf-8');
        }
        $url = Native\Call::browserUrl($browser_url);
        return (new Doctor($jid, $credentials(...), $client, $rate_limit, $url, $dist, $users))->run() ? 0 : 1;
    }
}

<?php

namespace Prebind;

/**
 * One chat service: its address, its trust and its deadlines.
 *
 * Clients with the same address and options share their connections, which the process keeps from
 * one request to the next. Nothing is sent until a client is used.
 */
class Client
{
    /** The servers each of whose processes makes one page at a time, which must not wait for long. */
    private const ONE_PAGE_AT_A_TIME = ['apache2handler', 'cgi-fcgi', 'cli-server', 'fpm-fcgi', 'litespeed'];

    private readonly string $url;

    private readonly Native\Client $native;

    /** @var ?array{callable(string): mixed, callable(string, string): mixed} */
    private readonly ?array $cache;

    /**
     * What is not given, or null, is as `php.ini` says, or else the library's default. Each option has a
     * setting of its name, such as `prebind.max_calls`, but there is none for what may hold a secret, for
     * certificates and for `$profile`. Times are numbers of seconds; certificates and keys are PEM itself,
     * not the path of a file.
     *
     * @param ?string $url the BOSH endpoint; `prebind.url` in `php.ini`
     * @param ?string $lang the language of the server's messages (`xml:lang` of the session); default `en`, empty for
     *     none
     * @param ?int $wait how many seconds the server may hold a request; this also applies to the browser, and many
     *     proxies cut requests held longer than 60 s; default 55
     * @param ?int $hold how many requests the server may hold; browser clients expect 1; default 1
     * @param ?string $route where a separate connection manager finds the XMPP server, for example
     *     `xmpp:example.org:9999`
     * @param ?string $resource the resource to ask for if the JID has none; without it the server makes a new one each
     *     time, so that tabs do not throw each other out
     * @param ?string $weakest_mechanism the weakest mechanism a password may be used with: `PLAIN`, `DIGEST-MD5`,
     *     `SCRAM-SHA-1`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; default `PLAIN`
     * @param ?bool $digest_md5 whether to use the obsolete DIGEST-MD5 with a server that has no SCRAM; default no
     * @param ?bool $allow_cleartext whether to send a password or token over plain http to another machine; default no
     * @param ?bool $fast_tokens whether to log in by SASL2, where the server offers it, and to ask for a token that
     *     replaces the password in later calls, `Session::$fastToken` (FAST, XEP-0484; Prosody has it from version 13
     *     on); default no
     * @param ?array{int, int} $iterations the fewest and the most SCRAM iterations a server may ask for; in `php.ini`
     *     as `4096-600000` or only the most; default 4,096 to 600,000
     * @param ?int $scram_cache how many users' SCRAM keys, but not passwords, to cache from a login that succeeds until
     *     one with them fails, so that they need not be derived at each login; 0 caches none; default 1,000
     * @param ?array{jid: string, password: string, url?: ?string, group?: ?string} $accounts who makes an account on
     *     the chat server for each user who logs in with a token and has none: the JID and password of an
     *     administrator, and for ejabberd the `url` of its HTTP API; with a `group`, each user joins that shared roster
     *     group
     * @param ?array<string, string> $headers HTTP headers to add to every request
     * @param ?string $ca CA certificates to trust instead of the operating system's
     * @param ?array{string, string} $client_certificate the client certificate to present to the server, with those
     *     that lead to its authority, and its private key
     * @param ?string $proxy the `http://`, `https://` or `socks5://` address of a proxy; environment variables are
     *     ignored
     * @param ?string $ip_family which addresses of the host to use: `any`, `ipv4` or `ipv6`; default `any`
     * @param int|float|null $deadline how long a call may take in all, including ending the session after a failure;
     *     default 5; in a web server 3
     * @param int|float|null $resolve_timeout how long a name lookup may take; default 2
     * @param int|float|null $connect_timeout how long TCP and TLS may take to connect; default 2
     * @param int|float|null $request_timeout how long one request may take; default 5
     * @param ?int $max_calls how many calls may open a session at once in each process; a call beyond that waits for up
     *     to half of its `$deadline`, then fails; default 32
     * @param ?int $workers how many requests this process of a web site serves at once, 1 for a sync worker of gunicorn
     *     or 5 for a process of Puma with five threads; the processes with the same parent then open sessions with no
     *     more than half of their workers, beyond which a call fails at once, and share what they know of a server that
     *     is away; 0 if this is no web site; default 0; in a web server 1
     * @param ?int $max_host_calls how many calls may open a session at once on this machine, in all processes of this
     *     user that set this or `$workers` for this URL, instead of half of the workers; 0 for half of the workers;
     *     default 0
     * @param ?int $fail_fast_after how many calls, and at least half of the latest, must time out or fail to connect
     *     before calls fail at once for `$fail_fast_for`; 0 turns this off; default 3
     * @param int|float|null $fail_fast_for how long calls fail at once before one of them tries the server again; the
     *     pause doubles, up to a minute, while it is not reached; default 5
     * @param ?int $max_reply the most bytes of one reply; default 262,144
     * @param ?bool $learn whether to use the shorter exchange, one to four round trips instead of four or five, once
     *     this server has proved to support it; default yes
     * @param int|float|null $relearn_after how long, at most, to stay with the full exchange after a shorter one failed
     *     again and again; default 600
     * @param ?string $profile what an earlier client of this URL learned, as {@see profile()} gave it; an unusable
     *     profile is ignored
     * @param ?array{callable(string): mixed, callable(string, string): mixed} $cache where the site's
     *     processes leave each other what they learned, for a process that has no client of this address
     *     and these options yet and gets no `$profile`: a function that gives what is kept under a
     *     key, and one that keeps a text, `[$cache->get(...), $cache->set(...)]` of a PSR-16 cache;
     *     default APCu, where that is loaded
     *
     * @throws ConfigException if the URL or an option has a value that cannot work
     */
    public function __construct(
        ?string $url = null,
        // The options, and their tags above, are generated from the core's by
        // `PREBIND_UPDATE_DOCS=1 cargo test -p prebind --lib`.
        ?string $lang = null,
        ?int $wait = null,
        ?int $hold = null,
        ?string $route = null,
        ?string $resource = null,
        ?string $weakest_mechanism = null,
        ?bool $digest_md5 = null,
        ?bool $allow_cleartext = null,
        ?bool $fast_tokens = null,
        ?array $iterations = null,
        ?int $scram_cache = null,
        #[\SensitiveParameter] ?array $accounts = null,
        #[\SensitiveParameter] ?array $headers = null,
        ?string $ca = null,
        #[\SensitiveParameter] ?array $client_certificate = null,
        #[\SensitiveParameter] ?string $proxy = null,
        ?string $ip_family = null,
        int|float|null $deadline = null,
        int|float|null $resolve_timeout = null,
        int|float|null $connect_timeout = null,
        int|float|null $request_timeout = null,
        ?int $max_calls = null,
        ?int $workers = null,
        ?int $max_host_calls = null,
        ?int $fail_fast_after = null,
        int|float|null $fail_fast_for = null,
        ?int $max_reply = null,
        ?bool $learn = null,
        int|float|null $relearn_after = null,
        ?string $profile = null,
        ?array $cache = null,
    ) {
        $given = \get_defined_vars();
        unset($given['url'], $given['cache']);
        foreach (self::settings() as $option => [$setting, $type]) {
            $given[$option] ??= self::ofText($type, (string) \ini_get($setting));
        }
        if (\in_array(\PHP_SAPI, self::ONE_PAGE_AT_A_TIME, true)) {
            $given['deadline'] ??= \prebind_native_web_deadline();
            $given['workers'] ??= 1;
        }
        $this->url = Native\Call::text('url', $url ?? (string) \ini_get('prebind.url'));
        $hasApcu = \function_exists('apcu_enabled') && \apcu_enabled();
        $store = static fn (string $key, string $text): mixed => \apcu_store($key, $text);
        $this->cache = $cache ?? ($hasApcu ? [\apcu_fetch(...), $store] : null);
        $given['profile'] ??= $this->kept();
        $options = [];
        foreach ($given as $option => $value) {
            if ($value !== null) {
                $options[$option] = $option === 'lang' && $value === '' ? null : $value;
            }
        }
        $options = new Native\Hidden($options);
        $this->native = Native\Call::answer(fn () => \prebind_native_client($this->url, $options));
    }

    /** The value that a text of `php.ini` stands for; what is none is refused as it is. */
    private static function ofText(string $type, string $text): mixed
    {
        if ($type === 'flag') {
            return \filter_var($text, \FILTER_VALIDATE_BOOL, \FILTER_NULL_ON_FAILURE) ?? $text;
        }
        if ($type === 'range' && \preg_match('/^(?:(\d+) *- *)?(\d+)$/D', $text, $found) === 1) {
            $least = $found[1] === '' ? self::leastIterations() : (int) $found[1];
            return [$least, (int) $found[2]];
        }
        $isNumber = \in_array($type, ['count', 'seconds'], true) && \is_numeric($text);
        return $text === '' ? null : ($isNumber ? +$text : $text);
    }

    /**
     * What `php.ini` may say, where the arguments do not: by the option, its setting and its type.
     *
     * @return array<string, array{string, string}>
     */
    private static function settings(): array
    {
        /** @var ?array<string, array{string, string}> $settings */
        static $settings = null;
        if ($settings === null) {
            $settings = [];
            $names = \prebind_native_settings();
            foreach (self::options() as ['name' => $option, 'type' => $type]) {
                if (isset($names[$option])) {
                    $settings[$option] = [$names[$option], $type];
                }
            }
        }
        return $settings;
    }

    /** The library's default. */
    private static function leastIterations(): int
    {
        /** @var array{int, int} $default */
        $default = \array_column(self::options(), 'default', 'name')['iterations'];
        return $default[0];
    }

    /** @return list<array{name: string, type: string, default: mixed}> what the library says of its options */
    private static function options(): array
    {
        /** @var array{options: list<array{name: string, type: string, default: mixed}>} $schema */
        $schema = \json_decode(\prebind_native_schema(), true, flags: \JSON_THROW_ON_ERROR);
        return $schema['options'];
    }

    /**
     * Opens a session.
     *
     * Exactly one proof is needed:
     *
     * - `$password`: by the strongest mechanism that both sides know;
     * - `$token`: what the server takes as a password, a JWT for example; always by PLAIN;
     * - `$jwt`: what signs a JSON Web Token for each call, by PLAIN; no user needs a password;
     * - `$oauthbearer`, `$x_oauth2`: an OAuth 2.0 token;
     * - `$x_oauth2_issuer`: ejabberd's API, which issues such a token for each user; `jid` is an administrator's;
     * - `$anonymous`: no account; the JID is only a domain;
     * - `$external`: a client certificate, or a header or cookie that the server looks at;
     * - `$scram_keys`, `$scram_salted_password`: what a SCRAM store keeps (RFC 5802 §3);
     * - `$mechanism` with its `$initial_response`: any mechanism that ends after one message.
     *
     * @param ?array{url: string, jid: string, password: string, lifetime?: int|float|null} $x_oauth2_issuer
     * @param ?array{hash: string, salt: string, iterations: int, client_key: string, server_key: string} $scram_keys
     * @param ?array{hash: string, salt: string, iterations: int, salted_password: string} $scram_salted_password
     * @param ?string $fast_token what {@see Session::$fastToken} of an earlier session of the account
     *     was. It is tried before the proof, which is only used if the server refuses the token; it
     *     can do without one
     * @param ?string $authcid logs in under another user name than the JID's
     * @param ?string $authzid the identity to act as
     * @param ?string $nickname the name that other people see, for an account that the option `accounts` makes by
     *     ejabberd's API
     *
     * @throws Exception no session is left behind on the server then
     */
    public function prebind(
        string $jid,
        #[\SensitiveParameter] ?string $password = null,
        #[\SensitiveParameter] ?string $token = null,
        ?Jwt $jwt = null,
        #[\SensitiveParameter] ?string $oauthbearer = null,
        #[\SensitiveParameter] ?string $x_oauth2 = null,
        #[\SensitiveParameter] ?array $x_oauth2_issuer = null,
        bool $anonymous = false,
        bool $external = false,
        ?string $mechanism = null,
        #[\SensitiveParameter] ?string $initial_response = null,
        #[\SensitiveParameter] ?array $scram_keys = null,
        #[\SensitiveParameter] ?array $scram_salted_password = null,
        #[\SensitiveParameter] ?string $fast_token = null,
        ?string $authcid = null,
        ?string $authzid = null,
        ?string $nickname = null,
    ): Session {
        $credentials = \get_defined_vars();
        unset($credentials['jid']);
        $credentials['jwt'] = $jwt?->values();
        $known = $this->profile();
        try {
            $jid = Native\Call::text('jid', $jid);
            $credentials = new Native\Hidden($credentials);
            $open = fn () => \prebind_native_open($this->native, $jid, $credentials);
            return new Session(...Native\Call::answer($open));
        } finally {
            $learned = $this->profile();
            if ($learned !== $known) {
                $this->cached(1, $learned);
            }
        }
    }

    /**
     * What the process learned of the server: for the option `$profile` in another one, where there is
     * no cache.
     *
     * A short text without anything secret, which stays the same while nothing new is learned.
     */
    public function profile(): string
    {
        return \prebind_native_profile($this->native);
    }

    /**
     * Ends a session that no browser has attached to yet: itself, or by its SID and the RID to send
     * next.
     *
     * @throws TerminatedException with `item-not-found` if the server does not know it, or not with
     *     this RID
     * @throws Exception
     */
    public function terminate(
        ?Session $session = null,
        #[\SensitiveParameter] ?string $sid = null,
        #[\SensitiveParameter] ?int $rid = null,
    ): void {
        if ($session !== null && $sid === null && $rid === null) {
            [$sid, $rid] = [$session->sid, $session->rid];
        } elseif ($session !== null || $sid === null || $rid === null) {
            throw new \ArgumentCountError(__METHOD__ . '() takes a session, or sid and rid');
        }
        $known = $session?->handle();
        $by = new Native\Hidden(['sid' => Native\Call::text('sid', $sid), 'rid' => $rid]);
        Native\Call::answer(fn () => \prebind_native_terminate($this->native, $known, $by));
    }

    /**
     * Whether what was learned is where other processes look for it; null if there is no such place.
     *
     * @internal
     */
    public function isKept(): ?bool
    {
        $learned = $this->profile();
        $this->cached(1, $learned);
        return $this->cache === null ? null : $this->kept() === $learned;
    }

    /**
     * What the doctor finds by another login.
     *
     * @internal
     *
     * @param array<string, mixed> $first
     * @param array<string, mixed> $next
     *
     * @return array{string, array<string, string>}
     */
    public function nextLogin(string $jid, #[\SensitiveParameter] array $first, #[\SensitiveParameter] array $next): array
    {
        [$first, $next] = [self::hidden($first), self::hidden($next)];
        return Native\Call::answer(fn () => \prebind_native_next_login($this->native, $jid, $first, $next));
    }

    /**
     * What the doctor finds by a request that is too long.
     *
     * @internal
     *
     * @param array<string, mixed> $credentials
     *
     * @return array{string, array<string, string>}
     */
    public function bodyLimit(#[\SensitiveParameter] array $credentials, string $url): array
    {
        $credentials = self::hidden($credentials);
        return Native\Call::answer(fn () => \prebind_native_body_limit($this->native, $credentials, $url));
    }

    /** @param array<string, mixed> $credentials the named arguments of {@see prebind()} */
    private static function hidden(#[\SensitiveParameter] array $credentials): Native\Hidden
    {
        return new Native\Hidden(\array_map(static fn ($value) => $value instanceof Jwt ? $value->values() : $value, $credentials));
    }

    /** What another process has left; null if it cannot be used. */
    private function kept(): ?string
    {
        $kept = $this->cached(0);
        return \is_string($kept) && \preg_match('//u', $kept) === 1 ? $kept : null;
    }

    /** Asks the cache, if there is one. */
    private function cached(int $function, string ...$text): mixed
    {
        if ($this->cache === null) {
            return null;
        }
        // Some caches allow neither long keys nor every character.
        $key = 'prebind.profile.' . \sha1($this->url);
        $question = ['what was learned of the chat server', 'to keep what was learned of the chat server'][$function];
        return Native\Cache::ask($question, fn () => $this->cache[$function]($key, ...$text));
    }

    /** @return array{url: string} */
    public function __debugInfo(): array
    {
        return ['url' => $this->url];
    }

    public function __serialize(): never
    {
        throw new \LogicException('a Prebind\Client cannot be serialized: its options may hold secrets');
    }
}

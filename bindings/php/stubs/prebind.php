<?php

// Made by `stubs/generate` from lib/; not to be changed by hand.

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
    ): Prebind\Session {}
}

namespace Prebind {
    /**
     * The JID of a web site's user, whose name may hold characters that a JID must not have: they
     * are escaped (XEP-0106). JIDs ignore case: `Alice` and `alice` share one account. If your user names do
     * not, give an immutable id in place of the name.
     *
     * @throws ConfigException if the escaped name or the domain is not allowed, or if the name has full-width
     *     or decomposed characters, because it looks like another one
     */
    function jid_from_user(string $name, string $domain): string
    {}

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
    ): array {}

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
    ): int {}
}

namespace Prebind {


/**
 * Why there is no session.
 *
 * The message names the cause and the remedy in one sentence. Neither it nor any property holds a
 * password, a token, a SID or a RID.
 */
class Exception extends \Exception
{
    /** @var string the name of the kind, the same in every language: the class's without `Exception` */
    public const KIND = 'Internal';

    public readonly string $kind;

    /**
     * @param string $stage where in the exchange: `configure` (nothing was sent), `create`,
     *     `features`, `authenticate`, `restart`, `bind`, `session` or `terminate`
     * @param ?string $condition the condition that the server named, for example `not-authorized`
     * @param ?string $text the server's own words, at most 200 characters
     * @param string $retry what may be done next: `no`, `after-config-change`, `fresh-session` (at
     *     once) or `later`
     * @param ?int $retryAfter how many seconds to wait before the next call: as the server asks
     *     (`Retry-After`), or until calls that hold this one up have ended
     */
    public function __construct(
        string $message = '',
        public readonly string $stage = 'configure',
        public readonly ?string $condition = null,
        public readonly ?string $text = null,
        public readonly string $retry = 'no',
        ?\Throwable $previous = null,
        public readonly ?int $retryAfter = null,
    ) {}
}

/**
 * What the credentials' function of a site throws if the user's sign-in at the identity provider has expired and cannot
 * be renewed. The page then shows what the site has in its element `data-prebind-sign-in`.
 */
class SignInAgain extends \RuntimeException
{
}

/** A bad URL, JID, credential or option; nothing was sent. */
class ConfigException extends Exception
{
    public const KIND = 'Config';

    /** @param string $field the option or argument that is wrong */
    public function __construct(
        string $message = '',
        public readonly string $field = '',
        string $stage = 'configure',
        ?string $condition = null,
        ?string $text = null,
        string $retry = 'no',
        ?\Throwable $previous = null,
        ?int $retryAfter = null,
    ) {}
}

/** No connection: name lookup, TCP, TLS, proxy; or it broke. */
class ConnectException extends Exception
{
    public const KIND = 'Connect';

    /** @param string $phase what the connection was doing: `dns`, `tcp`, `tls`, `headers` or `body` */
    public function __construct(
        string $message = '',
        public readonly string $phase = '',
        string $stage = 'configure',
        ?string $condition = null,
        ?string $text = null,
        string $retry = 'no',
        ?\Throwable $previous = null,
        ?int $retryAfter = null,
    ) {}
}

/** The time was over, or calls fail at once after repeated failures to connect. */
class TimeoutException extends Exception
{
    public const KIND = 'Timeout';

    /** @param string $phase what was waited for: `dns`, `tcp`, `tls`, `headers`, `body`, `derive`; or `queue`, `fail-fast` */
    public function __construct(
        string $message = '',
        public readonly string $phase = '',
        string $stage = 'configure',
        ?string $condition = null,
        ?string $text = null,
        string $retry = 'no',
        ?\Throwable $previous = null,
        ?int $retryAfter = null,
    ) {}
}

/** The answer is not BOSH: another status, a web page, a redirect. */
class HttpException extends Exception
{
    public const KIND = 'Http';

    /**
     * @param int $status the HTTP status
     * @param ?string $location where a redirect leads: scheme, host and path; redirects are never followed
     */
    public function __construct(
        string $message = '',
        public readonly int $status = 0,
        public readonly ?string $location = null,
        string $stage = 'configure',
        ?string $condition = null,
        ?string $text = null,
        string $retry = 'no',
        ?\Throwable $previous = null,
        ?int $retryAfter = null,
    ) {}
}

/** The answer is not XML, or not what XEP-0124 and XEP-0206 say. */
class ProtocolException extends Exception
{
    public const KIND = 'Protocol';

    /** @param string $expected what should have come */
    public function __construct(
        string $message = '',
        public readonly string $expected = '',
        string $stage = 'configure',
        ?string $condition = null,
        ?string $text = null,
        string $retry = 'no',
        ?\Throwable $previous = null,
        ?int $retryAfter = null,
    ) {}
}

/** The server ended the session; see `$condition`. */
class TerminatedException extends Exception
{
    public const KIND = 'Terminated';
}

/** No SASL mechanism that both sides accept. */
class MechanismException extends Exception
{
    public const KIND = 'Mechanism';

    /**
     * @param list<string> $offered what the server offers
     * @param list<string> $allowed what credentials and options allow
     */
    public function __construct(
        string $message = '',
        public readonly array $offered = [],
        public readonly array $allowed = [],
        string $stage = 'configure',
        ?string $condition = null,
        ?string $text = null,
        string $retry = 'no',
        ?\Throwable $previous = null,
        ?int $retryAfter = null,
    ) {}
}

/** The server refused the login; see `$condition`. */
class AuthException extends Exception
{
    public const KIND = 'Auth';
}

/** The server did not prove that it knows the account's secret, or was tampered with. */
class ServerUnverifiedException extends Exception
{
    public const KIND = 'ServerUnverified';

    /**
     * @param string $check which check failed: `nonce`, `salt`, `iterations`, `signature`,
     *     `downgrade` or `message`
     */
    public function __construct(
        string $message = '',
        public readonly string $check = '',
        string $stage = 'configure',
        ?string $condition = null,
        ?string $text = null,
        string $retry = 'no',
        ?\Throwable $previous = null,
        ?int $retryAfter = null,
    ) {}
}

/** The server refused to bind a resource, or bound a JID of somebody else. */
class BindException extends Exception
{
    public const KIND = 'Bind';
}

/** A defect of this library. */
class InternalException extends Exception
{
    public const KIND = 'Internal';
}
}

namespace Prebind {


/**
 * What signs a JSON Web Token for each call, so that the site knows no chat passwords. `var_dump` shows no keys.
 */
final class Jwt
{
    /** @var array<string, mixed> */
    private readonly array $values;

    /**
     * @param string|list<string> $keys a JWK, PEM, or with `$algorithm` the secret itself; several keys while they
     *     rotate, the newest first
     * @param ?string $algorithm `HS256`, `HS384` or `HS512`, if a key is the secret itself
     * @param int|float|null $lifetime for how many seconds a token is valid; default 60
     * @param ?string $audience whom the tokens are for (`aud`)
     * @param ?array<string, mixed> $claims further claims; `jid`, `sub`, `iat`, `nbf` and `exp` are there already
     * @param ?bool $once whether each token has an ID (`jti`), by which {@see ChatLogin} knows that it was used; default
     *     no
     */
    public function __construct(
        #[\SensitiveParameter] string|array $keys,
        ?string $algorithm = null,
        int|float|null $lifetime = null,
        ?string $audience = null,
        ?array $claims = null,
        ?bool $once = null,
    ) {}

    /**
     * A token for an account, for a client that logs in by itself, such as a page that opens a WebSocket. Anyone
     * holding it can log in as that user until it expires.
     *
     * @throws ConfigException if a key or another value cannot be used
     */
    public function issue(string $jid): string
    {}

    /**
     * A new key as a private JWK. Anyone who has it can log in as anybody, so keep it like the site's own secret.
     *
     * @param ?string $algorithm `HS256`, `HS384`, `HS512`, `ES256` or `EdDSA`; default `HS256`
     * @param ?string $id its name in tokens (`kid`); default random
     *
     * @throws ConfigException if a value cannot be used
     */
    public static function newKey(?string $algorithm = null, ?string $id = null): string
    {}

    /**
     * What ejabberd needs to verify the tokens of the newest key: a file and where to put it, the lines of configuration,
     * and the command that has the server read both; `instructions` has all of it, as an operator is told.
     *
     * @param string $domain that of the chat accounts
     *
     * @return array{path: string, file: string, configuration: string, reload: string, instructions: string}
     *
     * @throws ConfigException if the key or the domain cannot be used
     */
    public function forEjabberd(string $domain): array
    {}

    /**
     * The same for Prosody with the module `mod_auth_prebind`.
     *
     * @param string $domain that of the chat accounts
     *
     * @return array{path: string, file: string, configuration: string, reload: string, instructions: string}
     *
     * @throws ConfigException if the key or the domain cannot be used
     */
    public function forProsody(string $domain): array
    {}

    /** @return array{path: string, file: string, configuration: string, reload: string, instructions: string} */
    private function serverSide(string $server, string $domain): array
    {}

    /**
     * Why this token of the account is refused, for example `Expired`; null if it is valid.
     *
     * Answer with it what the chat server asks, where it has your site verify tokens. `$keys` may be public ones here;
     * `$lifetime`, `$once` and `$claims` are ignored.
     *
     * @throws ConfigException if a key cannot be used
     */
    public function refusal(string $jid, #[\SensitiveParameter] string $token): ?string
    {}

    /**
     * @internal
     *
     * @return array<string, mixed>
     */
    public function values(): array
    {}

    /** @return array<string, string> */
    public function __debugInfo(): array
    {}

    public function __serialize(): never
    {}
}
}

namespace Prebind {


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
    ) {}

    /** The value that a text of `php.ini` stands for; what is none is refused as it is. */
    private static function ofText(string $type, string $text): mixed
    {}

    /**
     * What `php.ini` may say, where the arguments do not: by the option, its setting and its type.
     *
     * @return array<string, array{string, string}>
     */
    private static function settings(): array
    {}

    /** The library's default. */
    private static function leastIterations(): int
    {}

    /** @return list<array{name: string, type: string, default: mixed}> what the library says of its options */
    private static function options(): array
    {}

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
    ): Session {}

    /**
     * What the process learned of the server: for the option `$profile` in another one, where there is
     * no cache.
     *
     * A short text without anything secret, which stays the same while nothing new is learned.
     */
    public function profile(): string
    {}

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
    ): void {}

    /**
     * Whether what was learned is where other processes look for it; null if there is no such place.
     *
     * @internal
     */
    public function isKept(): ?bool
    {}

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
    {}

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
    {}

    /** @param array<string, mixed> $credentials the named arguments of {@see prebind()} */
    private static function hidden(#[\SensitiveParameter] array $credentials): Native\Hidden
    {}

    /** What another process has left; null if it cannot be used. */
    private function kept(): ?string
    {}

    /** Asks the cache, if there is one. */
    private function cached(int $function, string ...$text): mixed
    {}

    /** @return array{url: string} */
    public function __debugInfo(): array
    {}

    public function __serialize(): never
    {}
}
}

namespace Prebind {


/**
 * An authenticated session, ready for a browser to attach to.
 *
 * Anyone with SID and RID has the session: `var_dump` hides them. As JSON it is exactly
 * `{"jid", "sid", "rid"}`, and it cannot be serialized otherwise. It is made by hand only in tests.
 */
class Session implements \JsonSerializable
{
    /** The request ID that was sent last, for clients that add one themselves. */
    public readonly int $lastRid;

    /**
     * @param string $jid the full JID the server bound
     * @param string $sid the session ID
     * @param int $rid the request ID to send next: what Strophe's and Converse's `attach` take
     * @param ?int $inactivity seconds within which the browser must attach; null if the server did
     *     not say
     * @param ?int $wait seconds the server may hold a request
     * @param ?int $hold how many requests the server may hold
     * @param ?int $requests how many requests may be open at once; null if the server did not say
     * @param ?string $mechanism the SASL mechanism that was used
     * @param ?int $roundTrips how many times a request was sent and its answer waited for
     * @param list<array{string, string, string}> $cookies name, value and path of each cookie that a
     *     load balancer in front of the server set; the path is empty if it gave none. Where the
     *     browser reaches the server through it, it must present them too.
     * @param ?string $fastToken the token to log in with next time, to be kept for this account as
     *     carefully as a password: a new one, or that of this login if the server did not replace it;
     *     null if there is none, or no longer: forget the kept one then
     */
    public function __construct(
        public readonly string $jid,
        #[\SensitiveParameter] public readonly string $sid,
        #[\SensitiveParameter] public readonly int $rid,
        public readonly ?int $inactivity = null,
        public readonly ?int $wait = null,
        public readonly ?int $hold = null,
        public readonly ?int $requests = null,
        public readonly ?string $mechanism = null,
        public readonly ?int $roundTrips = null,
        #[\SensitiveParameter] public readonly array $cookies = [],
        #[\SensitiveParameter] public readonly ?string $fastToken = null,
        private readonly ?Native\Handle $handle = null,
    ) {}

    /** @return array{jid: string, sid: string, rid: int} what browser clients ask for */
    public function jsonSerialize(): array
    {}

    /**
     * The same with further values, for clients that want them.
     *
     * @param 'last_rid'|'wait'|'inactivity' ...$extras
     *
     * @return array<string, string|int|null>
     */
    public function toArray(string ...$extras): array
    {}

    /**
     * @internal
     *
     * @param array<string> $names
     */
    public static function checkExtras(array $names): void
    {}

    /** @internal */
    public function handle(): ?Native\Handle
    {}

    /** @return array<string, mixed> */
    public function __debugInfo(): array
    {}

    public function __serialize(): never
    {}
}
}

namespace Prebind {


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
    ): string {}

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
    ): Answer {}

    /**
     * The request as the core takes it.
     *
     * @param array<mixed> $server
     * @param array<mixed> $query
     */
    private static function asked(array $server, array $query): Native\WebRequest
    {}

    /**
     * @param ?array{int, int} $limit
     *
     * @return ?array{status: int, headers: array<string, string>, body: string}
     */
    private static function tooOften(string $jid, ?array $limit): ?array
    {}

    /** A failure is the chat's alone: it is logged, and the site goes on. */
    private static function log(\Throwable $error, ?string $jid = null): void
    {}
}
}

namespace Prebind {


/**
 * What the browser, or a chat server, is answered: {@see send()} it, or give its parts to your framework.
 */
final class Answer
{
    /** @param array<string, string|list<string>> $headers a list where a header comes more than once */
    private function __construct(
        public readonly int $status,
        public readonly array $headers,
        #[\SensitiveParameter] public readonly string $body,
    ) {}

    /**
     * What the core answers.
     *
     * @internal
     *
     * @param array{status: int, headers: array<string, string>, body: string} $told
     * @param list<string> $cookies
     */
    public static function told(#[\SensitiveParameter] array $told, #[\SensitiveParameter] array $cookies = []): self
    {}

    /**
     * The page's script.
     *
     * @internal
     */
    public static function script(string $version): self
    {}

    /**
     * Changes with the script.
     *
     * @internal
     */
    public static function scriptVersion(): string
    {}

    /** Sends status, headers and body, in place of what PHP's session module may have set. */
    public function send(): void
    {}
}
}

namespace Prebind {


/**
 * The address where your site answers its chat server: who may log in with a token of the site's, and who exists.
 *
 * The chat server asks in the form of `prebind extauth` and Prosody's `mod_auth_prebind`, or in that of MongooseIM and
 * ejabberd-contrib.
 */
final class ChatLogin
{
    /**
     * The answer to a question. The core decides which question gets which answer: `bindings/web/README.md` has the rules.
     * PHP's error log says which questions were refused, and why.
     *
     * @param string|list<string> $secret the text that the chat server shows: 16 or more visible ASCII characters; several while
     *     it changes
     * @param Jwt $jwt the object that issues the tokens, with `$once`
     * @param callable(string, string): mixed $exists whether there is a user of this name and bare JID; the name is as
     *     {@see jid_from_user()} took it, in lower case
     * @param ?list<string> $addresses the IP addresses and networks from which the chat server asks; default this machine
     * @param ?callable(string, int): bool $add adds a key for so many seconds to a cache that all of the site's processes
     *     share, in one step, and returns whether it was new; default APCu. Without either, a token can be used until it
     *     expires
     * @param ?callable(string, int): ?int $count counts one more under a key that is kept for so many seconds, and returns
     *     the count; default APCu. Without either, no number of refused questions is too large
     * @param ?array<string, mixed> $server what `$_SERVER` has, for those who have it elsewhere; `REMOTE_ADDR` is the
     *     address of the chat server, and not of a proxy
     * @param ?string $body the request's body
     */
    public static function answer(
        #[\SensitiveParameter] string|array $secret,
        Jwt $jwt,
        callable $exists,
        ?array $addresses = null,
        ?callable $add = null,
        ?callable $count = null,
        #[\SensitiveParameter] ?array $server = null,
        #[\SensitiveParameter] ?string $body = null,
    ): Answer {}

    /**
     * The request as the core takes it.
     *
     * @param array<mixed> $server
     *
     * @return array<string, string|array<string, string>>
     */
    private static function inquiry(#[\SensitiveParameter] array $server, #[\SensitiveParameter] ?string $body): array
    {}

    /** Whether APCu is there, which all processes of a php-fpm share. */
    private static function hasApcu(): bool
    {}

    private static function add(string $key, int $seconds): bool
    {}

    private static function count(string $key, int $seconds): ?int
    {}
}
}

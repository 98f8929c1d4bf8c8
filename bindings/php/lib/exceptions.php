<?php

namespace Prebind;

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
    ) {
        parent::__construct($message, 0, $previous);
        $this->kind = static::KIND;
        // Where the caller is, not in here.
        foreach ($this->file === __FILE__ ? $this->getTrace() : [] as $frame) {
            if (isset($frame['file'], $frame['line']) && $frame['file'] !== __FILE__) {
                [$this->file, $this->line] = [$frame['file'], $frame['line']];
                break;
            }
        }
    }
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
    ) {
        parent::__construct($message, $stage, $condition, $text, $retry, $previous, $retryAfter);
    }
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
    ) {
        parent::__construct($message, $stage, $condition, $text, $retry, $previous, $retryAfter);
    }
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
    ) {
        parent::__construct($message, $stage, $condition, $text, $retry, $previous, $retryAfter);
    }
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
    ) {
        parent::__construct($message, $stage, $condition, $text, $retry, $previous, $retryAfter);
    }
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
    ) {
        parent::__construct($message, $stage, $condition, $text, $retry, $previous, $retryAfter);
    }
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
    ) {
        parent::__construct($message, $stage, $condition, $text, $retry, $previous, $retryAfter);
    }
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
    ) {
        parent::__construct($message, $stage, $condition, $text, $retry, $previous, $retryAfter);
    }
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

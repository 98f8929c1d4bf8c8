<?php

/**
 * The class of candy-chat/xmpp-prebind-php, over the extension: load this file instead of that
 * library's, and leave your code as it is.
 *
 * What is better meanwhile: SCRAM, TLS whose certificates are checked, time limits, and no session
 * that is left behind. A password is sent over plain http to this machine only.
 */
class XmppPrebind
{
    private readonly Prebind\Client $client;
    private string $username = '';
    private string $password = '';
    private ?Prebind\Session $session = null;

    /**
     * @param string $jabberHost the part of the JIDs behind the `@`
     * @param string $boshUri full URI to the http-bind
     * @param string $resource resource identifier
     * @param bool $useSsl has no effect, as it never had one: `$boshUri` says whether it is https
     * @param bool $debug has no effect: exceptions say what is wrong
     */
    public function __construct(
        private readonly string $jabberHost,
        string $boshUri,
        private readonly string $resource,
        bool $useSsl = false,
        bool $debug = false,
    ) {
        // Taken only since code gives them.
        unset($useSsl, $debug);
        $this->client = self::heeding(static fn () => new Prebind\Client($boshUri));
    }

    /**
     * Takes who logs in; `$username` is without jabber host. It is escaped, so it cannot choose the host or the
     * resource. Nothing is sent yet.
     */
    public function connect(string $username, #[\SensitiveParameter] string $password): void
    {
        $this->username = $username;
        $this->password = $password;
        $this->session = null;
    }

    /**
     * Logs in.
     *
     * @return bool always true
     *
     * @throws XmppPrebindException
     */
    public function auth(): bool
    {
        $this->session = $this->opened();
        return true;
    }

    /**
     * What the browser attaches with; logs in before if that was not done.
     *
     * @return array{jid: string, sid: string, rid: int}
     *
     * @throws XmppPrebindException
     */
    public function getSessionInfo(): array
    {
        $this->session ??= $this->opened();
        return $this->session->jsonSerialize();
    }

    private function opened(): Prebind\Session
    {
        return self::heeding(function (): Prebind\Session {
            $jid = Prebind\jid_from_user($this->username, $this->jabberHost);
            return $this->client->prebind($this->resource === '' ? $jid : "$jid/$this->resource", $this->password);
        });
    }

    /**
     * What the call gives, or its error, as that library's.
     *
     * @template T
     *
     * @param callable(): T $call
     *
     * @return T
     *
     * @throws XmppPrebindException
     */
    private static function heeding(callable $call): mixed
    {
        try {
            return $call();
        } catch (Prebind\AuthException $error) {
            throw new XmppPrebindException('Invalid login: ' . $error->getMessage(), 0, $error);
        } catch (Prebind\Exception $error) {
            throw new XmppPrebindConnectionException($error->getMessage(), 0, $error);
        }
    }

    /** @return array{username: string} */
    public function __debugInfo(): array
    {
        return ['username' => $this->username];
    }
}

/** The login was refused, or something else has failed. */
class XmppPrebindException extends Exception
{
}

/** There is no session, and the password is not the reason. */
class XmppPrebindConnectionException extends XmppPrebindException
{
}

<?php

namespace Prebind;

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
    ) {
        $this->lastRid = $rid - 1;
    }

    /** @return array{jid: string, sid: string, rid: int} what browser clients ask for */
    public function jsonSerialize(): array
    {
        return ['jid' => $this->jid, 'sid' => $this->sid, 'rid' => $this->rid];
    }

    /**
     * The same with further values, for clients that want them.
     *
     * @param 'last_rid'|'wait'|'inactivity' ...$extras
     *
     * @return array<string, string|int|null>
     */
    public function toArray(string ...$extras): array
    {
        self::checkExtras($extras);
        $all = ['last_rid' => $this->lastRid, 'wait' => $this->wait, 'inactivity' => $this->inactivity];
        return $this->jsonSerialize() + \array_intersect_key($all, \array_flip($extras));
    }

    /**
     * @internal
     *
     * @param array<string> $names
     */
    public static function checkExtras(array $names): void
    {
        $complaint = \prebind_native_web_given('extras', '$extras', ['value' => \array_values($names)]);
        if ($complaint !== null) {
            throw new \ValueError($complaint);
        }
    }

    /** @internal */
    public function handle(): ?Native\Handle
    {
        return $this->handle;
    }

    /** @return array<string, mixed> */
    public function __debugInfo(): array
    {
        $hidden = ['sid', 'rid', 'lastRid', 'cookies', 'fastToken', 'handle'];
        return \array_fill_keys($hidden, '***') + \get_object_vars($this);
    }

    public function __serialize(): never
    {
        throw new \LogicException('a Prebind\Session cannot be serialized: anyone with it has the session');
    }
}

<?php

// What the native part offers to lib/, for static analysers: nobody else calls it.

namespace {
    use Prebind\Native\{Client, Handle, Hidden};

    function prebind_native_load(): void
    {
    }

    /** @return array{Client}|array{kind: string, specific: array<string, mixed>} */
    function prebind_native_client(string $url, Hidden $options): array
    {
    }

    function prebind_native_profile(Client $client): string
    {
    }

    /**
     * @return array{array{
     *     jid: string, sid: string, rid: int, inactivity: ?int, wait: int, hold: int, requests: ?int,
     *     mechanism: string, roundTrips: int, cookies: list<array{string, string}>, fastToken: ?string, handle: Handle,
     * }}|array{kind: string, specific: array<string, mixed>}
     */
    function prebind_native_open(Client $client, string $jid, Hidden $credentials): array
    {
    }

    /** @return array{null}|array{kind: string, specific: array<string, mixed>} */
    function prebind_native_terminate(Client $client, ?Handle $known, Hidden $by): array
    {
    }

    /** @return array{string}|array{kind: string, specific: array<string, mixed>} */
    function prebind_native_jid(string $name, string $domain): array
    {
    }
}

namespace Prebind {
    /** What is in lib/chat.js. */
    const SCRIPT = '';
}

namespace Prebind\Native {
    final class Client
    {
    }

    final class Handle
    {
    }
}

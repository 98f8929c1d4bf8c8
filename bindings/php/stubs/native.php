<?php

// What the native part offers to lib/, for static analysers: nobody else calls it.

namespace {
    use Prebind\Native\{Asked, Client, Handle, Hidden, WebRequest};

    function prebind_native_load(): void
    {
    }

    /** @return array{Client}|array{kind: string, message: string} */
    function prebind_native_client(string $url, Hidden $options): array
    {
    }

    function prebind_native_profile(Client $client): string
    {
    }

    /**
     * @return array{array{
     *     jid: string, sid: string, rid: int, inactivity: ?int, wait: int, hold: int, requests: ?int,
     *     mechanism: string, roundTrips: int, cookies: list<array{string, string, string}>, fastToken: ?string, handle: Handle,
     * }}|array{kind: string, message: string}
     */
    function prebind_native_open(Client $client, string $jid, Hidden $credentials): array
    {
    }

    /** @return array{null}|array{kind: string, message: string} */
    function prebind_native_terminate(Client $client, ?Handle $known, Hidden $by): array
    {
    }

    /** @return array{string}|array{kind: string, message: string} */
    function prebind_native_issue(string $jid, Hidden $jwt): array
    {
    }

    /** @return array{?string}|array{kind: string, message: string} */
    function prebind_native_refusal(string $token, string $jid, Hidden $jwt, int $now): array
    {
    }

    /** @return array<string, string> the settings of `php.ini`, by their options */
    function prebind_native_settings(): array
    {
    }

    /** @return array{string}|array{kind: string, message: string} */
    function prebind_native_jid(string $name, string $domain): array
    {
    }

    /** @return array{string}|array{kind: string, message: string} */
    function prebind_native_new_key(?string $algorithm, ?string $id): array
    {
    }

    /** @return array{array<string, string>}|array{kind: string, message: string} */
    function prebind_native_server_side(string $server, string $domain, Hidden $jwt): array
    {
    }

    /** @return array{array{string, array<string, string>}}|array{kind: string, message: string} */
    function prebind_native_next_login(Client $client, string $jid, Hidden $first, Hidden $next): array
    {
    }

    /** @return array{array{string, array<string, string>}}|array{kind: string, message: string} */
    function prebind_native_body_limit(Client $client, Hidden $credentials, string $url): array
    {
    }

    /** @return array{array<string, string|int>}|array{kind: string, message: string} */
    function prebind_native_scram_keys(Hidden $given): array
    {
    }

    function prebind_native_schema(): string
    {
    }

    /**
     * @param array{
     *     method: string, scheme: string, host: string, port: ?int, headers: array<string, string>, query: string,
     * } $given
     */
    function prebind_native_web_request(array $given): WebRequest
    {
    }

    /** @return ?array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_web_refusal(WebRequest $request, bool $is_signed_in): ?array
    {
    }

    /** @return ?array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_web_refusal_of(WebRequest $request, ?string $jid): ?array
    {
    }

    function prebind_native_web_jid(WebRequest $request, string $jid): string
    {
    }

    function prebind_native_web_complaint(WebRequest $request, string $bosh_url, string $setting): ?string
    {
    }

    /**
     * @param list<array{string, string, string}> $cookies
     *
     * @return list<string>
     */
    function prebind_native_web_cookies(WebRequest $request, string $bosh_url, array $cookies): array
    {
    }

    function prebind_native_web_deadline(): int
    {
    }

    function prebind_native_web_cache_is_asked(int $now): bool
    {
    }

    function prebind_native_web_cache_answered(int $asked, int $now, string $question, ?string $failure): ?string
    {
    }

    /** @return array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_web_granted(Hidden $given): array
    {
    }

    /** @return array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_web_rate_limited(int $seconds): array
    {
    }

    /** @return array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_web_sign_in_again(): array
    {
    }

    /** @return array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_web_failed(string $kind, string $retry, ?int $retry_after): array
    {
    }

    /** @return array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_web_broken(): array
    {
    }

    /** @param array{value: mixed} $value */
    function prebind_native_web_given(string $given, string $called, array $value): ?string
    {
    }

    /** @param array<string> $known */
    function prebind_native_web_misnamed(string $called, string $sort, string $name, array $known): ?string
    {
    }

    /**
     * @param list<string> $jids
     *
     * @return ?array{int, int}
     */
    function prebind_native_web_sharing(array $jids): ?array
    {
    }

    /** @return list<string> */
    function prebind_native_web_checks(): array
    {
    }

    /**
     * @param array<string, string> $words
     *
     * @return ?array{string, string}
     */
    function prebind_native_web_doctor(string $check, string $outcome, array $words, ?int $milliseconds): ?array
    {
    }

    /** @param list<string> $wrong */
    function prebind_native_web_unmet(string $check, array $wrong): ?string
    {
    }

    /** @return array<string, string> */
    function prebind_native_web_script_headers(bool $is_own_version): array
    {
    }

    /**
     * @param array{
     *     jid: string, endpoint: string, bosh_url: string, script: string, assets: string, nonce: string, settings: string,
     * } $given
     *
     * @return array{string}|array{kind: string, message: string}
     */
    function prebind_native_web_page(array $given): array
    {
    }

    /** @return array{list<string>}|array{kind: string, message: string} */
    function prebind_native_web_reserved(string $settings, string $assets): array
    {
    }

    /** @return array{Asked}|array{kind: string, message: string} */
    function prebind_native_asked(Hidden $settings, Hidden $inquiry, int $now): array
    {
    }

    function prebind_native_asked_size(): int
    {
    }

    /**
     * @return array{next: 'refuse'|'accept'}|array{next: 'once', key: string, seconds: int}
     *     |array{next: 'exists', jid: string, user: string}
     */
    function prebind_native_asked_next(Asked $asked): array
    {
    }

    /** @return ?array{key: string, seconds: int} */
    function prebind_native_asked_counter(Asked $asked, bool $is_yes): ?array
    {
    }

    /** @return array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_asked_answer(Asked $asked, bool $is_yes, ?int $count): array
    {
    }

    /** @return ?array{string, string} */
    function prebind_native_asked_complaint(Asked $asked, bool $is_yes, ?int $count): ?array
    {
    }

    /** @return array{status: int, headers: array<string, string>, body: string} */
    function prebind_native_asked_broken(Asked $asked): array
    {
    }
}

namespace Prebind {
    /** What is in lib/chat.js. */
    const SCRIPT = '';
}

namespace Prebind\Native {
    final class Asked
    {
    }

    final class Client
    {
    }

    final class Handle
    {
    }

    final class WebRequest
    {
    }
}

<?php

namespace Prebind;

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
    ): Answer {
        $asked = null;
        try {
            $settings = ['secret' => $secret, 'jwt' => $jwt->values(), 'addresses' => $addresses];
            $settings = new Native\Hidden($settings);
            $inquiry = new Native\Hidden(self::inquiry($server ?? $_SERVER, $body));
            $asked = Native\Call::answer(static fn () => \prebind_native_asked($settings, $inquiry, \time()));
            $next = \prebind_native_asked_next($asked);
            $isYes = match ($next['next']) {
                // A cache that is away keeps nobody out: a token is good until it expires then.
                'once' => Native\Cache::ask(
                    'whether a token was used before',
                    static fn () => ($add ?? self::add(...))($next['key'], $next['seconds']),
                ) !== false,
                'exists' => (bool) $exists($next['user'], $next['jid']),
                default => $next['next'] === 'accept',
            };
            $counter = \prebind_native_asked_counter($asked, $isYes);
            $counted = $counter === null ? null : Native\Cache::ask(
                'how many questions were refused',
                static fn () => ($count ?? self::count(...))($counter['key'], $counter['seconds']),
            );
            $counted = \is_int($counted) ? $counted : null;
            $complaint = \prebind_native_asked_complaint($asked, $isYes, $counted);
            if ($complaint !== null) {
                \error_log("prebind: $complaint[1]");
            }
            return Answer::told(\prebind_native_asked_answer($asked, $isYes, $counted));
        } catch (\Throwable $error) {
            // Only where, if it is the site's own: what its code says might repeat a secret.
            $why = $error instanceof Exception ? $error->getMessage() : Native\Call::place($error);
            \error_log("prebind: the chat server gets no answer: $why");
            return Answer::told($asked === null ? \prebind_native_web_broken() : \prebind_native_asked_broken($asked));
        }
    }

    /**
     * The request as the core takes it.
     *
     * @param array<mixed> $server
     *
     * @return array<string, string|array<string, string>>
     */
    private static function inquiry(#[\SensitiveParameter] array $server, #[\SensitiveParameter] ?string $body): array
    {
        [$path, $query] = \explode('?', Native\Call::said($server, 'REQUEST_URI'), 2) + ['', ''];
        $headers = [];
        foreach (['Authorization', 'Forwarded', 'X-Forwarded-For'] as $name) {
            $key = 'HTTP_' . \strtr(\strtoupper($name), '-', '_');
            // Apache renames it where it rewrites the address.
            $headers[$name] = Native\Call::said($server, isset($server[$key]) ? $key : "REDIRECT_$key");
        }
        return [
            'method' => Native\Call::said($server, 'REQUEST_METHOD'),
            'path' => $path,
            'query' => $query,
            'address' => Native\Call::said($server, 'REMOTE_ADDR'),
            'headers' => \array_filter($headers, static fn (string $value) => $value !== ''),
            'body' => $body ?? (string) \file_get_contents('php://input', length: \prebind_native_asked_size() + 1),
        ];
    }

    /** Whether APCu is there, which all processes of a php-fpm share. */
    private static function hasApcu(): bool
    {
        return \function_exists('apcu_enabled') && \apcu_enabled();
    }

    private static function add(string $key, int $seconds): bool
    {
        if (!self::hasApcu() || \apcu_add($key, true, $seconds)) {
            return true;
        }
        if (\apcu_exists($key)) {
            return false;
        }
        \error_log('prebind: APCu does not keep which tokens were used: raise apc.shm_size in php.ini');
        return true;
    }

    private static function count(string $key, int $seconds): ?int
    {
        $count = self::hasApcu() ? \apcu_inc($key, 1, $isThere, $seconds) : false;
        return $count === false ? null : $count;
    }
}

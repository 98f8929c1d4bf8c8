<?php

declare(strict_types=1);

/**
 * Who is who: what a site of your own has in its database, and this one in the environment.
 *
 * It reads what `servers prosody -- COMMAND` sets. `SITE_USERS` comes first.
 *
 * @return array<string, array{password: string, xmpp_password?: string}> name to passwords: that for the
 *     site is another than that for the chat
 */
function people(): array
{
    $given = getenv('SITE_USERS');
    if ($given !== false) {
        /** @var array<string, array{password: string, xmpp_password?: string}> */
        return json_decode($given, true);
    }
    /** @var non-empty-array<string, array{accounts: array<string, string>}> $servers */
    $servers = json_decode((string) getenv('PREBIND_SERVERS'), true);
    $people = [];
    foreach (reset($servers)['accounts'] as $name => $password) {
        $people[$name] = ['password' => "site-of-$name", 'xmpp_password' => $password];
    }
    return $people;
}

/**
 * What proves to the chat server who the user is; the browser never sees it. With the key to sign tokens with, in
 * `SITE_KEY`, nobody has a chat password.
 *
 * @return array{jwt: Prebind\Jwt}|array{password: ?string}
 */
function proof(string $name): array
{
    return getenv('SITE_KEY') === false ? ['password' => people()[$name]['xmpp_password'] ?? null] : ['jwt' => jwt()];
}

/** What signs tokens, each of which is good once where the chat server asks the site. */
function jwt(): Prebind\Jwt
{
    return new Prebind\Jwt((string) getenv('SITE_KEY'), once: true);
}

<?php

namespace Prebind;

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
    ) {
        $this->values = \get_defined_vars();
    }

    /**
     * A token for an account, for a client that logs in by itself, such as a page that opens a WebSocket. Anyone
     * holding it can log in as that user until it expires.
     *
     * @throws ConfigException if a key or another value cannot be used
     */
    public function issue(string $jid): string
    {
        $jid = Native\Call::text('jid', $jid);
        $jwt = new Native\Hidden($this->values);
        return Native\Call::answer(static fn () => \prebind_native_issue($jid, $jwt));
    }

    /**
     * A new key as a private JWK. Anyone who has it can log in as anybody, so keep it like the site's own secret.
     *
     * @param ?string $algorithm `HS256`, `HS384`, `HS512`, `ES256` or `EdDSA`; default `HS256`
     * @param ?string $id its name in tokens (`kid`); default random
     *
     * @throws ConfigException if a value cannot be used
     */
    public static function newKey(?string $algorithm = null, ?string $id = null): string
    {
        return Native\Call::answer(static fn () => \prebind_native_new_key($algorithm, $id));
    }

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
    {
        return $this->serverSide('ejabberd', $domain);
    }

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
    {
        return $this->serverSide('prosody', $domain);
    }

    /** @return array{path: string, file: string, configuration: string, reload: string, instructions: string} */
    private function serverSide(string $server, string $domain): array
    {
        $domain = Native\Call::text('jid', $domain);
        $jwt = new Native\Hidden($this->values);
        return Native\Call::answer(static fn () => \prebind_native_server_side($server, $domain, $jwt));
    }

    /**
     * Why this token of the account is refused, for example `Expired`; null if it is valid.
     *
     * Answer with it what the chat server asks, where it has your site verify tokens. `$keys` may be public ones here;
     * `$lifetime`, `$once` and `$claims` are ignored.
     *
     * @throws ConfigException if a key cannot be used
     */
    public function refusal(string $jid, #[\SensitiveParameter] string $token): ?string
    {
        $jwt = new Native\Hidden($this->values);
        return Native\Call::answer(static fn () => \prebind_native_refusal($token, $jid, $jwt, \time()));
    }

    /**
     * @internal
     *
     * @return array<string, mixed>
     */
    public function values(): array
    {
        return $this->values;
    }

    /** @return array<string, string> */
    public function __debugInfo(): array
    {
        return \array_fill_keys(\array_keys($this->values), '***');
    }

    public function __serialize(): never
    {
        throw new \LogicException('a Prebind\Jwt cannot be serialized: it holds keys');
    }
}

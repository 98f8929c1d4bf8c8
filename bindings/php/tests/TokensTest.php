<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What Prebind\Jwt issues and refuses, as tests/vectors/tokens.json has it. */
final class TokensTest extends TestCase
{
    /** @return array<string, mixed> */
    private static function file(): array
    {
        return json_decode((string) file_get_contents(ROOT . '/tests/vectors/tokens.json'), true);
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    private static function rows(string $list): iterable
    {
        foreach (self::file()[$list] as $row) {
            // PHP has no rule for who the user is, and no issuer.
            if (!isset($row['user']) && !isset($row['issuer'])) {
                yield $row['name'] => [$row];
            }
        }
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function tokens(): iterable
    {
        return self::rows('tokens');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function issued(): iterable
    {
        return self::rows('issued');
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function refusedKeys(): iterable
    {
        return self::rows('keys_refused');
    }

    /**
     * @param array<string, mixed> $row
     *
     * @return list<string>
     */
    private static function keys(array $row): array
    {
        $keys = self::file()['keys'];
        return array_map(static fn (string $name) => $keys[$name], $row['keys']);
    }

    /**
     * @dataProvider tokens
     *
     * @param array<string, mixed> $row
     */
    public function testATokenIsAcceptedOrRefused(array $row): void
    {
        $jwt = new Prebind\Native\Hidden(['keys' => self::keys($row), 'audience' => $row['audience'] ?? null]);
        $account = $row['account'] ?? 'alice@example.org';
        $answer = prebind_native_refusal($row['token'], $account, $jwt, $row['now'] ?? self::file()['now']);
        self::assertSame([$row['expect']['refusal'] ?? null], $answer);
    }

    public function testThereAreTokensToRefuse(): void
    {
        self::assertGreaterThan(80, count(iterator_to_array(self::tokens())));
    }

    /**
     * @dataProvider issued
     *
     * @param array<string, mixed> $row
     */
    public function testATokenThatIsIssued(array $row): void
    {
        $more = array_intersect_key($row, array_flip(['lifetime', 'audience', 'claims']));
        $jwt = new Prebind\Jwt(self::keys($row), ...$more);
        $token = $jwt->issue($row['jid']);
        $part = static fn (string $part): array => json_decode((string) base64_decode(strtr($part, '-_', '+/')), true);
        [$header, $claims] = array_map($part, array_slice(explode('.', $token), 0, 2));
        self::assertEquals($row['header'], $header);
        $later = $claims['iat'] - self::file()['now'];
        $expected = $row['payload'];
        foreach (['iat', 'nbf', 'exp'] as $name) {
            $expected[$name] += $later;
        }
        self::assertEquals($expected, $claims);
        self::assertNull($jwt->refusal($row['jid'], $token));
        self::assertSame('OtherUser', $jwt->refusal('bob@example.org', $token));
    }

    /**
     * @dataProvider refusedKeys
     *
     * @param array<string, mixed> $row
     */
    public function testWhatIsNoKey(array $row): void
    {
        $jwt = new Prebind\Jwt($row['key']);
        foreach ([static fn () => $jwt->issue('alice@example.org'), static fn () => $jwt->refusal('alice@example.org', '')] as $call) {
            try {
                $call();
                self::fail('it is a key');
            } catch (Prebind\ConfigException $error) {
                self::assertSame('after-config-change', $error->retry);
            }
        }
    }

    public function testAChatServersSideOfAKey(): void
    {
        foreach (self::file()['server_sides'] as $row) {
            $jwt = new Prebind\Jwt(self::keys($row));
            try {
                $side = $row['server'] === 'ejabberd' ? $jwt->forEjabberd($row['domain']) : $jwt->forProsody($row['domain']);
                self::assertEquals($row['expect'], $side, $row['name']);
            } catch (Prebind\ConfigException $error) {
                self::assertSame($row['expect']['field'] ?? null, $error->field, $row['name']);
            }
        }
    }

    public function testANewKey(): void
    {
        $key = json_decode(Prebind\Jwt::newKey(), true);
        self::assertSame(['HS256', 16], [$key['alg'], strlen($key['kid'])]);
        $made = Prebind\Jwt::newKey('ES256', '2026-11');
        $key = json_decode($made, true);
        self::assertSame(['ES256', '2026-11'], [$key['alg'], $key['kid']]);
        $jwt = new Prebind\Jwt($made);
        self::assertNull($jwt->refusal('alice@example.org', $jwt->issue('alice@example.org')));
        $this->expectException(Prebind\ConfigException::class);
        $this->expectExceptionMessageMatches('/RSA keys are not made here/');
        Prebind\Jwt::newKey('RS256');
    }

    public function testWhatIsNotUtf8IsNoToken(): void
    {
        $jwt = new Prebind\Jwt(str_repeat('k', 32), 'HS256');
        self::assertSame('Malformed', $jwt->refusal('alice@example.org', "\xff.\xff.\xff"));
        self::assertSame('OtherUser', $jwt->refusal("\xff@example.org", $jwt->issue('alice@example.org')));
    }

    public function testKeysAreShownNowhere(): void
    {
        $key = 'hidden-7 hidden-7 hidden-7 hidden-7';
        $jwt = new Prebind\Jwt($key, 'HS256');
        ob_start();
        var_dump($jwt);
        self::assertStringNotContainsString('hidden-7', (string) ob_get_clean() . print_r($jwt, true));
        try {
            (new Prebind\Jwt($key))->issue('alice@example.org');
            self::fail('it is a key');
        } catch (Prebind\ConfigException $error) {
            self::assertStringNotContainsString('hidden-7', (string) $error);
        }
        $this->expectException(LogicException::class);
        serialize($jwt);
    }
}

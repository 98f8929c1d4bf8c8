<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** Every exchange of tests/vectors that can be replayed, byte for byte. */
final class VectorsTest extends TestCase
{
    /** @return iterable<string, array{array<string, mixed>}> */
    public static function cases(): iterable
    {
        chdir(ROOT);
        foreach (explode("\n", trim((string) shell_exec('faults replay --list tests/vectors'))) as $line) {
            $case = json_decode($line, true);
            yield $case['name'] => [$case];
        }
    }

    /**
     * @dataProvider cases
     *
     * @param array<string, mixed> $case
     */
    public function testVector(array $case): void
    {
        $server = new Faulty('replay', $case['case']);
        $result = self::play($server, $case);
        $server->end();
        self::assertSame(0, $server->status, $server->problem);
        $expect = $server->output['expect'];
        $got = [];
        if (isset($expect['error'])) {
            self::assertInstanceOf(Prebind\Exception::class, $result);
            self::assertSame("Prebind\\{$expect['error']['kind']}Exception", $result::class);
            foreach (array_keys($expect['error']) as $name) {
                $got[$name] = $result->{self::property($name)};
            }
            self::assertSame($expect['error'], $got);
            return;
        }
        self::assertInstanceOf(Prebind\Session::class, $result, (string) json_encode($result));
        foreach (array_keys($expect['session']) as $name) {
            $got[$name] = $result->{self::property($name)};
        }
        if (isset($got['cookies'])) {
            $got['cookies'] = array_map(static fn (array $it) => ['name' => $it[0], 'path' => $it[2], 'value' => $it[1]], $got['cookies']);
        }
        self::assertSame($expect['session'], $got);
        self::assertSame(['jid', 'sid', 'rid'], array_keys(json_decode((string) json_encode($result), true)));
    }

    public function testAllKindsAVectorCanHaveAreThere(): void
    {
        $cases = array_column(iterator_to_array(self::cases()), 0);
        $kinds = array_unique(array_filter(array_map(static fn ($case) => $case['expect']['error']['kind'] ?? null, $cases)));
        foreach (['Auth', 'Bind', 'Config', 'Http', 'Mechanism', 'Protocol', 'Terminated'] as $kind) {
            self::assertContains($kind, $kinds);
        }
        self::assertGreaterThan(400, count($cases));
    }

    private static function property(string $name): string
    {
        return lcfirst(str_replace('_', '', ucwords($name, '_')));
    }

    /** @param array<string, mixed> $case */
    private static function play(Faulty $server, array $case): Prebind\Session|Prebind\Exception
    {
        // A client of its own, as another case's server may have been at the same port.
        static $count = 0;
        $options = array_diff_key($case['config'], ['url' => null]) + ['fail_fast_for' => 5 + ++$count / 1000];
        if (array_key_exists('lang', $options)) {
            $options['lang'] ??= '';
        }
        $credentials = $case['account']['credentials'];
        foreach (array_intersect(['scram_keys', 'scram_salted_password'], array_keys($credentials)) as $name) {
            foreach ($credentials[$name] as $field => $value) {
                if (!in_array($field, ['hash', 'iterations'], true)) {
                    $credentials[$name][$field] = base64_decode($value);
                }
            }
        }
        try {
            return $server->client(...$options)->prebind($case['account']['jid'], ...$credentials);
        } catch (Prebind\Exception $error) {
            return $error;
        }
    }
}

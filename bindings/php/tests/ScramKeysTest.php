<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

use function Prebind\scram_keys;

/** What `Prebind\scram_keys()` makes, as tests/vectors/scram-derived.json has it. */
final class ScramKeysTest extends TestCase
{
    /** @return array<string, mixed> */
    private static function file(): array
    {
        return json_decode((string) file_get_contents(ROOT . '/tests/vectors/scram-derived.json'), true, flags: JSON_THROW_ON_ERROR);
    }

    public function testDerived(): void
    {
        foreach (self::file()['derived'] as $row) {
            $salt = base64_decode($row['salt']);
            [$keys, $stored_key] = scram_keys($row['password'], $row['hash'], $row['iterations'], $salt);
            $expected = ['hash' => $row['hash'], 'salt' => $salt, 'iterations' => $row['iterations']];
            foreach (['client_key', 'server_key'] as $name) {
                $expected[$name] = base64_decode($row[$name]);
            }
            self::assertSame($expected, $keys, $row['name']);
            self::assertSame(base64_decode($row['stored_key']), $stored_key, $row['name']);
        }
    }

    public function testASaltIsDrawnAnewAndIsText(): void
    {
        [[$first], [$second]] = [scram_keys('x', 'SHA-256', 4096), scram_keys('x', 'SHA-256', 4096)];
        self::assertNotSame($first['salt'], $second['salt']);
        self::assertMatchesRegularExpression('/^[\w-]+$/', $first['salt']);
    }

    public function testRefused(): void
    {
        foreach (self::file()['refused'] as $row) {
            try {
                scram_keys($row['password'], $row['hash'], $row['iterations']);
                self::fail($row['name']);
            } catch (Prebind\ConfigException $error) {
                self::assertSame($row['field'], $error->field, $row['name']);
            }
        }
    }
}

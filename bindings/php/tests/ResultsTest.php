<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What sessions and exceptions hold is what the library says, and all of it is documented. */
final class ResultsTest extends TestCase
{
    /** The type of a property, by its field's type. */
    private const TYPES = [
        'text' => 'string', 'choice' => 'string', 'count' => 'int', 'seconds' => 'int', 'texts' => 'array', 'records' => 'array',
    ];

    /** What a session that was stored is made of. */
    private const STORED = ['jid', 'sid', 'rid'];

    /** What every exception has of PHP's own. */
    private const OWN = ['message', 'previous'];

    public function testASessionHasTheFieldsOfTheLibrary(): void
    {
        $fields = self::named(schema()['session']);
        $wanted = [];
        foreach ($fields as $name => $field) {
            $isAlways = in_array($name, self::STORED, true) || $field['type'] === 'records';
            $wanted[$name] = ($isAlways ? '' : '?') . self::TYPES[$field['type']];
        }
        $constructor = new ReflectionMethod(Prebind\Session::class, '__construct');
        $types = self::types($constructor);
        unset($types['handle']);
        self::assertSame($wanted, $types);
        self::assertDocumented(array_keys($wanted), $constructor);
        foreach (array_diff(array_keys($wanted), self::STORED) as $name) {
            self::assertStringContainsString("`$name`", self::readme());
        }
    }

    public function testWhatIsSecretIsNotShown(): void
    {
        $shown = (new Prebind\Session('alice@localhost/1', 'the-sid', 7, cookies: [['a', 'b', 'c']], fastToken: 'token'))->__debugInfo();
        foreach (self::named(schema()['session']) as $name => $field) {
            self::assertSame($field['secret'], $shown[$name] === '***', $name);
        }
    }

    /** @return iterable<string, array{string}> */
    public static function kinds(): iterable
    {
        foreach (schema()['errors'] as $kind) {
            yield $kind => [$kind];
        }
    }

    /** @dataProvider kinds */
    public function testAnExceptionHasTheFieldsOfItsKind(string $kind): void
    {
        $wanted = $own = [];
        $fields = self::named(schema()['error']);
        // What `getMessage()` gives, and what the class does.
        unset($fields['message'], $fields['kind']);
        foreach ($fields as $name => $field) {
            if (in_array($kind, $field['kinds'] ?? [$kind], true)) {
                $wanted[$name] = ($field['optional'] ? '?' : '') . self::TYPES[$field['type']];
            }
            if (in_array($kind, $field['kinds'] ?? [], true)) {
                $own[] = $name;
            }
        }
        $constructor = new ReflectionMethod("Prebind\\{$kind}Exception", '__construct');
        self::assertEquals($wanted, array_diff_key(self::types($constructor), array_flip(self::OWN)));
        self::assertDocumented($own, $constructor);
        self::assertDocumented(array_diff(array_keys($wanted), $own), new ReflectionMethod(Prebind\Exception::class, '__construct'));
        foreach (['kind', ...array_keys($wanted)] as $name) {
            self::assertStringContainsString("`$name`", self::readme());
        }
        foreach (array_keys($wanted) as $name) {
            self::assertTrue((new ReflectionProperty($constructor->class, $name))->isReadOnly());
        }
    }

    /**
     * The fields, by what PHP calls them.
     *
     * @param list<array<string, mixed>> $fields
     *
     * @return array<string, array<string, mixed>>
     */
    private static function named(array $fields): array
    {
        $camelCase = static fn (string $name) => lcfirst(str_replace('_', '', ucwords($name, '_')));
        return array_combine(array_map($camelCase, array_column($fields, 'name')), $fields);
    }

    /** @return array<string, string> */
    private static function types(ReflectionMethod $constructor): array
    {
        $parameters = $constructor->getParameters();
        $names = array_map(static fn ($parameter) => $parameter->name, $parameters);
        return array_combine($names, array_map(static fn ($parameter) => (string) $parameter->getType(), $parameters));
    }

    /** @param array<string> $names */
    private static function assertDocumented(array $names, ReflectionMethod $constructor): void
    {
        foreach ($names as $name) {
            self::assertMatchesRegularExpression("/@param \\S.*? \\$$name +\\w/", (string) $constructor->getDocComment());
        }
    }

    private static function readme(): string
    {
        return (string) file_get_contents(ROOT . '/bindings/php/README.md');
    }
}

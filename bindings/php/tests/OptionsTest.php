<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** Options and credentials: names, types, defaults, and what is wrong with them. */
final class OptionsTest extends TestCase
{
    /** The type of an argument, by its option's type. Null is the default, whatever that is. */
    private const TYPES = [
        'flag' => '?bool', 'count' => '?int', 'range' => '?array', 'seconds' => 'int|float|null', 'choice' => '?string',
        'text' => '?string', 'pem' => '?string', 'certificate' => '?array', 'headers' => '?array',
        'record' => '?array',
    ];

    /** @return array<string, mixed> the values that all languages share */
    private static function values(): array
    {
        return json_decode((string) file_get_contents(ROOT . '/tests/vectors/options.json'), true, flags: JSON_THROW_ON_ERROR);
    }

    /** @return iterable<string, array{string, mixed}> */
    public static function good(): iterable
    {
        yield from self::of('good');
    }

    /** @return iterable<string, array{string, mixed}> */
    public static function bad(): iterable
    {
        yield from self::of('bad');
        $pem = "\xff";
        foreach (['route' => "\xff", 'ca' => $pem, 'client_certificate' => [$pem, $pem], 'deadline' => NAN, 'profile' => "\xff"] as $name => $value) {
            yield "$name, as only PHP has it" => [$name, $value];
        }
    }

    /** @return iterable<string, array{string, mixed}> */
    private static function of(string $kind): iterable
    {
        foreach (self::values()['options'] as $name => $values) {
            foreach ($values[$kind] as $i => $value) {
                yield "$name $i" => [$name, $value];
            }
        }
    }

    /** @dataProvider good */
    public function testAGoodValueIsTaken(string $name, mixed $value): void
    {
        // Null is the default, so no language is '' in PHP.
        $value ??= $name === 'lang' ? '' : null;
        self::assertInstanceOf(Prebind\Client::class, new Prebind\Client(self::values()['url'], ...[$name => $value]));
    }

    /** @dataProvider bad */
    public function testABadValueIsRefused(string $name, mixed $value): void
    {
        if ($value === null || ($name === 'lang' && $value === '')) {
            // In PHP these are the default and no language.
            $this->expectNotToPerformAssertions();
            new Prebind\Client(self::values()['url'], ...[$name => $value]);
            return;
        }
        try {
            new Prebind\Client(self::values()['url'], ...[$name => $value]);
        } catch (Prebind\ConfigException $error) {
            $refused = self::values()['refused'];
            $got = array_map(static fn (string $key) => $error->{$key}, array_keys($refused));
            self::assertSame(array_values($refused), $got);
            self::assertSame($name, $error->field);
            self::assertStringStartsWith("$name: ", $error->getMessage());
            return;
        } catch (TypeError $error) {
            // PHP itself, by the argument's type.
            $types = explode('|', str_replace('?', 'null|', self::TYPES[self::options()[$name]['type']]));
            self::assertNotContains(get_debug_type($value), $types);
            self::assertStringContainsString("(\$$name) must be of type ", $error->getMessage());
            return;
        }
        self::fail('it is taken');
    }

    public function testThereIsAnArgumentForEachOption(): void
    {
        $parameters = [];
        foreach ((new ReflectionMethod(Prebind\Client::class, '__construct'))->getParameters() as $parameter) {
            $parameters[$parameter->name] = (string) $parameter->getType();
        }
        $types = array_map(static fn (array $option) => self::TYPES[$option['type']], self::options());
        self::assertSame(['url' => '?string', ...$types, 'cache' => '?array'], $parameters);
        self::assertSame(array_keys($types), array_keys(self::values()['options']));
    }

    /** @return iterable<string, array{string, mixed}> */
    public static function defaults(): iterable
    {
        foreach (self::options() as $name => $option) {
            yield $name => [$name, $option['default']];
        }
    }

    /** @dataProvider defaults */
    public function testTheDefaultOfAnOptionIsDocumented(string $name, mixed $default): void
    {
        $comment = (string) (new ReflectionMethod(Prebind\Client::class, '__construct'))->getDocComment();
        self::assertSame(1, preg_match("/@param [^@$]*?\\$$name\\b([^@]|{@)*/", $comment, $match), 'it is described');
        $said = (string) preg_replace('/\s*\n\s*\* */', ' ', $match[0]);
        preg_match_all('/\bdefault (.+?)(?:[.,;:)]\s|\s*$)/', $said, $match);
        $wanted = self::inWords($default);
        self::assertSame($wanted === 'none' && $match[1] === [] ? [] : [$wanted], $match[1], $said);
    }

    public function testThereIsAnArgumentForEachCredential(): void
    {
        $arguments = array_column(schema()['credentials'], null, 'name');
        $prebind = new ReflectionMethod(Prebind\Client::class, 'prebind');
        $parameters = array_map(static fn ($parameter) => $parameter->name, $prebind->getParameters());
        self::assertSame(['jid', ...array_keys($arguments)], $parameters);
        $comment = (string) $prebind->getDocComment();
        foreach ($arguments as $name => $argument) {
            self::assertStringContainsString("\$$name", $comment);
            if ($argument['type'] === 'record') {
                $fields = self::fields($name, $comment);
                self::assertSame([...$argument['fields'], ...$argument['optional_fields'] ?? []], $fields);
            }
        }
    }

    /** @return list<string> the names in an array that is an argument of `prebind()`; a `Prebind\Jwt` has them as arguments */
    private static function fields(string $name, string $comment): array
    {
        if ($name === 'jwt') {
            $parameters = (new ReflectionMethod(Prebind\Jwt::class, '__construct'))->getParameters();
            return array_map(static fn (ReflectionParameter $parameter) => $parameter->name, $parameters);
        }
        preg_match("/@param \\?array{(.*?)} \\$$name\n/", $comment, $shape);
        preg_match_all('/(\w+)\??: /', $shape[1], $fields);
        return $fields[1];
    }

    /** @return array<string, array<string, mixed>> */
    private static function options(): array
    {
        return array_column(schema()['options'], null, 'name');
    }

    private static function inWords(mixed $default): string
    {
        return match (true) {
            $default === null, $default === [] => 'none',
            is_bool($default) => $default ? 'yes' : 'no',
            is_array($default) => implode(' to ', array_map(self::inWords(...), $default)),
            is_string($default) => "`$default`",
            default => number_format($default),
        };
    }
}

<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** What static analysers and IDEs are told: all of it, and nothing that is not so. */
final class TypesTest extends TestCase
{
    /** A type that says what is in an array, or what a function takes and gives. */
    private const SHAPE = '/(array[<{]|list<|\\\\Closure\(|callable\()/';

    /** @return iterable<string, array{ReflectionFunctionAbstract}> */
    public static function functions(): iterable
    {
        class_exists(Prebind\Client::class);
        foreach (['prebind', 'Prebind\jid_from_user'] as $name) {
            yield $name => [new ReflectionFunction($name)];
        }
        $native = [Prebind\Native\Asked::class, Prebind\Native\Client::class, Prebind\Native\Handle::class, Prebind\Native\WebRequest::class];
        foreach (get_declared_classes() as $class) {
            if (!str_starts_with($class, 'Prebind\\') || in_array($class, $native, true)) {
                continue;
            }
            foreach ((new ReflectionClass($class))->getMethods() as $method) {
                if ($method->class === $class) {
                    yield "$class::$method->name" => [$method];
                }
            }
        }
    }

    /** @dataProvider functions */
    public function testAllIsTypedAndEachArrayHasAShape(ReflectionFunctionAbstract $function): void
    {
        $comment = (string) $function->getDocComment();
        foreach ($function->getParameters() as $parameter) {
            self::assertNotNull($parameter->getType(), $parameter->name);
            if (self::isOpen($parameter->getType())) {
                // A property that is a parameter may say it as well.
                self::assertMatchesRegularExpression(self::SHAPE, self::told($comment, "@param", preg_quote("\$$parameter->name") . '\b'), $parameter->name);
            }
        }
        if (!$function instanceof ReflectionMethod || !$function->isConstructor()) {
            self::assertNotNull($function->getReturnType());
            if (self::isOpen($function->getReturnType())) {
                self::assertMatchesRegularExpression(self::SHAPE, self::told($comment, '@return', ''));
            }
        }
    }

    public function testTheNativePartIsAsItsStubSays(): void
    {
        $stub = (string) file_get_contents(__DIR__ . '/../stubs/native.php');
        exec(PHP_BINARY . ' -n -l ' . escapeshellarg(__DIR__ . '/../stubs/native.php'), $output, $status);
        self::assertSame(0, $status, implode("\n", $output));
        preg_match_all('/function (prebind_\w+)\((.*?)\)/', $stub, $match, PREG_SET_ORDER);
        $said = [];
        foreach ($match as [, $name, $parameters]) {
            preg_match_all('/\$(\w+)/', $parameters, $names);
            $said[$name] = $names[1];
        }
        $native = [];
        foreach ((new ReflectionExtension('prebind'))->getFunctions() as $name => $function) {
            $native[$name] = array_map(static fn ($parameter) => $parameter->name, $function->getParameters());
        }
        self::assertSame($native, $said);
    }

    /** What is spread, PHPStan does not compare with what it is spread to. */
    public function testNamedArgumentsInArraysAreAsTheFunctionsAre(): void
    {
        $prebind = new ReflectionMethod(Prebind\Client::class, 'prebind');
        $told = [
            [new ReflectionFunction('prebind'), $prebind->getDeclaringClass()->getConstructor()],
            [new ReflectionClass(Prebind\Converse::class), $prebind],
        ];
        foreach ($told as [$where, $function]) {
            // Without the names in their own arrays.
            $comment = (string) preg_replace('/\?array{[^{}]*}/', '', (string) $where->getDocComment());
            preg_match_all('/(\w+)\?:/', $comment, $match);
            // The first is given apart.
            $parameters = array_slice($function->getParameters(), 1);
            self::assertSame(array_map(static fn ($parameter) => $parameter->name, $parameters), $match[1]);
        }
    }

    private static function isOpen(ReflectionType $type): bool
    {
        return preg_match('/\b(array|Closure|callable)\b/', (string) $type) === 1;
    }

    /** What a comment says of a parameter or of the result. */
    private static function told(string $comment, string $tag, string $name): string
    {
        return preg_match("/$tag ([^@]*?)" . ($name === '' ? '(?:\*\/|@|\n \* \n)' : $name) . '/s', $comment, $match) ? $match[1] : '';
    }
}

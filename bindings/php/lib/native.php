<?php

namespace Prebind\Native;

use Prebind\ConfigException;
use Prebind\InternalException;

/**
 * Values with names, on their way to the native part.
 *
 * No attribute of a native function hides its arguments from stack traces: nobody who prints one
 * sees what is in here.
 *
 * @internal
 */
final class Hidden
{
    /** @var array<string, mixed> */
    private array $values = [];

    /**
     * @param array<string, mixed> $values
     *
     * @throws ConfigException if there is one that the native part could not take
     */
    public function __construct(#[\SensitiveParameter] array $values)
    {
        foreach ($values as $name => $value) {
            $this->values[$name] = \is_array($value) ? self::plain($name, $value) : $value;
        }
    }

    /**
     * Without references, which may lead in a circle, today or tomorrow.
     *
     * @param array<mixed> $values
     *
     * @return array<mixed>
     */
    private static function plain(string $name, #[\SensitiveParameter] array $values): array
    {
        $plain = [];
        foreach ($values as $key => $value) {
            if (\is_array($value)) {
                throw Call::refused($name, 'there must be no arrays in it');
            }
            Call::text($name, (string) $key);
            $plain[$key] = $value;
        }
        return $plain;
    }

    /** @return array<string, string> */
    public function __debugInfo(): array
    {
        return \array_fill_keys(\array_keys($this->values), '***');
    }
}

/** @internal */
final class Call
{
    /**
     * What a native function answers, or its error, thrown.
     *
     * @template T
     *
     * @param \Closure(): (array{T}|array{kind: string, specific: array<string, mixed>}) $function
     *
     * @return T
     */
    public static function answer(\Closure $function): mixed
    {
        try {
            $answer = $function();
        } catch (\Error $error) {
            // Not with the words of the panic, which may be about a secret.
            throw \str_starts_with($error->getMessage(), 'Rust panic: ')
                ? new InternalException('a defect in prebind itself: report it with what PHP\'s log says')
                : $error;
        }
        if (\array_key_exists(0, $answer)) {
            return $answer[0];
        }
        ['kind' => $kind, 'specific' => $specific] = $answer;
        unset($answer['kind'], $answer['specific']);
        /** @var class-string<\Prebind\Exception> $class */
        $class = "Prebind\\{$kind}Exception";
        // Which arguments there are depends on the class.
        throw (new \ReflectionClass($class))->newInstanceArgs($answer + $specific);
    }

    /**
     * The text, which the native part takes as UTF-8 only.
     *
     * @throws ConfigException with this field if it is not
     */
    public static function text(string $field, #[\SensitiveParameter] string $text): string
    {
        if (\preg_match('//u', $text) !== 1) {
            throw self::refused($field, 'must be UTF-8');
        }
        return $text;
    }

    public static function refused(string $field, string $problem): ConfigException
    {
        return new ConfigException("$field: $problem", field: $field, retry: 'after-config-change');
    }
}

<?php

namespace Prebind;

/**
 * What the browser, or a chat server, is answered: {@see send()} it, or give its parts to your framework.
 */
final class Answer
{
    /** @param array<string, string|list<string>> $headers a list where a header comes more than once */
    private function __construct(
        public readonly int $status,
        public readonly array $headers,
        #[\SensitiveParameter] public readonly string $body,
    ) {
    }

    /**
     * What the core answers.
     *
     * @internal
     *
     * @param array{status: int, headers: array<string, string>, body: string} $told
     * @param list<string> $cookies
     */
    public static function told(#[\SensitiveParameter] array $told, #[\SensitiveParameter] array $cookies = []): self
    {
        $headers = $told['headers'] + ($cookies === [] ? [] : ['Set-Cookie' => $cookies]);
        return new self($told['status'], $headers, $told['body']);
    }

    /**
     * The page's script.
     *
     * @internal
     */
    public static function script(string $version): self
    {
        $headers = \prebind_native_web_script_headers($version === self::scriptVersion());
        return new self(200, $headers, SCRIPT);
    }

    /**
     * Changes with the script.
     *
     * @internal
     */
    public static function scriptVersion(): string
    {
        return \substr(\hash('sha256', SCRIPT), 0, 12);
    }

    /** Sends status, headers and body, in place of what PHP's session module may have set. */
    public function send(): void
    {
        \http_response_code($this->status);
        foreach ($this->headers as $name => $values) {
            foreach ((array) $values as $value) {
                // The site has cookies of its own.
                \header("$name: $value", $name !== 'Set-Cookie');
            }
        }
        foreach (['Expires', 'Pragma'] as $name) {
            \header_remove($name);
        }
        echo $this->body;
    }
}
